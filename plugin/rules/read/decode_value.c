/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_value: what a leaf of a match compares with.
 *
 * Layer: rules. A scalar is an exact text (for image: a pattern); a mapping is one form; a list is
 * any of its elements, which are scalars and forms.
 */
#include <errno.h>

#include "base/utf8.h"
#include "rules/read/decode_parts.h"
#include "rules/pattern/glob.h"
#include "rules/limits.h"

/* What the form's table writes into. */
struct form {
    struct gr_test test;
    const struct gr_yaml_node *regex; /* NULL: the form is another one */
    bool search;
    bool is_image;
};

static bool has_wildcard(struct gr_str text)
{
    return gr_glob_literal_prefix(text) < text.n;
}

static int decode_image(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_test *test)
{
    struct gr_err err = {0};
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_PATTERN_MAX_BYTES, &test->text);

    if (r != 0)
        return r;
    r = gr_image_pattern_parse(d->arena, test->text, &test->image, &err);
    if (r == -EINVAL)
        return gr_decode_refuse_err(d, node->at, &err);
    test->kind = GR_TEST_IMAGE;
    return r;
}

static int refuse_wildcard(struct gr_decoder *d, const struct gr_yaml_node *node)
{
    struct gr_shown shown = gr_show(node->text);

    return gr_decode_refuse(d, node->at, "bare-glob",
                            "\"%s\" would be compared as it stands; for a pattern write "
                            "{glob: \"%s\"}, for this very text {exact: \"%s\"}",
                            shown.text, shown.text, shown.text);
}

/* A scalar that is no form: alone, in a list, or in the list of in and notIn. */
static int decode_scalar(struct gr_decoder *d, const struct gr_yaml_node *node, bool is_image,
                         struct gr_test *test)
{
    int r;

    test->line = node->at.line;
    test->column = node->at.column;
    if (is_image)
        return decode_image(d, node, test);
    r = gr_decode_text_copy(d, node, GR_TEXT_BLOCK, GR_YAML_SCALAR_MAX_BYTES, &test->text);
    if (r != 0)
        return r;
    if (has_wildcard(test->text))
        return refuse_wildcard(d, node);
    test->kind = GR_TEST_EXACT;
    return 0;
}

/* The other forms make no sense for an image, whose names are compared part by part. */
static int check_not_image(struct gr_decoder *d, const struct gr_yaml_node *node,
                           const struct form *form)
{
    if (!form->is_image)
        return 0;
    return gr_decode_refuse(
        d, node->key_at, "bad-form",
        "an image is always compared with a pattern; write the pattern itself, "
        "such as \"registry.example.com/team/**\", or {in: […]} or {notIn: […]}");
}

static int decode_exact(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;
    int r = check_not_image(d, node, form);

    if (r == 0)
        r = gr_decode_text_copy(d, node, GR_TEXT_BLOCK, GR_YAML_SCALAR_MAX_BYTES, &form->test.text);
    form->test.kind = GR_TEST_EXACT;
    return r;
}

static int decode_pattern(struct gr_decoder *d, const struct gr_yaml_node *node, struct form *form)
{
    int r = check_not_image(d, node, form);

    if (r == 0)
        r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_PATTERN_MAX_BYTES, &form->test.text);
    if (r == 0 && form->test.text.n == 0)
        r = gr_decode_refuse(d, node->at, "empty",
                             "an empty text means nothing here; write {exact: \"\"} for the empty "
                             "value");
    return r;
}

static int decode_glob(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;

    form->test.kind = GR_TEST_GLOB;
    return decode_pattern(d, node, form);
}

static int decode_prefix(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;

    form->test.kind = GR_TEST_PREFIX;
    return decode_pattern(d, node, form);
}

