/* The public handle, and how errors reach the caller. */
#ifndef MOTE_API_API_H
#define MOTE_API_API_H

#include "base/error.h"
#include "mote.h"
#include "net/net.h"
#include "run/run.h"

struct mote_net {
    struct net *net;
    struct run *run;
    int32_t *in, *out; /* codes of one prediction, in the net's arena */
};

/* A handle that owns `net`, which is freed on failure.  A NULL net is a failure already told. */
struct mote_net *handle_new(struct net *net, struct error *err);

/* Tell the caller: the message, or "" where nothing failed. */
void tell(const struct error *err, struct mote_error *error);

#endif
