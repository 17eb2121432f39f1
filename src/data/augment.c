#include "data/augment.h"

#include "base/rng.h"

#include <stddef.h>
#include <string.h>

#define STREAM      0x6175676d656e74 /* "augment": the stream of random numbers */
#define GRID        6                /* nodes of the elastic field along each side */
#define FIELD_SCALE 2.5F             /* a smoothed node is seldom beyond 1 / 2.5 */

/* Where a pixel of the copy comes from: row = y0 + yy (y - cy) + yx (x - cx), column likewise. */
struct affine {
    float yy, yx, xy, xx;
    float y0, x0; /* source of the centre */
};

/* Displacement of the nodes in pixels; bilinear between them. */
struct field {
    float y[GRID][GRID];
    float x[GRID][GRID];
};

/* All that is drawn for one copy. */
struct draw {
    struct affine affine;
    struct field field;
    bool bends; /* the field is not zero */
    bool moves; /* the affine map is not the identity */
};

bool augment_any(const struct augment *augment)
{
    return augment->rotate != 0 || augment->shift != 0 || augment->scale != 0 ||
           augment->shear != 0 || augment->elastic != 0 || augment->noise != 0 ||
           augment->cutout > 0;
}

/* ---- drawing ---- */

/* Uniform in -1..1, times `most`. */
static double draw_within(struct rng *rng, float most)
{
    return rng_uniform(rng, -1, 1) * (double)most;
}

/* Taylor series of sine, good to 1e-7 in -pi..pi; no library's sine, which may differ. */
static double sine(double angle)
{
    double square = angle * angle;
    double term = angle;
    double sum = angle;
    for (int k = 2; k <= 20; k += 2) {
        term *= -square / (k * (k + 1));
        sum += term;
    }
    return sum;
}

static double cosine(double angle)
{
    double square = angle * angle;
    double term = 1;
    double sum = 1;
    for (int k = 1; k <= 21; k += 2) {
        term *= -square / (k * (k + 1));
        sum += term;
    }
    return sum;
}

/* Rotation, shear and scale of the copy, inverted: sources are looked up from it. */
static struct affine draw_affine(const struct augment *augment, const struct image_shape *shape,
                                 struct rng *rng)
{
    double angle = draw_within(rng, augment->rotate) * (3.14159265358979323846 / 180);
    double size = 1 + draw_within(rng, augment->scale);
    double shear = draw_within(rng, augment->shear);
    double down = draw_within(rng, augment->shift);
    double right = draw_within(rng, augment->shift);
    double s = sine(angle) / size;
    double c = cosine(angle) / size;
    return (struct affine){
        .yy = (float)(c + s * shear),
        .yx = (float)s,
        .xy = (float)(c * shear - s),
        .xx = (float)c,
        .y0 = (float)((shape->rows - 1) * 0.5 - (shape->rows > 1 ? down : 0)),
        .x0 = (float)((shape->columns - 1) * 0.5 - (shape->columns > 1 ? right : 0))};
}

static float node(float values[GRID][GRID], int row, int column)
{
    row = row < 0 ? 0 : row < GRID ? row : GRID - 1;
    column = column < 0 ? 0 : column < GRID ? column : GRID - 1;
    return values[row][column];
}

/* Random nodes, smoothed by (1 2 1) / 4 in both directions. */
static void draw_nodes(float nodes[GRID][GRID], float most, struct rng *rng)
{
    float raw[GRID][GRID];
    for (int i = 0; i < GRID * GRID; i++) {
        raw[i / GRID][i % GRID] = (float)draw_within(rng, 1);
    }
    for (int i = 0; i < GRID; i++) {
        for (int j = 0; j < GRID; j++) {
            float sum = 0;
            for (int k = -1; k <= 1; k++) {
                float line =
                    node(raw, i + k, j - 1) + 2 * node(raw, i + k, j) + node(raw, i + k, j + 1);
                sum += (k == 0 ? 2 : 1) * line;
            }
            nodes[i][j] = sum * (most * FIELD_SCALE / 16);
        }
    }
}

static struct draw draw_copy(const struct augment *augment, const struct image_shape *shape,
                             struct rng *rng)
{
    struct draw draw;
    draw.moves =
        augment->rotate != 0 || augment->shift != 0 || augment->scale != 0 || augment->shear != 0;
    draw.bends = augment->elastic != 0;
    draw.affine = draw_affine(augment, shape, rng);
    if (draw.bends) {
        draw_nodes(draw.field.y, augment->elastic, rng);
        draw_nodes(draw.field.x, augment->elastic, rng);
    }
    return draw;
}

