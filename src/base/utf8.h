/* Text from users: is it fit to be stored, shown and passed on? */
#ifndef MOTE_BASE_UTF8_H
#define MOTE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: shortest forms, no surrogates, at most U+10FFFF) without control
 * characters (U+0000..U+001F, U+007F..U+009F)? */
bool utf8_clean(const char *text, size_t size);

/* Bytes (1..4) of the character that `text` starts with; 0 where it is not clean in the same sense
 * or does not end within `size` >= 1 bytes. */
size_t utf8_step(const char *text, size_t size);

#endif
