/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "app/proc_stat.h"

#define BEHIND                                                                   \
    " S 41 42 42 0 -1 4194560 100 0 0 0 150 51 0 0 20 0 3 0 987654 1048576 321 " \
    "18446744073709551615 1\n"

struct row {
    const char *name;
    const char *text;
    enum gr_proc_stat_field field;
    bool there;
    uint64_t number;
};

static const struct row rows[] = {
    {"parent", "42 (grapnel)" BEHIND, GR_PROC_STAT_PARENT, true, 41},
    {"user time", "42 (grapnel)" BEHIND, GR_PROC_STAT_USER_TIME, true, 150},
    {"system time", "42 (grapnel)" BEHIND, GR_PROC_STAT_SYSTEM_TIME, true, 51},
    {"start", "42 (grapnel)" BEHIND, GR_PROC_STAT_START, true, 987654},
    {"virtual", "42 (grapnel)" BEHIND, GR_PROC_STAT_VIRTUAL_BYTES, true, 1048576},
    {"resident", "42 (grapnel)" BEHIND, GR_PROC_STAT_RESIDENT_PAGES, true, 321},
    {"a name with blanks", "42 (a b c)" BEHIND, GR_PROC_STAT_PARENT, true, 41},
    {"a name that tells another parent", "42 (x) S 1 (y)" BEHIND, GR_PROC_STAT_PARENT, true, 41},
    {"a name with a line feed", "42 (a\n)" BEHIND, GR_PROC_STAT_PARENT, true, 41},
    {"the last of all", "42 (a) S 41", GR_PROC_STAT_PARENT, true, 41},
    {"the last of all in a line", "42 (a) S 41\n", GR_PROC_STAT_PARENT, true, 41},
    {"ends before", "42 (a) S 41 42\n", GR_PROC_STAT_START, false, 0},
    {"nothing behind the name", "42 (a)", GR_PROC_STAT_PARENT, false, 0},
    {"no name", "42 S 41", GR_PROC_STAT_PARENT, false, 0},
    {"no number", "42 (a) S x 42", GR_PROC_STAT_PARENT, false, 0},
    {"negative", "42 (a) S -1 42", GR_PROC_STAT_PARENT, false, 0},
    {"nothing", "", GR_PROC_STAT_PARENT, false, 0},
};

static void reads(void **state)
{
    const struct row *row = *state;
    size_t n = strlen(row->text);
    uint8_t *text = test_exact(row->text, n);
    uint64_t number = 0;

    assert_int_equal(gr_proc_stat(gr_str_bytes(text, n), row->field, &number), row->there);
    assert_true(number == row->number);
    free(text);
}

int main(void)
{
    TEST_ADD_ROWS(reads, rows);
    return test_run("proc_stat");
}
