#!/bin/bash
# mote prove: verdicts with their lines, both models, hostile files.
. tests/cli/support.bash

sum_net "$SCRATCH/sum.mote"
tree=$PWD
golden=$PWD/tests/golden/pose-6-16-6.mote
cd "$SCRATCH" || exit 1

# page NAME BODY [EXTRA [REST]]: an emitted file of two readings and one output, written by hand; EXTRA is
# its line 7, BODY its line 10, REST its line 13.
page()
{
    cat >"$1.h" <<EOF
/* $1.h: by hand. */
#ifndef PAGE_H
#define PAGE_H

#include <stdint.h>

$3
static inline void $1_predict(const int16_t in[2], int16_t out[1])
{
    $2
}

${4:-}
#endif
EOF
}

# ---- what needs no prover ----

mote prove none.mote
ends "a missing net" 1 "mote: none.mote: No such file or directory"
mote prove none.h
ends "a missing file" 1 "mote: none.h: No such file or directory"
mote prove sum.mote --model 8
ends "an unknown model" 2 "mote prove: --model: '8' is not 16 or 32"
mote prove sum.mote --target nowhere
ends "an unknown target" 1
echo 'int x;' >empty.h
mote prove empty.h
ends "no emitted file" 1 "mote: empty.h: no emitted file: no NAME_predict() in it"
mote emit sum.mote -o two.c --selftest 0
mote prove two.h
ends "the header of two files" 1 "mote: two.h: it declares NAME_predict() and has no body of it: prove NAME.c"
printf 'int x;\0' >zero.h
mote prove zero.h
ends "a zero byte" 1 "mote: zero.h: no text: a zero byte at 6"

# refused NAME LINE WHAT EXTRA: a page with EXTRA from line 7 on is refused at LINE.
refused()
{
    page bad 'out[0] = in[0];' "$4"
    mote prove bad.h
    ends "refused: $1" 1 "mote: bad.h:$2: no emitted file of mote has $3"
}
refused "another include" 7 "other includes than <stdint.h>" '#include "/etc/passwd"'
refused "an include behind a comment" 7 "other includes than <stdint.h>" '/* */ #include <stdio.h>'
refused "an include by macro" 7 "other includes than <stdint.h>" '#include STDINT'
refused "include_next" 7 "other includes than <stdint.h>" '#include_next <stdint.h>'
refused "a pragma" 7 "such a directive" '  #pragma once'
refused "a digraph" 7 "such a directive" '%:include <stdio.h>'
refused "a line number" 8 "such a directive" '
#line 3 "x"'
refused "a trigraph" 7 "trigraphs" '?''?=include <stdio.h>'
refused "code for the prover alone" 9 "such a directive" '#ifdef A
#endif
static const int i = __FRAMAC__;'
refused "what to believe" 7 "annotations that assume" '//@ admit x == 0;'
refused "an axiom" 8 "annotations that assume" '/*@ predicate p = 1;
    axiomatic A { axiom f: 0 == 1; } */'
refused "a control byte" 7 "such bytes" $'\x01'

# What one call would leave for the next: proofs are of one call.
kept="variables that outlive a call"
while read -r name declaration; do
    refused "kept: $name" 7 "$kept" "$declaration"
done <<'EOF'
a static int32_t calls;
b int32_t calls;
c static const int8_t *table;
d static __attribute__((unused)) int g;
e static int (*f)(void);
f struct s { int a; } g;
g static const int8_t t[2] = {1, 2}; static int q = 2;
h int x[sizeof(int)];
i extern int q;
j static volatile int q;
k static int bad_f(int), q;
l static const int a = 1, *p;
m static const int (*p)[2];
n static const int t[2] = {1, 2}, *p;
EOF
refused "a macro that declares" 7 "such a directive" '#define A static int g;'
refused "a macro like a function" 7 "such a directive" '#define bad_x(a) a'
refused "a macro that puts a word together" 7 "such a directive" '#define A(a) sta ## a'
page bad 'static int16_t last; out[0] = last; last = in[0];'
mote prove bad.h
ends "refused: kept in a function" 1 "mote: bad.h:10: no emitted file of mote has $kept"

# ---- what does ----

if [ -z "$(command -v frama-c)" ]; then
    mote prove sum.mote --model 32
    prints "names the package" \
        "sum.mote, 32-bit int: tool missing: frama-c: Debian package frama-c-base"
    echo "skip proofs: frama-c is not installed"
    exit 0
