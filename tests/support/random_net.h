/* Random but valid nets and inputs, for property tests of everything that takes a net. */
#ifndef MOTE_SUPPORT_RANDOM_NET_H
#define MOTE_SUPPORT_RANDOM_NET_H

#include "net/net.h"

/* A net that is a pure function of `seed` and has passed net_check(): every op, activation, type
 * and weight width; graphs with skips, branches and concatenations; accumulators at the edge of
 * 2^31; names, units and classes that try to break out of comments and strings.  Free with
 * net_free().  Stops the test program where it fails. */
struct net *random_net(uint64_t seed);

/* The same with 8-bit activations, weights of few bits and sums around the 16 bits that packed
 * rows need. */
struct net *random_narrow_net(uint64_t seed);

/* `count` vectors of input codes, one behind the other (count * width of the input): first the
 * corners of the range, then mixtures of corners and random codes, then random codes. */
void random_inputs(const struct net *net, uint64_t seed, int count, int32_t *codes);

#endif
