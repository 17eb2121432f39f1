/* Draw a digit in the terminal; it is printed as a picture (PGM) of 28x28 pixels on standard
 * output:
 *
 *     draw | mote run digits.mote
 *
 * The mouse draws while a button is down; so do the arrow keys while the pen is (space lifts it and
 * puts it down).  c clears, Enter is the end, q leaves without a picture.  With --text the digit is
 * read from standard input instead, lines with a mark wherever there is ink.
 *
 * What was drawn is fitted into 20x20 pixels and its centre of mass put into the middle, white on
 * black, as the digits of MNIST are.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SIDE       28
#define BOX        20.0
#define POINTS_MAX 20000
#define COLUMNS    40 /* of the sheet in the terminal, in characters */
#define ROWS       20

struct point {
    double x, y;
    bool begins; /* a stroke: no line from the point before */
};

static struct point points[POINTS_MAX];
static int point_count;

static void add_point(double x, double y, bool begins)
{
    if (point_count < POINTS_MAX) {
        points[point_count++] = (struct point){x, y, begins};
    }
}

/* ---- the picture ---- */

struct bounds {
    double left, top, right, bottom;
};

static struct bounds find_bounds(void)
{
    struct bounds b = {points[0].x, points[0].y, points[0].x, points[0].y};
    for (int i = 1; i < point_count; i++) {
        b.left = fmin(b.left, points[i].x);
        b.right = fmax(b.right, points[i].x);
        b.top = fmin(b.top, points[i].y);
        b.bottom = fmax(b.bottom, points[i].y);
    }
    return b;
}

/* Distance of (x, y) from the line between two points. */
static double distance(double x, double y, const struct point *a, const struct point *b)
{
    double along_x = b->x - a->x;
    double along_y = b->y - a->y;
    double length = along_x * along_x + along_y * along_y;
    double part = length > 0 ? ((x - a->x) * along_x + (y - a->y) * along_y) / length : 0;
    part = fmin(fmax(part, 0), 1);
    return hypot(x - a->x - part * along_x, y - a->y - part * along_y);
}

/* Full light within the pen, none a pixel further. */
static double light_at(double x, double y, double pen)
{
    double nearest = 1e9;
    for (int i = 0; i < point_count; i++) {
        const struct point *from = points[i].begins ? &points[i] : &points[i - 1];
        nearest = fmin(nearest, distance(x, y, from, &points[i]));
    }
    return fmin(fmax(pen + 0.5 - nearest, 0), 1);
}

/* Into a box of BOX pixels around (0, 0). */
static double fit_points(void)
{
    struct bounds b = find_bounds();
    double size = fmax(fmax(b.right - b.left, b.bottom - b.top), 1e-6);
    double factor = (BOX - 3) / size;
    for (int i = 0; i < point_count; i++) {
        points[i].x = (points[i].x - (b.left + b.right) / 2) * factor;
        points[i].y = (points[i].y - (b.top + b.bottom) / 2) * factor;
    }
    return factor;
}

/* Light with its middle at (x, y) of the sheet, and where its centre of mass lies. */
static void render(double page[SIDE][SIDE], double pen, double *x, double *y)
{
    double sum = 0;
    double mass_x = 0;
    double mass_y = 0;
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            double here_x = column + 0.5 - SIDE / 2.0 + *x;
            double here_y = row + 0.5 - SIDE / 2.0 + *y;
            double light = light_at(here_x, here_y, pen);
            page[row][column] = light;
            sum += light;
            mass_x += light * here_x;
            mass_y += light * here_y;
        }
    }
    *x = sum > 0 ? mass_x / sum : 0;
    *y = sum > 0 ? mass_y / sum : 0;
}

static bool print_picture(double dot)
{
    static double page[SIDE][SIDE];
    double factor = fit_points();
    double pen = fmax(1.1, 0.7 * dot * factor);
    double x = 0;
    double y = 0;
    render(page, pen, &x, &y); /* to find the centre of mass */
    render(page, pen, &x, &y);
    bool good = printf("P5 %d %d 255\n", SIDE, SIDE) > 0;
    for (int i = 0; good && i < SIDE * SIDE; i++) {
        good = putchar((int)(255 * page[i / SIDE][i % SIDE] + 0.5)) != EOF;
    }
    return fflush(stdout) == 0 && good;
}

/* ---- from text ---- */

static bool read_text(void)
{
    int row = 0;
    int column = 0;
    for (int c = getchar(); c != EOF; c = getchar()) {
        if (c == '\n') {
            row++;
            column = 0;
            continue;
        }
        if (c != ' ' && c != '.' && c != '\r') {
            add_point(column, row, true);
        }
        column++;
    }
    return point_count > 0;
}

