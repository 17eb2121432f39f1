/* Inside src/emit: nets on maps.  Their plan says where each tensor lies and how rows of weights
 * move over it; the printers follow it.
 *
 * A map stays in the order of SPEC 2.1, but may lie in a larger array with zeros around it, so that
 * no window needs to know where its input ends. */
#ifndef MOTE_EMIT_MAP_H
#define MOTE_EMIT_MAP_H

#include "emit/print.h"

/* Zeros around a map, in positions. */
struct border {
    int top;
    int left;
    int bottom;
    int right;
};

/* Where a tensor's element (y, x, c) is: offset + y * row + x * column + c of its array. */
struct map_view {
    enum home home;
    int offset;
    int row;
    int column;
    struct border border;
    int size;        /* elements, border included */
    int kept;        /* rows that are there at a time, in a stream; 0: all of them */
    int fresh;       /* which of these is written */
    bool zeros;      /* does it begin with zeros: for a border, or to be moved in a stream? */
    bool in_lanes;   /* nowhere but in the map in lanes of the conv that reads it */
    bool packed;     /* two elements to a byte; offset, row, column, size count bytes then */
    bool nowhere;    /* what a pool reads whose conv computes it */
    bool reshaped;   /* the array of another tensor, which it shares */
    bool from_input; /* a copy of the caller's input with zeros around it */
};

/* How weights lie in bytes: `each` fields to a byte, the first one lowest; a weight is
 * scale * field + low.  Ternary ones are five digits to the base 3 (`each` 5). */
struct coding {
    const char *name; /* in NAME_window_...() */
    int each;         /* 1: plain numbers */
    int bits;         /* of a field */
    int scale;
    int low;
};

/* Rows of weights over some positions of a layer's output: all of them, or a phase of a deconv. */
struct pass {
    int rows; /* positions */
    int columns;
    int out_row; /* the first position, and the step from one to the next */
    int out_column;
    int out_row_step;
    int out_column_step;
    int in_offset; /* the first element of the first window, from the input's first element */
    int in_row_step;
    int in_column_step;
    int taps[2]; /* of the window, rows and columns; adjacent ones count as one */
    int tap_row; /* from one to the next, in elements */
    int tap_column;
    int length;            /* neighbouring elements at each tap */
    const int16_t *values; /* layer's rows x (taps[0] * taps[1] * length) */
    char name[16];         /* of the table of weights, without its letter */
};

#define WORD_BYTES 4  /* of a word of lanes */
#define LANES_HIGH 31 /* the largest input of lanes */
/* Keeps sums in lanes from being negative. */
#define LANES_LIFT 32768
/* Additions of a portion of a list, at most: about what a byte holds of inputs of four bits. */
#define LANES_PORTION 16

/* How the rows of weights of a layer in lanes lie: map_lanes_lists.c, _steps.c, _bits.c. */
enum lanes_form { AS_LISTS, AS_STEPS, AS_BITS };

/* A conv of ternary weights over small numbers, four positions at a time (map_lanes.c).
 *
 * The output is four parts of one size, side by side or one below the other, which may overlap.  A
 * word of the map `m` holds the inputs of one position in each of them, so that one addition serves
 * four; the bytes are summed up to `most` at a time, then as 16 bits. */
struct lanes {
    int part_rows[2];    /* parts, and positions from one to the next: down ... */
    int part_columns[2]; /* ... and across */
    int rows;            /* positions of a part */
    int columns;
    int in_rows; /* words of the map, of each channel: for all positions, or for one row of them */
    int in_columns;
    int in_channels;
    int first;        /* word of the array where the map begins */
    int planes;       /* 0: channels are innermost; else columns, in so many sets by their stride */
    int row_step;     /* from one row of the map to the next, in words */
    int channel_step; /* from one channel to the next */
    int beside;       /* from one position of a tile to the next of its row */
    bool alone;       /* a dense layer: one position, in the lowest byte of each word */
    bool rolls;       /* for one row; the next one keeps what both need */
    int writer;       /* the conv that writes into the map, row by row; -1: copied from its array */
    int tile[2];      /* positions whose sums are made at once, rows and columns */
    int tiles[2];     /* how many of these, down and across */
    int tile_step[2]; /* from one to the next, in positions */
    int taps[2];      /* runs of neighbouring weights, down and across */
    int tap_step[2];  /* from one to the next, in words */
    int length;       /* weights of a run */
    int most;         /* additions of a portion, which a byte holds */
    int high;         /* largest input */
    int *met;         /* the weight that meets each word of the map, or -1 */
    enum lanes_form form;
    uint8_t *bytes; /* lists, or those of steps */
    int byte_count;
    uint32_t *words; /* of bits, a portion each */
    int word_count;
};

