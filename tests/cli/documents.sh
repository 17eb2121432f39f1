#!/bin/bash
# The manual pages, the completion and the help speak of the same verbs and options.
. tests/cli/support.bash

verbs="train eval run emit measure prove show targets"

for page in man/*.1; do
    if [ -n "$(command -v man)" ]; then
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" \
            2>"$SCRATCH/err" >/dev/null
        check "$page has no warnings" [ ! -s "$SCRATCH/err" ]
    else
        echo "skip $page has no warnings: man is not installed"
    fi
done

# The completion, asked as bash asks it.
# shellcheck source=/dev/null
. completion/mote.bash
complete_words()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _mote
    printf '%s\n' "${COMPREPLY[@]}"
}

complete_words mote '' >"$SCRATCH/out"
for verb in $verbs; do
    check "completion knows $verb" grep -qx "$verb" "$SCRATCH/out"
    complete_words mote "$verb" -- | grep "^--" >"$SCRATCH/options"
    "$MOTE" "$verb" --help | grep -oE '^  (-h, )?--?[a-z-]+' | sed 's/.* //' >"$SCRATCH/known"
    while read -r option; do
        check "man page of $verb has $option" grep -qF -- "${option//-/\\-}" "man/mote-$verb.1"
        case $option in
        --*) check "completion of $verb has $option" grep -qx -- "$option" "$SCRATCH/options" ;;
        esac
    done <"$SCRATCH/known"
    while read -r option; do
        check "$verb has the completion's $option" grep -qx -- "$option" "$SCRATCH/known"
    done <"$SCRATCH/options"
done

# Options of one kind of data say so, in the help and in the manual.
for kind in tables images; do
    sed -n "/of_$kind\[\]/,/};/p" src/cli/train.c | grep -o '"--[a-z-]*"' | tr -d '"' >"$SCRATCH/kind"
    check "options of $kind are known" [ "$(wc -l <"$SCRATCH/kind")" -ge 10 ]
    while read -r option; do
        "$MOTE" train --help | grep -E "^  $option( [^ ]+)?  +$kind: " >"$SCRATCH/out"
        check "help: $option is of $kind" [ -s "$SCRATCH/out" ]
        grep -A 1 -E "^\.BI? (.*)?${option//-/\\\\-}( |\$)" man/mote-train.1 | grep "^$kind: " >"$SCRATCH/out"
        check "manual: $option is of $kind" [ -s "$SCRATCH/out" ]
    done <"$SCRATCH/kind"
done
complete_words mote tr >"$SCRATCH/out"
check "completion of a prefix" [ "$(cat "$SCRATCH/out")" = train ]
complete_words mote train x.csv --activation c >"$SCRATCH/out"
check "completion of values" [ "$(tr '\n' ' ' <"$SCRATCH/out")" = "cubic clip " ]

# Descriptions of image networks: the same list in the manual.
"$MOTE" help net >"$SCRATCH/out"
sed -n '/^  28x28x1/,/^behind/s/^  \([a-z0-9(]*[0-9a-z)]\) .*/\1/p' "$SCRATCH/out" >"$SCRATCH/tokens"
check "mote help net lists tokens" [ "$(wc -l <"$SCRATCH/tokens")" -ge 17 ]
while read -r token; do
    check "the manual has $token" grep -qF -- "  $token " man/mote-train.1
done <"$SCRATCH/tokens"
complete_words mote help n >"$SCRATCH/out"
check "completion of help net" [ "$(cat "$SCRATCH/out")" = net ]
