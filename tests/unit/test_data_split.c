/* The split: parts are disjoint, cover all rows, keep their beginning, and are never empty. */
#include "support/unit.h"

#include "data/dataset.h"

#include <stdlib.h>

static void test_cover(void **state)
{
    (void)state;
    for (size_t rows = 3; rows < 60; rows++) {
        struct dataset data = {.row_count = rows};
        size_t total = 0;
        for (int part = PART_TRAIN; part <= PART_TEST; part++) {
            size_t count = 0;
            uint32_t *list = data_part_rows(&data, rows * 7, (enum part)part, &count);
            assert_non_null(list);
            assert_true(count > 0);
            for (size_t i = 0; i < count; i++) {
                assert_true(list[i] < rows && (i == 0 || list[i] > list[i - 1]));
                assert_int_equal(data_part(rows * 7, list[i]), part);
            }
            total += count;
            free(list);
        }
        assert_int_equal(total, rows);
    }
}

static void test_tiny(void **state)
{
    (void)state;
    struct dataset none = {0};
    size_t count = 1;
    uint32_t *list = data_part_rows(&none, 1, PART_TEST, &count);
    assert_non_null(list);
    assert_int_equal(count, 0);
    free(list);
}

static void test_ratios(void **state)
{
    enum { ROWS = 100000 };
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        size_t counts[3] = {0};
        size_t places[10] = {0};
        for (size_t row = 0; row < ROWS; row++) {
            enum part part = data_part(seed, row);
            counts[part]++;
            places[row % 10] += part == PART_TEST;
        }
        assert_true(counts[PART_VALIDATION] == ROWS / 10 && counts[PART_TEST] == ROWS / 10);
        for (int i = 0; i < 10; i++) { /* no place of a period is preferred: 1000 +- 5 sigma */
            assert_true(places[i] > 850 && places[i] < 1150);
        }
    }
}

/* Pinned: a changed split would silently change every score. */
static void test_pinned(void **state)
{
    static const char expected[] = "Tv.........v....T...T.v.........T.v.........vT....Tv........";
    char found[sizeof expected] = {0};
    (void)state;
    for (size_t row = 0; row + 1 < sizeof expected; row++) {
        enum part part = data_part(1, row);
        found[row] = part == PART_TRAIN ? '.' : part == PART_TEST ? 'T' : 'v';
    }
    assert_string_equal(found, expected);
}

static void test_seeds_differ(void **state)
{
    size_t differences = 0;
    (void)state;
    for (size_t row = 0; row < 1000; row++) {
        differences += data_part(1, row) != data_part(2, row);
    }
    assert_true(differences > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cover),        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_ratios),       cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
