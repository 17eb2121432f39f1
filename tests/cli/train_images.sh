#!/bin/bash
# mote train on images: digits from the example's generator, folders, descriptions, errors.
. tests/cli/support.bash

generate=$(dirname "$MOTE")/examples/digits/generate
cd "$SCRATCH" || exit 1
mkdir digits
"$generate" --train 2000 --test 200 --seed 3 digits
images=digits/train-images-idx3-ubyte
net='crop24 resize12 conv3x6:4 relu pool2 conv3x8:t relu pool2 dense10:t'
quick=(--epochs 12+24 --seed 4)

mote train $images --net "$net" "${quick[@]}" -o a.mote --threads 1
ends "digits" 0 ""
check "a table of classes" grep -qE '^9 +[0-9]+ +[0-9.]+ % ' out
check "what it was trained on" grep -qE '^validation .*; trained on 1600 images; weights 138 bytes$' out
mote train $images --net "$net" "${quick[@]}" -o b.mote --threads 2 --name a --json
check "the same bytes with two threads" cmp a.mote b.mote
gives "JSON: the keys" '[keys[]]' \
    '["float","images","method","net","score","stopped","teacher","validation","weight_bytes"]'
gives "JSON: it has learned" '[.score.accuracy > 0.5, .validation > 0.5, .score.rows, .images]' \
    '[true,true,200,1600]'
gives "JSON: classes" .score.classes '["0","1","2","3","4","5","6","7","8","9"]'
check "the step of the outputs is fitted" [ "$(jq .outputs[0].lsb[0] a.mote)" -gt 1 ]
check "options are kept" [ "$(jq -r .provenance.options a.mote)" = \
    "--net '$net' --epochs 12+24 --seed 4" ]
mote eval a.mote digits/t10k-images-idx3-ubyte --json
gives "eval on other digits" '[.score.rows, .score.accuracy > 0.5]' '[200,true]'

# The last of the images that were kept aside, by eval, is what train printed.
mote train $images --net "$net" "${quick[@]}" -o t.mote --test digits/t10k-images-idx3-ubyte --json
gives "--test: other images" '[.score.rows, .images]' '[200,1800]'
jq .score out >trained.json
mote eval t.mote digits/t10k-images-idx3-ubyte --json
check "eval gives the same score" [ "$(jq .score out)" = "$(cat trained.json)" ]

# Descriptions from files, in lines and with remarks.
printf '# digits\ncrop24 resize12   # small\nconv3x6:4 relu pool2\nconv3x8:t relu pool2 dense10:t\n' >net.txt
mote train $images --net net.txt "${quick[@]}" -o c.mote --name a
check "a description from a file: the same bytes" cmp a.mote c.mote
mote train $images --net @net.txt "${quick[@]}" -o c.mote --name a
check "with @: the same bytes" cmp a.mote c.mote
printf 'crop24\nconv3x6 relou\n' >bad.txt
mote train $images --net @bad.txt -o c.mote
check "errors point into the file" grep -q "^mote: bad.txt:2:9: " err
mote train $images --net 'crop24 conv3x6 relou dense10' -o c.mote
check "errors point at the character" grep -q "^mote: --net:1:16: " err
mote train $images --net @none.txt -o c.mote
ends "no such file" 1 "mote: none.txt: No such file or directory"
printf 'dense10\0' >zero.txt
mote train $images --net @zero.txt -o c.mote
ends "a zero byte" 1 "mote: zero.txt: a zero byte: no text"
printf '\357\273\277crop24 resize12 # small\nconv3x6:4 relu pool2\nconv3x8:t relu pool2 dense10:t\n' >mark.txt
mote train $images --net mark.txt "${quick[@]}" -o c.mote --name a
check "with a byte order mark: the same net" \
    [ "$(jq -c 'del(.provenance)' a.mote)" = "$(jq -c 'del(.provenance)' c.mote)" ]
