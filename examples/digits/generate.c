/* Handwritten digits that nobody wrote: strokes with a random hand, as IDX files like MNIST's.
 *
 * A digit is one to three strokes through a few points of the unit square.  A hand moves every
 * point a little, bends the whole (rotation, shear, width, height), chooses a pen between thin and
 * thick and a pressure, and sometimes leaves a gap or a stray dot.  Digits are drawn into 20x20
 * pixels of 28x28, white on black, with soft edges.  No library function but sqrt() decides a
 * pixel, so the files are the same on every machine.
 *
 * Written to FOLDER, which is made where it is missing: train-images-idx3-ubyte,
 * train-labels-idx1-ubyte and the same two with t10k.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SIDE        28
#define PIXELS      (SIDE * SIDE)
#define POINTS_MAX  8
#define STROKES_MAX 3
#define STEPS       6 /* lines between two points of a stroke */

static const char usage[] =
    "usage: generate [--train N] [--test N] [--seed S] [--mess M] FOLDER\n"
    "Writes N (default: 6000) digits to learn from and N (1000) to test with.\n"
    "M is how careless the hands are, in percent (default: 100).\n";

/* ---- random numbers: SplitMix64 ---- */

static uint64_t random_state;

static uint64_t random_bits(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double uniform(double low, double high)
{
    return low + (high - low) * ((double)(random_bits() >> 11) * 0x1p-53);
}

/* Nearly Gaussian, at most 3: a sum of six uniform numbers. */
static double spread(double deviation)
{
    double sum = 0;
    for (int i = 0; i < 6; i++) {
        sum += uniform(-1, 1);
    }
    return sum * 0.70710678118654752 * deviation;
}

static int below(int bound)
{
    return (int)((random_bits() >> 32) * (uint64_t)bound >> 32);
}

/* ---- the digits ---- */

struct point {
    double x, y; /* right and down, the digit's box is 0..1 */
};

/* A curve through the points; straight lines where `sharp`. */
struct stroke {
    int count;
    bool sharp;
    struct point points[POINTS_MAX];
};

struct shape {
    int digit;
    int strokes;
    struct stroke stroke[STROKES_MAX];
};

/* Several ways to write some of them. */
static const struct shape shapes[] = {
    {0,
     1,
     {{8,
       false,
       {{.55, 0}, {.2, .15}, {.08, .5}, {.22, .88}, {.5, 1}, {.85, .8}, {.9, .4}, {.55, 0}}}}},
    {0, 1, {{7, false, {{.6, .05}, {.3, .2}, {.2, .6}, {.45, 1}, {.75, .7}, {.8, .25}, {.5, 0}}}}},
    {1, 1, {{2, true, {{.5, 0}, {.5, 1}}}}},
    {1, 1, {{3, true, {{.3, .25}, {.55, 0}, {.5, 1}}}}},
    {1, 2, {{3, true, {{.25, .3}, {.5, 0}, {.5, 1}}}, {2, true, {{.2, 1}, {.8, 1}}}}},
    {2,
     1,
     {{7, false, {{.1, .25}, {.45, 0}, {.85, .25}, {.55, .6}, {.1, .98}, {.5, .95}, {.95, .97}}}}},
    {2,
     1,
     {{8,
       false,
       {{.15, .2}, {.5, 0}, {.8, .3}, {.4, .8}, {.1, .95}, {.25, .75}, {.5, .95}, {.95, .9}}}}},
    {3,
     1,
     {{8,
       false,
       {{.15, .12}, {.55, 0}, {.8, .22}, {.4, .47}, {.85, .7}, {.6, .97}, {.3, 1}, {.08, .85}}}}},
    {3,
     2,
     {{3, true, {{.1, .02}, {.85, .02}, {.4, .42}}},
      {5, false, {{.4, .42}, {.8, .5}, {.85, .8}, {.5, 1}, {.1, .88}}}}},
    {4, 2, {{3, true, {{.35, 0}, {.1, .55}, {.9, .55}}}, {2, true, {{.7, .2}, {.68, 1}}}}},
    {4, 2, {{3, false, {{.15, .05}, {.15, .5}, {.8, .45}}}, {2, true, {{.8, 0}, {.75, 1}}}}},
    {4, 1, {{4, true, {{.7, 1}, {.7, 0}, {.1, .65}, {.95, .65}}}}},
    {5,
     2,
     {{6, false, {{.25, .05}, {.2, .45}, {.6, .4}, {.85, .7}, {.55, 1}, {.1, .9}}},
      {2, true, {{.25, .03}, {.85, .03}}}}},
    {5,
     1,
     {{8,
       false,
       {{.85, .02}, {.3, .04}, {.22, .4}, {.55, .4}, {.85, .65}, {.7, .95}, {.4, 1}, {.1, .88}}}}},
    {6,
     1,
     {{8,
       false,
       {{.7, .02}, {.3, .3}, {.12, .7}, {.45, 1}, {.82, .78}, {.6, .52}, {.3, .6}, {.2, .8}}}}},
    {6,
     1,
     {{7, false, {{.45, 0}, {.2, .45}, {.2, .85}, {.55, 1}, {.8, .75}, {.55, .55}, {.2, .75}}}}},
    {7, 1, {{3, true, {{.1, .03}, {.9, .03}, {.4, 1}}}}},
    {7,
     2,
     {{4, true, {{.1, .15}, {.12, .03}, {.88, .03}, {.45, 1}}}, {2, true, {{.3, .5}, {.85, .5}}}}},
    {7, 1, {{5, false, {{.08, .1}, {.45, .02}, {.9, .06}, {.6, .5}, {.5, 1}}}}},
    {8,
     2,
     {{5, false, {{.5, 0}, {.2, .22}, {.5, .46}, {.8, .22}, {.5, 0}}},
      {5, false, {{.5, .46}, {.12, .75}, {.5, 1}, {.88, .75}, {.5, .46}}}}},
    {8,
     1,
     {{8,
       false,
       {{.8, .15}, {.45, 0}, {.2, .2}, {.55, .5}, {.85, .8}, {.45, 1}, {.15, .78}, {.8, .15}}}}},
    {9,
     2,
     {{6, false, {{.8, .25}, {.5, 0}, {.18, .25}, {.4, .5}, {.75, .4}, {.8, .2}}},
      {3, false, {{.8, .2}, {.78, .6}, {.65, 1}}}}},
    {9,
     1,
     {{8,
       false,
       {{.8, .2}, {.45, .02}, {.18, .28}, {.45, .5}, {.8, .2}, {.78, .7}, {.5, 1}, {.2, .92}}}}},
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

/* ---- a hand ---- */

struct hand {
    double xx, xy, yx, yy; /* from the centred unit square to pixels */
    double x, y;           /* where the centre lies */
    double pen;            /* half the width of a line, pixels */
    double ink;            /* brightness, 0..1 */
    double shake;          /* of points, in the unit square */
};

static struct hand draw_hand(double mess)
{
    double angle = spread(0.14 * mess);
    double shear = spread(0.18 * mess);
    double wide = 20 * uniform(1 - 0.42 * mess, 1);
    double tall = 20 * uniform(1 - 0.15 * mess, 1);
    double square = angle * angle;
    double sine = angle * (1 - square / 6 * (1 - square / 20));
    double cosine = 1 - square / 2 * (1 - square / 12);
    return (struct hand){.xx = wide * cosine,
                         .xy = tall * (shear * cosine - sine),
                         .yx = wide * sine,
                         .yy = tall * (cosine + shear * sine),
                         .x = SIDE / 2.0 + spread(0.7 * mess),
                         .y = SIDE / 2.0 + spread(0.7 * mess),
                         .pen = uniform(0.7, 0.7 + 1.1 * mess),
                         .ink = uniform(1 - 0.35 * mess, 1),
                         .shake = 0.055 * mess};
}

static struct point place(const struct hand *hand, struct point p)
{
    double x = p.x - 0.5;
    double y = p.y - 0.5;
    return (struct point){hand->x + hand->xx * x + hand->xy * y,
                          hand->y + hand->yx * x + hand->yy * y};
}

/* Lighten the pixels around a line from a to b: full ink within the pen, none a pixel further. */
static void draw_line(double *page, const struct hand *hand, struct point a, struct point b)
{
    double reach = hand->pen + 1;
    double length = (b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y);
    int top = (int)fmax(0, fmin(a.y, b.y) - reach);
    int bottom = (int)fmin(SIDE - 1, fmax(a.y, b.y) + reach);
    int left = (int)fmax(0, fmin(a.x, b.x) - reach);
    int right = (int)fmin(SIDE - 1, fmax(a.x, b.x) + reach);
    for (int row = top; row <= bottom; row++) {
        for (int column = left; column <= right; column++) {
            double x = column + 0.5 - a.x;
            double y = row + 0.5 - a.y;
            double along = length > 0 ? (x * (b.x - a.x) + y * (b.y - a.y)) / length : 0;
            along = along < 0 ? 0 : along > 1 ? 1 : along;
            x -= along * (b.x - a.x);
            y -= along * (b.y - a.y);
            double light = hand->ink * (hand->pen + 0.5 - sqrt(x * x + y * y));
            light = light > hand->ink ? hand->ink : light;
            double *pixel = page + row * SIDE + column;
            *pixel = light > *pixel ? light : *pixel;
        }
    }
}

/* Between q and r of four points in a row, at 0..1 (Catmull and Rom's curve). */
static struct point between(const struct point p[4], double t)
{
    double a = t * (t * (2 - t) - 1) / 2;
    double b = (t * t * (3 * t - 5) + 2) / 2;
    double c = t * (t * (4 - 3 * t) + 1) / 2;
    double d = t * t * (t - 1) / 2;
    return (struct point){a * p[0].x + b * p[1].x + c * p[2].x + d * p[3].x,
                          a * p[0].y + b * p[1].y + c * p[2].y + d * p[3].y};
}

static void draw_stroke(double *page, const struct hand *hand, const struct stroke *stroke)
{
    struct point points[POINTS_MAX];
    int count = stroke->count;
    for (int i = 0; i < count; i++) {
        struct point p = stroke->points[i];
        p.x += spread(hand->shake);
        p.y += spread(hand->shake);
        points[i] = place(hand, p);
    }
    for (int i = 0; i + 1 < count; i++) {
        const struct point near[4] = {points[i > 0 ? i - 1 : 0], points[i], points[i + 1],
                                      points[i + 2 < count ? i + 2 : count - 1]};
        struct point from = points[i];
        int steps = stroke->sharp ? 1 : STEPS;
        for (int k = 1; k <= steps; k++) {
            struct point to = stroke->sharp ? points[i + 1] : between(near, (double)k / steps);
            draw_line(page, hand, from, to);
            from = to;
        }
    }
}

/* A speck beside the digit, or a spot where the pen had no ink. */
static void blemish(double *page, const struct hand *hand, double mess)
{
    double centre_x = uniform(6, 22);
    double centre_y = uniform(6, 22);
    double size = uniform(0.5, 1.8);
    bool hole = below(2) == 0;
    if (uniform(0, 1) > 0.3 * mess) {
        return;
    }
    for (int i = 0; i < PIXELS; i++) {
        double x = i % SIDE + 0.5 - centre_x;
        double y = i / SIDE + 0.5 - centre_y;
        if (x * x + y * y < size * size) {
            page[i] = hole ? 0.2 * page[i] : fmax(page[i], 0.6 * hand->ink);
        }
    }
}

static void draw_digit(int digit, double mess, uint8_t *pixels)
{
    double page[PIXELS] = {0};
    struct hand hand = draw_hand(mess);
    int way = below(SHAPES);
    while (shapes[way].digit != digit) {
        way = (way + 1) % SHAPES;
    }
    for (int i = 0; i < shapes[way].strokes; i++) {
        draw_stroke(page, &hand, &shapes[way].stroke[i]);
    }
    blemish(page, &hand, mess);
    for (int i = 0; i < PIXELS; i++) {
        double light = page[i] > 0.03 ? page[i] + spread(0.04 * mess) : 0;
        light = light < 0 ? 0 : light > 1 ? 1 : light;
        pixels[i] = (uint8_t)(255 * light + 0.5);
    }
}

/* ---- files ---- */

static bool put_header(FILE *file, int dimensions, uint32_t count)
{
    const uint32_t numbers[4] = {0x800 + (uint32_t)dimensions, count, SIDE, SIDE};
    for (int i = 0; i <= dimensions; i++) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            if (fputc((int)(numbers[i] >> shift & 255), file) == EOF) {
                return false;
            }
        }
    }
    return true;
}

