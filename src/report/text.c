#include "report/report.h"

#include <math.h>

/* Four significant digits without an exponent in the usual range. */
static void add_number(struct text *out, double value)
{
    double size = fabs(value);
    if (size == 0) {
        text_add(out, "0");
    } else if (size < 1e-5 || size >= 1e7) {
        text_printf(out, "%.3e", value);
    } else {
        int whole = (int)floor(log10(size));
        text_printf(out, "%.*f", whole >= 3 ? 0 : 3 - whole, value);
    }
}

static void add_number_cell(struct text *out, double value)
{
    text_add(out, "\t");
    add_number(out, value);
}

static void add_count_cell(struct text *out, int64_t value)
{
    if (value < 0) {
        text_add(out, "\t-");
    } else {
        text_printf(out, "\t%lld", (long long)value);
    }
}

/* Outputs without a name are y1, y2 ..., as `mote run` calls them. */
static void add_output_name(struct text *out, const struct channel *channel, int index)
{
    if (channel->name[0]) {
        text_add(out, channel->name);
    } else {
        text_printf(out, "y%d", index + 1);
    }
}

/* A row per output, and the percentage below. */
static void text_regression(struct text *out, const struct net *net, const struct figures *figures,
                            const struct figures *other)
{
    struct text cells = {0};
    text_add(&cells, other ? "output\tunit\trms\tworst\tfloat rms\tfloat worst\n"
                           : "output\tunit\trms\tworst\n");
    for (int i = 0; i < figures->output_count; i++) {
        const struct channel *channel = net_output_channel(net, i);
        add_output_name(&cells, channel, i);
        text_printf(&cells, "\t%s", channel->unit);
        add_number_cell(&cells, figures->outputs[i].rms);
        add_number_cell(&cells, figures->outputs[i].worst);
        if (other) {
            add_number_cell(&cells, other->outputs[i].rms);
            add_number_cell(&cells, other->outputs[i].worst);
        }
        text_add(&cells, "\n");
    }
    if (cells.failed) {
        out->failed = true;
    } else {
        text_align(out, cells.data, "llrrrr");
    }
    text_free(&cells);
    text_add(out, "rms error ");
    add_number(out, figures->rms_percent);
    text_printf(out, " %% of range (mean of the outputs), %lld row%s", (long long)figures->rows,
                figures->rows == 1 ? "" : "s");
    if (other) {
        text_add(out, "; float ");
        add_number(out, other->rms_percent);
        text_add(out, " %");
    }
    text_add(out, "\n");
}

/* Rows of the true class, rows predicted as it. */
static void class_sums(const struct figures *figures, int class_index, int64_t *rows,
                       int64_t *predicted)
{
    *rows = 0;
    *predicted = 0;
    for (int i = 0; i < figures->class_count; i++) {
        *rows += figures->confusion[class_index * figures->class_count + i];
        *predicted += figures->confusion[i * figures->class_count + class_index];
    }
}

/* part / whole in percent, a dash where there is nothing to share. */
static void add_share_cell(struct text *out, int64_t part, int64_t whole)
{
    if (whole == 0) {
        text_add(out, "\t-");
    } else {
        text_printf(out, "\t%.2f %%", 100 * (double)part / (double)whole);
    }
}

/* The matrix is left out where it would not fit a screen. */
#define MATRIX_MAX 16

static void add_class_row(struct text *cells, const struct net *net, const struct figures *figures,
                          int row)
{
    const int64_t *counts = figures->confusion + (size_t)row * (size_t)figures->class_count;
    int64_t rows, predicted;
    class_sums(figures, row, &rows, &predicted);
    text_add(cells, net->classes[row]);
    add_count_cell(cells, rows);
    add_share_cell(cells, counts[row], rows);
    add_share_cell(cells, counts[row], predicted);
    for (int i = 0; figures->class_count <= MATRIX_MAX && i < figures->class_count; i++) {
        add_count_cell(cells, counts[i]);
    }
    text_add(cells, "\n");
}

/* A row per true class, and the accuracy below. */
static void text_classes(struct text *out, const struct net *net, const struct figures *figures,
                         const struct figures *other)
{
    struct text cells = {0};
    text_add(&cells, "class\trows\trecall\tprecision");
    for (int i = 0; figures->class_count <= MATRIX_MAX && i < figures->class_count; i++) {
        text_printf(&cells, "\tas %s", net->classes[i]);
    }
    text_add(&cells, "\n");
    for (int row = 0; row < figures->class_count; row++) {
        add_class_row(&cells, net, figures, row);
    }
    if (cells.failed) {
        out->failed = true;
    } else {
        text_align(out, cells.data, "lr");
    }
    text_free(&cells);
    text_printf(out, "accuracy %.2f %%, %lld row%s", 100 * figures->accuracy,
                (long long)figures->rows, figures->rows == 1 ? "" : "s");
    if (other) {
        text_printf(out, "; float %.2f %%", 100 * other->accuracy);
    }
    text_add(out, "\n");
}

void text_figures(struct text *out, const struct net *net, const struct figures *figures,
                  const struct figures *other)
{
    if (net->task == TASK_CLASSIFICATION) {
        text_classes(out, net, figures, other);
    } else {
        text_regression(out, net, figures, other);
    }
}

static void add_cost_row(struct text *cells, const struct cost *cost, int64_t clock, bool means)
{
    text_add(cells, cost->target);
    add_count_cell(cells, cost_flash(cost));
    add_count_cell(cells, cost->flash_code);
    add_count_cell(cells, cost->flash_const);
    add_count_cell(cells, cost->ram);
    add_count_cell(cells, cost->stack);
    add_count_cell(cells, cost->instructions);
    add_count_cell(cells, cost->cycles);
    if (means) {
        add_count_cell(cells, cost->cycles_mean);
    }
    add_count_cell(cells, cost->cycles_1ws);
    double microseconds = cost_microseconds(cost, clock);
    if (microseconds < 0) {
        text_add(cells, "\t-");
    } else {
        add_number_cell(cells, microseconds);
    }
    add_count_cell(cells, cost->vectors);
    add_count_cell(cells, cost->mismatches);
    if (cost->hash < 0) {
        text_add(cells, "\t-\n");
    } else {
        text_printf(cells, "\t%08llx\n", (unsigned long long)cost->hash);
    }
}

void text_costs(struct text *out, const struct cost *costs, const int64_t *clocks, int count)
{
    struct text cells = {0};
    bool means = false;
    for (int i = 0; i < count; i++) {
        means = means || costs[i].cycles_mean != COST_UNKNOWN;
    }
    text_printf(&cells,
                "target\tflash\tcode\tconst\tram\tstack\tinstructions\tcycles\t%s1ws\tus\tvectors\t"
                "mismatches\thash\n",
                means ? "mean\t" : "");
    for (int i = 0; i < count; i++) {
        add_cost_row(&cells, &costs[i], clocks[i], means);
    }
    if (cells.failed) {
        out->failed = true;
    } else {
        text_align(out, cells.data, "lr");
    }
    text_free(&cells);
}
