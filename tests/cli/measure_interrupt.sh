#!/bin/bash
# A signal while `mote measure` runs a slow program: it dies of it, and so does the program; no
# work folder is left.  The board has a compiler that sleeps.
set -u
targets=$SCRATCH/targets
export TMPDIR=$SCRATCH/temporary
mkdir "$targets" "$TMPDIR"
printf '#!/bin/sh\necho $$ >"%s"\nexec sleep 300\n' "$SCRATCH/pid" >"$targets/cc"
chmod +x "$targets/cc"
cat >"$targets/slow.target" <<END
title = slow
description = a compiler that sleeps
compiler = $targets/cc
support = none.c
END

check() # NAME GOT WANTED
{
    if [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1: $2, not $3"
    fi
}

sleeping() # 1 while the compiler runs, else 0
{
    if [ -s "$SCRATCH/pid" ] && kill -0 "$(cat "$SCRATCH/pid")" 2>/dev/null; then
        echo 1
    else
        echo 0
    fi
}

for signal in TERM HUP; do
    rm -f "$SCRATCH/pid"
    MOTE_TARGETS=$targets "$MOTE" measure tests/golden/pose-6-16-6.mote --target slow \
        >/dev/null 2>"$SCRATCH/errors" &
    child=$!
    for _ in $(seq 200); do
        [ "$(sleeping)" = 0 ] || break
        sleep 0.05
    done
    check "$signal: the compiler runs" "$(sleeping)" 1
    kill -$signal $child
    wait $child 2>/dev/null
    check "$signal: status" $? $((128 + $(kill -l $signal)))
    check "$signal: no work folder" "$(find "$TMPDIR" -mindepth 1)" ""
    check "$signal: no program" "$(sleeping)" 0
done