/* A file that is being written. */
struct output {
    FILE *file;
    char path[4096];
};

static bool complain(const char *path, int number)
{
    (void)fprintf(stderr, "generate: %s: %s\n", path, strerror(number));
    return false;
}

static bool make_folder(const char *folder)
{
    return mkdir(folder, 0777) == 0 || errno == EEXIST || complain(folder, errno);
}

static bool create(struct output *output, const char *folder, const char *part, const char *what)
{
    (void)snprintf(output->path, sizeof output->path, "%.4000s/%s-%s", folder, part, what);
    output->file = fopen(output->path, "wb");
    return output->file || complain(output->path, errno);
}

/* Close it; what is not whole does not stay. */
static bool finish(struct output *output, bool good)
{
    if (!output->file) {
        return good;
    }
    if (fclose(output->file) != 0 && good) {
        good = complain(output->path, errno);
    }
    if (!good) {
        (void)remove(output->path);
    }
    return good;
}

static bool put_digits(FILE *images, FILE *labels, int count, double mess)
{
    bool good = put_header(images, 3, (uint32_t)count) && put_header(labels, 1, (uint32_t)count);
    for (int i = 0; good && i < count; i++) {
        uint8_t pixels[PIXELS];
        int digit = below(10);
        draw_digit(digit, mess, pixels);
        good = fwrite(pixels, 1, PIXELS, images) == PIXELS && fputc(digit, labels) != EOF;
    }
    return good;
}

