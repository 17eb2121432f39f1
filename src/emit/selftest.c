#include "base/rng.h"
#include "emit/print.h"

#include <inttypes.h>

/* The first vectors: all low, all high, alternating both ways, all in the middle. */
static int32_t corner(const struct tensor *tensor, int vector, int j)
{
    int32_t low = type_low(tensor->type);
    int32_t high = type_high(tensor->type);
    switch (vector) {
    case 0: return low;
    case 1: return high;
    case 2: return j % 2 ? high : low;
    case 3: return j % 2 ? low : high;
    default: return low / 2 + high / 2 + 1;
    }
}

void emit_selftest_inputs(const struct net *net, int count, int32_t *in)
{
    const struct tensor *tensor = &net->tensors[net->input];
    uint64_t span = (uint64_t)((int64_t)type_high(tensor->type) - type_low(tensor->type) + 1);
    struct rng rng = rng_new(1, 0x73656c66);
    for (int v = 0; v < count; v++) {
        for (int j = 0; j < tensor->width; j++) {
            *in++ = v < 5 ? corner(tensor, v, j)
                          : type_low(tensor->type) + (int32_t)rng_below(&rng, span);
        }
    }
}

/* static const T NAME[count][width] in plain memory. */
static void print_vectors(struct text *out, const char *name, enum type type, const int32_t *values,
                          int count, int width)
{
    text_printf(out, "    static const %s %s[%d][%d] = {\n", c_type(type), name, count, width);
    for (int v = 0; v < count; v++) {
        text_add(out, "        {");
        print_numbers(out, (struct numbers){.i32 = values}, (size_t)v * (size_t)width, width, 9);
        text_add(out, v + 1 < count ? "},\n" : "}\n");
    }
    text_add(out, "    };\n");
}

/* NAME_selftest() with its vectors; nothing without vectors. */
void print_selftest(struct text *out, const struct plan *plan, const char *storage)
{
    const struct net *net = plan->net;
    const struct vectors *vectors = plan->options->selftest;
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    if (!vectors || vectors->count < 1) {
        return;
    }
    text_printf(out,
                "\n/* 0 if this compiler and machine give what the reference interpreter gave. */\n"
                "%sint %s_selftest(void)\n{\n",
                storage, plan->name);
    print_vectors(out, "in", in->type, vectors->in, vectors->count, in->width);
    print_vectors(out, "want", result->type, vectors->out, vectors->count, result->width);
    text_printf(out,
                "    %s out[%d];\n"
                "    int wrong = 0;\n\n"
                "    for (int v = 0; v < %d; v++) {\n"
                "        %s_predict(in[v], out);\n"
                "        for (%s i = 0; i < %d; i++) {\n"
                "            if (out[i] != want[v][i]) {\n"
                "                wrong = 1;\n"
                "            }\n"
                "        }\n"
                "    }\n"
                "    return wrong;\n"
                "}\n",
                c_type(result->type), result->width, vectors->count, plan->name, plan->index,
                result->width);
}

/* NAME_classify(), for classification. */
void print_classify(struct text *out, const struct plan *plan, const char *storage)
{
    const struct net *net = plan->net;
    const struct tensor *in = &net->tensors[net->input];
    const struct tensor *result = &net->tensors[net->output];
    if (net->task != TASK_CLASSIFICATION) {
        return;
    }
    bool chosen = net_gives_class(net);
    text_printf(out,
                "\n/* The class of a reading%s. */\n"
                "%sint %s_classify(const %s in[%d])\n{\n"
                "    %s out[%d];\n",
                chosen ? "" : ": the index of the largest output, the first of equals", storage,
                plan->name, c_type(in->type), in->width, c_type(result->type), result->width);
    if (plan->options->constant_time) {
        print_steady_search(out, plan);
        return;
    }
    if (chosen) {
        text_printf(out,
                    "\n    %s_predict(in, out);\n"
                    "    return (int)out[0];\n"
                    "}\n",
                    plan->name);
        return;
    }
    text_printf(out,
                "    int best = 0;\n\n"
                "    %s_predict(in, out);\n"
                "    for (int i = 1; i < %d; i++) {\n"
                "        best = (out[i] > out[best]) ? i : best;\n"
                "    }\n"
                "    return best;\n"
                "}\n",
                plan->name, result->width);
}
