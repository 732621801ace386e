/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/index_options.h"

#include "rules/pattern/glob.h"
#include "rules/pattern/imagename.h"

/* Less is more selective. Only decides between keys that equally many sets share. */
static unsigned int rank_of(const struct gr_index_spot *spot, enum gr_index_kind kind)
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
    /* "true" and "bind" are everywhere. */
    bool common = spot->place == GR_INDEX_ENTRY_PLACE(GR_ENTRY_VALUE) ||
                  spot->place == GR_INDEX_MOUNT_PLACE(GR_MOUNT_TYPE);

    return ranks[spot->field] + (whole ? 0 : 10) + (common ? 20 : 0);
}

static const struct gr_index_spot image_spot = {.place = GR_FIELD_IMAGE, .field = GR_FIELD_IMAGE};

static void add(struct gr_index_options *options, struct gr_index_option option)
{
    options->items[options->n++] = option;
}

/* What a text must have: all of them hold; empty ones say nothing. */
struct needs {
    struct gr_str prefix, suffix, inner;
    uint64_t also; /* for each of the options */
};

/* Each gram of a text is a key that would do. */
static void gram_options(const struct gr_index_spot *spot, const struct needs *needs,
                         struct gr_index_options *options)
{
    size_t n = needs->inner.n < GR_INDEX_GRAM_BYTES
                   ? 0
                   : GR_MIN(needs->inner.n - GR_INDEX_GRAM_BYTES + 1, (size_t)GR_INDEX_GRAMS_MAX);

    for (size_t i = 0; i < n; i++)
        add(options, (struct gr_index_option){
                         .kind = GR_INDEX_GRAM,
                         .key = gr_index_gram(spot->slot, needs->inner.p + i),
                         .also = needs->also,
                         .rank = rank_of(spot, GR_INDEX_GRAM),
                         .gram_bit = gr_index_gram_bit(needs->inner.p + i),
                     });
}

static void text_options(const struct gr_index_spot *spot, const struct needs *needs,
                         struct gr_index_options *options)
{
    struct gr_str prefix = gr_str_first(needs->prefix, GR_INDEX_PART_MAX);
    struct gr_str suffix = gr_str_skip(
        needs->suffix, needs->suffix.n - GR_MIN(needs->suffix.n, (size_t)GR_INDEX_PART_MAX));

    if (prefix.n > 0)
        add(options, (struct gr_index_option){
                         .kind = GR_INDEX_PREFIX,
                         .key = gr_index_text(gr_hash_more(spot->slot, prefix), GR_INDEX_PREFIX),
                         .also = needs->also,
                         .length = prefix.n,
                         .rank = rank_of(spot, GR_INDEX_PREFIX),
                     });
    if (suffix.n > 0)
        add(options,
            (struct gr_index_option){
                .kind = GR_INDEX_SUFFIX,
                .key = gr_index_text(gr_index_reverse(spot->slot, suffix), GR_INDEX_SUFFIX),
                .also = needs->also,
                .length = suffix.n,
                .rank = rank_of(spot, GR_INDEX_SUFFIX),
            });
    gram_options(spot, needs, options);
    if (options->n == 0 && spot->is_entry)
        add(options, (struct gr_index_option){.kind = GR_INDEX_ENTRY,
                                              .key = spot->slot,
                                              .rank = rank_of(spot, GR_INDEX_ENTRY)});
}

static void exact_option(const struct gr_index_spot *spot, struct gr_str text, uint64_t also,
                         struct gr_index_options *options)
{
    add(options, (struct gr_index_option){
                     .kind = GR_INDEX_EXACT,
                     .key = gr_index_text(gr_hash_more(spot->slot, text), GR_INDEX_EXACT),
                     .also = also,
                     .length = text.n,
                     .rank = rank_of(spot, GR_INDEX_EXACT),
                 });
}

/* The longest text between two wildcards. */
static struct gr_str glob_inner(struct gr_str pattern)
{
    struct gr_str best = GR_STR_NONE;

    pattern = gr_str_skip(pattern, gr_glob_literal_prefix(pattern));
    pattern = gr_str_first(pattern, pattern.n - gr_glob_literal_suffix(pattern));
    while (pattern.n > 0) {
        struct gr_str part = gr_str_first(pattern, gr_glob_literal_prefix(pattern));

        if (part.n > best.n)
            best = part;
        pattern = gr_str_skip(pattern, part.n + 1);
    }
    return best;
}

static void glob_options(const struct gr_index_spot *spot, struct gr_str pattern,
                         struct gr_index_options *options)
{
    size_t prefix_n = gr_glob_literal_prefix(pattern);
    struct needs needs = {
        .prefix = gr_str_first(pattern, prefix_n),
        .suffix = gr_str_skip(pattern, pattern.n - gr_glob_literal_suffix(pattern)),
        .inner = glob_inner(pattern),
    };

    if (prefix_n == pattern.n)
        exact_option(spot, pattern, 0, options);
    else
        text_options(spot, &needs, options);
}

/* A text that is no UTF-8 is an error for an expression, whatever else it holds. */
static void regex_options(const struct gr_index_spot *spot, const struct gr_regex *regex,
                          struct gr_index_options *options)
{
    const struct gr_regex_literals *literals = gr_regex_literals(regex);
    struct needs needs = {.prefix = literals->prefix,
                          .suffix = literals->suffix,
                          .inner = literals->inner,
                          .also = gr_index_text(spot->slot, GR_INDEX_BAD_TEXT)};