printf '# wide\nconv3x64p relu\ndense10:o4\n' >odd.txt
mote train $images --net odd.txt -o c.mote
ends "errors of a layer show its line" 1 "mote: odd.txt:3:1: odd weights have at most 2193 inputs here
  dense10:o4
  ^"

# Pixels of few bits: the chip's, since eval runs the net.
mote train $images --net 'crop24 resize12:2 dense16:4 relu:4 dense10:4' --epochs 4+4 -o few.mote \
    --test digits/t10k-images-idx3-ubyte --json
ends "pixels of 2 bits" 0 ""
jq .score out >trained.json
mote eval few.mote digits/t10k-images-idx3-ubyte --json
check "pixels of 2 bits: eval gives the same score" [ "$(jq .score out)" = "$(cat trained.json)" ]
check "pixels of 2 bits: what the net holds" [ "$(jq -c '.tensors[1], .layers[0].drop' few.mote | tr '\n' ' ')" = \
    '["u4",[12,12,1]] [6] ' ]
mote show few.mote
check "pixels of 2 bits: show" grep -qE '^0 +resize 24x24:2 ' out
mote emit few.mote --selftest 0 -o few.h
check "pixels of 2 bits: the head comment" grep -q 'net   28x28x1 resize12:2 dense16 dense10' few.h

# Every kind of layer that mote help net lists.
"$MOTE" help net | sed '1,/^example/d' >example.txt
mote train $images --net @example.txt --epochs 1+1 -o x.mote --json
ends "the help's example" 0 ""
gives "the help's example: its weights" .weight_bytes 544
for layers in 'conv1x5x8 relu dw3m2 relu pw16:b relu avg2 deconv3x4s2 relu up2 pad1 shuffle2 pool3s2 flatten
dense10:o2' 'conv3x8ps2d1g1:o4 relu:4 gmax dense10:b' 'conv3x4p:t relu=a conv3x4p:t relu concat(a) gap dense10:16' \
'conv3x4s2:4 relu pw3 linear=a dw3p relu pw3 linear add(a) pw10:t gap' \
'resize16x16 conv3x8 relu pool2 dw3 pw16 relu pool2 dense10' 'conv3x8 pool2 relu dw3 pool2 dense10'
do
    mote train $images --net "$layers" --epochs 1+1 -o x.mote --threads 1
    ends "layers ${layers:0:24}" 0 ""
done

trained() # NET: what training gives, but where it came from
{
    mote train $images --net "$1" --epochs 1+1 --name t -o x.mote
    jq -c 'del(.provenance)' x.mote
}
check "relu behind the pool is relu before it" [ "$(trained 'resize8 conv3x6 pool2 relu dense10')" = \
    "$(trained 'resize8 conv3x6 relu pool2 dense10')" ]
check "no activation is linear" [ "$(trained 'resize8 conv3x6 dense10')" = \
    "$(trained 'resize8 conv3x6 linear dense10')" ]

# Residual blocks: for every goal the file gives the interpreter's outputs.
block='resize8 conv3x4p relu=a conv3x4p relu conv3x4p linear add(a) relu=b conv3x4p add(b) relu pool2 dense10:4'
mote train $images --net "$block" --epochs 2+2 -o block.mote --threads 1
ends "residual blocks" 0 ""
targets=host
"$MOTE" targets | grep -q '^cortex-m0 .* installed ' && targets=host,cortex-m0
for goal in size balanced speed; do
    mote measure block.mote --target $targets --optimise $goal --json
    ends "residual blocks for $goal" 0 ""
    gives "residual blocks for $goal: the interpreter's outputs" '[.[].mismatches] | add' 0
done

