/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/utc.h"

static const struct row {
    const char *text;
    int64_t seconds;
} rows[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1969-12-31T23:59:59Z", -1},
    {"2000-02-29T00:00:00Z", 951782400},
    {"2026-01-01T00:00:00Z", 1767225600},
    {"1000-01-01T00:00:00Z", INT64_C(-30610224000)},
    {"-30610224001", INT64_C(-30610224001)},
    {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
    {"253402300800", INT64_C(253402300800)},
    {"9223372036854775807", INT64_MAX},
    {"-9223372036854775808", INT64_MIN},
};

static void says(void **state)
{
    const struct row *row = *state;
    char text[GR_UTC_BYTES];

    assert_ptr_equal(gr_utc_text(row->seconds, text), text);
    assert_string_equal(text, row->text);
}

int main(void)
{
    TEST_ADD_ROWS(says, rows);
    return test_run("utc");
}
