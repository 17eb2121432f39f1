#include "report/report.h"

#include <string.h>

#define COLUMNS_MAX 64

/* Characters, not bytes: UTF-8 continuation bytes do not count. */
static int width_of(const char *text, size_t bytes)
{
    int width = 0;
    for (size_t i = 0; i < bytes; i++) {
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return width;
}

/* The widest cell of each column. */
static void measure_columns(const char *cells, int widths[COLUMNS_MAX])
{
    int column = 0;
    while (*cells) {
        size_t bytes = strcspn(cells, "\t\n");
        int width = width_of(cells, bytes);
        if (widths[column] < width) {
            widths[column] = width;
        }
        cells += bytes;
        column = *cells == '\t' && column + 1 < COLUMNS_MAX ? column + 1 : 0;
        cells += *cells != 0;
    }
}

static void add_spaces(struct text *out, int count)
{
    text_printf(out, "%*s", count > 0 ? count : 0, "");
}

/* One cell; padding behind the last one of a row would only be trailing blanks. */
static void add_cell(struct text *out, const char *cell, size_t bytes, int width, bool right)
{
    int blanks = width - width_of(cell, bytes);
    if (right) {
        add_spaces(out, blanks);
    }
    text_bytes(out, cell, bytes);
    if (!right && cell[bytes] == '\t') {
        add_spaces(out, blanks);
    }
}

void text_align(struct text *out, const char *cells, const char *align)
{
    int widths[COLUMNS_MAX] = {0};
    int columns = (int)strlen(align);
    measure_columns(cells, widths);
    for (int column = 0; *cells;) {
        size_t bytes = strcspn(cells, "\t\n");
        bool right = align[column < columns ? column : columns - 1] == 'r';
        add_cell(out, cells, bytes, widths[column], right);
        cells += bytes;
        bool more = *cells == '\t';
        text_add(out, more ? "  " : "\n");
        column = more && column + 1 < COLUMNS_MAX ? column + 1 : 0;
        cells += *cells != 0;
    }
}
