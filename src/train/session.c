#include "train/session.h"

#include <time.h>

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct session session_new(const struct train_options *options, uint64_t identity)
{
    double start = now();
    return (struct session){.options = options,
                            .identity = identity,
                            .started = start,
                            .shown = 0,
                            .saved = 0,
                            .share = 1};
}

double session_seconds(const struct session *session)
{
    return now() - session->started;
}

bool session_stop(struct session *session, double share)
{
    const struct train_options *o = session->options;
    bool over = session_interrupted(session) ||
                (o->seconds > 0 && session_seconds(session) > share * session->share * o->seconds);
    session->stopped = session->stopped || over;
    return over;
}

bool session_interrupted(const struct session *session)
{
    return session->options->stop && *session->options->stop;
}

void session_progress(struct session *session, double fraction, const char *stage,
                      const char *detail)
{
    const struct train_options *o = session->options;
    double time = now();
    if (!o->progress || (time - session->shown < 0.25 && fraction < 1)) {
        return;
    }
    session->shown = time;
    double used = time - session->started;
    if (o->seconds > 0 && fraction < used / o->seconds) {
        fraction = used < o->seconds ? used / o->seconds : 1;
    }
    double eta = fraction > 0.02 ? used * (1 - fraction) / fraction : -1;
    if (o->seconds > 0 && (eta < 0 || eta > o->seconds - used)) {
        eta = o->seconds > used ? o->seconds - used : 0;
    }
    o->progress(o->progress_context, fraction, eta, stage, detail);
}

bool session_save_due(struct session *session)
{
    double time = now();
    if (!session->options->checkpoint || time - session->saved < 0.2) {
        return false;
    }
    session->saved = time;
    return true;
}
