#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np, pipe2 */
#include "measure/process.h"

#include "measure/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)

extern char **environ;

/* ---- commands ---- */

void command_word(struct command *command, const char *word)
{
    if (!word || command->count == COMMAND_WORDS_MAX) {
        command->failed = true;
        return;
    }
    command->words[command->count++] = word;
    command->words[command->count] = NULL;
}

/* One word of `length` bytes with its placeholders replaced. */
static void add_word(struct command *command, const char *word, size_t length)
{
    static const char targets[] = "{targets}";
    static const char image[] = "{image}";
    struct text text = {0};
    for (size_t i = 0; i < length;) {
        if (strncmp(word + i, targets, sizeof targets - 1) == 0) {
            text_add(&text, command->targets);
            i += sizeof targets - 1;
        } else if (command->image && strncmp(word + i, image, sizeof image - 1) == 0) {
            text_add(&text, command->image);
            i += sizeof image - 1;
        } else {
            text_bytes(&text, word + i, 1);
            i++;
        }
    }
    command_word(command, text.failed ? NULL : arena_string(command->arena, text.data));
    text_free(&text);
}

void command_add(struct command *command, const char *text)
{
    for (;;) {
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        if (length == 0) {
            return;
        }
        add_word(command, text, length);
        text += length;
    }
}

/* ---- running ---- */

struct running {
    pid_t child;
    struct pollfd pipes[2]; /* its output and errors; fd -1 once closed */
    double deadline;        /* on the monotonic clock, in seconds */
};

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0) {
            (void)close(pair[i]);
            pair[i] = -1;
        }
    }
}

static bool open_pair(int pair[2])
{
    if (pipe2(pair, O_CLOEXEC) != 0) { /* from the start: other threads start programs too */
        pair[0] = pair[1] = -1;
        return false;
    }
    return true;
}

/* What the child does between fork and exec; an errno, 0: fine. */
static int plan_child(posix_spawn_file_actions_t *actions, const char *folder, int out, int errors)
{
    int code = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    code = code ? code : posix_spawn_file_actions_adddup2(actions, out, 1);
    code = code ? code : posix_spawn_file_actions_adddup2(actions, errors, 2);
    return code ? code : posix_spawn_file_actions_addchdir_np(actions, folder);
}

static int spawn(const struct command *command, const char *folder, int out, int errors,
                 pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) {
        return code;
    }
    code = plan_child(&actions, folder, out, errors);
    if (!code) {
        /* execve takes words that it does not change as char *const * */
        char *words[COMMAND_WORDS_MAX + 1];
        memcpy(words, command->words, sizeof words);
        code = posix_spawnp(child, words[0], &actions, NULL, words, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return code;
}

static bool start(const struct command *command, const char *folder, struct running *running,
                  struct error *err)
{
    int out[2] = {-1, -1};
    int errors[2] = {-1, -1};
    int code = open_pair(out) && open_pair(errors) ? 0 : errno;
    code = code ? code : spawn(command, folder, out[1], errors[1], &running->child);
    if (code) {
        close_pair(out);
        close_pair(errors);
        return fail(err, "%s: %s", command->words[0], strerror(code));
    }
    (void)close(out[1]);
    (void)close(errors[1]);
    running->pipes[0] = (struct pollfd){.fd = out[0], .events = POLLIN};
    running->pipes[1] = (struct pollfd){.fd = errors[0], .events = POLLIN};
    return true;
}

/* Take what one pipe has; false and a closed pipe at its end. */
static void drain(struct pollfd *pipe, struct text *text)
{
    char buffer[4096];
    ssize_t got = read(pipe->fd, buffer, sizeof buffer);
    if (got > 0) {
        size_t room = OUTPUT_MAX - text->length;
        text_bytes(text, buffer, (size_t)got < room ? (size_t)got : room);
    } else if (got == 0 || errno != EINTR) {
        (void)close(pipe->fd);
        pipe->fd = -1;
    }
}

/* Until both pipes are closed; false: time is up, or the user wants to stop. */
static bool collect(struct running *running, struct outcome *outcome)
{
    while (running->pipes[0].fd >= 0 || running->pipes[1].fd >= 0) {
        double left = running->deadline - now();
        if (left <= 0 || interrupt_noted()) {
            return false;
        }
        (void)poll(running->pipes, 2, left < 1 ? (int)(1000 * left) + 1 : 1000);
        for (int i = 0; i < 2; i++) {
            if (running->pipes[i].fd >= 0 && running->pipes[i].revents) {
                drain(&running->pipes[i], i == 0 ? &outcome->output : &outcome->errors);
            }
            running->pipes[i].revents = 0;
        }
    }
    return true;
}

/* Wait for the end of a child that closed its outputs; false: as above. */
static bool reap(struct running *running, int *status)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    for (;;) {
        pid_t got = waitpid(running->child, status, WNOHANG);
        if (got == running->child || (got < 0 && errno != EINTR)) {
            return true;
        }
        if (now() > running->deadline || interrupt_noted()) {
            return false;
        }
        (void)nanosleep(&nap, NULL);
    }
}