/* A conv of few weights as a straight line, two sums to a word (map_direct.c). */
struct direct {
    bool positions;            /* of one channel at two positions; else of two channels at one */
    bool narrow;               /* neither: one sum, where a word has 16 bits */
    bool across;               /* positions lie in one row */
    int step;                  /* from one to the other */
    const struct window *pool; /* the max pool behind it, whose windows are summed; NULL: none */
    int rows;                  /* turns of the loops */
    int columns;
    int low;     /* the least result, less: entry 0 of a table that clamps */
    int entries; /* of that; 0: there is none */
    int reader;  /* the conv in lanes that it writes for, as one of its loops; -1: a map of its own
                  */
};

/* How far a window function has to walk: along elements, over rows of them, over gaps in rows. */
enum reach { REACH_FLAT, REACH_ROWS, REACH_GAPS };

/* One window function (map_window.c): its elements, its weights, and the most that any layer wants
 * of it. */
struct walker {
    enum type type; /* of the array */
    const struct coding *coding;
    const struct coding *other; /* NULL: no layer's weights lie in another way */
    bool wide;                  /* plain numbers of 16 bits */
    bool packs;                 /* some layer's elements are two to a byte ... */
    bool single;                /* ... and some layer's are not */
    enum reach reach;
    bool across; /* serves all positions of a row at once (map_across.c) */
    bool narrow; /* its sums fit 16 bits ... */
    bool lifts;  /* ... and 15, so that they can be lifted by half of that before a shift */
    int bias;    /* bits of a row's bias, with a sign */
    int shift;   /* bits of a row's shift; 0: there is none */
};

/* What tells the layers apart that a function of map_across.c serves. */
enum number {
    NUMBER_CHANNELS,
    NUMBER_COUNT,   /* positions whose sums are taken at once */
    NUMBER_APART,   /* from one to the next, in the input */
    NUMBER_LENGTH,  /* neighbouring elements of the array ... */
    NUMBER_COLUMNS, /* ... at so many places beside each other, `gap` apart ... */
    NUMBER_GAP,
    NUMBER_ROWS, /* ... in so many rows */
    NUMBER_STEP,
    NUMBER_PACKED,  /* are elements two to a byte? */
    NUMBER_TERNARY, /* are weights five to a byte? */
    NUMBER_RESULTS, /* of a channel */
    NUMBER_AWAY,    /* from one to the next, in the output */
    NUMBER_SIDE,    /* sums beside each other whose largest is a result ... */
    NUMBER_TALL,    /* ... so many times, ... */
    NUMBER_LINE,    /* ... as many sums on */
    NUMBER_KIND,    /* which of two kinds of results */
    NUMBERS
};

/* They lie in front of the weights where they are not the same for all layers. */
struct walker_numbers {
    bool varies[NUMBERS];
    int value[NUMBERS]; /* of all layers; -1: none looks at it */
    int place[NUMBERS]; /* in the table */
    int count;          /* of those in the table */
    bool apart;         /* have they a table of their own? */
    enum type type;     /* of the table */
    int most;           /* the largest NUMBER_COUNT */
    const char *small;  /* the type of what is as large as a number, */
    const char *index;  /* of an element's index, */
    const char *unit;   /* and what stands behind constants of both, "U" or "" */
};

/* What a layer with weights needs. */
struct map_rows {
    bool sparse;           /* by lists of inputs that are not zero (map_sparse.c) ... */
    int planes;            /* ... or of those with a bit set, for so many bits (map_planes.c) */
    bool pooled;           /* a conv that computes the max pool behind it, too (map_across.c) */
    struct direct *direct; /* NULL: another way */
    struct lanes *lanes;   /* NULL: by the window functions */
    const struct coding *coding;
    struct pass *passes;
    int pass_count;
    int group_rows;       /* output channels of a group */
    int group_columns;    /* its input channels */
    struct walker walker; /* that serves the layer and all that are alike; set last */
};

