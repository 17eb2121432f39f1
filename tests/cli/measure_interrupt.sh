#!/bin/bash
# A signal while `mote measure` runs slow programs, one or two at a time: it dies of it, and so do the
# programs; no work folder is left.  The boards have a compiler that sleeps.
set -u
targets=$SCRATCH/targets
export TMPDIR=$SCRATCH/temporary
mkdir "$targets" "$TMPDIR"
printf '#!/bin/sh\necho $$ >>"%s"\nexec sleep 300\n' "$SCRATCH/pid" >"$targets/cc"
chmod +x "$targets/cc"
for name in slow one two three; do
    cat >"$targets/$name.target" <<END
title = $name
description = a compiler that sleeps
compiler = $targets/cc
support = none.c
END
done
# Boards with a counting program are measured two at a time.
for name in one two three; do
    echo "count = sh" >>"$targets/$name.target"
done

check() # NAME GOT WANTED
{
    if [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1: $2, not $3"
    fi
}

sleeping() # how many compilers run
{
    local pid count=0
    touch "$SCRATCH/pid"
    while read -r pid; do
        ! kill -0 "$pid" 2>/dev/null || count=$((count + 1))
    done <"$SCRATCH/pid"
    echo $count
}

# interrupt SIGNAL TARGETS HOW-MANY-AT-A-TIME
interrupt()
{
    local signal=$1 child
    rm -f "$SCRATCH/pid"
    MOTE_TARGETS=$targets "$MOTE" measure tests/golden/pose-6-16-6.mote --target "$2" \
        >/dev/null 2>"$SCRATCH/errors" &
    child=$!
    for _ in $(seq 200); do
        [ "$(sleeping)" -lt "$3" ] || break
        sleep 0.05
    done
    check "$signal, $2: the compiler runs" "$(sleeping)" "$3"
    kill -"$signal" $child
    wait $child 2>/dev/null
    check "$signal, $2: status" $? $((128 + $(kill -l "$signal")))
    check "$signal, $2: no work folder" "$(find "$TMPDIR" -mindepth 1)" ""
    check "$signal, $2: no program" "$(sleeping)" 0
}

for signal in TERM HUP; do
    interrupt $signal slow 1
    interrupt $signal one,two,three 2
done