/* ---- moving pixels ---- */

/* The field along one row of pixels: nodes between two rows of nodes. */
struct ribbon {
    float y[GRID], x[GRID];
};

/* Rows of nodes per row of pixels. */
static float place_step(int pixels)
{
    return pixels > 1 ? (float)(GRID - 1) / (float)(pixels - 1) : 0;
}

static struct ribbon make_ribbon(const struct field *field, int rows, int row)
{
    struct ribbon ribbon;
    float at = (float)row * place_step(rows);
    int above = at < (float)(GRID - 1) ? (int)at : GRID - 2;
    float part = at - (float)above;
    for (int j = 0; j < GRID; j++) {
        ribbon.y[j] = field->y[above][j] + part * (field->y[above + 1][j] - field->y[above][j]);
        ribbon.x[j] = field->x[above][j] + part * (field->x[above + 1][j] - field->x[above][j]);
    }
    return ribbon;
}

/* A code of the image, 0 outside. */
static unsigned code_at(const struct image_shape *shape, const uint8_t *in, int row, int column)
{
    if (row < 0 || row >= shape->rows || column < 0 || column >= shape->columns) {
        return 0;
    }
    return in[((size_t)row * (size_t)shape->columns + (size_t)column) * (size_t)shape->channels];
}

/* A source: the pixel up and left of it, and how far it lies from there in 1/256 of a pixel. */
struct spot {
    int row, column;
    unsigned down, right;
};

/* Between two nodes sources lie on a straight line: y + column * y_step, x + column * x_step. */
struct line {
    float y, x, y_step, x_step;
};

#define BLOCK 64 /* pixels whose sources are computed at once */

/* In 1/256 of a pixel, moved by two pixels so that it is not negative.  Far outside is as good as
 * just outside. */
static int fine(float value, float high)
{
    value = value < -2 ? -2 : value;
    value = value > high ? high : value;
    return (int)((value + 2) * 256 + 0.5F);
}

static void make_fine(const struct line *line, const struct image_shape *shape, int from, int count,
                      int fine_y[BLOCK], int fine_x[BLOCK])
{
    float high_y = (float)shape->rows + 1;
    float high_x = (float)shape->columns + 1;
    for (int i = 0; i < count; i++) {
        float column = (float)(from + i);
        fine_y[i] = fine(line->y + column * line->y_step, high_y);
        fine_x[i] = fine(line->x + column * line->x_step, high_x);
    }
}

static struct spot make_spot(int fine_y, int fine_x)
{
    return (struct spot){(fine_y >> 8) - 2, (fine_x >> 8) - 2, (unsigned)fine_y & 255,
                         (unsigned)fine_x & 255};
}

static uint8_t blend(const struct spot *spot, unsigned a, unsigned b, unsigned c, unsigned d)
{
    unsigned above = a * (256 - spot->right) + b * spot->right;
    unsigned below = c * (256 - spot->right) + d * spot->right;
    return (uint8_t)((above * (256 - spot->down) + below * spot->down + 32768) >> 16);
}

/* All channels of one pixel of the copy. */
static void put_pixel(const struct image_shape *shape, const uint8_t *in, struct spot spot,
                      uint8_t *out)
{
    int row = spot.row;
    int column = spot.column;
    size_t channels = (size_t)shape->channels;
    if ((unsigned)row < (unsigned)(shape->rows - 1) &&
        (unsigned)column < (unsigned)(shape->columns - 1)) {
        size_t pitch = (size_t)shape->columns * channels;
        const uint8_t *p = in + (size_t)row * pitch + (size_t)column * channels;
        for (size_t k = 0; k < channels; k++, p++) {
            out[k] = blend(&spot, p[0], p[channels], p[pitch], p[pitch + channels]);
        }
        return;
    }
    for (size_t k = 0; k < channels; k++) {
        out[k] = blend(
            &spot, code_at(shape, in + k, row, column), code_at(shape, in + k, row, column + 1),
            code_at(shape, in + k, row + 1, column), code_at(shape, in + k, row + 1, column + 1));
    }
}

/* Pixels from..to of a row of the copy, `out` at the first of them. */
static void put_pixels(const struct image_shape *shape, const struct line *line, int from, int to,
                       const uint8_t *in, uint8_t *out)
{
    int fine_y[BLOCK];
    int fine_x[BLOCK];
    while (from < to) {
        int count = to - from < BLOCK ? to - from : BLOCK;
        make_fine(line, shape, from, count, fine_y, fine_x);
        for (int i = 0; i < count; i++) {
            put_pixel(shape, in, make_spot(fine_y[i], fine_x[i]), out);
            out += shape->channels;
        }
        from += count;
    }
}

