/* Short instruction sequences for the products of a tile: several random orders are tried, always
 * the same ones, and the shortest is taken. */
#include "emit/thumb.h"

#include "base/rng.h"

#include <string.h>

#define TEMPS  4   /* r0 .. r3 */
#define IMM    255 /* largest immediate */
#define NEAR   7   /* of instructions with two registers */
#define SPLIT  2   /* a weight of more than 8 bits takes that many instructions more */
#define REMOTE INT16_MAX

/* One trial. */
struct trial {
    struct recipe recipe;
    struct rng rng;
    int64_t held[TEMPS]; /* multiples of the input in r0 .. r3; 0: nothing of use */
    int temps;
    bool failed;
};

/* What was found before. */
struct memo {
    struct memo *next;
    struct demand demand;
    bool found;
    struct recipe recipe;
};

static void add(struct trial *trial, enum op_kind kind, int rd, int ra, int rb, int32_t value)
{
    if (trial->recipe.count == OPS_MAX) {
        trial->failed = true;
        return;
    }
    trial->recipe.ops[trial->recipe.count++] =
        (struct instruction){(uint8_t)kind, (uint8_t)rd, (uint8_t)ra, (uint8_t)rb, value};
}

static int pick(struct trial *trial, int count)
{
    return (int)rng_below(&trial->rng, (uint64_t)count);
}

static void keep_shorter(struct recipe *best, const struct trial *trial, bool *found)
{
    if (!trial->failed && (!*found || trial->recipe.count < best->count)) {
        *best = trial->recipe;
        *found = true;
    }
}

/* ---- one column: multiples of r0 in r1 .. r3 ---- */

/* Add what the registers hold to all rows that need it. */
static void serve(struct trial *trial, const struct demand *demand, bool *served)
{
    for (int i = 0; i < demand->rows; i++) {
        int64_t weight = demand->weights[0][i];
        for (int r = 0; !served[i] && r <= trial->temps; r++) {
            if (trial->held[r] == weight) {
                add(trial, DO_ADD_TO, i, r, 0, 0);
                served[i] = true;
            } else if (trial->held[r] == -weight && !demand->high[i]) {
                add(trial, DO_TAKE_FROM, i, r, 0, 0);
                served[i] = true;
            }
        }
    }
}

/* Any register above r0 but `a` and `b`, an unused one first. */
static int any_temp(struct trial *trial, int a, int b)
{
    int free[TEMPS];
    int count = 0;
    for (int r = 1; r <= trial->temps; r++) {
        if (trial->held[r] == 0) {
            return r;
        }
        if (r != a && r != b) {
            free[count++] = r;
        }
    }
    return count > 0 ? free[pick(trial, count)] : a > 0 ? a : b;
}

/* May the result replace one of its operands?  Any register above r0. */
static int result_temp(struct trial *trial)
{
    return any_temp(trial, 0, 0);
}

/* wanted = held[a] << k. */
static bool find_shift(const struct trial *trial, int a, int64_t wanted, struct instruction *found)
{
    int64_t from = trial->held[a];
    for (int k = 1; from != 0 && k < 16; k++) {
        if (from * ((int64_t)1 << k) == wanted) {
            *found = (struct instruction){DO_LEFT, 0, (uint8_t)a, 0, k};
            return true;
        }
    }
    return false;
}

/* wanted = held[a] +- held[b]. */
static bool find_sum(const struct trial *trial, int a, int64_t wanted, struct instruction *found)
{
    int64_t from = trial->held[a];
    for (int b = 0; from != 0 && b <= trial->temps; b++) {
        int64_t other = trial->held[b];
        if (other != 0 && (from + other == wanted || from - other == wanted)) {
            enum op_kind kind = from + other == wanted ? DO_PLUS : DO_MINUS;
            *found = (struct instruction){(uint8_t)kind, 0, (uint8_t)a, (uint8_t)b, 0};
            return true;
        }
    }
    return false;
}

/* One instruction that makes `wanted` from what is held; false where there is none. */
static bool find(const struct trial *trial, int64_t wanted, struct instruction *found)
{
    for (int a = 0; a <= trial->temps; a++) {
        if (trial->held[a] != 0 && trial->held[a] == -wanted) {
            *found = (struct instruction){DO_NEGATE, 0, (uint8_t)a, 0, 0};
            return true;
        }
        if (find_shift(trial, a, wanted, found) || find_sum(trial, a, wanted, found)) {
            return true;
        }
    }
    return false;
}