/* A layer in a stream: a chain of layers, each of which computes a row of its output as soon as the
 * rows that it reads are there (map_stream.c).  Alone it is a stream of its own. */
struct stream {
    int first; /* layers of the chain */
    int last;
    int start;  /* turn of the chain's loop in which its first row is computed */
    int period; /* turns from one row to the next */
    int rows;   /* its rows, those of zeros below included, which a reader wants */
    int turns;  /* of the loop */
};

struct map_plan {
    struct map_view *views;  /* one per tensor */
    struct map_rows *rows;   /* one per layer; passes NULL where it has no weights */
    struct stream *streams;  /* one per layer */
    enum optimise *goals;    /* one per layer: what it is made for */
    int arrays[TYPE_U4 + 1]; /* elements of the array of each type */
    bool bytes;              /* is there a map in that of bytes? */
    int words;               /* of the largest map in lanes, which lies there, too */
};

/* Is a layer made for least flash and RAM? */
bool map_for_size(const struct plan *plan, int layer);

/* map_plan.c: fills plan->maps.  False when out of memory. */
bool map_plan(struct plan *plan);
/* Views and places where the outputs of some layers, `links`, are kept for a few rows only. Returns
 * the bytes of all arrays. */
int64_t map_lay_out(struct plan *plan, const bool links[NET_LAYERS_MAX]);
/* The first element of a map in its array, its border included, and how many zeros of that lie in
 * front of its own first one. */
int map_first_element(const struct map_view *view);
int map_zeros_before(const struct map_view *view);

/* map_passes.c: fills the passes of a layer with rows.  False when out of memory. */
bool map_plan_passes(struct plan *plan, int layer);

/* map_places.c: where maps and the words of maps in lanes lie, and how large the arrays are; the
 * bytes of these. */
void map_plan_places(struct plan *plan);
int map_writer(const struct net *net, int tensor); /* its layer; -1: the input */
int64_t map_array_bytes(const struct plan *plan);

/* map_pool.c: max pools that their convs compute. */
void map_plan_pools(struct plan *plan);
/* Do all windows of a pool lie inside of its input, from its first row on? */
bool map_whole_windows(const struct net *net, const struct layer *pool);
/* Is a layer such a pool?  The layer behind one and its pool; what both compute. */
bool map_is_pooled(const struct plan *plan, int layer);
int map_next(const struct plan *plan, int layer);
int map_output(const struct plan *plan, int layer);
/* Rows of its input that a layer, with its pool, reads for one of its output, and from one to the
 * next. */
int map_reach(const struct plan *plan, int layer);
int map_stride(const struct plan *plan, int layer);

/* map_stream.c: which layers become chains, for size. */
void map_plan_streams(struct plan *plan);
/* Their places in the chains that `links` makes. */
void map_link(struct plan *plan, const bool links[NET_LAYERS_MAX]);
/* Rows that a layer in a stream computes at a time, which is more than one for some resizes. */
int map_rows_at_once(const struct plan *plan, int layer);
bool map_in_stream(const struct plan *plan, int layer);
void map_print_stream(struct printer *p, int first);
/* The row of a tensor that is written, C text: the one that its stream keeps last, else "y". */
const char *map_row_to(const struct plan *plan, int tensor, char text[16]);

/* map_pack.c: may a tensor lie two elements to a byte?  Does the array of bytes begin with zeros,
 * for such maps, and is that what a map finds there when it begins? */
bool map_may_pack(const struct plan *plan, int tensor);
bool map_begins_with_zeros(const struct plan *plan);
/* May it where convs in lanes write and read it?  Does one write it? */
bool map_may_pair(const struct plan *plan, int tensor);
bool map_written_in_lanes(const struct plan *plan, int tensor);
bool map_finds_zeros(const struct plan *plan, int tensor);
/* Can the biases of all layers be read by the functions of map_across.c? */
bool map_biases_fit(const struct plan *plan);

/* The largest element of a tensor; -1 where one may be negative. */
int64_t map_largest(const struct plan *plan, int tensor);
bool map_has_border(const struct border *border);

