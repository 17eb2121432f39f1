#include "report/report.h"

/* Unknown as soon as a part is. */
static int64_t sum(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? COST_UNKNOWN : a + b;
}

int64_t cost_flash(const struct cost *cost)
{
    return sum(cost->flash_code, cost->flash_const);
}

bool cost_constant(const struct cost *cost, struct error *err)
{
    return cost->cycles == COST_UNKNOWN || cost->cycles_least == COST_UNKNOWN ||
           cost->cycles == cost->cycles_least ||
           fail(err, "%s: time is not constant: %lld to %lld cycles", cost->target,
                (long long)cost->cycles_least, (long long)cost->cycles);
}

int64_t cost_ram(const struct cost *cost)
{
    return sum(cost->ram, cost->stack);
}

double cost_microseconds(const struct cost *cost, int64_t clock)
{
    if (cost->nanoseconds >= 0) {
        return cost->nanoseconds / 1000;
    }
    return cost->cycles >= 0 && clock > 0 ? 1e6 * (double)cost->cycles / (double)clock : -1;
}

/* One figure and what it may be at most. */
struct limit {
    const char *what, *unit;
    int64_t most, value;
};

/* Adds its line to `why` where the limit is broken. */
static bool limit_met(const struct limit *limit, const char *target, struct text *why)
{
    if (limit->most == 0 || (limit->value >= 0 && limit->value <= limit->most)) {
        return true;
    }
    if (limit->value < 0) {
        text_printf(why, "%s: %s is unknown, the budget is %lld%s\n", target, limit->what,
                    (long long)limit->most, limit->unit);
    } else {
        text_printf(why, "%s: %s %lld%s, over the budget of %lld\n", target, limit->what,
                    (long long)limit->value, limit->unit, (long long)limit->most);
    }
    return false;
}

bool budget_met(const struct budget *budget, const struct cost *cost, struct text *why)
{
    const struct limit limits[] = {
        {"flash", " bytes", budget->flash, cost_flash(cost)},
        {"RAM and stack", " bytes", budget->ram, cost_ram(cost)},
        {"cycles", "", budget->cycles, cost->cycles},
    };
    bool met = true;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        met = limit_met(&limits[i], cost->target, why) && met;
    }
    return met;
}
