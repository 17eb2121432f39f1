#!/bin/bash
# The digits example from beginning to end: images, training, C, its costs on two chips, one table.
#
#   run.sh [NET...]    descriptions of networks, default: tiny.net and small.net beside this script
#
# MNIST is a folder with its four IDX files (.gz or not); without it digits are generated.  BUILD is
# the output folder (default build), SEED and EPOCHS (such as 10+50) vary the training.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here/tiny.net" "$here/small.net"
nets=()
for net in "$@"; do
    [ -f "$net" ] || { echo "run.sh: $net: no such file" >&2; exit 1; }
    nets+=("$(realpath "$net")")
done
cd "$here/../.."
build=${BUILD:-build}
mote=$build/mote
out=$build/digits
mkdir -p "$out"

# The IDX file of images whose name begins with $1, packed or not.
images_of()
{
    local file
    for file in "$folder/$1-images"*; do
        case $file in *idx3-ubyte | *idx3-ubyte.gz) echo "$file"; return ;; esac
    done
    echo "run.sh: no $1-images-idx3-ubyte in $folder" >&2
    exit 1
}

folder=${MNIST:-}
if [ -z "$folder" ]; then
    folder=$out/images
    "$build/examples/digits/generate" --train 12000 --test 2000 "$folder"
    echo "Digits of random hands, for want of MNIST=FOLDER."
    EPOCHS=${EPOCHS:-6+20} # they are many and soon learned
fi
train=$(images_of train)
test=$(images_of t10k)
epochs=()
[ -z "${EPOCHS:-}" ] || epochs=(--epochs "$EPOCHS")
targets=
for target in cortex-m0 rv32ec; do
    ! "$mote" targets --json | grep -q "\"$target\"" || targets=$targets${targets:+,}$target
done

for net in "${nets[@]}"; do
    name=$(basename "${net%.net}")
    echo
    echo "$name: $(grep -v '^#' "$net" | sed 's/ *#.*//' | tr '\n' ' ')"
    "$mote" train "$train" --test "$test" --net "@$net" "${epochs[@]}" --seed "${SEED:-0}" \
        -o "$out/$name.mote" | grep -E '^(accuracy|calibration|validation)'
    "$mote" emit "$out/$name.mote" --optimise speed -o "$out/$name.h"
    "$mote" measure "$out/$name.mote" --target "$targets" --optimise speed --data "$test" --vectors 200
done
echo
echo "Networks and C files are in $out.  Draw a digit:"
echo "    $build/examples/digits/draw | $mote run $out/$(basename "${nets[-1]%.net}").mote"
