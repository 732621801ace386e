/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index_options.h"

#include "rules/glob.h"
#include "rules/imagename.h"

/* Less is more selective. Only decides between keys that equally many sets share. */
static unsigned int rank_of(enum gr_field field, enum gr_index_kind kind)
{
    static const unsigned int ranks[GR_FIELD_COUNT] = {
        [GR_FIELD_IMAGE] = 0,
        [GR_FIELD_POD_ANNOTATIONS] = 1,
        [GR_FIELD_CONTAINER_ANNOTATIONS] = 1,
        [GR_FIELD_ANNOTATIONS] = 2,
        [GR_FIELD_POD_NAME] = 3,
        [GR_FIELD_POD_LABELS] = 4,
        [GR_FIELD_CONTAINER_LABELS] = 4,
        [GR_FIELD_CONTAINER_NAME] = 5,
        [GR_FIELD_COMMAND] = 6,
        [GR_FIELD_NAMESPACE] = 7,
        [GR_FIELD_ANY_ANNOTATION] = 3,
        [GR_FIELD_REQUESTED] = 2,
        [GR_FIELD_MOUNTS] = 5,
        [GR_FIELD_ARGS] = 6,
        [GR_FIELD_ENV] = 6,
        [GR_FIELD_RUNTIME_HANDLER] = 8,
        [GR_FIELD_RUNTIME] = 9,
    };
    bool whole = kind == GR_INDEX_EXACT || kind == GR_INDEX_TAG;

    return ranks[field] + (whole ? 0 : 10);
}

static size_t add(struct gr_index_option *options, size_t n, struct gr_index_option option)
{
    options[n] = option;
    return n + 1;
}

static uint64_t slot_of(const struct gr_cond *leaf)
{
    return gr_field_is_map(leaf->field) ? gr_index_entry_slot(gr_hash(leaf->key), leaf->field)
                                        : gr_index_scalar_slot(leaf->field);
}

/* The text of a map's entry that must begin and end with the given texts; either may be empty. */
static size_t text_options(const struct gr_cond *leaf, struct gr_str prefix, struct gr_str suffix,
                           struct gr_index_option *options)
{
    uint64_t slot = slot_of(leaf);
    size_t n = 0;

    prefix = gr_str_first(prefix, GR_INDEX_PART_MAX);
    suffix = gr_str_skip(suffix, suffix.n - GR_MIN(suffix.n, (size_t)GR_INDEX_PART_MAX));
    if (prefix.n > 0)
        n = add(options, n,
                (struct gr_index_option){
                    .kind = GR_INDEX_PREFIX,
                    .key = gr_index_text(gr_hash_more(slot, prefix), GR_INDEX_PREFIX),
                    .length = prefix.n,
                    .rank = rank_of(leaf->field, GR_INDEX_PREFIX),
                });
    if (suffix.n > 0)
        n = add(options, n,
                (struct gr_index_option){
                    .kind = GR_INDEX_SUFFIX,
                    .key = gr_index_text(gr_index_reverse(slot, suffix), GR_INDEX_SUFFIX),
                    .length = suffix.n,
                    .rank = rank_of(leaf->field, GR_INDEX_SUFFIX),
                });
    if (n == 0 && gr_field_is_map(leaf->field))
        n = add(options, n,
                (struct gr_index_option){.kind = GR_INDEX_ENTRY,
                                         .key = slot,
                                         .rank = rank_of(leaf->field, GR_INDEX_ENTRY)});
    return n;
}

static size_t exact_option(const struct gr_cond *leaf, struct gr_str text,
                           struct gr_index_option *options)
{
    return add(options, 0,
               (struct gr_index_option){
                   .kind = GR_INDEX_EXACT,
                   .key = gr_index_text(gr_hash_more(slot_of(leaf), text), GR_INDEX_EXACT),
                   .length = text.n,
                   .rank = rank_of(leaf->field, GR_INDEX_EXACT),
               });
}

/* The state after the segments [0, n), with a "/" between two. */
static uint64_t hash_segments(const struct gr_image_segment *segments, size_t n)
{
    uint64_t state = gr_index_scalar_slot(GR_FIELD_IMAGE);

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            state = gr_index_byte(state, '/');
        state = gr_hash_more(state, segments[i].text);
    }
    return state;
}

static size_t whole_image_options(const struct gr_image_pattern *pattern,
                                  struct gr_index_option *options)
{
    uint64_t state = hash_segments(pattern->segments, pattern->n);
    size_t n = 0;

