/* NumPy arrays and archives: every dtype, both orders, and no crash on any damage. */
#include "support/unit.h"

#include "base/rng.h"
#include "data/dataset.h"
#include "support/arrays.h"
#include "support/folder.h"
#include "support/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dataset *load(const struct text *file, const struct data_options *options)
{
    struct error err = {0};
    struct dataset *data = load_bytes(file->data, file->length, options, &err);
    if (!data) {
        print_error("%s\n", err.message);
    }
    assert_non_null(data);
    return data;
}

/* Values that the dtype holds exactly. */
static double some_value(const char *dtype, struct rng *rng)
{
    int size = dtype[2] - '0';
    double bits = size > 2 ? 20 : size == 2 ? 10 : 7;
    double most = (double)(1 << (int)bits);
    double whole = (double)(int64_t)rng_uniform(rng, dtype[1] == 'u' ? 0 : -most, most);
    return dtype[1] == 'b' ? (double)(rng_bits(rng) & 1) : dtype[1] == 'f' ? whole / 16 : whole;
}

static void test_dtypes(void **state)
{
    static const char *const dtypes[] = {"<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|i1",
                                         "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "|u1",
                                         "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", "|b1"};
    enum { ROWS = 37, COLUMNS = 5 };
    double values[ROWS * COLUMNS];
    struct data_options options = {.outputs = 2, .keep_columns = true};
    struct rng rng = rng_new(1, 0);
    (void)state;
    for (size_t d = 0; d < 2 * sizeof dtypes / sizeof *dtypes; d++) {
        struct text file = {0};
        for (size_t i = 0; i < ROWS * COLUMNS; i++) {
            values[i] = some_value(dtypes[d / 2], &rng);
        }
        npy_array(&file, dtypes[d / 2], d & 1, ROWS, COLUMNS, values);
        struct dataset *data = load(&file, &options);
        assert_int_equal(data->row_count, ROWS);
        assert_int_equal(data->input_count, COLUMNS - 2);
        for (size_t i = 0; i < ROWS * COLUMNS; i++) {
            assert_true((double)data_row(data, i / COLUMNS)[i % COLUMNS] == values[i]);
        }
        data_free(data);
        text_free(&file);
    }
}

/* Halves below the normal range, and the ends of the integer types. */
static void test_extremes(void **state)
{
    static const unsigned char halves[] = {1, 0, 0xff, 3, 0xff, 0x7b, 1, 0x80};
    struct data_options options = {.inputs_only = true};
    struct text file = {0};
    (void)state;
    npy_start(&file, 1, "{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }");
    text_bytes(&file, (const char *)halves, sizeof halves);
    struct dataset *data = load(&file, &options);
    assert_true(data_row(data, 0)[0] == 0x1p-24f);
    assert_true(data_row(data, 1)[0] == 1023 * 0x1p-24f);
    assert_true(data_row(data, 2)[0] == 65504.0f);
    assert_true(data_row(data, 3)[0] == -0x1p-24f);
    data_free(data);
    text_free(&file);
    static const unsigned char whole[] = {0,    0,    0,    0,    0,    0,    0,    0x80,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    npy_start(&file, 2, "{'shape': (2L, ), \"descr\": '<i8', 'fortran_order': True}");
    text_bytes(&file, (const char *)whole, sizeof whole);
    data = load(&file, &options);
    assert_true(data_row(data, 0)[0] == -0x1p63f);
    assert_true(data_row(data, 1)[0] == -1.0f);
    data_free(data);
    text_free(&file);
}

/* A small array, its table, and the same through all containers. */
static void small_array(struct text *file, size_t rows, size_t columns, int fortran)
{
    double values[256];
    struct rng rng = rng_new(7, 0);
    for (size_t i = 0; i < rows * columns; i++) {
        values[i] = (double)(rng_bits(&rng) % 16);
    }
    npy_array(file, "<f4", fortran, rows, columns, values);
}

static void test_containers(void **state)
{
    struct data_options options = {.outputs = 2};
    struct text file = {0};
    struct text fortran = {0};
    struct error err = {0};
    (void)state;
    small_array(&file, 9, 5, 0);
    small_array(&fortran, 9, 5, 1);
    struct dataset *plain = load(&file, &options);
    struct dataset *other = load(&fortran, &options);
    assert_true(same_data(plain, other));
    data_free(other);
    for (int deflated = 0; deflated < 2; deflated++) {
        struct zip_maker zip = {0};
        zip_add(&zip, "data.npy", file.data, file.length, deflated);
        zip_end(&zip);
        other = load(&zip.file, &options);
        assert_true(same_data(plain, other));
        data_free(other);
        zip_maker_free(&zip);
    }
    other = load_stdin(fortran.data, fortran.length, &options, &err);
    assert_non_null(other);
    assert_true(same_data(plain, other));
    data_free(other);
    data_free(plain);
    text_free(&file);
    text_free(&fortran);
}

static void test_pair(void **state)
{
    static const double x[] = {1, 2, 3, 4, 5, 6};
    static const double y[] = {30, 7, 30};
    struct text inputs = {0};
    struct text outputs = {0};
    struct zip_maker zip = {0};
    (void)state;
    npy_array(&inputs, ">f8", 1, 3, 2, x);
    npy_start(&outputs, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }");
    for (size_t i = 0; i < 3; i++) {
        npy_element(&outputs, "<i8", y[i]);
    }
    zip_add(&zip, "y.npy", outputs.data, outputs.length, 1);
    zip_add(&zip, "x.npy", inputs.data, inputs.length, 0);
    zip_end(&zip);
    struct data_options options = {0};
    struct dataset *data = load(&zip.file, &options);
    assert_int_equal(data->input_count, 2);
    assert_int_equal(data->output_count, 1);
    assert_true(data_row(data, 2)[0] == 5.0f && data_row(data, 1)[2] == 7.0f);
    data_free(data);
    options.label = "y";
    data = load(&zip.file, &options);
    assert_int_equal(data->class_count, 2);
    assert_string_equal(data->classes[0], "7");
    assert_string_equal(data->classes[1], "30");
    assert_true(data_row(data, 2)[2] == 1.0f);
    data_free(data);
    options = (struct data_options){.samples = 2};
    data = load(&zip.file, &options);
    assert_int_equal(data->row_count, 2);
    assert_true(data->more);
    data_free(data);
    options = (struct data_options){.inputs_only = true, .skip_outputs = true, .input_count = 2};
    data = load(&zip.file, &options);
    assert_int_equal(data->input_count, 2);
    assert_int_equal(data->row_count, 3);
    assert_true(data_row(data, 1)[1] == 4.0f);
    data_free(data);
    zip_maker_free(&zip);
    text_free(&inputs);
    text_free(&outputs);
}

/* 40 MB of a Fortran array, written in pieces: this process has to stay small. */
static void write_large(const char *path)
{
    struct text part = {0};
    npy_start(&part, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1000000, 10), }");
    scratch_write(path, part.data, part.length);
    part.length = 0;
    for (size_t i = 0; i < 1000; i++) {
        npy_element(&part, "<f4", (double)i);
    }
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(fwrite(part.data, 1, part.length, file), part.length);
    }
    assert_int_equal(fclose(file), 0);
    text_free(&part);
}

