#!/bin/bash
# kill -9 at random moments of a training with checkpoints: it resumes, and ends in the bytes of a
# training that was never interrupted.
set -u
: "${MOTE:?}" "${SCRATCH:?}"
simulate=$(dirname "$MOTE")/examples/pose/simulate
"$simulate" --count 1500 --seed 5 >"$SCRATCH/pose.csv"
RANDOM=20

# interrupted NAME OPTIONS...
interrupted()
{
    local name=$1 whole start pid kills=0 killed=0
    shift
    local train=("$MOTE" train "$SCRATCH/pose.csv" --outputs 6 --threads 1 --name pose "$@")
    start=$(date +%s%N)
    "${train[@]}" -o "$SCRATCH/whole.mote" >"$SCRATCH/log" 2>&1 ||
        { echo "not ok $name: $(tail -n 1 "$SCRATCH/log")"; return; }
    whole=$((($(date +%s%N) - start) / 1000000))
    train+=(--checkpoint "$SCRATCH/state" --resume)
    rm -f "$SCRATCH/state"
    for kills in {1..12}; do
        "${train[@]}" -o "$SCRATCH/net.mote" >"$SCRATCH/log" 2>&1 &
        pid=$!
        sleep "$(awk -v ms=$((whole * (RANDOM % 60 + 5) / 100)) 'BEGIN { print ms / 1000 }')"
        kill -9 $pid 2>/dev/null && killed=$((killed + 1))
        wait $pid 2>/dev/null
        [ $? -ne 1 ] || { echo "not ok $name: after $kills kills: $(cat "$SCRATCH/log")"; return; }
    done
    if ! "${train[@]}" -o "$SCRATCH/net.mote" >"$SCRATCH/log" 2>&1; then
        echo "not ok $name: does not resume: $(tail -n 1 "$SCRATCH/log")"
    elif ! cmp -s "$SCRATCH/net.mote" "$SCRATCH/whole.mote"; then
        echo "not ok $name: other bytes after $killed kills"
    else
        echo "ok $name ($killed kills in trainings of $whole ms)"
    fi
}

interrupted "least squares" --net 6-4-6
interrupted "gradient" --net 6-4-6 --method qat