# A new user's folders, with pictures in colours that the net reads grey.
mkdir -p set/dark set/light
for i in $(seq 64 103); do
    c=$(printf '\\%03o' "$i")
    # shellcheck disable=SC2059
    printf "P5 3 2 255 \\0$c\\0\\0\\0$c" >"set/dark/$i.pgm"
    # shellcheck disable=SC2059
    printf "P6 3 2 255 $c$c$c\\377\\377\\377$c$c$c\\377\\377\\377\\377\\377\\377$c$c$c" >"set/light/$i.ppm"
done
mote train set --net '2x3x1 dense2' -o set.mote --json
ends "folders" 0 ""
gives "folders: all right" '[.score.classes, .score.accuracy]' '[["dark","light"],1]'
mote run set.mote set/light/64.ppm
prints "folders: run" "class
light"
mote train set --net '2x3x1 dense2' -o x.mote --epochs 5+7 --verbose
check "the recipe is told" grep -qx 'mote: recipe: --epochs 5+7 --augment rotate=0,shift=0.09,scale=0,shear=0,elastic=0' err
mote train set --net '2x3x1 dense2' -o x.mote --augment none --verbose
check "few images: more passes" grep -qx 'mote: recipe: --epochs 500+2500 --augment none' err
mote train set --net 'dense2' -o x.mote
ends "pictures that do not mix" 1 "mote: set/light/100.ppm: in colours, but those before are grey; \
a size such as 2x3x1 in --net makes all grey"

mote train set --net '2x3x1 dense2' -o x.mote --epochs 5+7 --verbose --augment noise=3,copies=2,original=0
check "the recipe is whole" grep -q 'elastic=0,noise=3,cutout=0,copies=2,original=0$' err
copied() # N: the trained net
{
    mote train set --net '2x3x1 dense2' --name t -o x.mote --epochs 2+2 --augment "shift=1,copies=$1"
    jq -c 'del(.provenance)' x.mote
}
check "copies=1000 are not the default's 12" [ "$(copied 1000)" != "$(copied 12)" ]

mote train $images --net dense10 -o x.mote --label 3
ends "an option of tables" 2 "mote train: --label is not for images, and $images holds images"
printf 'a,b\n1,2\n' >rows.csv
mote train rows.csv --outputs 1 -o x.mote --augment none
ends "an option of images" 2 "mote train: --augment is not for tables, and rows.csv holds no images"
printf '\037' >cut.gz
printf '\0\0\010\005\0\0\0\1' >five.idx
for case in "none:No such file or directory" "cut.gz:truncated: the gzip data ends too early" \
    "five.idx:5 dimensions; images have three or four, labels one"
do
    mote train "${case%%:*}" --epochs 1+1 -o x.mote
    ends "an option of images, ${case%%:*}" 1 "mote: ${case%%:*}: ${case#*:}"
done
{
    printf "\x93NUMPY\1\0\166\0%-117s\n" "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 784)}"
    head -c 4704 /dev/zero
} >flat.npy
mote train flat.npy --labels y.npy -o x.mote
ends "images lying flat" 2 "mote train: --labels is not for tables, and flat.npy has two dimensions; \
images have three or four, as by x.reshape(count, rows, columns)"