/* map_code.c */
const struct coding *map_coding(const struct weights *weights);
/* Bytes of a row of `columns` weights; of plain numbers their count. */
int map_row_bytes(const struct coding *coding, int columns);
/* Byte `index` of a row. */
int map_byte(const struct coding *coding, const int16_t *row, int columns, int index);

/* Statements of the body of NAME_predict(), each line indented as its braces say. */
void map_add_indented(struct text *out, const struct text *body);

/* An index as a sum: "(y * 16) + x + 3" from three calls, without what is zero; text starts as "".
 */
#define INDEX_MAX 160
void map_add_term(char text[INDEX_MAX], const char *name, int scale);
const char *map_end_terms(char text[INDEX_MAX], int number);

/* The name of the array that a tensor lies in: "in", "out", "a" ... */
const char *map_array(const struct plan *plan, int tensor);

/* "(y * 12) + 3", or as much of it as is there. */
void map_scaled(char *text, size_t size, const char *index, int scale, int first);

/* ---- map_window.c ---- */

/* Does a window function compute the layer?  Its name; which one, of all layers, once views and
 * passes are known. */
bool map_walks(const struct plan *plan, int layer);
void map_plan_walkers(struct plan *plan);
const char *map_walker_name(const struct plan *plan, struct walker walker,
                            char name[HELPER_NAME_MAX]);
/* Does it serve all positions of a row? */
bool map_goes_across(const struct plan *plan, int layer);
/* The type of the array of a tensor's type. */
enum type map_array_type(const struct plan *plan, int tensor);
/* Weights of a row. */
int map_pass_columns(const struct pass *pass);
const char *map_weight_type(const struct plan *plan, int layer);
const char *map_reach_note(enum reach reach);
const char *map_coding_note(const struct coding *coding);
/* The functions. */
void map_print_window_helpers(struct printer *p);
/* Are two functions one? */
bool map_same_walker(struct walker a, struct walker b);
/* The next byte of weights into b (byte_type()), where it is time. */
void map_print_next_fields(struct text *out, const struct plan *plan);
/* `unit` follows constants of the type of `left`, which counts the digits in b: "U" or "". */
void map_print_next_digit(struct text *out, const struct plan *plan, const char *unit);
/* The sum of row `row` (C text) with its elements at `at`. */
void map_print_window(struct printer *p, int layer, const struct pass *pass, const char *at,
                      const char *row);

/* Bits of each bias of a layer, with a sign, and how many can be read. */
#define BIAS_BITS_MOST 24
int map_bias_bits(const struct layer *layer);

/* map_across_numbers.c: what tells apart the layers that one function serves, and their tables. */
struct walker_numbers map_numbers(const struct plan *plan, struct walker walker);
/* Is a number the same for all layers, and this? */
bool map_is_always(const struct walker_numbers *numbers, enum number number, int value);
/* "const int rows = (int)NAME_U8(shape, 4);" */
void map_print_number(struct text *out, const struct plan *plan,
                      const struct walker_numbers *numbers, enum number number);
const char *map_number_name(enum number number);
void map_print_across_tables(struct printer *p, int layer);
void map_need_across(const struct plan *plan, int layer, struct helpers *helpers);
/* Bytes in front of a row's weights: its bias, with its shift in the highest bits; of a row. */
int map_head_bytes(struct walker walker);
int map_across_row_bytes(const struct plan *plan, int layer, const struct pass *pass);
/* Which kind of results a layer has, of those that its function has: 0, 1 ... */
int map_result_kind(const struct plan *plan, int layer);

/* map_across_sums.c: the sums of one channel, at all positions of a row. */
void map_print_across_helper(struct printer *p, struct walker walker);
const char *map_sum_type(struct walker walker);
/* Do they read the table of numbers? */
bool map_sums_by_numbers(const struct plan *plan, struct walker walker);
/* What sums are lifted by before a shift. */
#define SUMS_LIFT 16384

/* map_across.c: their loops over channels. */
void map_print_alone_macro(struct printer *p);
void map_print_across_layers(struct printer *p);
/* Does it call the function that shifts sums of 32 bits? */
bool map_across_floors(const struct plan *plan, int layer);
void map_print_across_call(struct printer *p, int layer, const struct pass *pass);

