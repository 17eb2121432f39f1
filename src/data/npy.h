/* NumPy arrays (.npy, versions 1 to 3) and archives of them (.npz) to a table. */
#ifndef MOTE_DATA_NPY_H
#define MOTE_DATA_NPY_H

#include "data/stream.h"
#include "data/table.h"

#define NPY_HEADER_MAX 65536 /* bytes of the textual header */
#define NPY_DIMENSIONS 4     /* whose lengths are kept */

/* Bytes from a file or an archive member: up to `want` to `to`, fewer only at the end. */
struct source {
    bool (*read)(void *context, void *to, size_t want, size_t *got, struct error *err);
    void *context;
    const char *name; /* for messages: "pose.npy" or "pose.npz: x.npy" */
};

/* A type of elements. */
struct npy_type {
    char kind; /* 'f' float, 'i' signed, 'u' unsigned, 'b' bool */
    int size;  /* bytes: 1, 2, 4 or 8 */
    bool big;  /* big-endian */
};

/* What the header says. */
struct npy_header {
    struct npy_type type;
    bool fortran; /* column after column */
    int dimensions;
    size_t lengths[NPY_DIMENSIONS]; /* of the first of them */
    size_t rows;                    /* of tables, as are columns */
    size_t columns;
    size_t size; /* bytes of the header itself, with magic and length */
};

/* Read and check a header; `source` then stands at the first element. */
bool npy_header_read(struct npy_header *header, const struct source *source, struct error *err);

/* Rows and columns of an array of one or two dimensions, where a table can have them. */
bool npy_header_table(struct npy_header *header, const char *name, struct error *err);

/* The text of a header: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }. */
bool npy_header_parse(struct npy_header *header, const char *text, const char *name,
                      struct error *err);

/* The element at `bytes`; exact up to 2^53. */
double npy_value(struct npy_type type, const unsigned char *bytes);

/* Rows of an array, one after the other, whatever its order. */
struct npy {
    struct npy_header header;
    struct source source;
    unsigned char *buffer; /* C order: some rows as they are in the file */
    size_t buffered;       /* rows in it */
    size_t used;           /* ... already given */
    float **chunks;        /* Fortran order: the whole array, column after column, in pieces */
    size_t chunk_count;
    size_t given; /* rows given so far */
};

/* Takes over no memory of `source`.  `limit`: rows that will be asked for at most.  Close it
 * whatever the result. */
bool npy_open(struct npy *npy, const struct source *source, size_t limit, struct error *err);
void npy_close(struct npy *npy);

/* The next row's elements to `values`; call it at most header.rows times. */
bool npy_row(struct npy *npy, double *values, struct error *err);

/* After the last row: nothing may follow. */
bool npy_end(struct npy *npy, struct error *err);

/* A table from arrays of equal row counts, side by side; `outputs` columns of them are outputs by
 * the file's own word (0: it does not say). */
bool npy_tables(struct npy *const *arrays, int count, int outputs, struct table *table,
                struct error *err);

bool npy_load(struct stream *stream, struct table *table, struct error *err);

/* The archive at `path`, or at standard input where that is a file ("-"). */
bool npz_load(const char *path, struct table *table, struct error *err);

#endif
