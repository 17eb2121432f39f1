/* Other programs, without a shell: commands in the words of a .target file, a time limit, captured
 * output, nothing left behind. */
#ifndef MOTE_MEASURE_PROCESS_H
#define MOTE_MEASURE_PROCESS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#define COMMAND_WORDS_MAX 128

/* A command line; `failed` latches a full list or a failed allocation. */
struct command {
    struct arena *arena;
    const char *targets; /* folder behind {targets} */
    const char *image;   /* file behind {image}; NULL: the word stays */
    const char *words[COMMAND_WORDS_MAX + 1];
    int count;
    bool failed;
};

/* Add the words of `text`, split at spaces, with {targets} and {image} replaced in each. */
void command_add(struct command *command, const char *text);

/* Add one word as it is. */
void command_word(struct command *command, const char *word);

struct outcome {
    int status;         /* exit status; 128 + N where signal N ended it */
    struct text output; /* what it printed, at most 1 MB; freed by outcome_free() */
    struct text errors; /* on standard error */
};

/* Run in `folder` with standard input from /dev/null until the program ends; one that takes more
 * than `seconds` is killed, which is a failure; an exit status is none.  The first word is a path,
 * or is searched in $PATH. */
bool process_run(const struct command *command, const char *folder, int seconds,
                 struct outcome *outcome, struct error *err);

void outcome_free(struct outcome *outcome);

/* The line of its errors that says most (the first of an error or an overflow, else the first),
 * without leading blanks, cut to the room of `line`. */
void outcome_complaint(const struct outcome *outcome, char *line, size_t room);

#endif