static void end_child(struct running *running)
{
    int status;
    (void)kill(running->child, SIGKILL);
    while (waitpid(running->child, &status, 0) < 0 && errno == EINTR) {
    }
    for (int i = 0; i < 2; i++) {
        if (running->pipes[i].fd >= 0) {
            (void)close(running->pipes[i].fd);
        }
    }
}

bool process_run(const struct command *command, const char *folder, int seconds,
                 struct outcome *outcome, struct error *err)
{
    struct running running = {.deadline = now() + seconds};
    int status = 0;
    *outcome = (struct outcome){0};
    if (command->failed && command->count < COMMAND_WORDS_MAX) {
        return fail_memory(err);
    }
    if (command->failed || command->count == 0) {
        return fail(err, "a command is empty or has more than %d words", COMMAND_WORDS_MAX);
    }
    if (!start(command, folder, &running, err)) {
        return false;
    }
    if (!collect(&running, outcome) || !reap(&running, &status)) {
        end_child(&running);
        err->interrupted = interrupt_noted();
        return err->interrupted
                   ? fail(err, "interrupted")
                   : fail(err, "%s: stopped after %d seconds", command->words[0], seconds);
    }
    outcome->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (outcome->output.failed || outcome->errors.failed) {
        return fail_memory(err);
    }
    return true;
}

void outcome_free(struct outcome *outcome)
{
    text_free(&outcome->output);
    text_free(&outcome->errors);
}

/* ---- complaints ---- */

static bool says(const char *line, size_t length, const char *what)
{
    size_t size = strlen(what);
    for (size_t i = 0; i + size <= length; i++) {
        if (memcmp(line + i, what, size) == 0) {
            return true;
        }
    }
    return false;
}

/* The first line that says one of some words, but for a linker's last one; NULL: none. */
static const char *line_with(const char *text, const char *const words[], int count)
{
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        for (int i = 0; i < count && !says(at, length, "collect2"); i++) {
            if (says(at, length, words[i])) {
                return at;
            }
        }
        at += length + (at[length] == '\n');
    }
    return NULL;
}

void outcome_complaint(const struct outcome *outcome, char *line, size_t room)
{
    static const char *const faults[] = {"error", "overflow", "within region"};
    static const char *const causes[] = {"will not fit", "undefined reference"}; /* linkers' */
    const char *text = outcome->errors.data ? outcome->errors.data : "";
    const char *best = line_with(text, faults, 3);
    best = best ? best : line_with(text, causes, 2);
    best = best ? best : text;
    best += strspn(best, " \t\n");
    (void)snprintf(line, room, "%.*s", (int)strcspn(best, "\n"), best);
}
