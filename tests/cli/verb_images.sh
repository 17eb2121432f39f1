#!/bin/bash
# mote eval and mote run on images: every container, figures known by hand, errors.
. tests/cli/support.bash

image_net "$SCRATCH/sides.mote"
sum_net "$SCRATCH/sum.mote"
cd "$SCRATCH" || exit 1
# left, right, left with a small lead, right taken for left
idx t-images-idx3-ubyte "4 2 2" '\200\0\200\0\0\100\0\100\12\0\0\0\2\1\1\1'
idx t-labels-idx1-ubyte "4" '\0\1\0\1'

mote eval sides.mote t-images-idx3-ubyte
ends "eval" 0 ""
# Leads of 256, 128, 10 and 1 hundredths, twice: 1 / (1 + e^-5.12) ...
prints "eval: table" "class  rows    recall  precision  as 0  as 1
0         2  100.00 %    66.67 %     2     0
1         2   50.00 %   100.00 %     1     1
accuracy 75.00 %, 4 rows

confidence  rows     mean  accuracy
50-60 %        2  52.74 %   50.00 %
90-100 %       2  96.12 %  100.00 %
calibration error 3.31 % (softmax of the outputs)"
cp out table
gzip -k t-images-idx3-ubyte
mote eval sides.mote t-images-idx3-ubyte.gz --threads 1
prints "eval: gzip'd, one thread" "$(cat table)"
"$MOTE" eval sides.mote - --labels t-labels-idx1-ubyte <t-images-idx3-ubyte >out 2>err
prints "eval: standard input" "$(cat table)"
mote eval sides.mote t-images-idx3-ubyte --json
gives "eval: JSON" '[.score.rows, .score.accuracy, .score.confusion, .score.recall]' \
    '[4,0.75,[[2,0],[1,1]],[1,0.5]]'
gives "eval: JSON, calibration" \
    '[.score.calibration | (.error * 1e4 | round), (.bins | length), (.bins[5] | .rows, .low, .accuracy)]' \
    '[331,10,2,0.5,0.5]'
gives "eval: JSON, empty bins" '.score.calibration.bins[0].accuracy' null
mote eval sides.mote t-images-idx3-ubyte --json --samples 2
gives "eval: --samples" '[.score.rows, .score.accuracy]' '[2,1]'
printf '128,0,128,0,0\n0,64,0,64,1\n10,0,0,0,0\n2,1,1,1,1\n' >rows.csv
mote eval sides.mote rows.csv --label 5 --json
gives "eval: the same from rows of a table" .score.confusion '[[2,0],[1,1]]'

mkdir -p set/0 set/1
printf 'P5 2 2 255 \200\0\200\0' >set/0/a.pgm
printf 'P2 2 2 255 10 0 0 0' >set/0/b.pgm
printf 'P5 2 2 255 \0\100\0\100' >set/1/a.pgm
printf 'P6 2 2 255 \2\2\2\1\1\1\1\1\1\1\1\1' >set/1/b.ppm
mote eval sides.mote set
prints "eval: a folder, colours made grey" "$(cat table)"

mote run sides.mote t-images-idx3-ubyte
ends "run" 0 ""
prints "run: classes" "class
0
1
0
0"
"$MOTE" run sides.mote <t-images-idx3-ubyte >out 2>err
prints "run: standard input" "$(printf 'class\n0\n1\n0\n0')"
gzip <t-images-idx3-ubyte | "$MOTE" run sides.mote >out 2>err
prints "run: a pipe" "$(printf 'class\n0\n1\n0\n0')"
mote run sides.mote set/1/a.pgm --raw
prints "run: a picture, codes" "y1,y2
-128,128"
mote run sides.mote set/1/a.pgm t-images-idx3-ubyte set/0/b.pgm --raw set/1
ends "run: several files" 0 ""
prints "run: several files, in their order" "y1,y2
-128,128
256,-256
-128,128
10,-10
1,-1
10,-10
-128,128
1,-1"
mote run --json -- sides.mote set/1/a.pgm set/0/a.pgm
gives "run: several files, JSON" . '["1","0"]'
mote run sides.mote set/1/a.pgm rows.csv
ends "run: several files, a table" 1 "mote: rows.csv: no images, which several files must be"
mote run sides.mote set/1/a.pgm none.pgm
ends "run: several files, one missing" 1 "mote: none.pgm: No such file or directory"
prints "run: what stands before an error" "class
1"
mote run sides.mote - set/1/a.pgm -
ends "run: several files, twice standard input" 2 "mote run: only one file can come from standard input"
mote run sides.mote t-images-idx3-ubyte --probabilities
prints "run: probabilities" "0,1
0.9941,0.0059
0.0718,0.9282
0.5498,0.4502
0.5050,0.4950"
mote run sides.mote set/1 --probabilities --json
gives "run: probabilities, JSON" 'map(map(. * 1e4 | round))' '[[718,9282],[5050,4950]]'
mote run sides.mote set/1 --probabilities --raw
ends "run: codes and probabilities" 2 "mote run: --raw goes not with --probabilities"
mote run sum.mote rows.csv --probabilities
ends "run: probabilities of a regression" 2 "mote run: --probabilities: sum.mote is a regression"
mote run sides.mote set/0 --json
gives "run: a folder, JSON" . '["0","0"]'
mote run sides.mote rows.csv
ends "run: rows of one column more" 1 \
    "mote: rows.csv: 5 input columns, but the net has 4 inputs"

printf '1,2\n3,4\n' >two.csv
mote eval sides.mote two.csv
ends "eval: rows of too few columns" 1 "mote: two.csv: 2 input columns, but the net has 4 inputs"
mote run sides.mote two.csv
ends "run: rows of too few columns" 1 "mote: two.csv: 2 input columns, but the net has 4 inputs"

mote eval sides.mote t-images-idx3-ubyte --label 1
ends "--label" 2 \
    "mote eval: --label: t-images-idx3-ubyte holds images; their labels are --labels FILE"
mote eval sides.mote rows.csv --labels x
ends "--labels" 2 "mote eval: --labels: rows.csv holds no images; see --label"
mote eval sum.mote t-images-idx3-ubyte
ends "a net of readings" 1 "mote: t-images-idx3-ubyte: 2x2x1 (rows, columns, channels), but the net takes 1x1x2"
idx u-images "4 2 2" '\200\0\200\0\0\100\0\100\12\0\0\0\2\1\1\1'
mote eval sides.mote u-images
ends "no labels" 1 "mote: u-images: no labels: --labels FILE, or a folder for each class"
idx l "4" '\0\1\0\2'
mote eval sides.mote u-images --labels l
ends "an unknown class" 1 "mote: l: label 4: '2' is not a class of the net; they are 0, 1"
idx l "3" '\0\1\0'
mote eval sides.mote u-images --labels l
ends "labels for other images" 1 "mote: l: 3 labels, but u-images has 4 images"
idx v-images "4 2 3" '\200\0\200\0\0\100\0\100\12\0\0\0\2\1\1\1'
mote run sides.mote v-images
ends "images of another size" 1 \
    "mote: v-images: 2x3x1 (rows, columns, channels), but the net takes 2x2x1"
mkdir set/2
mote eval sides.mote set
ends "an empty class" 1 "mote: set/2: a class without images"
printf 'x' | "$MOTE" run sides.mote >out 2>err
status=$?
ends "no images in a pipe" 1 \
    "mote: <stdin>: no images: IDX, .npy, .npz, PNG, PGM, PPM and folders are read"