/* map_rows.c: dense, conv, deconv */
void map_print_tables(struct printer *p);
void map_print_rows(struct printer *p, int layer);

/* Is the clamp of a layer in lanes or in a straight line part of its statements? */
bool map_clamps_itself(const struct plan *plan, int layer);
/* A layer's result of the sum s: shifted by `shift` if that is not NULL, activated if it `acts`,
 * and cast to the type of its array; ends the statement. */
void map_print_result(struct printer *p, int layer, const char *s, const char *shift, bool acts);
/* Does a prover not see how large a layer's inputs are?  They are bytes of an array of words.  Then
 * its results are clamped. */
bool map_hides(const struct plan *plan, int layer);
/* z = (sum in `bits` >> shift) - low, with t in between; then "to = ...", a layer's result of z,
 * whose range may be known; to a prover, too, for whom results with a sign are clamped if it is
 * not.
 */
void map_print_shifted(struct printer *p, const char *bits, const char *shift, const char *low);
void map_print_stored(struct printer *p, int layer, const char *to, const struct interval *z);

/* map_lanes.c, map_lanes_print.c: false when out of memory */
bool map_plan_lanes(struct plan *plan, int layer);
/* Bits of the results, where they are clamped to what a few bits hold from 0 on and no shift is too
 * far for a sum to show in 16 bits that it exceeds them; else 0. */
int map_lanes_bits(const struct plan *plan, int layer);
void map_print_lanes_table(struct printer *p, int layer);
void map_print_lanes_helper(struct printer *p, int layer);
void map_print_lanes(struct printer *p, int layer);
/* How far part `part` of the output lies from the first one, where its rows and columns are so far
 * from each other. */
int map_part_offset(const struct lanes *lanes, int part, int row, int column);

/* A loop over the columns `x` of a row of the map, and words from one to the next in turn. */
void map_open_columns(struct printer *p, const struct lanes *lanes);
void map_close_columns(struct printer *p, const struct lanes *lanes);
int map_lanes_column_words(const struct lanes *lanes);

/* Are there words of a map that no byte can tell, for a layer or those that share its function? */
bool map_lanes_far(const struct plan *plan, int layer);

/* Word `i` of a tile, from its first one, for one input. */
int map_lanes_offset(const struct plan *plan, int layer, int i);

/* Of a tile and of the map, and bytes of the table of weights. */
int map_lanes_words(const struct lanes *lanes);
int map_lanes_words_of_map(const struct lanes *lanes);
int map_lanes_bytes(const struct lanes *lanes);
/* s0 += q[0]; s1 += q[16]; ... */
void map_print_lanes_additions(struct printer *p, int layer, const char *in);
/* Adds the bytes of a portion to sums[]. */
void map_print_lanes_sums(struct printer *p, int words, const char *in);
/* Lets all sums begin at `base`. */
void map_print_lanes_start(struct printer *p, int layer, const char *sums, const char *in);
/* Does the function of lists do that itself? */
bool map_lanes_starts(const struct plan *plan, int layer);

/* Column `x` of the map, in words from the first one. */
int map_lanes_column(const struct lanes *lanes, int x);

/* map_lanes_lists.c: memory for `rows` rows; then appends one to lanes->bytes, as a list or as
 * steps, and *base is where its sums start.  False where they may leave 16 bits. */
bool map_start_lists(struct arena *arena, struct lanes *lanes, const struct window *window,
                     int rows);
bool map_list_lanes(struct lanes *lanes, const int16_t *weights, int32_t bias, int32_t *base);
void map_add_byte(struct lanes *lanes, int value);
void map_print_lanes_listed(struct printer *p, int layer);

/* map_lanes_thumb.c, map_lanes_riscv.c: the same function in assembly, where it is wanted and can
 * be; then what both put around their lines. */
bool map_has_thumb_lanes(const struct plan *plan, int layer);
void map_print_thumb_lanes(struct printer *p, int layer);
bool map_has_riscv_lanes(const struct plan *plan, int layer);
void map_print_riscv_lanes(struct printer *p, int layer);
void map_print_lanes_naked(struct printer *p, int layer, const struct text *code,
                           const char *clobbers);

/* map_lanes_steps.c: bytes of a row of so many weights, at most; the list of one sign, which gives
 * how many weights it has; the loop over a portion. */
