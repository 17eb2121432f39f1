#!/bin/bash
# libmote.a and include/mote.h: only mote_* is visible, every declared function is there, C and C++.
. tests/cli/support.bash

build=$(dirname "$MOTE")
nm --defined-only --extern-only "$build/libmote.a" | awk 'NF == 3 { print $3 }' | sort >"$SCRATCH/there"
grep -oE '\bmote_[a-z_]+\(' include/mote.h | tr -d '(' | sort -u >"$SCRATCH/declared"
check "nothing but mote_* is visible" [ -z "$(grep -v '^mote_' "$SCRATCH/there")" ]
check "every declared function is there, and no other" diff "$SCRATCH/declared" "$SCRATCH/there"

cat >"$SCRATCH/use.c" <<'EOF'
#include <mote.h>
#include <stdio.h>
int main(void)
{
    struct mote_error error;
    struct mote_net *net = mote_read("/no/such/file", &error);
    mote_free(net);
    puts(error.message);
    return net != NULL || mote_version()[0] == 0;
}
EOF
cp "$SCRATCH/use.c" "$SCRATCH/use.cc"
libraries=("$build/libmote.a" -ljansson -lpng -lz -lpthread -lm)
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Werror)
for standard in c99 c11 c17; do
    check "$standard" gcc -std=$standard "${warnings[@]}" -Iinclude -c -o "$SCRATCH/use.o" "$SCRATCH/use.c"
done
check "it links" gcc -o "$SCRATCH/use" "$SCRATCH/use.o" "${libraries[@]}"
check "it runs" [ "$("$SCRATCH/use")" = "/no/such/file: No such file or directory" ]
if command -v g++ >/dev/null; then
    check "C++17" g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$SCRATCH/use" "$SCRATCH/use.cc" \
        "${libraries[@]}"
    check "C++17 runs" [ "$("$SCRATCH/use")" = "/no/such/file: No such file or directory" ]
else
    echo "skip C++17: g++ is not installed"
fi
