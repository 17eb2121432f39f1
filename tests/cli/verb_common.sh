#!/bin/bash
# What all verbs share: help, usage errors, JSON, standard output that cannot be written.
. tests/cli/support.bash

verbs="train eval run emit measure show targets"

mote
ends "no arguments: the overview" 0 ""
cp "$SCRATCH/out" "$SCRATCH/overview"
mote --help
prints "--help prints the same" "$(cat "$SCRATCH/overview")"
for verb in $verbs; do
    check "overview lists $verb" grep -q "^  $verb " "$SCRATCH/overview"
    mote "$verb" --help
    ends "$verb --help" 0 ""
    check "$verb --help has its explanations in one column" \
        [ "$(grep -E '^  -(-json|h)' "$SCRATCH/out" | grep -cE '^.{26}print')" -eq 2 ]
    check "$verb --help has an example" grep -q '^example:' "$SCRATCH/out"
    cp "$SCRATCH/out" "$SCRATCH/help"
    mote help "$verb"
    prints "help $verb is $verb --help" "$(cat "$SCRATCH/help")"
    check "$verb --help is at most 100 wide" awk 'length > 100 { exit 1 }' "$SCRATCH/help"
    mote "$verb" --no-such-option
    check "$verb: unknown option" [ "$status" -eq 2 ]
done

mote --version
check "--version" grep -qx 'mote [0-9]*\.[0-9]*\.[0-9]*' "$SCRATCH/out"

mote trian
ends "unknown verb, near" 2 "mote: unknown verb 'trian'; did you mean 'train'?"
mote xyzzyxyzzy
ends "unknown verb, far" 2 "mote: unknown verb 'xyzzyxyzzy'; see 'mote --help'"
mote help trian
ends "help of an unknown verb" 2 "mote: unknown verb 'trian'; did you mean 'train'?"
mote $'ev\nil'
ends "control characters are not echoed" 2 "mote: unknown verb 'ev?il'; did you mean 'eval'?"

mote train x.csv --ouputs 3 -o x.mote
ends "unknown option, near" 2 "mote train: unknown option '--ouputs'; did you mean '--outputs'?"
mote show x --xyzzyxyzzy
ends "unknown option, far" 2 "mote show: unknown option '--xyzzyxyzzy'; see 'mote show --help'"
mote show --jason=1 x
ends "unknown option with a value" 2 "mote show: unknown option '--jason=1'; did you mean '--json'?"
mote show --json=1 x
ends "flag with a value" 2 "mote show: --json takes no argument"
mote train x.csv -o
ends "option without its argument" 2 "mote train: -o needs an argument (NET)"
mote show
ends "too few arguments" 2 "mote show: too few arguments; usage: mote show NET [--json]"
mote show a b
ends "too many arguments" 2 "mote show: unexpected argument 'b'"
mote show -- --json
ends "-- ends the options" 1 "mote: --json: No such file or directory"

while IFS='|' read -r option value expected; do
    mote train x.csv -o x.mote "$option" "$value"
    ends "train $option '$value'" 2 "mote train: $option: '$value' is not $expected"
done <<'EOF'
--seed|-1|a whole number from 0 to 999999999999999999
--seed|1e3|a whole number from 0 to 999999999999999999
--threads|17|a whole number from 1 to 16
--samples|0|a whole number from 1 to 1000000000
--weights|1|a number of bits from 2 to 9, or 'ternary'
--weights|10|a number of bits from 2 to 9, or 'ternary'
--activation|none|cubic, psig, relu, abs, leaky or clip
--activation|tanh|cubic, psig, relu, abs, leaky or clip
--method|sgd|auto, lsq or qat
--loss|l2|auto, mse, huber, cross-entropy or log
--in|i32|u8, i8, u16 or i16
--out|u16|i8, i16 or i32
--out-lsb|0|a positive decimal number
--out-lsb|-1|a positive decimal number
--out-lsb|1.2.3|a positive decimal number
--time|0|a time such as 60s, 5m or 1.5h
--time|5 minutes|a time such as 60s, 5m or 1.5h
--flash|1M|a number of bytes such as 900 or 32k
--ram|0|a number of bytes such as 200 or 2k
--cycles|0|a whole number from 1 to 1000000000000
--optimise|fast|'size', 'speed' or 'balanced'
EOF
mote train x.csv -o x.mote --name ''
ends "empty argument" 2 "mote train: --name: its argument is empty"

sum_net "$SCRATCH/sum.mote"
for command in "--help" "show $SCRATCH/sum.mote" "show $SCRATCH/sum.mote --json" \
    "emit $SCRATCH/sum.mote -o -" "help train"; do
    # shellcheck disable=SC2086
    "$MOTE" $command >/dev/full 2>"$SCRATCH/err"
    status=$?
    ends "full standard output: ${command%% *}" 1 "mote: standard output: No space left on device"
done

mote show "$SCRATCH/none.mote"
ends "missing net" 1 "mote: $SCRATCH/none.mote: No such file or directory"
mote show "$SCRATCH"
check "a folder is no net" [ "$status" -eq 1 ]
