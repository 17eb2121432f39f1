#include "measure/interrupt.h"

#include <string.h>

static const int signals[INTERRUPT_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t noted;

static void note(int number)
{
    noted = number;
}

void interrupt_hold(struct interrupt *interrupt)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note; /* no SA_RESTART: waiting ends */
    (void)sigemptyset(&action.sa_mask);
    noted = 0;
    for (int i = 0; i < INTERRUPT_SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &interrupt->before[i]);
        if (interrupt->before[i].sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

void interrupt_release(struct interrupt *interrupt)
{
    for (int i = 0; i < INTERRUPT_SIGNALS; i++) {
        (void)sigaction(signals[i], &interrupt->before[i], NULL);
    }
    if (noted) {
        (void)raise(noted);
    }
}

bool interrupt_noted(void)
{
    return noted != 0;
}
