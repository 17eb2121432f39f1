/* Stewart platform: random poses and what six leg-length sensors read in them, as CSV.
 *
 * Six legs join a base (three pairs of joints on a circle of radius 100 mm, at 0, 120 and 240
 * degrees) to a platform (three pairs on a circle of radius 60 mm, at 60, 180 and 300 degrees).
 * The joints of a pair stand 8 degrees to either side of its middle.  A leg runs from a base joint
 * to the nearest joint of the platform's next pair, so that legs come in pairs which lean apart.
 * At rest the platform is 100 mm above the base, not turned.  A pose moves it by (x, y, z) and
 * turns it by rx, then ry, then rz about the fixed axes:
 *
 *     length_i = | (x, y, 100 + z) + Rz Ry Rx platform_i - base_i |
 *
 * Poses are uniform in +-20 mm and +-15 degrees, where the legs are 66 to 183 mm long.  A
 * sensor reads 0 to 65535 over 63.5 to 184.9 mm, with Gaussian noise of 4 steps (7 micrometres).
 * There is no closed formula for the way back: readings to pose is what the network learns.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEGS 6

static const double pi = 3.14159265358979323846;

static const double base_radius = 100.0; /* mm */
static const double platform_radius = 60.0;
static const double height = 100.0;
static const double half_angle = 8.0; /* degrees, of a joint pair */
static const double reach = 20.0;     /* mm, of x, y and z */
static const double tilt = 15.0;      /* degrees, of rx, ry and rz */
static const double shortest = 63.5;  /* mm: reading 0 */
static const double longest = 184.9;  /* mm: reading 65535 */

static const char usage[] =
    "usage: simulate [--count N] [--seed S] [--box SCALE] [--noise LSB]\n"
    "Random poses of a Stewart platform as CSV: six leg readings, then the pose.\n"
    "  --count N    rows; 0: endless (default 0)\n"
    "  --seed S     another seed, other rows (default 1)\n"
    "  --box SCALE  range of the poses, 1: 20 mm and 15 degrees (default 1)\n"
    "  --noise LSB  standard deviation of a reading, in steps (default 4)\n";

struct options {
    uint64_t count;
    uint64_t seed;
    double box;
    double noise;
};

struct platform {
    double base[LEGS][3];
    double joint[LEGS][3]; /* on the platform, seen from its centre */
};

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Inside (0, 1), never an end: its logarithm is finite. */
static double uniform(uint64_t *state)
{
    return ((double)(random_bits(state) >> 12) + 0.5) / 4503599627370496.0;
}

/* Standard normal (Box and Muller 1958). */
static double gaussian(uint64_t *state)
{
    double distance = sqrt(-2.0 * log(uniform(state)));
    return distance * cos(2.0 * pi * uniform(state));
}

static void place_joint(double joint[3], double radius, double degrees)
{
    joint[0] = radius * cos(degrees * pi / 180.0);
    joint[1] = radius * sin(degrees * pi / 180.0);
    joint[2] = 0.0;
}

static void build(struct platform *platform)
{
    for (int leg = 0; leg < LEGS; leg++) {
        double side = leg % 2 ? 1.0 : -1.0;
        double middle = 120.0 * (leg / 2);
        place_joint(platform->base[leg], base_radius, middle + side * half_angle);
        place_joint(platform->joint[leg], platform_radius, middle + side * (60.0 - half_angle));
    }
}

/* Turn a point by `degrees` about axis 0 (x), 1 (y) or 2 (z). */
static void turn(double point[3], int axis, double degrees)
{
    double c = cos(degrees * pi / 180.0);
    double s = sin(degrees * pi / 180.0);
    double *u = &point[(axis + 1) % 3];
    double *v = &point[(axis + 2) % 3];
    double turned = c * *u - s * *v;
    *v = s * *u + c * *v;
    *u = turned;
}

/* Length in mm of a leg in the pose x, y, z [mm], rx, ry, rz [degrees]. */
static double leg_length(const struct platform *platform, int leg, const double pose[6])
{
    double end[3];
    memcpy(end, platform->joint[leg], sizeof end);
    for (int axis = 0; axis < 3; axis++) {
        turn(end, axis, pose[3 + axis]);
    }
    end[2] += height;
    double sum = 0.0;
    for (int axis = 0; axis < 3; axis++) {
        double along = end[axis] + pose[axis] - platform->base[leg][axis];
        sum += along * along;
    }
    return sqrt(sum);
}

/* What the sensor says: 0..65535. */
static unsigned reading(double length, double noise)
{
    double code = floor((length - shortest) / (longest - shortest) * 65535.0 + noise + 0.5);
    return (unsigned)fmin(fmax(code, 0.0), 65535.0);
}

static bool print_row(const struct platform *platform, const struct options *options,
                      uint64_t *state)
{
    double pose[6];
    for (int i = 0; i < 6; i++) {
        pose[i] = options->box * (i < 3 ? reach : tilt) * (2.0 * uniform(state) - 1.0);
    }
    for (int leg = 0; leg < LEGS; leg++) {
        double noise = options->noise * gaussian(state);
        printf("%u,", reading(leg_length(platform, leg, pose), noise));
    }
    return printf("%.5f,%.5f,%.5f,%.5f,%.5f,%.5f\n", pose[0], pose[1], pose[2], pose[3], pose[4],
                  pose[5]) > 0;
}

static bool parse_count(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoumax(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static bool parse_scale(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= 0.0 && *value <= 1000.0;
}

static bool parse_option(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--count") == 0) {
        return parse_count(value, &options->count);
    }
    if (strcmp(name, "--seed") == 0) {
        return parse_count(value, &options->seed);
    }
    if (strcmp(name, "--box") == 0) {
        return parse_scale(value, &options->box);
    }
    return strcmp(name, "--noise") == 0 && parse_scale(value, &options->noise);
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1, .box = 1.0, .noise = 4.0};
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) {
            return fputs(usage, stdout) < 0;
        }
        if (i + 1 == argc || !parse_option(&options, argv[i], argv[i + 1])) {
            fprintf(stderr, "simulate: bad option: %s %s\n%s", argv[i],
                    i + 1 < argc ? argv[i + 1] : "", usage);
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that has enough is a failed write, not a signal */
    struct platform platform;
    build(&platform);
    uint64_t state = options.seed;
    bool good = printf("leg0,leg1,leg2,leg3,leg4,leg5,"
                       "x [mm],y [mm],z [mm],rx [deg],ry [deg],rz [deg]\n") > 0;
    for (uint64_t row = 0; good && (options.count == 0 || row < options.count); row++) {
        good = print_row(&platform, &options, &state);
    }
    return fflush(stdout) != 0 || !good;
}
