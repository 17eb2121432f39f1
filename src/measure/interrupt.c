#include "measure/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define SIGNALS 3

static const int signals[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

static atomic_int noted;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static int holders;
static struct sigaction before[SIGNALS];

static void note(int number)
{
    noted = number;
}

static void take_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note; /* no SA_RESTART: waiting ends */
    (void)sigemptyset(&action.sa_mask);
    noted = 0;
    for (int i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

static void give_signals(void)
{
    for (int i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], &before[i], NULL);
    }
    if (noted) {
        (void)raise(noted);
    }
}

void interrupt_hold(void)
{
    (void)pthread_mutex_lock(&lock);
    if (holders++ == 0) {
        take_signals();
    }
    (void)pthread_mutex_unlock(&lock);
}

void interrupt_release(void)
{
    (void)pthread_mutex_lock(&lock);
    if (--holders == 0) {
        give_signals();
    }
    (void)pthread_mutex_unlock(&lock);
}

bool interrupt_noted(void)
{
    return noted != 0;
}