fi

page good 'out[0] = (int16_t)(((int32_t)in[0] + in[1]) / 2);' ''
mote prove good.h
ends "a good page" 0 ""
prints "is proved under both models" "good.h, 32-bit int: proved
good.h, 16-bit int: proved"
mote prove good.h --model 16 --json
gives "JSON" '.' '[{"file":"good.h","model":16,"verdict":"proved","alarms":0}]'

# A Frama-C of another version, whose plug-ins have other names.
mkdir other
cat >other/frama-c <<EOF
#!/bin/bash
for word in "\$@"; do
    [ "\$word" != -load-module ] || { echo "[kernel] User Error: package or module 'eva' not found"; exit 1; }
done
exec $(command -v frama-c) "\$@"
EOF
chmod +x other/frama-c
PATH=$PWD/other:$PATH mote prove good.h --model 32
prints "another Frama-C" "good.h, 32-bit int: proved"

page wide 'out[0] = (int16_t)((in[0] + in[1]) / 2);' ''
mote prove wide.h
ends "sums of int" 1 ""
prints "overflow where int has 16 bits" "wide.h, 32-bit int: proved
wide.h, 16-bit int: 2 alarms: line 10: signed overflow; line 10: signed overflow"

# faulty NAME BODY MESSAGE
faulty()
{
    page bad "$2" ''
    mote prove bad.h --model 32
    ends "a fault: $1" 1 ""
    prints "found: $1" "bad.h, 32-bit int: $3"
}
faulty "product" 'const int32_t p = (int32_t)in[0] * in[1] * 2; out[0] = (int16_t)(p > 0);' \
    "1 alarm: line 10: signed overflow"
faulty "bounds" 'out[0] = in[2];' "1 alarm: line 10: out of bounds read"
faulty "conversion" 'out[0] = (int16_t)((int32_t)in[0] * 2);' "2 alarms: line 10: signed downcast; line 10: signed downcast"
faulty "shift" 'out[0] = (int16_t)(in[0] >> 1);' \
    "1 alarm: line 10: invalid LHS operand for left shift"
faulty "reading what was not written" 'int16_t a[2]; a[0] = in[0]; out[0] = a[1];' \
    "1 alarm: line 10: accessing uninitialized left-value"
faulty "no end" 'out[0] = 0; while (in[0] == in[0]) { out[0] = 0; }' "unfinished: a loop may not end"
faulty "no end at all" 'for (;;) { out[0] = 0; }' "unfinished: a function does not return"
# A number that is halved until it is zero, and something else done to it behind that.
halving()
{
    echo "uint32_t left = (in[0] > 0) ? (uint32_t)in[0] : 0U;
    while (left != 0U) {
        out[0] = (int16_t)(left & 1U);
        left >>= 1;
        $1
    }
    out[0] = 0;"
}
faulty "writing to the readings" '((int16_t *)in)[0] = 1; out[0] = 0;' "1 alarm: line 10: out of bounds write"
faulty "no output" '(void)in;' "1 alarm: an output that is not written"
faulty "reading the output first" 'out[0] = (int16_t)(out[0] & 1);' \
    "1 alarm: line 10: accessing uninitialized left-value"

# NAME_predict() is analysed once; what calls it is held to what that call showed.
# faulty_caller NAME STATEMENT RESULT MESSAGE
faulty_caller()
{
    page bad 'out[0] = in[0];' '' "static inline int bad_classify(const int16_t in[2])
{
    int16_t out[2];
    $2
    return $3;
}
"
    mote prove bad.h --model 32
    ends "a caller's fault: $1" 1 ""
    prints "found: $1" "bad.h, 32-bit int: $4"
}
faulty_caller "too few outputs" 'bad_predict(in, &out[2]);' 0 \
    "1 alarm: line 16: other memory than NAME_predict() takes"
faulty_caller "too few readings" 'bad_predict(&in[1], out);' 0 \
    "1 alarm: line 16: other memory than NAME_predict() takes"
faulty_caller "outputs over readings" 'out[0] = out[1] = 0; bad_predict(out, out);' 0 \
    "1 alarm: line 16: other memory than NAME_predict() takes"
