#!/bin/bash
# The blocks of every README run: shell blocks (```sh, and lines after "$ " in ```console) are
# executed, C blocks are compiled, and run if they have a main().  The blocks of one README run in
# order in one fresh folder, with mote on PATH and mote.h and libmote.a where an installed mote has
# them.  A block right after a line `<!-- not run: REASON -->` is skipped.
set -u
: "${MOTE:?}" "${SCRATCH:?}"
top=$PWD
build=$(dirname "$MOTE")
warnings=(-std=c99 -Wall -Wextra -Wpedantic -Werror -I. -I"$top/include")

# Split into $2/LINE.sh and $2/LINE.c, and print a skip line for blocks that are not run.
split()
{
    awk -v folder="$2" -v name="$1" '
        /^```/ && !inside {
            language = substr($0, 4)
            inside = 1
            wanted = language ~ /^(sh|console|c)$/
            if (wanted && reason != "") {
                print "skip " name ":" NR ": " reason
                wanted = 0
            }
            file = sprintf("%s/%05d.%s", folder, NR, language == "c" ? "c" : "sh")
            if (wanted) printf "" >file
            reason = ""
            next
        }
        /^```/ { inside = 0; next }
        inside && wanted && language == "console" {
            # A command may go on behind a backslash.
            if (sub(/^\$ /, "") || more) { print >file; more = /\\$/ }
            next
        }
        inside && wanted { print >file }
        inside { next }
        /^<!-- not run: .* -->$/ { reason = $0; sub(/^<!-- not run: /, "", reason)
            sub(/ -->$/, "", reason); next }
        /[^ ]/ { reason = "" }' "$1"
}

# A whole program is linked and run; a fragment is what stands in a function of the firmware.
run_c()
{
    if grep -q 'main(' "$1"; then
        "${CC:-gcc}" "${warnings[@]}" -o program "$1" "$build/libmote.a" -ljansson -lpng -lz -lpthread -lm &&
            ./program
        return
    fi
    {
        echo '#include <stdint.h>'
        grep '^#include' "$1"
        echo 'void block(const uint16_t sensors[]);'
        echo 'void block(const uint16_t sensors[]) { (void)sensors;'
        grep -v '^#include' "$1"
        echo '}'
    } >fragment.c
    "${CC:-gcc}" "${warnings[@]}" -Wno-unused -Wno-unused-parameter -c fragment.c
}

for readme in README.md examples/*/README.md; do
    [ -e "$readme" ] || { echo "not ok $readme: there is none"; continue; }
    blocks=$SCRATCH/blocks
    work=$SCRATCH/work
    rm -rf "$blocks" "$work"
    mkdir -p "$blocks" "$work"
    split "$readme" "$blocks"
    for name in build examples include targets src tests; do
        ln -s "$top/$name" "$work/$name"
    done
    [ "$build" = "$top/build" ] || ln -sfn "$build" "$work/build"
    for block in "$blocks"/*; do
        line=$((10#$(basename "${block%.*}")))
        (
            cd "$work" || exit 1
            export PATH=$build:$PATH
            case $block in
                *.sh) timeout 300 bash -euo pipefail "$block" ;;
                *.c) run_c "$block" ;;
            esac
        ) </dev/null && echo "ok $readme:$line" || echo "not ok $readme:$line: status $?"
    done
done
