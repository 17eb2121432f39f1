#include "emit/emit.h"

#include "emit/kernel.h"
#include "emit/map.h"
#include "emit/variant.h"

#include <string.h>

void print_prototype(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    text_printf(out, "void %s_predict(const %s in[%d], %s out[%d])", plan->name, c_type(in->type),
                in->width, c_type(result->type), result->width);
}

/* NAME_predict() and its helpers. */
static void print_functions(struct printer *p, const char *storage)
{
    print_helpers(p->out, p->plan, p->helpers);
    text_add(p->out, storage);
    print_prototype(p->out, p->plan);
    text_add(p->out, "\n{\n");
    print_body(p);
    text_add(p->out, "}\n");
}

/* Constant time: what the functions call besides, conversions and clamps. */
static void print_steady_helpers(const struct printer *p)
{
    struct text trial = {0};
    struct text clamps = {0};
    struct printer printer = {.out = &trial, .plan = p->plan, .helpers = p->helpers};
    print_functions(&printer, "");
    text_add(&clamps, "");
    bool printed = !trial.failed && !clamps.failed;
    bool any = printed && print_clamp_helpers(&clamps, p->plan, trial.data);
    bool words = any || (printed && strstr(trial.data, "_word("));
    bool lifts = printed && (strstr(trial.data, "_lift(") || strstr(clamps.data, "_lift("));
    print_word_helpers(p->out, p->plan, words, lifts && !steady_far(p->plan));
    if (!clamps.failed) {
        text_add(p->out, clamps.data);
    }
    p->out->failed = p->out->failed || trial.failed || clamps.failed;
    text_free(&trial);
    text_free(&clamps);
}

/* NAME_predict() for every machine, with its helpers. */
static void print_portable(struct text *out, const struct plan *plan, const char *storage)
{
    struct helpers helpers;
    struct printer printer = {.out = out, .plan = plan, .helpers = &helpers};
    if (plan->maps) {
        map_print(out, plan, storage);
        return;
    }
    helpers_collect(plan, &helpers);
    print_macros(out, plan, &helpers);
    if (plan->options->constant_time) {
        print_steady_helpers(&printer);
    }
    struct text functions = {0};
    printer.out = &functions;
    print_functions(&printer, storage);
    print_with_products(out, plan, &functions);
}

/* The variants that are wanted and fit, each behind its #if; returns how many. */
static int print_variants(struct text *out, const struct plan *plan, const char *storage)
{
    int count = 0;
    for (int i = 0; i < VARIANT_COUNT; i++) {
        const struct variant *variant = variants[i];
        bool wanted = variant && !plan->maps && (plan->options->variants >> variant->kind & 1U);
        if (wanted && variant->fits(plan)) {
            text_printf(out, "#%s %s\n\n", count++ ? "elif" : "if", variant->guard);
            variant->print(out, plan, storage);
            text_add(out, "\n");
        }
    }
    return count;
}

/* Everything that may hide masks; `storage` is "static inline " or "". */
static void print_all(struct text *out, const struct plan *plan, const char *storage)
{
    if (plan->options->constant_time && steady_far(plan)) {
        print_word_helpers(out, plan, false, true);
    }
    int count = print_variants(out, plan, storage);
    text_add(out, count ? "#else\n\n" : "");
    print_portable(out, plan, storage);
    text_add(out, count ? "\n#endif\n" : "");
    print_classify(out, plan, storage);
    print_selftest(out, plan, storage);
}

/* Everything from the helpers to the self-test. */
static void print_code(struct text *out, const struct plan *plan, const char *storage)
{
    struct text code = {0};
    print_all(&code, plan, storage);
    if (code.data && plan->options->constant_time && strstr(code.data, "_hide(")) {
        print_hide_helper(out, plan);
    }
    text_bytes(out, code.data ? code.data : "", code.length);
    out->failed = out->failed || code.failed;
    text_free(&code);
}

/* The include guard and the only include. */
static void print_guard(struct text *out, const struct plan *plan)
{
    text_printf(out, "#ifndef %s_H\n#define %s_H\n\n#include <stdint.h>\n\n", plan->upper,
                plan->upper);
}

/* The public functions, for C and C++. */
static void print_declarations(struct text *out, const struct plan *plan)
{
    const struct net *net = plan->net;
    const struct tensor *in = &net->tensors[net->input];
    const struct vectors *vectors = plan->options->selftest;
    text_add(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    print_prototype(out, plan);
    text_add(out, ";\n");
    if (net->task == TASK_CLASSIFICATION) {
        text_printf(out,
                    "\n/* The %s. */\n"
                    "int %s_classify(const %s in[%d]);\n",
                    net_gives_class(net) ? "class"
                                         : "index of the largest output, the first of equals",
                    plan->name, c_type(in->type), in->width);
    }
    if (vectors && vectors->count > 0) {
        text_printf(out,
                    "\n/* 0 if this compiler and machine give what the reference interpreter "
                    "gave. */\nint %s_selftest(void);\n",
                    plan->name);
    }
    text_add(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* A header with declarations, a source with everything else. */
static void print_separate(const struct plan *plan, struct text *header, struct text *source)
{
    print_head(header, plan);
    print_guard(header, plan);
    print_declarations(header, plan);
    text_printf(source,
                "/* %s.c: see %s.h.  Written by mote; it is yours. */\n#include \"%s.h\"\n\n",
                plan->name, plan->name, plan->name);
    print_code(source, plan, "");
}

/* All in one header: static inline, so that unused functions are no warning. */
static void print_header_only(const struct plan *plan, struct text *header)
{
    print_head(header, plan);
    print_guard(header, plan);
    print_code(header, plan, "static inline ");
    text_add(header, "\n#endif\n");
}

bool emit_c(const struct net *net, const struct emit_options *options, struct text *header,
            struct text *source, struct error *err)
{
    char identifier[32];
    if (options->name && *options->name) {
        emit_identifier(options->name, identifier);
        if (strcmp(identifier, options->name) != 0) {
            return fail(err, "'%s' cannot begin C names; '%s' can", options->name, identifier);
        }
    }
    enum kernel_kind kind;
    if (options->kernel && !kernel_parse(options->kernel, &kind)) {
        return fail(err, "'%.40s' is no kernel", options->kernel);
    }
    struct plan *plan = plan_new(net, options);
    if (!plan) {
        return fail_memory(err);
    }
    if (options->constant_time && plan->maps) {
        plan_free(plan);
        return fail(err, "--constant-time is for nets on vectors; this one has maps");
    }
    if (options->constant_time && !steady_check(plan, err)) {
        plan_free(plan);
        return false;
    }
    if (options->separate) {
        print_separate(plan, header, source);
    } else {
        print_header_only(plan, header);
    }
    plan_free(plan);
    return (header->failed || (options->separate && source->failed)) ? fail_memory(err) : true;
}
