/* A straight-line conv as a loop of the conv in lanes that reads it: it writes bytes of words, so
 * that what lies between both is never stored as a whole. */
#include "emit/map.h"

#include <stdio.h>

int map_direct_part(const struct plan *plan, int index, int part)
{
    int reader = plan->maps->rows[index].direct->reader;
    const struct window *w = &plan->net->layers[reader].window;
    const struct pass *pass = &plan->maps->rows[index].passes[0];
    return map_part_offset(plan->maps->rows[reader].lanes, part, w->row_stride * pass->in_row_step,
                           w->column_stride * pass->in_column_step);
}

void map_fuse(struct plan *plan)
{
    const struct net *net = plan->net;
    for (int i = 0; i < net->layer_count; i++) {
        const struct map_rows *rows = &plan->maps->rows[i];
        const struct border *border = &plan->maps->views[net->layers[i].output].border;
        int last;
        bool alone = rows->direct && plan_readers(net, net->layers[i].output, &last) == 1 &&
                     plan->maps->rows[last].lanes && net->layers[i].output != net->output;
        if (alone && !map_has_border(border)) {
            rows->direct->reader = last;
            plan->maps->rows[last].lanes->writer = i;
            plan->maps->views[net->layers[i].output].in_lanes = true;
        }
    }
}

/* Loops over the parts whose sums are not made together; their part as C text, and where its input
 * begins in `at`.  Returns how many loops. */
static int open_parts(struct printer *p, int index, const char **part, char at[INDEX_MAX])
{
    const struct plan *plan = p->plan;
    const struct direct *direct = plan->maps->rows[index].direct;
    if (plan->maps->rows[direct->reader].lanes->part_columns[0] != 2) {
        *part = "part";
        text_printf(p->out, "for (int part = 0; part < 4; part += %d) {\n",
                    direct->positions ? 2 : 1);
        map_add_term(at, "part", map_direct_part(plan, index, 1));
        return 1;
    }
    text_add(p->out, "for (int down = 0; down < 2; down++) {\n");
    map_add_term(at, "down", map_direct_part(plan, index, 2));
    *part = "down * 2";
    if (!direct->positions) {
        text_add(p->out, "for (int across = 0; across < 2; across++) {\n");
        map_add_term(at, "across", map_direct_part(plan, index, 1));
        *part = "(down * 2) + across";
    }
    return direct->positions ? 1 : 2;
}

/* "uint8_t *to = ...": the bytes of a part in the row of words. */
static void print_bytes(struct printer *p, const char *name, const char *part)
{
    text_printf(p->out, "uint8_t *%s = &bytes[%s_BYTE(%s)];\n", name, p->plan->upper, part);
}

/* A row of words is written part after part, so that what the inner loop counts is little. */
void map_print_direct_rows(struct printer *p, int index, const char *y0)
{
    const struct plan *plan = p->plan;
    const struct direct *direct = plan->maps->rows[index].direct;
    const struct lanes *lanes = plan->maps->rows[direct->reader].lanes;
    const struct window *w = &plan->net->layers[direct->reader].window;
    const struct pass *pass = &plan->maps->rows[index].passes[0];
    int input = plan->net->layers[index].inputs[0];
    int step = WORD_BYTES * map_lanes_column_words(lanes);
    const char *part;
    char line[INDEX_MAX] = "";
    char at[INDEX_MAX] = "";
    char next[INDEX_MAX];
    map_add_term(line, "v", lanes->rolls ? w->row_stride * pass->in_row_step : 0);
    map_add_term(line, "y", pass->in_row_step);
    text_printf(p->out,
                "for (%s y = %s; y < %d; y++) {\n"
                "const uint8_t *line = &%s[%s];\n"
                "uint8_t *bytes = (uint8_t *)&lanes[y",
                plan->index, y0, lanes->in_rows, map_array(plan, input),
                map_end_terms(line, plan->maps->views[input].offset + pass->in_offset));
    text_printf(p->out, lanes->row_step == 1 ? "];\n" : " * %d];\n", lanes->row_step);
    int loops = open_parts(p, index, &part, at);
    print_bytes(p, "to", part);
    if (direct->positions) {
        (void)snprintf(next, sizeof next, "(%s) + 1", part);
        print_bytes(p, "too", next);
    }
    map_open_columns(p, lanes);
    map_add_term(at, "x", pass->in_column_step);
    text_printf(p->out, "const uint8_t *p = &line[%s];\n", map_end_terms(at, 0));
    map_print_direct_sums(p, index);
    text_printf(p->out, "to = &to[%d];\n", step);
    if (direct->positions) {
        text_printf(p->out, "too = &too[%d];\n", step);
    }
    map_close_columns(p, lanes);
    text_add(p->out, loops == 2 ? "}\n}\n}\n" : "}\n}\n");
}