# Lists: what is wrong with which entry.
refused() # OPTION LIST MESSAGE
{
    mote train $images "$1" "$2" -o x.mote
    ends "$1 $2" 2 "mote train: $1: $3"
}
changes="is not of rotate=, shift=, scale=, shear=, elastic=, noise=, cutout=, copies= and original=, \
separated by commas; nor none alone"
refused --augment rotate=10,shift "'shift' $changes"
refused --augment turn=3 "'turn=3' $changes"
refused --augment shift=1,, "'' $changes"
refused --augment rotate=1,none "'none' $changes"
refused --augment rotate=181 "rotate=181: 0 to 180 are allowed"
refused --augment "shift=1, rotate=-5" "rotate=-5: 0 to 180 are allowed"
refused --augment noise=300 "noise=300: 0 to 255 are allowed"
refused --augment cutout=1.5 "cutout=1.5: whole numbers from 0 to 1000 are allowed"
refused --augment scale=-0.1 "scale=-0.1: 0 to 0.9 are allowed"
refused --augment shear=0x1 "shear=0x1: no plain decimal number"
refused --augment rotate=5,rotate=50 "rotate is given twice"
refused --tune rate=0 "rate=0: 0.000001 to 1 are allowed"
refused --tune batch=96 "batch=96: multiples of 64 are allowed"
refused --tune batch=16 "batch=16: whole numbers from 64 to 1024 are allowed"
refused --tune freeze=0.5 "freeze=0.5: whole numbers from 0 to 1 are allowed"
refused --tune teacher-part=0 "teacher-part=0: 0.001 to 1 are allowed"
refused --tune settle= "settle=: no plain decimal number"
refused --tune copy-memory=0 "copy-memory=0: whole numbers from 1 to 1048576 are allowed"
refused --tune decay=0,rate=0.1,decay=0 "decay is given twice"
mote train $images --tune beat=3 -o x.mote
check "--tune beat=3" grep -q "^mote train: --tune: 'beat=3' is not of rate=" err
for case in shift=14.5:14 elastic=15:14 cutout=28:27; do
    mote train $images --augment "${case%:*}" --epochs 1+1 -o x.mote
    ends "--augment ${case%:*} is too much" 1 \
        "mote: --augment: ${case%:*} is too much for 28 x 28 pixels: at most ${case#*:}"
done
mote train $images --augment shift=14,elastic=14,cutout=27 --net 'resize4 dense10' --epochs 1+1 -o x.mote
ends "--augment: the most that is allowed" 0 ""
for rows in 1 2; do
    idx line-images "$((60 / rows)) $rows 200" "$(printf '\\0%.0s' {1..12000})"
    yes $'a\nb' | head -n $((60 / rows)) >line.txt
    mote train line-images --labels line.txt --epochs 1+1 --net dense2 -o x.mote --verbose
    ends "default shift of $rows x 200 pixels" 0
    check "default shift of $rows x 200 pixels" grep -q "shift=$([ $rows = 1 ] && echo 6 || echo 0.5)," err
done
for epochs in 0 3+0 1.5 2+3+4 +; do
    mote train $images --epochs $epochs -o x.mote
    ends "--epochs $epochs" 2 "mote train: --epochs: '$epochs' is not one or two whole numbers from \
1 to 10000 such as 10+50"
done
mote train $images --mixup 1.5 -o x.mote
ends "--mixup" 2 "mote train: --mixup: '1.5' is not a share such as 0.3, at most 1"

cp $images alone
mote train alone -o x.mote
ends "no labels" 1 "mote: alone: no labels: --labels FILE, or a folder for each class"
head -c 500 digits/train-labels-idx1-ubyte >short
mote train alone --labels short -o x.mote
ends "labels cut off" 1 "mote: short: truncated behind label 492 of 2000"
mote train alone --labels digits/t10k-labels-idx1-ubyte -o x.mote
ends "labels of others" 1 "mote: digits/t10k-labels-idx1-ubyte: 200 labels, but alone has 2000 images"
awk 'BEGIN { for (i = 0; i < 2000; i++) print i % 2 ? "odd" : "even" }' >kinds.txt
sed -i '1s/.*/rare/' kinds.txt
for seed in 0 1 2 3 4 5; do # the first image is in another part by each seed
    mote train alone --labels kinds.txt --net 'resize4 dense3' --epochs 1+1 --seed $seed -o x.mote
    [ "$status" = 0 ] || break
done
check "a class missing from training" grep -q "^mote: alone: .*'rare'" err
sed 's/^odd$/strange/' kinds.txt >others.txt
cp alone others
mote train alone --labels kinds.txt --net 'resize4 dense3' --test $images -o x.mote
check "classes of other names in --test" grep -q "^mote: digits/train-labels-idx1-ubyte: label 1: " err
mote train $images --test none -o x.mote
ends "a missing test set" 1 "mote: none: No such file or directory"
"$MOTE" train - --labels digits/train-labels-idx1-ubyte --net 'resize4 dense10' --epochs 1+1 \
    -o - <$images 2>err >d.mote
