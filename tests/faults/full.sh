#!/bin/bash
# Output that cannot be written: full devices and disks, file size limits, folders that are not
# there.  Status 1, one line, the old file whole, no temporary file.
# shellcheck source=tests/faults/inject.bash
. tests/faults/inject.bash
make_inputs
cd "$work" || exit 1
touch "$SCRATCH/good.out"

# expect_error NAME COMMAND...: `result` here, or $file, must stay as it was.
expect_error()
{
    local name=$1 reason=
    shift
    "$@" </dev/null 2>"$SCRATCH/errors" >"${out:-/dev/null}"
    status=$?
    if [ $status != 1 ]; then
        reason="status $status: $(head -c 300 "$SCRATCH/errors")"
    elif ! one_line_error; then
        reason="message: $(head -c 300 "$SCRATCH/errors")"
    elif [ -n "${file:-}" ] && ! cmp -s "$file" "$SCRATCH/old.file"; then
        reason="the old file is damaged"
    elif [ -n "${file:-}" ] && [ "$(ls -A "$(dirname "$file")")" != "$(basename "$file")" ]; then
        reason="left behind: $(echo "$(dirname "$file")"/*)"
    fi
    echo "${reason:+not }ok $name${reason:+: $reason}"
}

echo "the old file" >"$SCRATCH/old.file"
tiny=(rows.csv --outputs 1 --net 2-3-1)

out=/dev/full
expect_error "stdout is full: eval" "$MOTE" eval net.mote rows.csv
expect_error "stdout is full: eval --json" "$MOTE" eval net.mote rows.csv --json
expect_error "stdout is full: run" "$MOTE" run net.mote rows.csv
expect_error "stdout is full: emit -o -" "$MOTE" emit net.mote -o -
expect_error "stdout is full: train -o -" "$MOTE" train "${tiny[@]}" -o -
expect_error "stdout is full: show" "$MOTE" show net.mote
expect_error "stdout is full: targets" "$MOTE" targets
expect_error "stdout is full: --help" "$MOTE" --help
expect_error "stdout is full: --version" "$MOTE" --version
out=

expect_error "device is full: train" "$MOTE" train "${tiny[@]}" -o /dev/full
mkdir folder.h
expect_error "no such folder: emit" "$MOTE" emit net.mote -o none/pose.h
expect_error "no such folder: train" "$MOTE" train "${tiny[@]}" -o none/net.mote
expect_error "a folder: emit" "$MOTE" emit net.mote -o folder.h --name pose
expect_error "a folder: train" "$MOTE" train "${tiny[@]}" -o folder.h

# bash counts -f in blocks of 1024 bytes; the signal for a file that is too large must not kill.
limited()
{
    (ulimit -f 0 && exec "$@" 2> >(cat >&2)) 2>&1 >/dev/null | cat >&2
    return "${PIPESTATUS[0]}"
}
mkdir "$SCRATCH/limit"
file=$SCRATCH/limit/pose.h
cp "$SCRATCH/old.file" "$file"
expect_error "file size limit: emit" limited "$MOTE" emit net.mote -o "$file"
expect_error "file size limit: train" limited "$MOTE" train "${tiny[@]}" -o "$file"

disk=$SCRATCH/disk
mkdir "$disk"
if mount -t tmpfs -o size=8k none "$disk" 2>/dev/null; then
    trap 'cd /; umount "$disk"' EXIT
    file=$disk/result.h
    cp "$SCRATCH/old.file" "$file"
    head -c 4096 /dev/zero >"$disk/filler" # one page is for the old file, one for this
    rm -f "$SCRATCH/errors.full"
    "$MOTE" emit net.mote -o "$file" --name pose >/dev/null 2>"$SCRATCH/errors"
    status=$?
    rm "$disk/filler"
    expect=$(cmp "$file" "$SCRATCH/old.file" 2>&1)
    if [ $status = 1 ] && one_line_error && [ -z "$expect" ] &&
        [ "$(ls -A "$disk")" = result.h ]; then
        echo "ok disk is full: emit"
    else
        echo "not ok disk is full: emit: status $status: $(head -c 300 "$SCRATCH/errors") $expect"
    fi
else
    echo "skip disk is full: cannot mount here"
fi
