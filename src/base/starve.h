/* jansson out of memory.  Its lexer and its printer ignore some failed allocations and go on with a
 * character or a key less, so that a failure must be looked for behind their backs. */
#ifndef MOTE_BASE_STARVE_H
#define MOTE_BASE_STARVE_H

#include <stdbool.h>

/* From here on, jansson's allocations in this thread are watched. */
void starve_watch(void);

/* Has one failed since then?  What jansson has made meanwhile is not to be trusted. */
bool starve_seen(void);

#endif