status=$?
check "standard input and output" [ "$(jq -r .task d.mote)" = classification ]
check "the table goes to stderr" grep -q "^accuracy " err

# Behind the trained layers: the class, or probabilities.
last='resize12 conv3x6:4 relu pool2 dense10:t'
for head in '' argmax softmax; do
    mote train $images --net "$last $head" --epochs 4+6 -o "last$head.mote"
    ends "ends in '$head'" 0 ""
    mote run "last$head.mote" digits/t10k-images-idx3-ubyte
    mv out "classes$head"
    mote eval "last$head.mote" digits/t10k-images-idx3-ubyte --json
    jq -c '[.score.accuracy, .score.calibration != null]' out >"score$head"
done
check "argmax: the same classes" cmp classes classesargmax
check "softmax: the same classes but for ties" [ "$(diff classes classessoftmax | grep -c '^<')" -le 2 ]
check "confidence but for argmax" [ "$(cut -d, -f2 score scoreargmax scoresoftmax | tr -d '\n')" = "true]false]true]" ]
check "the same score" [ "$(cut -d, -f1 score)" = "$(cut -d, -f1 scoreargmax)" ]
mote run lastargmax.mote --probabilities digits/t10k-images-idx3-ubyte
ends "argmax has no probabilities" 2 "mote run: --probabilities: lastargmax.mote gives the class alone"
for name in last lastsoftmax; do
    mote run $name.mote --probabilities digits/t10k-images-idx3-ubyte
    tail -n +2 out >$name.csv
done
check "probabilities are near those of the logits" [ "$(paste -d, last.csv lastsoftmax.csv |
    awk -F, '{ for (i = 1; i <= 10; i++) { d = $i - $(i + 10); if (d > 0.012 || d < -0.012) n++ } } END { print n + 0 }')" = 0 ]
for head in argmax softmax; do
    mote emit last$head.mote -o last$head.h
    printf '#include "last%s.h"\nint main(void)\n{\n    return last%s_selftest();\n}\n' $head $head >last$head.c
    check "emitted: $head compiles" gcc -std=c99 -Wall -Wextra -Werror -o last$head last$head.c
    check "emitted: $head" ./last$head
done