size_t map_steps_most(const struct lanes *lanes, size_t weights);
int map_add_steps(struct lanes *lanes, const int16_t *weights, int sign);
void map_print_steps(struct printer *p, int layer);

/* map_lanes_bits.c: appends a row to lanes->words; *base is where its sums start.  False where they
 * may leave 16 bits. */
bool map_code_lanes(struct lanes *lanes, const int16_t *weights, int32_t bias, int32_t *base);
void map_print_lanes_coded(struct printer *p, int layer);

/* map_direct.c: false when out of memory */
bool map_plan_direct(struct plan *plan, int layer);
void map_print_direct_table(struct printer *p, int layer);
/* Will the conv be a straight line that can compute the max pool behind it? */
bool map_direct_pools(const struct plan *plan, int layer);
void map_print_direct(struct printer *p, int layer);
/* The statements of a position, or of two, from `p` to `to` (and `too`). */
void map_print_direct_sums(struct printer *p, int layer);

/* map_fuse.c: convs that write into the lanes of the only one that reads them. */
void map_fuse(struct plan *plan);
/* Elements of the input from the first part of the reader's lanes to another. */
int map_direct_part(const struct plan *plan, int layer, int part);
/* The rows of words from `y0` on, C text, of the strip that begins at the reader's row `v`. */
void map_print_direct_rows(struct printer *p, int layer, const char *y0);

/* map_sparse.c */
bool map_fits_sparse(const struct plan *plan, int layer);
bool map_has_sparse(const struct plan *plan);
/* Is its table one of bytes, two rows in each? */
bool map_sparse_in_bytes(const struct plan *plan);
/* Is what is negative stored as 0, so that nothing negative needs a shift? */
bool map_cuts_below(const struct plan *plan, int layer);
/* Column `column` of the rows first .. first + 7, each plus 8 in four bits, in fields of the word
 * that `fields` tells; rows that are not there count as zeros. */
uint32_t map_eight_rows(const struct weights *w, int first, int column, const int fields[8]);
void map_print_sparse_table(struct printer *p, int layer);
void map_print_sparse_helper(struct printer *p);
void map_print_sparse(struct printer *p, int layer);
/* The type of the lists' elements. */
const char *map_list_type(const struct plan *plan);
/* Behind "acc = ...", a sum without its bias: the rest, and the result of row i + j or of the next.
 */
void map_print_listed_row(struct printer *p, int layer, bool next);

/* map_planes.c: the bits of the inputs that a layer goes through, 0 where products are faster or 16
 * bits do not hold its sums. */
int map_planes(const struct plan *plan, int layer);
void map_print_planes_table(struct printer *p, int layer);
void map_print_planes_helpers(struct printer *p);
void map_print_planes(struct printer *p, int layer);

/* map_resize.c: a resize by blocks of few elements, and the function of its mean. */
bool map_resize_blocks(const struct plan *plan, int layer);
void map_print_mean(struct printer *p, int layer);
void map_print_blocks(struct printer *p, int layer);

/* map_last.c: argmax and softmax */
void map_print_powers(struct printer *p, int layer); /* functions of a softmax */
void map_print_chosen(struct printer *p, int layer);

/* map_move.c: what has no weights */
/* Element (y, x, c) of a tensor, each given as C text. */
void map_print_at(struct printer *p, int tensor, const char *y, const char *x, const char *c);
void map_print_areas(struct printer *p);
void map_print_move(struct printer *p, int layer);

/* map_head.c: the lines of the head comment about layers and weights; a layer as --net writes it;
 * bytes of its table of weights. */
void map_print_net(struct text *out, const struct plan *plan);
void map_layer_word(const struct net *net, const struct layer *layer, char *text, size_t size);
int64_t map_weight_bytes(const struct plan *plan, int layer);

/* map_explain.c; false when out of memory. */
bool map_explain(struct text *out, const struct plan *plan);

/* map_print.c: helpers and NAME_predict(); the comment in front of a layer; zeros from one element
 * of a tensor's array to another. */
void map_print(struct text *out, const struct plan *plan, const char *storage);
void map_print_note(struct printer *p, int layer);
void map_print_zeros(struct printer *p, int tensor, int first, int end);

#endif