    n = add(options, n,
            (struct gr_index_option){.kind = GR_INDEX_EXACT,
                                     .key = gr_index_text(state, GR_INDEX_EXACT),
                                     .rank = rank_of(GR_FIELD_IMAGE, GR_INDEX_EXACT)});
    if (pattern->has_tag && pattern->tag_is_literal)
        n = add(options, n,
                (struct gr_index_option){
                    .kind = GR_INDEX_TAG,
                    .key = gr_index_text(gr_hash_more(gr_index_byte(state, ':'), pattern->tag),
                                         GR_INDEX_TAG),
                    .also = gr_index_text(state, GR_INDEX_NO_TAG),
                    .rank = rank_of(GR_FIELD_IMAGE, GR_INDEX_TAG),
                });
    return n;
}

/* What stands before the first wildcard; all segments before at are literal. */
static size_t image_prefix(const struct gr_image_pattern *pattern, size_t at,
                           struct gr_index_option *options, size_t n)
{
    const struct gr_image_segment *stop = &pattern->segments[at];
    struct gr_str part = GR_STR_NONE;
    uint64_t state;

    if (stop->kind == GR_SEGMENT_GLOB)
        part = gr_str_first(stop->text, gr_glob_literal_prefix(stop->text));
    else if (at > 0)
        part = pattern->segments[--at].text;
    if (at == 0 && part.n == 0)
        return n;
    state = hash_segments(pattern->segments, at);
    if (at > 0)
        state = gr_index_byte(state, '/');
    part = gr_str_first(part, GR_INDEX_PART_MAX);
    state = gr_hash_more(state, part);
    return add(options, n,
               (struct gr_index_option){.kind = GR_INDEX_PREFIX,
                                        .key = gr_index_text(state, GR_INDEX_PREFIX),
                                        .length = part.n,
                                        .rank = rank_of(GR_FIELD_IMAGE, GR_INDEX_PREFIX)});
}

/* The same from the end: all segments behind at are literal. */
static size_t image_suffix(const struct gr_image_pattern *pattern, size_t at,
                           struct gr_index_option *options, size_t n)
{
    const struct gr_image_segment *stop = &pattern->segments[at];
    uint64_t state = gr_index_scalar_slot(GR_FIELD_IMAGE);
    struct gr_str part = GR_STR_NONE;

    if (stop->kind == GR_SEGMENT_GLOB)
        part = gr_str_skip(stop->text, stop->text.n - gr_glob_literal_suffix(stop->text));
    else if (at + 1 < pattern->n)
        part = pattern->segments[++at].text;
    if (at + 1 == pattern->n && part.n == 0)
        return n;
    for (size_t i = pattern->n; i > at + 1; i--) {
        state = gr_index_reverse(state, pattern->segments[i - 1].text);
        state = gr_index_byte(state, '/');
    }
    part = gr_str_skip(part, part.n - GR_MIN(part.n, (size_t)GR_INDEX_PART_MAX));
    state = gr_index_reverse(state, part);
    return add(options, n,
               (struct gr_index_option){.kind = GR_INDEX_SUFFIX,
                                        .key = gr_index_text(state, GR_INDEX_SUFFIX),
                                        .length = part.n,
                                        .rank = rank_of(GR_FIELD_IMAGE, GR_INDEX_SUFFIX)});
}

static size_t image_options(const struct gr_image_pattern *pattern, struct gr_index_option *options)
{
    size_t first = 0;
    size_t last = pattern->n;
    size_t n;

    while (first < pattern->n && pattern->segments[first].kind == GR_SEGMENT_LITERAL)
        first++;
    if (first == pattern->n)
        return whole_image_options(pattern, options);
    while (pattern->segments[last - 1].kind == GR_SEGMENT_LITERAL)
        last--;
    n = image_prefix(pattern, first, options, 0);
    return image_suffix(pattern, last - 1, options, n);
}

size_t gr_index_options(const struct gr_cond *leaf, const struct gr_test *test,
                        struct gr_index_option options[GR_INDEX_OPTIONS_MAX])
{
    bool is_image = leaf->field == GR_FIELD_IMAGE;

    switch (test->kind) {
    case GR_TEST_IMAGE:
        return is_image ? image_options(test->image, options) : 0;
    case GR_TEST_EXACT:
        return is_image ? 0 : exact_option(leaf, test->text, options);
    case GR_TEST_PREFIX:
        return is_image ? 0 : text_options(leaf, test->text, GR_STR_NONE, options);
    case GR_TEST_GLOB:
        if (is_image)
            return 0;
        if (gr_glob_literal_prefix(test->text) == test->text.n)
            return exact_option(leaf, test->text, options);
        return text_options(
            leaf, gr_str_first(test->text, gr_glob_literal_prefix(test->text)),
            gr_str_skip(test->text, test->text.n - gr_glob_literal_suffix(test->text)), options);
    case GR_TEST_EXISTS:
        return test->exists ? text_options(leaf, GR_STR_NONE, GR_STR_NONE, options) : 0;
    case GR_TEST_REGEX:
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
        break;
    }
    return 0;
}