# A budget chooses the widths that are open.
open='resize8 conv3x?:4 relu pool2 conv2x2?:t relu dense10:t'
mote train $images --net "$open" -o x.mote
ends "no budget" 1 "mote: --net: ? wants --flash, --ram or --cycles, with --target"
mote train $images --net "$open" --target cortex-m0 --flash 2k --checkpoint state -o x.mote
ends "no checkpoints" 1 "mote: --net: --checkpoint wants widths without ?"
if "$MOTE" targets --json | grep -q '"cortex-m0"'; then
    budget=(--target cortex-m0 --epochs 1+2 --augment none)
    mote train $images --net "$open" "${budget[@]}" --flash 1600 -o x.mote --json
    ends "widths" 0
    check "widths: what was chosen" grep -qE "^mote: note: the budget chose: --net 'resize8 \
conv3x[0-9]+:4 relu pool2 conv2x[0-9]+:t relu dense10:t' --augment none --epochs 1\+2 --optimise size$" err
    gives "widths: within the budget, and not far below" \
        '[.costs[0] | .flash_code + .flash_const | . <= 1600, . > 1300]' '[true,true]'
    chosen=$(jq -r .provenance.options x.mote)
    wide=$(sed -E 's/.*conv3x([0-9]+):4.*/\1/' <<<"$chosen")
    check "widths: 2? is twice ?" grep -q "conv2x$((2 * wide)):t" <<<"$chosen"
    eval "mote train $images $chosen -o y.mote --name x"
    check "widths: its options give the same net" cmp x.mote y.mote
    mote train $images --net "$open" "${budget[@]}" --flash 300 -o x.mote
    ends "widths: not even the least" 3
    check "widths: the least" grep -q "conv3x1:4 relu pool2 conv2x2:t" x.mote
    check "widths: the least, for size, and no word of a choice" grep -q \
        "^mote: note: nothing keeps to the budget; the smallest is: .* --optimise size$" err
    mote train $images --net 'resize8 conv3x4:? relu:4 pool2 dense10:?' "${budget[@]}" --flash 1500 -o x.mote
    ends "bits" 0
    chosen=$(sed -n "s/.*chose: --net '\([^']*\)'.*/\1/p" err)
    check "bits: one for all" grep -qE '^resize8 conv3x4:([t48]) relu:4 pool2 dense10:\1$' <<<"$chosen"
    mote train $images --net "$chosen" "${budget[@]:2}" -o y.mote --name x
    check "bits: the same net without a budget" cmp <(jq -c .layers x.mote) <(jq -c .layers y.mote)
    mote train $images --net 'resize8 conv3x4:? relu:4 pool2 dense10:?' "${budget[@]}" --flash 1150 -o x.mote
    check "bits: only the smallest fit" grep -q "chose: --net 'resize8 conv3x4:t relu:4 pool2 dense10:t'" err
    mote train $images "${budget[@]}" --flash 1700 --optimise size -o x.mote --json
    ends "widths: without --net" 0
    gives "widths: without --net within the budget" \
        '.costs[0] | .flash_code + .flash_const <= 1700' true
    mote train $images --net 'resize8 conv3x? relou dense10' "${budget[@]}" --flash 2500 -o x.mote
    check "widths: errors have their place" grep -q "^mote: --net:1:17: 'relou' is no layer" err
else
    echo "skip widths by a budget: no Cortex-M0"
fi

# A teacher, and what else improves small nets.
better=(--teacher 'resize12 conv3x8 relu pool2 dense10' --ema 0.99 --smoothing 0.05 --mixup 0.1
    --restarts 1 --balance --tune "freeze=1,teacher-part=0.6,temperature=2")
mote train $images --net "$net" --epochs 2+3 "${better[@]}" -o x.mote --json
ends "a teacher" 0 ""
gives "JSON: the teacher's accuracy" '.teacher > 0.3' true
check "all of it is kept" [ "$(jq -r .provenance.options x.mote)" = "--net '$net' --teacher \
'resize12 conv3x8 relu pool2 dense10' --epochs 2+3 --smoothing 0.05 --mixup 0.1 --ema 0.99 \
--restarts 1 --balance --tune 'freeze=1,teacher-part=0.6,temperature=2'" ]
taught() # LIST: the net and its teacher's accuracy, without what they came from
{
    mote train $images --net 'resize6 dense10' --teacher 'resize8 dense10' --epochs 1+1 --name t \
        --tune "$1" -o x.mote --json
    jq .teacher out
    jq -c 'del(.provenance)' x.mote
}
check "teacher-epochs=12 is the default" [ "$(taught temperature=3)" = "$(taught teacher-epochs=12)" ]
check "teacher-epochs=1" [ "$(taught temperature=3)" != "$(taught teacher-epochs=1)" ]
for list in teacher-part=0.5 temperature=3 teacher-epochs=2; do
    mote train $images --tune $list -o x.mote
    ends "--tune $list without a teacher" 2 "mote train: --tune ${list%=*}= needs --teacher SHAPE"
done
mote train $images --net dense10 --teacher 'dense10 relou' -o x.mote
check "a teacher's description has its place" grep -q "^mote: --teacher:1:9: " err
right() # OPTIONS: how many of the 200 test digits a short training gets right
{
    mote train $images --net "$net" --epochs 2+8 "$@" -o x.mote --test digits/t10k-images-idx3-ubyte --json
    jq '.score.accuracy * 200 | round' out
}
check "--ema of a short training is no worse" [ "$(right --ema 0.99)" -ge "$(($(right) - 6))" ]