    for (size_t i = 0; i < literals->exacts_n; i++)
        exact_option(spot, literals->exacts[i], needs.also, options);
    options->all_needed = literals->exacts_n > 0;
    if (literals->exacts_n == 0)
        text_options(spot, &needs, options);
}

/* The state after the segments [0, n), with a "/" between two. */
static uint64_t hash_segments(const struct gr_image_segment *segments, size_t n)
{
    uint64_t state = gr_index_text_slot(GR_FIELD_IMAGE);

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            state = gr_index_byte(state, '/');
        state = gr_hash_more(state, segments[i].text);
    }
    return state;
}

static void whole_image_options(const struct gr_image_pattern *pattern,
                                struct gr_index_options *options)
{
    uint64_t state = hash_segments(pattern->segments, pattern->n);

    add(options, (struct gr_index_option){.kind = GR_INDEX_EXACT,
                                          .key = gr_index_text(state, GR_INDEX_EXACT),
                                          .rank = rank_of(&image_spot, GR_INDEX_EXACT)});
    if (pattern->has_tag && pattern->tag_is_literal)
        add(options, (struct gr_index_option){
                         .kind = GR_INDEX_TAG,
                         .key = gr_index_text(gr_hash_more(gr_index_byte(state, ':'), pattern->tag),
                                              GR_INDEX_TAG),
                         .also = gr_index_text(state, GR_INDEX_NO_TAG),
                         .rank = rank_of(&image_spot, GR_INDEX_TAG),
                     });
}

/* What stands before the first wildcard; all segments before at are literal. */
static void image_prefix(const struct gr_image_pattern *pattern, size_t at,
                         struct gr_index_options *options)
{
    const struct gr_image_segment *stop = &pattern->segments[at];
    struct gr_str part = GR_STR_NONE;
    uint64_t state;

    if (stop->kind == GR_SEGMENT_GLOB)
        part = gr_str_first(stop->text, gr_glob_literal_prefix(stop->text));
    else if (at > 0)
        part = pattern->segments[--at].text;
    if (at == 0 && part.n == 0)
        return;
    state = hash_segments(pattern->segments, at);
    if (at > 0)
        state = gr_index_byte(state, '/');
    part = gr_str_first(part, GR_INDEX_PART_MAX);
    state = gr_hash_more(state, part);
    add(options, (struct gr_index_option){.kind = GR_INDEX_PREFIX,
                                          .key = gr_index_text(state, GR_INDEX_PREFIX),
                                          .length = part.n,
                                          .rank = rank_of(&image_spot, GR_INDEX_PREFIX)});
}

/* The same from the end: all segments behind at are literal. */
static void image_suffix(const struct gr_image_pattern *pattern, size_t at,
                         struct gr_index_options *options)
{
    const struct gr_image_segment *stop = &pattern->segments[at];
    uint64_t state = gr_index_text_slot(GR_FIELD_IMAGE);
    struct gr_str part = GR_STR_NONE;

    if (stop->kind == GR_SEGMENT_GLOB)
        part = gr_str_skip(stop->text, stop->text.n - gr_glob_literal_suffix(stop->text));
    else if (at + 1 < pattern->n)
        part = pattern->segments[++at].text;
    if (at + 1 == pattern->n && part.n == 0)
        return;
    for (size_t i = pattern->n; i > at + 1; i--) {
        state = gr_index_reverse(state, pattern->segments[i - 1].text);
        state = gr_index_byte(state, '/');
    }
    part = gr_str_skip(part, part.n - GR_MIN(part.n, (size_t)GR_INDEX_PART_MAX));
    state = gr_index_reverse(state, part);
    add(options, (struct gr_index_option){.kind = GR_INDEX_SUFFIX,
                                          .key = gr_index_text(state, GR_INDEX_SUFFIX),
                                          .length = part.n,
                                          .rank = rank_of(&image_spot, GR_INDEX_SUFFIX)});
}

static void image_options(const struct gr_image_pattern *pattern, struct gr_index_options *options)
{
    size_t first = 0;
    size_t last = pattern->n;

    while (first < pattern->n && pattern->segments[first].kind == GR_SEGMENT_LITERAL)
        first++;
    if (first == pattern->n) {
        whole_image_options(pattern, options);
        return;
    }
    while (pattern->segments[last - 1].kind == GR_SEGMENT_LITERAL)
        last--;
    image_prefix(pattern, first, options);
    image_suffix(pattern, last - 1, options);
}

void gr_index_options(const struct gr_index_spot *spot, const struct gr_test *test,
                      struct gr_index_options *out_options)
{
    const struct needs prefix = {.prefix = test->text};
    const struct needs nothing = {.also = 0};

    out_options->n = 0;
    out_options->all_needed = false;
    if ((spot->field == GR_FIELD_IMAGE) != (test->kind == GR_TEST_IMAGE))
        return;
    switch (test->kind) {
    case GR_TEST_IMAGE:
        image_options(test->image, out_options);
        return;
    case GR_TEST_EXACT:
        exact_option(spot, test->text, 0, out_options);
        return;
    case GR_TEST_PREFIX:
        text_options(spot, &prefix, out_options);
        return;
    case GR_TEST_GLOB:
        glob_options(spot, test->text, out_options);
        return;
    case GR_TEST_REGEX:
        regex_options(spot, test->regex, out_options);
        return;
    case GR_TEST_EXISTS:
        if (test->exists)
            text_options(spot, &nothing, out_options);
        return;
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
        return;
    }
}
