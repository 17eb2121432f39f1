#include "sim/counter.h"

#include "base/elf.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSFERS_MAX 4
#define INPUT_MAX     ((size_t)1 << 30) /* bytes of one input file */

static const char usage[] =
    "usage: %s [options] --call SYMBOL ELF\n"
    "Call a function once per input vector and print its cost as one line of JSON.\n"
    "  --core NAME           %s (the first)\n"
    "  --call SYMBOL         the function\n"
    "  --arg SYMBOL|NUMBER   its next argument: an address or a number (up to 4 times)\n"
    "  --write SYMBOL=FILE   before each call fill SYMBOL from the file's next bytes; the\n"
    "                        file's size over the symbol's gives the number of calls (1)\n"
    "  --read SYMBOL=FILE    after each call append SYMBOL's bytes to the file\n"
    "  --limit N             instructions per call before it is an endless loop (100000000)\n"
    "  --enough N            start no further call after N instructions in all (none)\n";

static const char usage_layout[] = "  --flash START:SIZE    (0x%" PRIx32 ":0x%" PRIx32 ")\n"
                                   "  --ram START:SIZE      (0x%" PRIx32 ":0x%" PRIx32 ")\n";

/* A symbol's bytes from or to a file. */
struct transfer {
    const char *path;
    char symbol[64];
    struct elf_symbol place;
    unsigned char *data; /* of a file to write from */
    size_t size;
    struct text output;
};

struct task {
    const struct counter *counter;
    const struct core *core;
    struct core other; /* a core that the counter does not list */
    struct layout layout;
    const char *image;
    const char *function;
    const char *arguments[CALL_ARGUMENTS_MAX];
    int argument_count;
    struct transfer writes[TRANSFERS_MAX];
    int write_count;
    struct transfer reads[TRANSFERS_MAX];
    int read_count;
    uint64_t limit;
    uint64_t enough;
    uint64_t calls;
};

struct spread {
    uint64_t least, most, total;
};

/* ---- options ---- */

static bool parse_number(const char *text, uint64_t *value, const char **end)
{
    char *stop;
    errno = 0;
    *value = strtoull(text, &stop, 0);
    *end = stop;
    return errno == 0 && stop != text && *text >= '0' && *text <= '9';
}

static bool parse_whole(const char *text, uint64_t *value)
{
    const char *end;
    return parse_number(text, value, &end) && *end == 0;
}

static bool parse_region(const char *text, struct region *region)
{
    uint64_t start;
    uint64_t size;
    const char *end;
    if (!parse_number(text, &start, &end) || *end != ':' || !parse_whole(end + 1, &size) ||
        start > UINT32_MAX || size > UINT32_MAX) {
        return false;
    }
    *region = (struct region){.start = (uint32_t)start, .size = (uint32_t)size};
    return true;
}

static bool parse_transfer(const char *text, struct transfer *transfers, int *count)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    if (length == 0 || length >= sizeof transfers->symbol || *count == TRANSFERS_MAX) {
        return false;
    }
    struct transfer *transfer = &transfers[(*count)++];
    memcpy(transfer->symbol, text, length);
    transfer->path = equals + 1;
    return true;
}

static bool parse_core(struct task *task, const char *text)
{
    const struct counter *counter = task->counter;
    for (int i = 0; i < COUNTER_CORES_MAX && counter->cores[i]; i++) {
        if (strcmp(text, counter->cores[i]->name) == 0) {
            task->core = counter->cores[i];
            return true;
        }
    }
    task->other = *counter->cores[0];
    task->other.name = text;
    task->core = &task->other;
    return counter->any_core;
}

static void print_usage(const struct counter *counter, FILE *to)
{
    char names[80] = "";
    for (int i = 0; i < COUNTER_CORES_MAX && counter->cores[i]; i++) {
        size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                       counter->cores[i]->name);
    }
    const struct layout *layout = &counter->layout;
    (void)fprintf(to, usage, counter->program, names);
    if (layout->flash.size) {
        (void)fprintf(to, usage_layout, layout->flash.start, layout->flash.size, layout->ram.start,
                      layout->ram.size);
    }
}

