#!/bin/bash
# The programs of examples/digits: the same digits everywhere, and drawings as pictures.
. tests/cli/support.bash

programs=$(dirname "$MOTE")/examples/digits
example=$PWD/examples/digits/run.sh
cd "$SCRATCH" || exit 1
status=0
: >err

"$programs/generate" --train 40 --test 20 --seed 5 a
check "digits: the files" [ "$(cd a && echo *)" = \
    "t10k-images-idx3-ubyte t10k-labels-idx1-ubyte train-images-idx3-ubyte train-labels-idx1-ubyte" ]
check "digits: the same bytes on every machine" [ "$(cat a/* | cksum)" = "4078319041 47148" ]
"$programs/generate" --train 40 --test 20 --seed 6 b
check "digits: others with another seed" [ "$(cat b/* | cksum)" != "$(cat a/* | cksum)" ]
for words in "" "--train 0 a" "--train x a" "--seed" "a b" "--train 1.5 a" "-x a"; do
    # shellcheck disable=SC2086
    "$programs/generate" $words >out 2>err
    status=$?
    check "digits: usage of '$words'" [ $status = 2 ]
done
"$programs/generate" none/a 2>err
status=$?
ends "digits: no folder for the folder" 1 "generate: none/a: No such file or directory"
"$programs/generate" --train 1000000 --test 1 /dev/full 2>err
status=$?
check "digits: no folder at all" [ $status = 1 ]
(
    trap '' XFSZ
    ulimit -f 100
    "$programs/generate" --train 50 --test 500 full 2>err
)
status=$?
ends "digits: too large for the disk" 1 "generate: full: File too large"
check "digits: only what is whole stays" [ "$(cd full && echo *)" = \
    "train-images-idx3-ubyte train-labels-idx1-ubyte" ]

BUILD=$SCRATCH/build "$example" none.net >out 2>err
status=$?
ends "run.sh: a missing net" 1 "run.sh: none.net: no such file"
check "run.sh: it is told before anything is made" [ ! -e build ]

# A bar of a quarter of the height: centred, upright, white on black.
printf '#\n#\n#\n#\n' | "$programs/draw" --text >bar.pgm
status=$?
check "draw: a picture" [ "$(head -n 1 bar.pgm) $(wc -c <bar.pgm) $status" = "P5 28 28 255 797 0" ]
image_net sides.mote
sed -e 's/\[2, 2, 1\]/[28, 28, 1]/' -e "s/\[\[1, -1, 1, -1\], \[-1, 1, -1, 1\]\]/$(awk 'BEGIN {
    for (sign = 1; sign >= -1; sign -= 2) {
        row = ""
        for (i = 0; i < 784; i++) row = row (i ? "," : "") (i % 28 < 14 ? sign : -sign)
        rows = rows (sign < 0 ? "," : "") "[" row "]"
    }
    print "[" rows "]" }')/" sides.mote >halves.mote
mote run halves.mote bar.pgm --raw
check "draw: its middle is the picture's" [ "$(awk -F, 'NR == 2 { print ($1 < 300 && $1 > -300) }' out)" = 1 ]
"$programs/draw" --text </dev/null >out 2>err
status=$?
ends "draw: nothing" 1 "draw: nothing was drawn"
"$programs/draw" --help >out 2>err
status=$?
ends "draw: usage" 2 "usage: draw [--text < DRAWING] > PICTURE.pgm"
if [ -n "$(command -v script)" ]; then
    # The pen down and four to the right, a mouse stroke, the end.
    { sleep 1; printf ' \033[C\033[C\033[C\033[C\033[<0;10;4M\033[<32;12;9M\033[<0;12;9m\n'; sleep 1; } |
        script -qec "$programs/draw >keys.pgm" /dev/null >screen
    check "draw: by keys and mouse" [ "$(head -n 1 keys.pgm) $(wc -c <keys.pgm)" = "P5 28 28 255 797" ]
    check "draw: the mouse is given back" grep -q $'\033\[?1002l' screen
    { sleep 1; printf 'q'; sleep 1; } | script -qec "$programs/draw >none.pgm" /dev/null >screen
    check "draw: q leaves nothing" [ ! -s none.pgm ]
else
    echo "skip draw: in a terminal: script is not installed"
fi