/* A Fortran array has to be turned: twice the data, and no more. */
static void test_fortran_memory(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* freed memory is kept for a while, to catch its use */
#endif
    const char *path = scratch_path("large.npy");
    write_large(path);
    struct peak peak = load_peak(path);
    assert_int_equal(peak.rows, 1000000);
    print_message("peak %ld kB for 39063 kB of values\n", peak.kilobytes);
    assert_true(peak.kilobytes < 2 * 39063 + 64 * 1024);
}

/* ---- damage ---- */

static const struct data_options any = {.inputs_only = true};

/* An error with a message, or a table: never a crash. */
static int survives(const char *path)
{
    struct error err = {0};
    struct dataset *data = data_load(path, &any, &err);
    assert_true(data ? !err.failed : err.failed && err.message[0]);
    data_free(data);
    return data != NULL;
}

/* Every prefix is refused, but for the whole and perhaps those without an end mark. */
static void check_prefixes(const struct text *file, int whole_only)
{
    const char *path = scratch_path("damaged");
    for (size_t length = 0; length < file->length; length++) {
        scratch_write(path, file->data, length);
        int read = survives(path);
        assert_true(!whole_only || !read);
    }
}

static void check_flips(struct text *file)
{
    const char *path = scratch_path("damaged");
    for (size_t bit = 0; bit < 8 * file->length; bit++) {
        file->data[bit / 8] = (char)(file->data[bit / 8] ^ 1 << bit % 8);
        scratch_write(path, file->data, file->length);
        (void)survives(path);
        file->data[bit / 8] = (char)(file->data[bit / 8] ^ 1 << bit % 8);
    }
}

static void test_damaged_npy(void **state)
{
    (void)state;
    for (int fortran = 0; fortran < 2; fortran++) {
        struct text file = {0};
        small_array(&file, 3, 4, fortran);
        check_prefixes(&file, 1);
        check_flips(&file);
        text_free(&file);
    }
}

static void test_damaged_npz(void **state)
{
    (void)state;
    for (int deflated = 0; deflated < 2; deflated++) {
        struct text file = {0};
        struct zip_maker zip = {0};
        small_array(&file, 3, 2, 0);
        zip_add(&zip, "x.npy", file.data, file.length, deflated);
        zip_add(&zip, "y.npy", file.data, file.length, deflated);
        zip_end(&zip);
        check_prefixes(&zip.file, 1);
        check_flips(&zip.file);
        zip_maker_free(&zip);
        text_free(&file);
    }
}

static void test_damaged_gz(void **state)
{
    struct text text = {0};
    struct text file = {0};
    size_t size = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        text_printf(&text, "%d,%d.5\n", i * i, i);
    }
    unsigned char *packed = gzip_bytes(text.data, text.length, &size);
    text_bytes(&file, (const char *)packed, size);
    check_prefixes(&file, 1);
    check_flips(&file);
    free(packed);
    text_free(&text);
    text_free(&file);
}

/* The memory test comes first: a child's peak starts at what its parent holds. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fortran_memory), cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_extremes),       cmocka_unit_test(test_containers),
        cmocka_unit_test(test_pair),           cmocka_unit_test(test_damaged_npy),
        cmocka_unit_test(test_damaged_npz),    cmocka_unit_test(test_damaged_gz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