static bool parse_option(struct task *task, int option, const char *value)
{
    switch (option) {
    case 'c': return parse_core(task, value);
    case 'f': task->function = value; return true;
    case 'a':
        if (task->argument_count == CALL_ARGUMENTS_MAX) {
            return false;
        }
        task->arguments[task->argument_count++] = value;
        return true;
    case 'w': return parse_transfer(value, task->writes, &task->write_count);
    case 'r': return parse_transfer(value, task->reads, &task->read_count);
    case 'l': return parse_whole(value, &task->limit);
    case 'e': return parse_whole(value, &task->enough);
    case 'F': return parse_region(value, &task->layout.flash);
    case 'R': return parse_region(value, &task->layout.ram);
    default: return false;
    }
}

static bool parse_options(struct task *task, int count, char **words)
{
    static const struct option options[] = {
        {"core", required_argument, NULL, 'c'},
        {"call", required_argument, NULL, 'f'},
        {"arg", required_argument, NULL, 'a'},
        {"write", required_argument, NULL, 'w'},
        {"read", required_argument, NULL, 'r'},
        {"limit", required_argument, NULL, 'l'},
        {"enough", required_argument, NULL, 'e'},
        {"flash", required_argument, NULL, 'F'},
        {"ram", required_argument, NULL, 'R'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        if (option == 'h') {
            print_usage(task->counter, stdout);
            exit(0);
        }
        if (option == '?') {
            return false;
        }
        if (!parse_option(task, option, optarg)) {
            (void)fprintf(stderr, "%s: '%s' is no such value\n", task->counter->program, optarg);
            return false;
        }
    }
    task->image = optind == count - 1 ? words[optind] : NULL;
    return task->image && task->function;
}

/* ---- the work ---- */

/* The file of a transfer to write from, and with it the number of calls. */
static bool read_vectors(struct task *task, struct transfer *transfer, struct error *err)
{
    transfer->data = file_read(transfer->path, INPUT_MAX, &transfer->size, err);
    if (!transfer->data) {
        return false;
    }
    uint64_t width = transfer->place.size;
    uint64_t calls = width ? transfer->size / width : 0;
    if (calls == 0 || transfer->size % width != 0) {
        return fail(err, "%s: %zu bytes are no multiple of the %" PRIu64 " of '%s'", transfer->path,
                    transfer->size, width, transfer->symbol);
    }
    if (transfer != task->writes && calls != task->calls) {
        return fail(err, "%s: %" PRIu64 " vectors, but %" PRIu64 " in the file before",
                    transfer->path, calls, task->calls);
    }
    task->calls = calls;
    return true;
}

static bool prepare(struct task *task, const struct elf *elf, struct call *call, struct error *err)
{
    struct elf_symbol symbol;
    if (!elf_symbol(elf, task->function, &symbol, err)) {
        return false;
    }
    call->function = (uint32_t)symbol.value;
    call->limit = task->limit;
    for (int i = 0; i < task->argument_count; i++) {
        uint64_t value;
        if (!parse_whole(task->arguments[i], &value)) {
            if (!elf_symbol(elf, task->arguments[i], &symbol, err)) {
                return false;
            }
            value = symbol.value;
        }
        call->arguments[i] = (uint32_t)value;
    }
    for (int i = 0; i < task->write_count; i++) {
        struct transfer *transfer = &task->writes[i];
        if (!elf_symbol(elf, transfer->symbol, &transfer->place, err) ||
            !read_vectors(task, transfer, err)) {
            return false;
        }
    }
    for (int i = 0; i < task->read_count; i++) {
        if (!elf_symbol(elf, task->reads[i].symbol, &task->reads[i].place, err)) {
            return false;
        }
    }
    return true;
}

/* Input in, call, output out. */
static bool run_one(struct task *task, struct machine *machine, const struct call *call,
                    uint64_t index, uint64_t *counts)
{
    for (int i = 0; i < task->write_count; i++) {
        const struct transfer *transfer = &task->writes[i];
        size_t width = (size_t)transfer->place.size;
        unsigned char *to = machine_ram(machine, transfer->place.value, width);
        if (!to) {
            return false;
        }
        memcpy(to, transfer->data + index * width, width);
    }
    if (!machine_call(machine, call, counts)) {
        return false;
    }
    for (int i = 0; i < task->read_count; i++) {
        struct transfer *transfer = &task->reads[i];
        const unsigned char *from =
            machine_ram(machine, transfer->place.value, transfer->place.size);
        if (!from) {
            return false;
        }
        text_bytes(&transfer->output, (const char *)from, (size_t)transfer->place.size);
    }
    return true;
}

static void widen(struct spread *spreads, const uint64_t *counts, bool first)
{
    for (int i = 0; i < COUNT_KINDS; i++) {
        struct spread *spread = &spreads[i];
        spread->least = first || counts[i] < spread->least ? counts[i] : spread->least;
        spread->most = counts[i] > spread->most ? counts[i] : spread->most;
        spread->total += counts[i];
    }
}

/* All calls; task->calls becomes the number of those made. */
static bool run_all(struct task *task, struct machine *machine, const struct call *call,
                    struct spread *spreads, struct error *err)
{
    uint64_t made = 0;
    while (made < task->calls && spreads[COUNT_INSTRUCTIONS].total < task->enough) {
        uint64_t counts[COUNT_KINDS];
        if (!run_one(task, machine, call, made, counts)) {
            char reason[sizeof err->message];
            memcpy(reason, err->message, sizeof reason);
            *err = (struct error){0};
            return fail(err, "%.100s: vector %" PRIu64 ": %s", task->image, made, reason);
        }
        widen(spreads, counts, made == 0);
        made++;
    }
    task->calls = made;
    return true;
}

static bool write_outputs(struct task *task, struct error *err)
{
    for (int i = 0; i < task->read_count; i++) {
        struct transfer *transfer = &task->reads[i];
        if (transfer->output.failed) {
            return fail_memory(err);
        }
        if (!file_write(transfer->path, transfer->output.data ? transfer->output.data : "",
                        transfer->output.length, err)) {
            return false;
        }
    }
    return true;
}

static bool print_counts(const struct task *task, const struct spread *spreads, struct error *err)
{
    static const char *const names[COUNT_KINDS] = {
#define COUNT(NAME, text) [COUNT_##NAME] = (text),
#include "sim/counts.def"
#undef COUNT
    };
    (void)printf("{\"core\":\"%s\",\"calls\":%" PRIu64, task->core->name, task->calls);
    for (int i = 0; i < COUNT_KINDS; i++) {
        if ((i == COUNT_CYCLES && !task->core->timed) ||
            (i == COUNT_CYCLES_1WS && !task->core->waits)) {
            (void)printf(",\"%s\":null", names[i]);
            continue;
        }
        (void)printf(",\"%s\":{\"least\":%" PRIu64 ",\"most\":%" PRIu64 ",\"total\":%" PRIu64 "}",
                     names[i], spreads[i].least, spreads[i].most, spreads[i].total);
    }
    (void)printf("}\n");
    return fflush(stdout) == 0 || fail(err, "standard output: %s", strerror(errno));
}

static bool run_image(struct task *task, const struct elf *elf, struct error *err)
{
    struct call call = {0};
    struct spread spreads[COUNT_KINDS] = {{0}};
    if (!prepare(task, elf, &call, err)) {
        return false;
    }
    struct machine *machine = machine_new(&task->layout, task->core, err);
    bool done = machine && machine_load(machine, elf) &&
                run_all(task, machine, &call, spreads, err) && write_outputs(task, err) &&
                print_counts(task, spreads, err);
    machine_free(machine);
    return done;
}

static bool run_task(struct task *task, struct error *err)
{
    size_t size;
    unsigned char *data = file_read(task->image, ELF_FILE_MAX, &size, err);
    struct elf elf;
    bool done = data && elf_open(&elf, data, size, task->image, err) && run_image(task, &elf, err);
    free(data);
    for (int i = 0; i < TRANSFERS_MAX; i++) {
        free(task->writes[i].data);
        text_free(&task->reads[i].output);
    }
    return done;
}

int counter_main(const struct counter *counter, int argc, char **argv)
{
    struct task task = {
        .counter = counter,
        .core = counter->cores[0],
        .layout = counter->layout,
        .limit = 100000000,
        .enough = UINT64_MAX,
        .calls = 1,
    };
    struct error err = {0};
    if (!parse_options(&task, argc, argv)) {
        print_usage(counter, stderr);
        return 2;
    }
    if (!run_task(&task, &err)) {
        (void)fprintf(stderr, "%s: %s\n", counter->program, err.message);
        return 1;
    }
    return 0;
}