static bool derive(struct trial *trial, int64_t wanted)
{
    struct instruction found;
    if (!find(trial, wanted, &found)) {
        return false;
    }
    int to = result_temp(trial);
    add(trial, (enum op_kind)found.kind, to, found.ra, found.rb, found.value);
    trial->held[to] = wanted;
    return true;
}

/* wanted = constant * (what one register holds). */
static bool multiply(struct trial *trial, int64_t wanted)
{
    for (int a = trial->temps; a >= 0; a--) {
        int64_t from = trial->held[a];
        if (from != 0 && wanted % from == 0 && wanted / from > 0 && wanted / from <= IMM) {
            int to = any_temp(trial, a, a);
            if (to == a) {
                continue;
            }
            add(trial, DO_CONSTANT, to, 0, 0, (int32_t)(wanted / from));
            add(trial, DO_MULTIPLY, to, a, 0, 0);
            trial->held[to] = wanted;
            return true;
        }
    }
    return false;
}

/* Any multiple, however large: the constant is put together from bytes. */
static void multiply_long(struct trial *trial, int64_t wanted)
{
    int64_t size = wanted < 0 ? -wanted : wanted;
    int shift = 0;
    while (size % 2 == 0 && size > IMM) {
        size /= 2;
        shift++;
    }
    int to = result_temp(trial);
    trial->failed = trial->failed || size > 65535;
    add(trial, DO_CONSTANT, to, 0, 0, (int32_t)(size > IMM ? size >> 8 : size));
    if (size > IMM) {
        add(trial, DO_LEFT, to, to, 0, 8);
        add(trial, DO_STEP, to, 0, 0, (int32_t)(size & IMM));
    }
    add(trial, DO_MULTIPLY, to, 0, 0, 0);
    if (shift > 0) {
        add(trial, DO_LEFT, to, to, 0, shift);
    }
    trial->held[to] = size * ((int64_t)1 << shift);
}

/* Is a multiple held? */
static bool holds(const struct trial *trial, int64_t multiple)
{
    bool found = false;
    for (int r = 0; r <= trial->temps; r++) {
        found = found || trial->held[r] == multiple;
    }
    return found;
}

/* Make the product that a row needs. */
static void make(struct trial *trial, int64_t weight, bool exact)
{
    int64_t size = weight < 0 ? -weight : weight;
    int64_t first = exact ? weight : size;
    if (derive(trial, first) || (!exact && derive(trial, -size))) {
        return;
    }
    if (exact && weight < 0 && !holds(trial, -1) && pick(trial, 2) == 0) {
        (void)derive(trial, -1);
    }
    if (!multiply(trial, first)) {
        multiply_long(trial, first);
    }
}

/* Can one instruction make what this row needs? */
static bool cheap(const struct trial *trial, int64_t weight, bool exact)
{
    struct instruction found;
    return find(trial, weight, &found) || (!exact && find(trial, -weight, &found));
}

/* The row to serve next: a cheap one where there is one. */
static int next_row(struct trial *trial, const struct demand *demand, const bool *served)
{
    int rows[TILE_ROWS];
    int count = 0;
    bool only_cheap = false;
    for (int i = 0; i < demand->rows; i++) {
        bool easy = !served[i] && cheap(trial, demand->weights[0][i], demand->high[i]);
        if (!served[i] && easy && !only_cheap) {
            only_cheap = true;
            count = 0;
        }
        if (!served[i] && (easy || !only_cheap)) {
            rows[count++] = i;
        }
    }
    return count > 0 ? rows[pick(trial, count)] : -1;
}

static void try_column(struct trial *trial, const struct demand *demand)
{
    bool served[TILE_ROWS] = {false};
    for (int i = 0; i < demand->rows; i++) {
        served[i] = demand->weights[0][i] == 0;
    }
    trial->held[0] = 1;
    serve(trial, demand, served);
    for (int row; !trial->failed && (row = next_row(trial, demand, served)) >= 0;) {
        make(trial, demand->weights[0][row], demand->high[row]);
        serve(trial, demand, served);
    }
}

static bool search_column(const struct demand *demand, struct recipe *best)
{
    bool found = false;
    for (int i = 0; i < demand->trials; i++) {
        struct trial trial = {.rng = rng_new((uint64_t)i, 1), .temps = demand->temps};
        try_column(&trial, demand);
        keep_shorter(best, &trial, &found);
    }
    return found;
}

/* ---- a pair of columns: r0 and r1 step from weight to weight ---- */

/* Instructions of r += distance. */
static int steps(int64_t distance)
{
    int64_t size = distance < 0 ? -distance : distance;
    return size > (int64_t)SPLIT * IMM ? REMOTE : (int)((size + IMM - 1) / IMM);
}

