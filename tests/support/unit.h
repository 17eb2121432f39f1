/* cmocka for unit tests: include this first.  cmocka wants these headers in this order, and its
 * fail() macro would shadow base/error.h's function: use fail_msg(), which here does without. */
#ifndef MOTE_SUPPORT_UNIT_H
#define MOTE_SUPPORT_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        print_error("\n");                                                                         \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

/* Turns of a test whose time goes into compilers and emulators: fewer where mote itself runs under
 * a sanitizer, which has nothing to say of those. */
#ifdef __SANITIZE_ADDRESS__
#define FEWER(count) (((count) + 3) / 4)
#else
#define FEWER(count) (count)
#endif

#endif