# Steps of weights that are learned.
mote train $images --net "$net" "${quick[@]}" --steps learned -o l.mote --threads 1 --name a
ends "--steps learned" 0 ""
mote train $images --net "$net" "${quick[@]}" --steps learned -o x.mote --threads 2 --name a
check "--steps learned: the same bytes with two threads" cmp l.mote x.mote
check "--steps learned: it is kept" grep -q -- '--steps learned' l.mote
check "--steps learned: other shifts" [ "$(jq -c '[.layers[].shift]' a.mote)" != "$(jq -c '[.layers[].shift]' l.mote)" ]
mote eval l.mote digits/t10k-images-idx3-ubyte --json
gives "--steps learned: it has learned" '.score.accuracy > 0.5' true
mote train $images --net "$net" "${quick[@]}" --steps fixed -o x.mote --name a
check "--steps fixed is the default" [ "$(jq -c 'del(.provenance)' a.mote)" = "$(jq -c 'del(.provenance)' x.mote)" ]
mote train $images --steps learnt -o x.mote
ends "--steps learnt" 2 "mote train: --steps: 'learnt' is not fixed or learned"
mote train rows.csv --outputs 1 -o x.mote --steps learned
ends "--steps is of images" 2 "mote train: --steps is not for tables, and rows.csv holds no images"

# What the validation part decides is left: it is learned from, too.
mote train $images --net 'resize6 dense10' --epochs 1+4 --tune whole=1 -o x.mote --json
gives "whole=1: the validation part is learned from" .images 1800
tuned() # LIST: the trained net without what it came from
{
    mote train $images --net 'resize16 dense4 relu dense10' --epochs 1+4 --tune "$1" --name t -o x.mote
    jq -c 'del(.provenance)' x.mote
}
plain=$(tuned settle=0.25,copy-memory=512,whole=0)
check "these are the defaults" [ "$plain" = "$(tuned rate=0.01)" ]
for list in settle=0 copy-memory=1 whole=1; do
    check "--tune $list" [ "$plain" != "$(tuned $list)" ]
done

zeros() # SHARE: zeros among the weights of ternary layers
{
    mote train $images --net 'resize16 conv3x4:4s2 relu conv3x8s2:t relu dense10:t' --epochs 1+8 \
        --tune "sparse=$1" -o x.mote
    jq '[.layers[] | select(.bits == 2) | .weights[][] | select(. == 0)] | length' x.mote
}
check "--tune sparse: a tenth more zeros" [ "$(($(zeros 0) * 11))" -lt "$(($(zeros 0.3) * 10))" ]

# After Ctrl-C --resume goes on, to the bytes of a training that nobody stopped.
whole=(train "$images" --net "$net" --epochs 6+12 --steps learned --name w)
mote "${whole[@]}" -o whole.mote
(trap - INT; exec "$MOTE" "${whole[@]}" --checkpoint state -o part.mote) >out 2>err &
child=$!
for _ in {1..200}; do
    [ -e state ] && break
    sleep 0.02
done
kill -INT $child
wait $child
mote "${whole[@]}" --checkpoint state --resume -o part.mote
check "Ctrl-C, then --resume: the same bytes" cmp whole.mote part.mote
if command -v script >/dev/null; then
    script -qec "$MOTE train $images --net '$net' --epochs 500+999 --time 1s -o x.mote" /dev/null \
        </dev/null 2>err | tr '\r' '\n' >out
    check "a terminal sees the progress and the time left" grep -qE '^.{0,4}[ 0-9]{3} %  0:[0-9]+ left' out
else
    echo "skip progress on a terminal: script is not installed"
fi