static void step_to(struct trial *trial, int reg, int64_t to)
{
    while (trial->held[reg] != to) {
        int64_t distance = to - trial->held[reg];
        distance = distance > IMM ? IMM : distance < -IMM ? -IMM : distance;
        add(trial, DO_STEP, reg, 0, 0, (int32_t)distance);
        trial->held[reg] += distance;
    }
}

static bool is_near(int64_t a, int64_t b)
{
    return a - b <= NEAR && b - a <= NEAR;
}

/* Instructions to serve a row with register `exact` at its weight and the other one near it. */
static int pair_cost(const struct trial *trial, const int64_t *weight, int exact)
{
    int other = 1 - exact;
    int64_t distance = weight[other] - trial->held[other];
    int cost = steps(weight[exact] - trial->held[exact]);
    return is_near(distance, 0) ? cost : cost + steps(distance);
}

/* (r0 + w1) * (r1 + w0) to one row. */
static void serve_pair(struct trial *trial, int row, const int64_t *weight, int exact)
{
    int other = 1 - exact;
    step_to(trial, exact, weight[exact]);
    if (!is_near(weight[other], trial->held[other])) {
        step_to(trial, other, weight[other] + NEAR * (pick(trial, 3) - 1));
    }
    add(trial, DO_OFFSET, 2, other, 0, (int32_t)(weight[other] - trial->held[other]));
    add(trial, DO_MULTIPLY, 2, exact, 0, 0);
    add(trial, DO_ADD_TO, row, 2, 0, 0);
}

/* Serve the cheapest of the rows that are left; among equals, any. */
static bool serve_next(struct trial *trial, const struct demand *demand, bool *served)
{
    int best = REMOTE;
    int choices[2 * TILE_ROWS];
    int count = 0;
    for (int i = 0; i < 2 * demand->rows; i++) {
        const int64_t weight[2] = {demand->weights[1][i / 2], demand->weights[0][i / 2]};
        int cost = served[i / 2] ? REMOTE + 1 : pair_cost(trial, weight, i % 2);
        count = cost < best ? 0 : count;
        best = cost < best ? cost : best;
        if (cost == best && cost < REMOTE) {
            choices[count++] = i;
        }
    }
    if (count == 0) {
        return false;
    }
    int choice = choices[pick(trial, count)];
    const int64_t weight[2] = {demand->weights[1][choice / 2], demand->weights[0][choice / 2]};
    serve_pair(trial, choice / 2, weight, choice % 2);
    served[choice / 2] = true;
    return true;
}

static bool search_pair(const struct demand *demand, struct recipe *best)
{
    bool found = false;
    for (int i = 0; i < demand->trials; i++) {
        struct trial trial = {.rng = rng_new((uint64_t)i, 2), .temps = 2};
        bool served[TILE_ROWS] = {false};
        int left = demand->rows;
        while (left > 0 && serve_next(&trial, demand, served)) {
            left--;
        }
        trial.failed = trial.failed || left > 0;
        keep_shorter(best, &trial, &found);
    }
    return found;
}

/* ---- memory ---- */

#define BUCKETS 512

static bool same(const struct demand *a, const struct demand *b)
{
    return a->pair == b->pair && a->rows == b->rows && a->temps == b->temps &&
           a->trials == b->trials && memcmp(a->weights, b->weights, sizeof a->weights) == 0 &&
           memcmp(a->high, b->high, sizeof a->high) == 0;
}

static struct memo **bucket_of(struct thumb *t, const struct demand *demand)
{
    uint32_t hash = (uint32_t)demand->rows + (demand->pair ? 7U : 0U);
    for (int i = 0; i < TILE_ROWS; i++) {
        hash = hash * 31 + (uint32_t)demand->weights[0][i];
        hash = hash * 31 + (uint32_t)demand->weights[1][i];
    }
    if (!t->memos) {
        t->memos = thumb_alloc(t, BUCKETS, sizeof(struct memo *));
    }
    return t->memos ? &t->memos[hash % BUCKETS] : NULL;
}

const struct recipe *search(struct thumb *t, const struct demand *demand)
{
    struct memo **bucket = bucket_of(t, demand);
    struct memo *memo = bucket ? *bucket : NULL;
    while (memo && !same(&memo->demand, demand)) {
        memo = memo->next;
    }
    if (!memo && bucket && (memo = thumb_alloc(t, 1, sizeof *memo))) {
        memo->demand = *demand;
        memo->found = demand->pair ? search_pair(demand, &memo->recipe)
                                   : search_column(demand, &memo->recipe);
        memo->next = *bucket;
        *bucket = memo;
    }
    return memo && memo->found ? &memo->recipe : NULL;
}