faulty_caller "more than the outputs" 'bad_predict(in, out);' 'out[1]' \
    "1 alarm: line 17: accessing uninitialized left-value"
faulty_caller "more than is known of them" 'bad_predict(in, out);' '1 / (out[0] - 40000 + 7233)' \
    "1 alarm: line 17: division by zero"
# Where the file has that name itself, all calls are analysed.
page bad 'out[0] = (in[0] > 0) ? 1 : 0;' '' 'static inline void bad_taken(const int16_t in[2], int16_t out[1])
{
    (void)in;
    out[0] = 1;
}

static inline int bad_classify(const int16_t in[2])
{
    int16_t out[2];
    bad_predict(in, out);
    return 1 / out[0];
}
'
mote prove bad.h --model 32
prints "a file with the name of what is believed" "bad.h, 32-bit int: 1 alarm: line 23: division by zero"

# An output alone is a class, which the caller makes an int.
class_page()
{
    page class "out[0] = $1;" '' 'static inline int class_classify(const int16_t in[2])
{
    int16_t out[1];
    class_predict(in, out);
    return (int)out[0];
}
'
    sed -i "s/int16_t out/int32_t out/" class.h
}
class_page '(in[0] > in[1]) ? 1 : 0'
mote prove class.h
prints "a class is an int" "class.h, 32-bit int: proved
class.h, 16-bit int: proved"
class_page '(in[0] > in[1]) ? 1 : 32768'
mote prove class.h --model 16
prints "a class that is none" "class.h, 16-bit int: 1 alarm: a class that is no int"
page half "$(halving ';')" ''
mote prove half.h --model 32
prints "a loop that halves ends" "half.h, 32-bit int: proved"
faulty "halving undone" "$(halving 'left |= 1U;')" "unfinished: a loop may not end"
faulty "halving skipped" "$(halving 'if (in[1] > 0) { continue; }')" "unfinished: a loop may not end"
faulty "no C" 'out[0] = ;' 'unfinished: Frama-C: syntax error:'

PATH=/nowhere "$MOTE" prove good.h --model 32 >out 2>err
prints "names the package" "good.h, 32-bit int: tool missing: frama-c: Debian package frama-c-base"

# Where unsigned numbers may wrap: what a kernel says in front of its function, and no other text.
wrap='uint32_t s = (uint32_t)(uint16_t)(in[0] + 32768); s *= 4294967295U; out[0] = (int16_t)(s & 1U);'
page wraps "$wrap" ''
sed -i 's/^static inline void/\/* a, modulo 2^32. *\/\nstatic inline void/' wraps.h
mote prove wraps.h --model 32
prints "sums that say that they wrap" "wraps.h, 32-bit int: proved; some sums are modulo 2^32 or 2^16"
faulty "a name that says so" "/* modulo 2^32 */ $wrap" "1 alarm: line 10: unsigned overflow"

# Constant time: conversions by functions that are known by their text, clamps by masks.
mote emit "$tree/tests/golden/a-int8.mote" -o steady.h --constant-time --selftest 0
mote prove steady.h --model 32
prints "constant time" "steady.h, 32-bit int: proved"
sed 's/return (uint32_t)z;/return (uint32_t)z + 1U;/' steady.h >other.h
mote prove other.h --model 32
ends "a conversion that is none" 1 ""
mote emit "$tree/tests/golden/pose-6-16-6.mote" -o steady.h --constant-time --selftest 0
mote prove steady.h --model 16
prints "constant time with a curve" "steady.h, 16-bit int: proved"

# What --asm adds is not C: the portable function is what is proved.
mote emit "$golden" -o vectors.h --asm --optimise speed --selftest 0
check "there is a variant for this machine" grep -q emmintrin.h vectors.h
mote prove vectors.h --model 16
prints "a file with variants" "vectors.h, 16-bit int: proved"

# The kernels of a target without a multiplier: bit by bit of the activations modulo 2^32, of weights exact.
mote prove "$golden" --model 32 --target rv32ec --kernel loop
prints "products by the bits of weights" "$golden, 32-bit int: proved"
mote prove "$golden" --model 32
prints "the default kernels" "$golden, 32-bit int: proved"
mote prove "$golden" --model 32 --target rv32ec --optimise speed
prints "the kernels of a target" "$golden, 32-bit int: proved; some sums are modulo 2^32 or 2^16"