static bool write_part(const char *folder, const char *part, int count, double mess)
{
    struct output images = {0};
    struct output labels = {0};
    bool good = create(&images, folder, part, "images-idx3-ubyte") &&
                create(&labels, folder, part, "labels-idx1-ubyte") &&
                (put_digits(images.file, labels.file, count, mess) || complain(folder, errno));
    bool written = finish(&labels, good);
    return finish(&images, written);
}

/* ---- the command line ---- */

struct settings {
    long train, test, seed, mess;
    const char *folder;
};

static bool parse(struct settings *settings, int count, char **words)
{
    static const char *const names[] = {"--train", "--test", "--seed", "--mess"};
    static const long most[] = {10000000, 10000000, 2147483647, 300};
    long *const values[] = {&settings->train, &settings->test, &settings->seed, &settings->mess};
    for (int i = 1; i < count; i++) {
        int which = 0;
        while (which < 4 && strcmp(words[i], names[which]) != 0) {
            which++;
        }
        if (which == 4 && words[i][0] != '-' && !settings->folder) {
            settings->folder = words[i];
            continue;
        }
        char *end = NULL;
        if (which == 4 || ++i == count) {
            return false;
        }
        *values[which] = strtol(words[i], &end, 10);
        if (end == words[i] || *end || *values[which] < 0 || *values[which] > most[which]) {
            return false;
        }
    }
    return settings->folder && settings->train > 0 && settings->test > 0;
}

int main(int count, char **words)
{
    struct settings settings = {6000, 1000, 1, 100, NULL};
    if (!parse(&settings, count, words)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    double mess = 0.012 * (double)settings.mess; /* the constants above are for the neat */
    random_state = (uint64_t)settings.seed;
    return make_folder(settings.folder) &&
                   write_part(settings.folder, "train", (int)settings.train, mess) &&
                   write_part(settings.folder, "t10k", (int)settings.test, mess)
               ? 0
               : 1;
}
