/* mote: the verb table. */
#include "base/version.h"
#include "cli/cli.h"

#include <signal.h>
#include <string.h>

static const struct verb *const verbs[] = {
    &verb_train,   &verb_eval,  &verb_run,  &verb_emit,
    &verb_measure, &verb_prove, &verb_show, &verb_targets,
};
#define VERBS ((int)(sizeof verbs / sizeof verbs[0]))

static const struct verb *find_verb(const char *name)
{
    for (int i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i]->name, name) == 0) {
            return verbs[i];
        }
    }
    return NULL;
}

/* With the nearest one there is. */
static enum exit_code unknown_verb(const char *word)
{
    const char *names[VERBS + 1];
    for (int i = 0; i < VERBS; i++) {
        names[i] = verbs[i]->name;
    }
    names[VERBS] = "help";
    const char *near = nearest_name(word, names, VERBS + 1);
    if (near) {
        return report_usage("", "unknown verb '%s'; did you mean '%s'?", word, near);
    }
    return report_usage("", "unknown verb '%s'; see 'mote --help'", word);
}

/* What `mote` alone prints. */
static enum exit_code print_overview(void)
{
    struct text out = {0};
    text_add(&out, "usage: mote VERB [ARGUMENTS]\n\n"
                   "mote trains very small neural networks and turns them into one integer-only\n"
                   "C file for microcontrollers.\n\nverbs:\n");
    for (int i = 0; i < VERBS; i++) {
        text_printf(&out, "  %-8s  %s\n", verbs[i]->name, verbs[i]->summary);
    }
    text_add(
        &out,
        "  help      print the help of a verb: mote help VERB; of image networks: mote help net\n\n"
        "example:\n"
        "  mote train pose.csv --outputs 6 -o pose.mote\n"
        "  mote emit pose.mote -o pose.h\n"
        "  mote measure pose.mote --target cortex-m0\n\n"
        "exit codes: 0 fine, 1 bad input or model, 2 usage, 3 over budget\n");
    return print_result(&out);
}

static enum exit_code print_version(void)
{
    struct text out = {0};
    text_add(&out, "mote " MOTE_VERSION_TEXT "\n");
    return print_result(&out);
}

static enum exit_code print_help_of(const char *name)
{
    const struct verb *verb = find_verb(name);
    struct text out = {0};
    if (verb) {
        help_print(verb, &out);
    } else if (!topic_print(name, &out)) {
        return unknown_verb(name);
    }
    return print_result(&out);
}

static enum exit_code dispatch(int count, char **words)
{
    (void)signal(SIGXFSZ, SIG_IGN); /* a file over its size limit is a failed write, not the end */
    const char *word = count > 1 ? words[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return print_overview();
    }
    if (strcmp(word, "--version") == 0) {
        return print_version();
    }
    if (strcmp(word, "help") == 0) {
        return count > 2 ? print_help_of(words[2]) : print_overview();
    }
    const struct verb *verb = find_verb(word);
    return verb ? verb->run(verb, count - 2, words + 2) : unknown_verb(word);
}

int main(int count, char **words)
{
    return (int)dispatch(count, words);
}
