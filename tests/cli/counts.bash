# For tests of the counting programs: $count is the program.
# shellcheck shell=bash
: "${SCRATCH:?}" "${count:?}"

check() { # NAME GOT WANTED
    if [ "$2" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1: $2, not $3"
    fi
}

contains() { # NAME TEXT PART
    if [[ $2 == *"$3"* ]]; then
        echo "ok $1"
    else
        echo "not ok $1: '$2' does not contain '$3'"
    fi
}

value() { # JSON KEY: the most of that key
    sed -E "s/.*\"$2\":\{\"least\":[0-9]+,\"most\":([0-9]+).*/\1/" <<<"$1"
}

# refused NAME IMAGE MESSAGE OPTION...: the call of NAME fails with the message and prints nothing.
refused() {
    local name=$1 image=$2 message=$3 said status
    shift 3
    said=$("$count" "$@" --limit 100000 --call "$name" "$image" 2>&1 >"$SCRATCH/stdout")
    status=$?
    contains "refuse $name" "$status $said" "$message"
    check "refuse $name quietly" "$status:$(cat "$SCRATCH/stdout")" "1:"
}
