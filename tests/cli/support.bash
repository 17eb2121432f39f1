# Sourced by the verbs' tests: checks, and networks whose answers are known by hand.
# shellcheck shell=bash

: "${MOTE:?}" "${SCRATCH:?}"
# mote ARGUMENTS...: standard output to $SCRATCH/out, messages to $SCRATCH/err, $status.
mote()
{
    "$MOTE" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
    status=$?
}

# check NAME COMMAND...: one line from a command's status.
check()
{
    local name=$1
    shift
    if "$@"; then
        echo "ok $name"
    else
        echo "not ok $name: failed: $* (status $status; $(head -c 300 "$SCRATCH/err" | tr '\n' '|'))"
    fi
}

# ends NAME STATUS [MESSAGE]: the last mote ended with STATUS, and its messages are MESSAGE.
ends()
{
    if [ "$status" -ne "$2" ]; then
        echo "not ok $1: status $status, not $2; $(tr '\n' '|' <"$SCRATCH/err")"
    elif [ $# -gt 2 ] && [ "$(cat "$SCRATCH/err")" != "$3" ]; then
        echo "not ok $1: says $(tr '\n' '|' <"$SCRATCH/err")"
    else
        echo "ok $1"
    fi
}

# prints NAME TEXT: the last mote's standard output is TEXT.
prints()
{
    if [ "$(cat "$SCRATCH/out")" = "$2" ]; then
        echo "ok $1"
    else
        echo "not ok $1: prints $(head -c 400 "$SCRATCH/out" | tr '\n' '|')"
    fi
}

# gives NAME FILTER TEXT: jq's FILTER of the last mote's standard output is TEXT.
gives()
{
    local got
    got=$(jq -c "$2" "$SCRATCH/out" 2>&1)
    if [ "$got" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1: gives $(echo "$got" | tr '\n' '|')"
    fi
}

# sum_net FILE [NAME]: 0.5 mm per step, y = 0.5 (a + 2 b) mm from two unsigned bytes in V.
sum_net()
{
    local name=${2:-sum}
    cat >"$1" <<EOF
{"mote": 1, "name": "$name", "task": "regression",
 "tensors": [["u8", 2], ["i16", 1]], "input": 0, "output": 1,
 "layers": [{"op": "dense", "in": [0], "out": 1, "activation": "none", "bits": 8,
             "weights": [[1, 2]], "bias": [0], "shift": [0]}],
 "inputs": [
  {"name": "a", "unit": "V", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [255, 0]},
  {"name": "b", "unit": "V", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [255, 0]}],
 "outputs": [
  {"name": "y", "unit": "mm", "lsb": [5, -1], "offset": [0, 0], "low": [0, 0], "high": [100, 0]}],
 "provenance": {"options": "", "data": "0123456789abcdef", "method": "by hand"}}
EOF
}

# class_net FILE: low where a > b, high where b > a, even where a = b + 1 or both are 0.
class_net()
{
    cat >"$1" <<'EOF'
{"mote": 1, "name": "compare", "task": "classification",
 "tensors": [["u8", 2], ["i16", 3]], "input": 0, "output": 1,
 "layers": [{"op": "dense", "in": [0], "out": 1, "activation": "none", "bits": 8,
             "weights": [[1, -1], [0, 0], [-1, 1]], "bias": [0, 1, 0], "shift": [0, 0, 0]}],
 "inputs": [
  {"name": "a", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [255, 0]},
  {"name": "b", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [255, 0]}],
 "outputs": [
  {"name": "", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]},
  {"name": "", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]},
  {"name": "", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [1, 0]}],
 "classes": ["low", "even", "high"], "label": "kind",
 "provenance": {"options": "", "data": "0123456789abcdef", "method": "by hand"}}
EOF
}

# image_net FILE: of 2 x 2 grey pixels, which side is brighter; the outputs are +-(left - right) / 100.
image_net()
{
    cat >"$1" <<'EOF'
{"mote": 1, "name": "sides", "task": "classification",
 "tensors": [["u8", [2, 2, 1]], ["i16", 2]], "input": 0, "output": 1,
 "layers": [{"op": "dense", "in": [0], "out": 1, "activation": "none", "bits": 8,
             "weights": [[1, -1, 1, -1], [-1, 1, -1, 1]], "bias": [0, 0], "shift": [0, 0]}],
 "inputs": [
  {"name": "", "unit": "", "lsb": [1, 0], "offset": [0, 0], "low": [0, 0], "high": [255, 0]}],
 "outputs": [
  {"name": "", "unit": "", "lsb": [1, -2], "offset": [0, 0], "low": [0, 0], "high": [1, 0]},
  {"name": "", "unit": "", "lsb": [1, -2], "offset": [0, 0], "low": [0, 0], "high": [1, 0]}],
 "classes": ["0", "1"], "label": "",
 "provenance": {"options": "", "data": "0123456789abcdef", "method": "by hand"}}
EOF
}

# idx FILE LENGTHS BYTES: an IDX file; lengths below 256 in decimal, bytes as printf's escapes.
idx()
{
    local length count=0 header=
    for length in $2; do
        header=$header$(printf '\\0\\0\\0\\%03o' "$length")
        count=$((count + 1))
    done
    # shellcheck disable=SC2059
    printf "\\0\\0\\10\\$count$header$3" >"$1"
}
