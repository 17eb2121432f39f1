/* Figures and costs: tables for people (text.c) and JSON for programs (json.c). */
#ifndef MOTE_REPORT_REPORT_H
#define MOTE_REPORT_REPORT_H

#include "base/text.h"
#include "measure/measure.h"
#include "net/net.h"
#include "train/train.h"

/* ---- limits on a cost (budget.c) ---- */

/* Most bytes of code and constants, bytes of static RAM and stack, cycles; 0: no limit. */
struct budget {
    int64_t flash, ram, cycles;
};

/* Does the cost stay inside?  Otherwise adds one line per limit that is broken to `why`, such as
 * "cortex-m0: flash 1070 bytes, over the budget of 1000".  A limited figure that the target
 * cannot tell counts as over. */
bool budget_met(const struct budget *budget, const struct cost *cost, struct text *why);

/* Code and constants; static RAM and stack; COST_UNKNOWN where a part is. */
int64_t cost_flash(const struct cost *cost);

/* Did every vector take the same cycles?  Also true where they are unknown; fails with the two
 * figures. */
bool cost_constant(const struct cost *cost, struct error *err);
int64_t cost_ram(const struct cost *cost);

/* Of one prediction: the host's time, else cycles at the target's clock (Hz); < 0: unknown. */
double cost_microseconds(const struct cost *cost, int64_t clock);

/* ---- for people ---- */

/* Lay out cells (separated by tabs, rows by newlines) in columns two spaces apart.  `align` has
 * 'l' or 'r' per column.  Widths are counted in UTF-8 characters. */
void text_align(struct text *out, const char *cells, const char *align);

/* Per output unit, RMS and worst error, and the percentage; or accuracy, confusion matrix and
 * per-class figures.  `other` holds the float network's figures, or NULL. */
void text_figures(struct text *out, const struct net *net, const struct figures *figures,
                  const struct figures *other);

/* One line per target; clocks[i] in Hz. */
void text_costs(struct text *out, const struct cost *costs, const int64_t *clocks, int count);

/* ---- for programs: NULL when out of memory; the caller owns the reference ---- */

struct json_t;

/* {"rows", "rms_percent", "mse", "outputs": [{"name", "unit", "rms", "worst"}]}, or
 * {"rows", "accuracy", "classes", "confusion"}. */
struct json_t *json_figures(const struct net *net, const struct figures *figures);

/* [{"target", "flash_code", ...}], null where unknown. */
struct json_t *json_costs(const struct cost *costs, const int64_t *clocks, int count);

/* Name, task, channels, score and a table of the layers. */
struct json_t *json_net(const struct net *net);

/* object[key] = value, taking over the reference to `value`.  False when out of memory: a NULL
 * object or value counts as that, so that builders stay straight. */
bool json_put(struct json_t *object, const char *key, struct json_t *value);

/* Print with two spaces of indentation, keys in order, 9 significant digits; a final newline.
 * Takes over the reference.  False when out of memory. */
bool json_text(struct json_t *value, struct text *out);

#endif