/* Sources of a row without the field. */
static struct line straight(const struct affine *a, const struct image_shape *shape, int row)
{
    float down = (float)row - (float)(shape->rows - 1) * 0.5F;
    float middle = (float)(shape->columns - 1) * 0.5F;
    return (struct line){.y = a->y0 + a->yy * down - a->yx * middle,
                         .x = a->x0 + a->xy * down - a->xx * middle,
                         .y_step = a->yx,
                         .x_step = a->xx};
}

/* The same with the field between nodes j and j + 1. */
static struct line bent(const struct line *line, const struct ribbon *ribbon, int j, float step)
{
    float y_slope = ribbon->y[j + 1] - ribbon->y[j];
    float x_slope = ribbon->x[j + 1] - ribbon->x[j];
    return (struct line){.y = line->y + (ribbon->y[j] - (float)j * y_slope),
                         .x = line->x + (ribbon->x[j] - (float)j * x_slope),
                         .y_step = line->y_step + step * y_slope,
                         .x_step = line->x_step + step * x_slope};
}

static void warp_row(const struct draw *draw, const struct image_shape *shape, int row,
                     const uint8_t *in, uint8_t *out)
{
    struct line line = straight(&draw->affine, shape, row);
    int columns = shape->columns;
    if (!draw->bends) {
        put_pixels(shape, &line, 0, columns, in, out);
        return;
    }
    struct ribbon ribbon = make_ribbon(&draw->field, shape->rows, row);
    for (int j = 0, from = 0; j < GRID - 1; j++) {
        int to = j < GRID - 2 ? ((j + 1) * (columns - 1) + GRID - 2) / (GRID - 1) : columns;
        struct line piece = bent(&line, &ribbon, j, place_step(columns));
        put_pixels(shape, &piece, from, to, in, out + (size_t)from * (size_t)shape->channels);
        from = to > from ? to : from;
    }
}

/* ---- noise and holes ---- */

static void add_noise(uint8_t *codes, size_t count, float most, struct rng *rng)
{
    int range = (int)(most + 0.5F);
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits = i % 4 == 0 ? rng_bits(rng) : bits >> 16;
        int change = (int)((bits & 65535) * (unsigned)(2 * range + 1) >> 16) - range;
        int code = codes[i] + change;
        code = code < 0 ? 0 : code > 255 ? 255 : code;
        codes[i] = (uint8_t)(codes[i] ? code : 0);
    }
}

/* The part of a run of `side` around `centre` that lies in 0..count. */
static void clip(int centre, int side, int count, int *from, int *to)
{
    *from = centre - side / 2;
    *to = *from + side;
    *from = *from < 0 ? 0 : *from;
    *to = *to < count ? *to : count;
}

static void cut_out(uint8_t *codes, const struct image_shape *shape, int side, struct rng *rng)
{
    int top, bottom, left, right;
    size_t channels = (size_t)shape->channels;
    clip((int)rng_below(rng, (uint64_t)shape->rows), side, shape->rows, &top, &bottom);
    clip((int)rng_below(rng, (uint64_t)shape->columns), side, shape->columns, &left, &right);
    for (int row = top; row < bottom && left < right; row++) {
        size_t first = (size_t)row * (size_t)shape->columns + (size_t)left;
        memset(codes + first * channels, 0, (size_t)(right - left) * channels);
    }
}

void augment_image(const struct augment *augment, const struct augment_key *key,
                   const struct image_shape *shape, const uint8_t *in, uint8_t *out)
{
    uint64_t copy = rng_at(rng_new(key->seed, STREAM).key, key->copy);
    struct rng rng = rng_new(copy, key->sample);
    struct draw draw = draw_copy(augment, shape, &rng);
    size_t row_size = (size_t)shape->columns * (size_t)shape->channels;
    size_t size = (size_t)shape->rows * row_size;
    if (draw.moves || draw.bends) {
        for (int row = 0; row < shape->rows; row++) {
            warp_row(&draw, shape, row, in, out + (size_t)row * row_size);
        }
    } else {
        memcpy(out, in, size);
    }
    if (augment->noise != 0) {
        add_noise(out, size, augment->noise, &rng);
    }
    if (augment->cutout > 0) {
        cut_out(out, shape, augment->cutout, &rng);
    }
}
