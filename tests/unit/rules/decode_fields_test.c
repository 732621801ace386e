/* SPDX-License-Identifier: Apache-2.0 */
/* The leaves of a match over one text, their forms, and how conditions nest. */
#include "rules/decoding.h"

static void test_always(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match("{always: true}", &cond);

    (void)state;
    assert_int_equal(cond->kind, GR_COND_ALWAYS);
    assert_true(cond->always);
    decoded_free(decoded);
    decoded = decode_match("{always: false}", &cond);
    assert_false(cond->always);
    decoded_free(decoded);
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < GR_FIELD_COUNT; i++) {
        enum gr_field field = (enum gr_field)i;
        const struct gr_cond *cond;
        struct decoded *decoded;
        char match[128];

        /* The others are in decode_match_test.c. */
        if (gr_field_has_parts(field) || field == GR_FIELD_REQUESTED)
            continue;
        (void)snprintf(match, sizeof(match), gr_field_is_map(field) ? "{%s: {k: v}}" : "{%s: v}",
                       gr_field_name(field));
        decoded = decode_match(match, &cond);
        assert_int_equal(cond->kind, GR_COND_LEAF);
        assert_int_equal(cond->field, field);
        assert_str(cond->key, gr_field_is_map(field) ? "k" : "");
        assert_int_equal(cond->tests.n, 1);
        assert_int_equal(cond->tests.items[0].kind,
                         field == GR_FIELD_IMAGE ? GR_TEST_IMAGE : GR_TEST_EXACT);
        assert_str(cond->tests.items[0].text, "v");
        assert_int_equal(cond->line, 4);
        decoded_free(decoded);
    }
}

static void test_forms(void **state)
{
    static const enum gr_test_kind kinds[] = {GR_TEST_EXACT,  GR_TEST_EXACT, GR_TEST_GLOB,
                                              GR_TEST_PREFIX, GR_TEST_IN,    GR_TEST_NOT_IN,
                                              GR_TEST_EXISTS, GR_TEST_EXACT};
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{podLabels: {k: [a, {exact: 'b*'}, {glob: 'c?'}, {prefix: 'd*'}, "
                     "{in: [e, f]}, {notIn: ['']}, {exists: true}, '']}}",
                     &cond);

    (void)state;
    assert_int_equal(cond->tests.n, GR_ARRAY_LEN(kinds));
    for (size_t i = 0; i < GR_ARRAY_LEN(kinds); i++)
        assert_int_equal(cond->tests.items[i].kind, kinds[i]);
    assert_str(cond->tests.items[1].text, "b*");
    assert_str(cond->tests.items[3].text, "d*");
    assert_int_equal(cond->tests.items[4].items_n, 2);
    assert_str(cond->tests.items[4].items[1].text, "f");
    assert_int_equal(cond->tests.items[4].items[1].kind, GR_TEST_EXACT);
    assert_true(cond->tests.items[6].exists);
    assert_int_equal(cond->tests.items[2].line, 4);
    assert_int_equal(cond->tests.items[2].column, 45);
    assert_int_equal(cond->tests.items[7].text.n, 0);
    decoded_free(decoded);
}

static void test_expressions(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match("{podLabels: {k: [{regex: 'a+\\.b'}, {regex: c, search: "
                                           "true}, {search: false, regex: d}]}}",
                                           &cond);
    uint64_t steps = GR_MATCH_STEPS_MAX;

    (void)state;
    assert_int_equal(cond->tests.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cond->tests.items[i].kind, GR_TEST_REGEX);
        assert_int_equal(gr_regex_is_search(cond->tests.items[i].regex), i == 1);
    }
    assert_str(cond->tests.items[0].text, "a+\\.b");
    assert_int_equal(gr_regex_match(cond->tests.items[0].regex, GR_STR("aa.b"), &steps), GR_TRUE);
    assert_int_equal(gr_regex_match(cond->tests.items[0].regex, GR_STR("aa.bc"), &steps), GR_FALSE);
    assert_int_equal(gr_regex_match(cond->tests.items[1].regex, GR_STR("abcd"), &steps), GR_TRUE);
    assert_int_equal(gr_regex_match(cond->tests.items[2].regex, GR_STR("abcd"), &steps), GR_FALSE);
    decoded_free(decoded);
}

static void test_images(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded =
        decode_match("{image: ['nginx:*', {in: ['a/**', b]}, {notIn: ['**:latest']}]}", &cond);

    (void)state;
    assert_int_equal(cond->tests.n, 3);
    assert_int_equal(cond->tests.items[0].kind, GR_TEST_IMAGE);
    assert_non_null(cond->tests.items[0].image);
    assert_int_equal(cond->tests.items[1].kind, GR_TEST_IN);
    assert_int_equal(cond->tests.items[1].items[0].kind, GR_TEST_IMAGE);
    assert_non_null(cond->tests.items[1].items[1].image);
    assert_non_null(cond->tests.items[2].items[0].image);
    decoded_free(decoded);
}

static void test_nesting(void **state)
{
    const struct gr_cond *cond;
    struct decoded *decoded = decode_match(
        "{any: [{podLabels: {a: b, c: d}}, {all: [{not: {namespace: ns}}, {runtime: rt}]}]}",
        &cond);

    (void)state;
    assert_int_equal(cond->kind, GR_COND_ANY);
    assert_int_equal(cond->children_n, 2);
    assert_int_equal(cond->children[0].kind, GR_COND_ALL);
    assert_str(cond->children[0].children[1].key, "c");
    assert_int_equal(cond->children[1].kind, GR_COND_ALL);
    assert_int_equal(cond->children[1].children[0].kind, GR_COND_NOT);
    assert_int_equal(cond->children[1].children[0].children_n, 1);
    assert_int_equal(cond->children[1].children[0].children[0].field, GR_FIELD_NAMESPACE);
    decoded_free(decoded);
}

int main(void)
{
    test_add("always", test_always);
    test_add("fields", test_fields);
    test_add("forms", test_forms);
    test_add("expressions", test_expressions);
    test_add("images", test_images);
    test_add("nesting", test_nesting);
    return test_run("decode_fields");
}
