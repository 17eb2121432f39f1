#include "prove/prove.h"

#include "base/file.h"
#include "base/text.h"
#include "measure/folder.h"
#include "measure/interrupt.h"
#include "measure/place.h"
#include "prove/eva.h"

#include <stdio.h>
#include <string.h>

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PROVED: return "proved";
    case VERDICT_ALARMS: return "alarms";
    case VERDICT_MISSING: return "tool missing";
    case VERDICT_UNFINISHED: return "unfinished";
    }
    return "";
}

static bool write_file(struct proving *proving, const char *file, const char *data, size_t length)
{
    const char *path = folder_path(proving->folder, file, proving->arena);
    return path ? file_write(path, data, length, proving->err) : fail_memory(proving->err);
}

bool driver_write(struct proving *proving, const char *file, struct text *text)
{
    bool done = text->failed ? fail_memory(proving->err)
                             : write_file(proving, file, text->data, text->length);
    text_free(text);
    *text = (struct text){0};
    return done;
}

/* The page from `from` to `to`; its NAME_hide() does nothing, in sight of the prover. */
static void add_part(struct text *text, const char *from, const char *to)
{
    const char *hides = strstr(from, SHAPE_HIDES);
    if (hides && hides < to) {
        text_bytes(text, from, (size_t)(hides - from));
        from = hides + strlen(SHAPE_HIDES);
    }
    text_bytes(text, from, (size_t)(to - from));
}

/* A file of the page; `behind`: where in it NAME_predict() becomes NAME_taken() (driver.h). */
static bool write_part(struct proving *proving, const char *file, const char *data,
                       const char *behind)
{
    struct text text = {0};
    if (behind) {
        const char *prefix = proving->shape->prefix;
        add_part(&text, data, behind);
        text_printf(&text, "#define %s_predict %s_taken", prefix, prefix);
        data = behind;
    }
    add_part(&text, data, data + strlen(data));
    return driver_write(proving, file, &text);
}

/* NAME.h, and NAME.c of a separate page; the names come from the page's own prefix. */
static bool write_page(struct proving *proving, const struct page *page)
{
    char name[SHAPE_NAME_MAX + 4];
    const char *behind = proving->shape->behind;
    (void)snprintf(name, sizeof name, "%s.h", proving->shape->prefix);
    bool done = write_part(proving, name, page->header, page->source ? NULL : behind);
    if (done && page->source) {
        (void)snprintf(name, sizeof name, "%s.c", proving->shape->prefix);
        done = write_part(proving, name, page->source, behind);
    }
    proving->file = proving->place = arena_string(proving->arena, name);
    return done && (proving->file || fail_memory(proving->err));
}

/* Is a program there?  Otherwise the verdict says so. */
static bool has_tool(struct proving *proving, const char *tool, const char *package)
{
    if (place_program(proving->arena, tool)) {
        return true;
    }
    proving->proof->verdict = VERDICT_MISSING;
    (void)snprintf(proving->proof->note, sizeof proving->proof->note, "%s: Debian package %s", tool,
                   package);
    return false;
}

static void close_folder(const struct proving *proving)
{
    static const char *const names[] = {"curves.c", "driver.c", NULL};
    if (proving->folder && proving->options->keep) {
        (void)fprintf(stderr, "kept in %s\n", proving->folder);
    } else if (proving->folder) {
        folder_remove(proving->folder, names);
    }
}

static bool prove(struct proving *proving, const struct page *page)
{
    if (!has_tool(proving, "frama-c", "frama-c-base")) {
        return true;
    }
    proving->folder = folder_open("mote-prove", proving->arena, proving->err);
    bool done = proving->folder && write_page(proving, page) && eva_prove(proving);
    close_folder(proving);
    return done;
}

bool prove_page(const struct page *page, int model, const struct prove_options *options,
                struct proof *proof, struct error *err)
{
    struct shape shape;
    *proof = (struct proof){.model = model};
    if (!shape_read(page, &shape, err)) {
        return false;
    }
    proof->wraps = shape.wraps;
    struct proving proving = {.options = options, .shape = &shape, .proof = proof, .err = err};
    proving.arena = arena_new();
    if (!proving.arena) {
        return fail_memory(err);
    }
    interrupt_hold();
    bool done = prove(&proving, page);
    interrupt_release();
    arena_free(proving.arena);
    return done;
}