/* ---- from the terminal ---- */

static int terminal = -1;
static struct termios before;

static void show(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t done = write(terminal, text, left);
        if (done <= 0) {
            return;
        }
        text += done;
        left -= (size_t)done;
    }
}

static void leave(void)
{
    show("\033[?1002l\033[?1006l\033[?25h\033[0m");
    (void)tcsetattr(terminal, TCSANOW, &before);
}

static bool enter(void)
{
    terminal = open("/dev/tty", O_RDWR);
    if (terminal < 0 || tcgetattr(terminal, &before) != 0) {
        (void)fprintf(stderr, "draw: /dev/tty: %s\n", strerror(errno));
        return false;
    }
    struct termios raw = before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    (void)tcsetattr(terminal, TCSANOW, &raw);
    show("\033[?1002h\033[?1006h\033[?25l");
    return true;
}

static void clear_sheet(void)
{
    char text[64];
    point_count = 0;
    show("\033[2J\033[H");
    for (int row = 0; row < ROWS; row++) {
        (void)snprintf(text, sizeof text, "\033[%d;1H\033[48;5;236m%*s\033[0m", row + 1, COLUMNS,
                       "");
        show(text);
    }
    show("\r\nmouse, or arrows and space: draw   c: clear   Enter: done   q: quit");
}

static void mark(int row, int column)
{
    char text[48];
    (void)snprintf(text, sizeof text, "\033[%d;%dH\033[47m \033[0m", row + 1, column + 1);
    show(text);
}

/* A character of the sheet is twice as tall as wide. */
static void touch(int row, int column, bool begins)
{
    if (row >= 0 && row < ROWS && column >= 0 && column < COLUMNS) {
        add_point(column + 0.5, 2 * row + 1.0, begins || point_count == 0);
        mark(row, column);
    }
}

struct hand {
    int row, column;
    bool down;  /* the keys' pen */
    bool drags; /* a mouse button was down before */
};

/* "button;column;row" and M or m, behind "\033[<" (xterm's mouse protocol 1006). */
static void take_mouse(struct hand *hand, const char *text, char last)
{
    int button = 0;
    int column = 0;
    int row = 0;
    if (sscanf(text, "%d;%d;%d", &button, &column, &row) != 3) { /* NOLINT: bounded by the caller */
        return;
    }
    bool pressed = last == 'M' && (button & 64) == 0;
    if (pressed) {
        touch(row - 1, column - 1, !hand->drags);
    }
    hand->drags = pressed;
}

static void take_arrow(struct hand *hand, char last)
{
    hand->row += last == 'B' ? hand->row < ROWS - 1 : last == 'A' ? -(hand->row > 0) : 0;
    hand->column += last == 'C'   ? hand->column < COLUMNS - 1
                    : last == 'D' ? -(hand->column > 0)
                                  : 0;
    if (hand->down) {
        touch(hand->row, hand->column, false);
    }
}

static bool next_byte(char *c)
{
    return read(terminal, c, 1) == 1;
}

/* Behind an escape: an arrow or the mouse. */
static void take_escape(struct hand *hand)
{
    char text[32] = "";
    size_t length = 0;
    char c = 0;
    if (!next_byte(&c) || c != '[') {
        return;
    }
    while (next_byte(&c) && length + 1 < sizeof text && strchr("<;0123456789", c)) {
        text[length++] = c;
    }
    if (text[0] == '<') {
        take_mouse(hand, text + 1, c);
    } else {
        take_arrow(hand, c);
    }
}

/* False: left without a picture. */
static bool draw(void)
{
    struct hand hand = {ROWS / 2, COLUMNS / 2, false, false};
    char c;
    clear_sheet();
    while (next_byte(&c)) {
        if (c == '\033') {
            take_escape(&hand);
        } else if (c == ' ') {
            hand.down = !hand.down;
            if (hand.down) {
                touch(hand.row, hand.column, true);
            }
        } else if (c == 'c') {
            clear_sheet();
        } else if (c == '\r' || c == '\n') {
            show("\r\n\033[K");
            return point_count > 0;
        } else if (c == 'q') {
            return false;
        }
    }
    return false;
}

int main(int count, char **words)
{
    bool text = count == 2 && strcmp(words[1], "--text") == 0;
    if (count > 2 || (count == 2 && !text)) {
        (void)fputs("usage: draw [--text < DRAWING] > PICTURE.pgm\n", stderr);
        return 2;
    }
    bool drawn = false;
    if (text) {
        drawn = read_text();
    } else if (enter()) {
        drawn = draw();
        leave();
    }
    if (!drawn) {
        (void)fputs("draw: nothing was drawn\n", stderr);
        return 1;
    }
    return print_picture(1) ? 0 : 1;
}
