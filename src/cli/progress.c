#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct progress progress_start(bool verbose)
{
    return (struct progress){.terminal = isatty(STDERR_FILENO) == 1, .verbose = verbose};
}

/* "1:05 left"; nothing where it is not known. */
static void print_eta(double eta)
{
    if (eta >= 0 && eta < 360000) {
        int seconds = (int)(eta + 0.5);
        (void)fprintf(stderr, "  %d:%02d left", seconds / 60, seconds % 60);
    }
}

static void print_line(struct progress *progress, double fraction, double eta, const char *stage,
                       const char *detail)
{
    double percent = fraction < 0 ? 0 : fraction > 1 ? 100 : 100 * fraction;
    (void)fprintf(stderr, "\r\033[K%3.0f %%", percent);
    print_eta(eta);
    (void)fprintf(stderr, "  %.40s  %.60s", stage, detail);
    (void)fflush(stderr);
    progress->shown = true;
}

void progress_show(void *context, double fraction, double eta, const char *stage,
                   const char *detail)
{
    struct progress *progress = context;
    if (progress->terminal) {
        print_line(progress, fraction, eta, stage, detail);
    } else if (progress->verbose && strcmp(stage, progress->stage) != 0) {
        (void)fprintf(stderr, "mote: %s\n", stage);
        (void)snprintf(progress->stage, sizeof progress->stage, "%s", stage);
    }
}

void progress_say(const struct progress *progress, const char *line)
{
    if (progress->terminal || progress->verbose) {
        (void)fprintf(stderr, "mote: %s\n", line);
    }
}

void progress_end(struct progress *progress)
{
    if (progress->shown) {
        (void)fputs("\r\033[K", stderr);
        progress->shown = false;
    }
}

static volatile int stop_flag;

static void interrupt(int signal_number)
{
    (void)signal_number;
    stop_flag = 1;
}

const volatile int *stop_on_interrupt(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    return &stop_flag;
}
