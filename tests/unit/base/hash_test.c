/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/hash.h"

/* From the reference implementation's test vectors of FNV-1a, 64 bits. */
static const struct row {
    const char *name;
    struct gr_str s;
    uint64_t hash;
} rows[] = {
    {"empty", {"", 0}, UINT64_C(0xcbf29ce484222325)},
    {"NULL", {NULL, 0}, UINT64_C(0xcbf29ce484222325)},
    {"a", {"a", 1}, UINT64_C(0xaf63dc4c8601ec8c)},
    {"b", {"b", 1}, UINT64_C(0xaf63df4c8601f1a5)},
    {"foobar", {"foobar", 6}, UINT64_C(0x85944171f73967e8)},
    {"NUL", {"\0", 1}, UINT64_C(0xaf63bd4c8601b7df)},
    {"a high byte", {"\xff", 1}, UINT64_C(0xaf64724c8602eb6e)},
};

static void hash(void **state)
{
    const struct row *row = *state;

    if (gr_hash(row->s) != row->hash)
        fail_msg("found %llx", (unsigned long long)gr_hash(row->s));
}

static void test_in_parts(void **state GR_UNUSED)
{
    struct gr_str whole = GR_STR("some text in parts");

    for (size_t at = 0; at <= whole.n; at++) {
        uint64_t found = gr_hash_more(GR_HASH_START, gr_str_first(whole, at));

        assert_int_equal(gr_hash_more(found, gr_str_skip(whole, at)), gr_hash(whole));
    }
}

int main(void)
{
    TEST_ADD_ROWS(hash, rows);
    test_add("in parts", test_in_parts);
    return test_run("base/hash");
}
