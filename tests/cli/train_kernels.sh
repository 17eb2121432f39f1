#!/bin/bash
# mote train for what kernels want: 8-bit activations, rows for the packed kernel, budgets.
. tests/cli/support.bash

build=$(realpath "$(dirname "$MOTE")")
cd "$SCRATCH" || exit 1
"$build/examples/pose/simulate" --count 1500 --seed 4 >pose.csv
train=(train pose.csv --outputs 6 --seed 1)

mote "${train[@]}" --net 8 --hidden i8 -o eight.mote
check "--hidden i8" [ "$status" -eq 0 ]
check "activations of 8 bits, readings and results of 16" \
    grep -qF '"tensors": [["u16", 6], ["i16", 6], ["i8", 8], ["i32", 6], ["i32", 6], ["i16", 6]]' eight.mote
check "with relu, and the skip of a regression" grep -q '"op": "dense".*"relu"' eight.mote
mote "${train[@]}" --net 8 --hidden u8 --activation abs --no-skip --in i8 --out i8 -o bytes.mote
check "8 bits everywhere" \
    grep -qF '"tensors": [["i8", 6], ["u8", 8], ["i8", 6]]' bytes.mote

# Layers of which every row is packed: those that are not would be told behind the cycles.
packed_rows()
{
    "$MOTE" emit "$1" --explain --kernel packed | grep -c '^  \* packed .* cycles; as --kernel says$'
}
mote "${train[@]}" --net 8-12 --kernel packed --in i8 --out i8 -o packed.mote
check "--kernel packed: no skip, 8 bits" \
    grep -qF '"tensors": [["i8", 6], ["i8", 8], ["i8", 12], ["i8", 6]]' packed.mote
check "all three layers are packed" [ "$(packed_rows packed.mote)" -eq 3 ]
mote "${train[@]}" --net 8-12 --kernel packed -o wide.mote
check "behind readings of 16 bits all but the first" [ "$(packed_rows wide.mote)" -eq 2 ]
mote "${train[@]}" --net 8-12 --kernel packed --in i8 --out i8 --threads 1 --name packed -o again.mote
check "the same bytes again, with one thread" cmp packed.mote again.mote
mote show packed.mote --json
gives "the options are kept" .options \
    '"--outputs 6 --net 8-12 --in i8 --kernel packed --out i8 --seed 1"'
mote eval packed.mote pose.csv --json
check "it has learned" [ "$(jq '.score.rms_percent < 6' out)" = true ]

mote "${train[@]}" --net 8 --hidden i32 -o x.mote
ends "--hidden i32" 2 "mote train: --hidden: 'i32' is not i8, u8 or i16"
mote "${train[@]}" --net 8 --kernel fast -o x.mote
ends "--kernel fast" 2 "mote train: --kernel: 'fast' is not any or packed"
mote "${train[@]}" --net 8 --hidden i8 --activation cubic -o x.mote
ends "cubic is for 16 bits" 1 "mote: --hidden i8: not with --activation cubic"
mote "${train[@]}" --net 8 --hidden u8 --activation clip -o x.mote
ends "clip has a sign" 1 "mote: --hidden u8: not with --activation clip"
mote "${train[@]}" --net 8 --hidden i8 --method lsq -o x.mote
ends "least squares is for 16 bits" 1 \
    "mote: --method lsq trains activations of 16 bits; 8 bits go by gradient"
mote "${train[@]}" --net 8 --kernel packed --hidden i16 -o x.mote
ends "16 bits cannot be packed" 1 \
    "mote: --kernel packed needs activations of 8 bits: --hidden i8 or u8"
mote "${train[@]}" --net 8 --kernel packed --skip -o x.mote
ends "nor can the skip" 1 "mote: --kernel packed goes without --skip, whose sums have 32 bits"
mote "${train[@]}" --target cortex-m0 --cycles 900 --checkpoint state -o x.mote
ends "a checkpoint is of one net" 2 \
    "mote train: --checkpoint needs --net SHAPE where there is a budget"

# Budgets choose the net.  Where a target's tools are missing it cannot be measured.
missing=$("$MOTE" targets --json | jq -r '.[] | select(.name == "cortex-m0").missing')
if [ "$missing" != null ]; then
    echo "skip budgets choose the net: $missing is not installed"
    exit 0
fi
budget=(--method qat --target cortex-m0)
mote "${train[@]}" "${budget[@]}" --cycles 1200 --flash 1500 -o fit.mote --json
check "a budget that can be met" [ "$status" -eq 0 ]
check "is met" [ "$(jq '.costs[0] | .cycles <= 1200 and .flash_code + .flash_const <= 1500' out)" = true ]
check "what was chosen is told" \
    grep -q '^mote: note: the budget chose: .*--net [0-9-]* .*--optimise s[ip]' err
chosen=$(jq -r .provenance.options fit.mote)
# shellcheck disable=SC2086 # words
mote train pose.csv $chosen --name fit -o same.mote
check "its options alone give the same net" \
    cmp <(grep -v '"options"' fit.mote) <(grep -v '"options"' same.mote)
mote "${train[@]}" "${budget[@]}" --weights 8 --kernel any --hidden i16 --cycles 100 -o none.mote
check "no net fits 100 cycles" [ "$status" -eq 3 ]
check "which is told" grep -q '^mote: cortex-m0: cycles [0-9]*, over the budget of 100$' err
check "the smallest is written" grep -qF '"i16", 4]' none.mote
