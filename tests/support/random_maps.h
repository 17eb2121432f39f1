/* Random nets on maps: every op, window and kind of weights. */
#ifndef MOTE_SUPPORT_RANDOM_MAPS_H
#define MOTE_SUPPORT_RANDOM_MAPS_H

#include "net/net.h"

/* A pure function of `seed` that has passed net_check(): two to seven ops on small maps, with sums
 * and concatenations, often with a dense layer at the end.  Free with net_free().  Stops the test
 * program where it fails. */
struct net *random_map_net(uint64_t seed);

/* The same of the shape that reads digits: a conv of few bits over bytes, then ternary ones over
 * u4, with any window. */
struct net *random_digits_net(uint64_t seed);

/* The same with max pools behind convs, side by side. */
struct net *random_pools_net(uint64_t seed);

/* As digits, but ternary rows are such that portions in lanes are full: of plus, of minus, of one
 * and then the other, and with long gaps. */
struct net *one_sided_net(uint64_t seed);

/* Dense layers of 3 and 4 bits, mostly over u4, behind a resize that mostly drops bits. */
struct net *random_dense_net(uint64_t seed);

/* u8 in, 1 x columns x 1; a dense layer of ten rows with the largest weights of 4 bits, those of
 * the first row negative; from column 16384 on they have the other sign. */
struct net *full_net(int columns);

#endif
