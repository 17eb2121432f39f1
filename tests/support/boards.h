/* Measuring in tests: nets, headers written by hand, and what must hold on every board. */
#ifndef MOTE_SUPPORT_BOARDS_H
#define MOTE_SUPPORT_BOARDS_H

#include "measure/measure.h"

/* Parts of a header for identity_net(). */
#define WIDTH      3
#define HEAD       "#include <stdint.h>\n"
#define PREDICT    "static void net_predict(const uint16_t *in, int16_t *out)\n"
#define IDENTITIES "for (int i = 0; i < 3; i++) { out[i] = (int16_t)(in[i] - 32768); }\n"

/* Missing tools skip the test, before it has made anything: they are no fault of mote. */
void need(const char *name);

/* The next random net from *seed on that is small enough for a quick test. */
struct net *small_net(uint64_t *seed);

/* u16 in, i16 out: y = x - 32768 on each of three channels. */
struct net *identity_net(void);

/* measure_net() on the target of that name. */
struct cost measure(const struct net *net, const char *target_name,
                    const struct measure_options *options, struct error *err);

/* Some random nets from that seed on give the interpreter's outputs and need no static RAM, as far
 * as the target can tell. */
void check_nets(const char *target, enum optimise optimise, uint64_t seed);

/* Wrong outputs are noticed and counted. */
void check_mismatch(const char *target);

/* Measuring this header fails with a message that contains `part`. */
void check_broken(const char *target, const char *header, const char *part);

/* For cmocka's group: boards of the source tree, counting programs of this build, work folders in
 * the scratch folder. */
int boards_set_up(void **state);

#endif