static int decode_items(struct gr_decoder *d, const struct gr_yaml_node *node, struct form *form)
{
    struct gr_test *items;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_VALUES_MAX);

    if (r != 0)
        return r;
    items = gr_arena_array(d->arena, node->n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = decode_scalar(d, item, form->is_image, &items[n]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    form->test.items = items;
    form->test.items_n = n;
    return 0;
}

static int decode_in(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;

    form->test.kind = GR_TEST_IN;
    return decode_items(d, node, form);
}

static int decode_not_in(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;

    form->test.kind = GR_TEST_NOT_IN;
    return decode_items(d, node, form);
}

static int decode_exists(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;
    int r = check_not_image(d, node, form);

    form->test.kind = GR_TEST_EXISTS;
    return r ? r : gr_decode_bool(d, node, &form->test.exists);
}

static int decode_regex(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;

    form->test.kind = GR_TEST_REGEX;
    form->regex = node;
    return decode_pattern(d, node, form);
}

static int decode_search(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct form *form = target;

    return gr_decode_bool(d, node, &form->search);
}

/* Where a character (from 1) of a scalar's text stands in the file, if that can be said: a block
 * and a text with other escapes than its quotes need keep the place of the scalar. */
static struct gr_place place_in(const struct gr_yaml_node *node, uint32_t character)
{
    struct gr_place place = node->at;
    struct gr_str text = node->text;

    if (!node->plain && !node->quote)
        return place;
    place.column += node->quote ? 1 : 0;
    for (uint32_t i = 1; i < character && text.n > 0; i++) {
        bool doubled = text.p[0] == node->quote || (node->quote == '"' && text.p[0] == '\\');

        place.column += doubled ? 2 : 1;
        text = gr_str_skip(text, GR_MAX(gr_utf8_next(text, NULL), (size_t)1));
    }
    return place;
}

/* Once it is known whether search stands beside it. */
static int compile_regex(struct gr_decoder *d, struct form *form)
{
    size_t before = gr_field_path_key(&d->path, GR_STR("regex"));
    struct gr_err err = {0};
    int r = gr_regex_compile(d->arena, form->test.text, form->search, &form->test.regex, &err);

    if (r == -EINVAL)
        r = gr_decode_refuse_err(d, place_in(form->regex, err.column), &err);
    gr_field_path_cut(&d->path, before);
    return r;
}

/* One key, or regex and search. */
static int check_keys(struct gr_decoder *d, const struct gr_yaml_node *node,
                      const struct form *form)
{
    const struct gr_yaml_node *search = gr_yaml_get(node, "search");

    if (search && !form->regex)
        return gr_decode_refuse(d, search->key_at, "bad-form",
                                "search stands beside regex only and lets any part of the value "
                                "match; write {regex: \"…\", search: true}");
    if (node->n > (search ? 2U : 1U))
        return gr_decode_refuse(d, node->at, "bad-form",
                                "expected exactly one of exact, glob, prefix, regex, in, notIn and "
                                "exists, found %zu keys; write a list of forms for OR, all: […] "
                                "for AND",
                                node->n);
    return 0;
}

static int decode_form(struct gr_decoder *d, const struct gr_yaml_node *node, bool is_image,
                       struct gr_test *test)
{
    static const struct gr_key keys[] = {
        {"exact", decode_exact, 0, NULL},   {"glob", decode_glob, 0, NULL},
        {"prefix", decode_prefix, 0, NULL}, {"regex", decode_regex, 0, NULL},
        {"search", decode_search, 0, NULL}, {"in", decode_in, 0, NULL},
        {"notIn", decode_not_in, 0, NULL},  {"exists", decode_exists, 0, NULL},
    };
    struct form form = {.test = {.line = node->at.line, .column = node->at.column},
                        .is_image = is_image};
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), &form);

    if (r == 0)
        r = check_keys(d, node, &form);
    if (r == 0 && form.regex)
        r = compile_regex(d, &form);
    if (r == 0)
        *test = form.test;
    return r;
}

static int decode_one(struct gr_decoder *d, const struct gr_yaml_node *node, bool is_image,
                      struct gr_test *test)
{
    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind == GR_YAML_MAPPING)
        return decode_form(d, node, is_image, test);
    if (node->kind == GR_YAML_LIST)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "a list in a list means nothing here; put the elements into one "
                                "list");
    return decode_scalar(d, node, is_image, test);
}

int gr_decode_tests(struct gr_decoder *d, const struct gr_yaml_node *node, bool is_image,
                    struct gr_tests *out_tests)
{
    const struct gr_yaml_node *element = node;
    bool is_list = node->kind == GR_YAML_LIST;
    struct gr_test *tests;
    size_t n = 0;
    int r = is_list ? gr_decode_check_list(d, node, GR_VALUES_MAX) : 0;

    if (r != 0)
        return r;
    tests = gr_arena_array(d->arena, is_list ? node->n : 1, sizeof(*tests));
    if (!tests)
        return -ENOMEM;
    for (element = is_list ? node->first : node; element; n++) {
        size_t before = is_list ? gr_field_path_index(&d->path, n) : d->path.n;

        r = decode_one(d, element, is_image, &tests[n]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
        element = is_list ? element->next : NULL;
    }
    *out_tests = (struct gr_tests){.items = tests, .n = n};
    return 0;
}
