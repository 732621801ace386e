/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the decoder share: decoding a text while its findings are collected, and the
 * tables of bad texts.
 */
#ifndef GR_TESTS_DECODING_H
#define GR_TESTS_DECODING_H

#include "testing.h"

#include "rules/read/decode.h"
#include "rules/limits.h"

/* GR_STR for the initialisers of static tables. */
#define BYTES(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

#define DECODED_FINDINGS_MAX 128

struct decoded {
    struct gr_arena arena;
    struct gr_hooksets sets;
    struct gr_err findings[DECODED_FINDINGS_MAX]; /* the first of them */
    size_t findings_n;
    struct gr_err warning; /* the last one */
    size_t warnings_n;
};

/* What decode() says the program is. */
#define DECODING_VERSION "1.2.3"

static inline void collect_finding(void *user, enum gr_level level, const struct gr_err *err)
{
    struct decoded *decoded = user;

    if (level == GR_LEVEL_WARNING) {
        decoded->warning = *err;
        decoded->warnings_n++;
        return;
    }
    assert_int_equal(level, GR_LEVEL_ERROR);
    if (decoded->findings_n < DECODED_FINDINGS_MAX)
        decoded->findings[decoded->findings_n] = *err;
    decoded->findings_n++;
}

/* The text is decoded from a buffer of exactly its size, which is gone afterwards. */
static inline struct decoded *decode(struct gr_str text)
{
    struct decoded *decoded = calloc(1, sizeof(*decoded));
    const struct gr_reporter reporter = {.report = collect_finding, .user = decoded};
    struct gr_source source = {
        .file = "dir/stem.yaml", .stem = GR_STR("stem"), .version = GR_STR(DECODING_VERSION)};
    char *copy;

    assert_non_null(decoded);
    gr_arena_init(&decoded->arena, 4096, 0);
    copy = (char *)test_exact(text.p, text.n);
    source.text = (struct gr_str){.p = copy, .n = text.n};
    assert_int_equal(gr_hooksets_decode(&decoded->arena, &source, &reporter, &decoded->sets), 0);
    free(copy);
    return decoded;
}

static inline void decoded_free(struct decoded *decoded)
{
    gr_arena_fini(&decoded->arena);
    free(decoded);
}

/* A text that must decode without a finding. */
static inline struct decoded *decode_good(struct gr_str text)
{
    struct decoded *decoded = decode(text);

    if (decoded->findings_n > 0)
        fail_msg("%u:%u: %s", decoded->findings[0].line, decoded->findings[0].column,
                 decoded->findings[0].text);
    assert_int_equal(decoded->sets.rejected, 0);
    return decoded;
}

/* What is refused beside the document that is at fault. */
enum reach {
    DOCUMENT, /* nothing */
    REST,     /* the documents behind it: there is no reading on */
    FILE_,    /* all of the file: its bytes are no text */
    ALONE,    /* as REST, and the text means something else behind another document */
};

struct bad_row {
    const char *name;
    struct gr_str text;
    uint32_t line, column;
    const char *code;
    const char *field;
    const char *message;
    enum reach reach;
};

static inline void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct decoded *decoded = decode(row->text);
    const struct gr_err *found = &decoded->findings[0];

    assert_int_equal(decoded->findings_n, 1);
    assert_int_equal(decoded->sets.n, 0);
    assert_int_equal(decoded->sets.rejected, 1);
    assert_string_equal(found->text, row->message);
    assert_string_equal(found->code, row->code);
    assert_string_equal(found->field, row->field);
    assert_string_equal(found->file, "dir/stem.yaml");
    assert_int_equal(found->line, row->line);
    assert_int_equal(found->column, row->column);
    decoded_free(decoded);
}

/* A document of six lines. */
#define GOOD(name)                                                         \
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata:\n  name: " name \
    "\nspec: {match: {always: true},\n  hooks: {poststop: [{path: /opt/x}]}}\n"
#define GOOD_LINES 6

static inline void spares_others(void **state)
{
    static const char before[] = GOOD("good-1") "---\n";
    static const char after[] = "\n---\n" GOOD("good-2");
    const struct bad_row *row = *state;
    size_t n = sizeof(before) - 1 + row->text.n + sizeof(after) - 1;
    char *text = malloc(n);
    struct decoded *decoded;

    assert_non_null(text);
    memcpy(text, before, sizeof(before) - 1);
    memcpy(text + sizeof(before) - 1, row->text.p, row->text.n);
    memcpy(text + n - (sizeof(after) - 1), after, sizeof(after) - 1);
    decoded = decode((struct gr_str){.p = text, .n = n});
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, row->code);
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->sets.n, row->reach == DOCUMENT ? 2 : row->reach == REST ? 1 : 0);
    if (decoded->sets.n > 0)
        assert_str(decoded->sets.items[0].name, "good-1");
    if (decoded->sets.n > 1)
        assert_str(decoded->sets.items[1].name, "good-2");
    if (row->reach == DOCUMENT) {
        assert_int_equal(decoded->findings[0].line, row->line + GOOD_LINES + 1);
        assert_int_equal(decoded->findings[0].column, row->column);
    }
    decoded_free(decoded);
    free(text);
}

static inline void add_bad_rows(const struct bad_row *rows, size_t n)
{
    test_add_rows("refuses", refuses, rows, sizeof(*rows), n);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].reach != ALONE)
            test_add_rows("spares others", spares_others, &rows[i], sizeof(*rows), 1);
    }
}

/* The usual lines around the one that a row is about. */
#define TOP "apiVersion: grapnel/v1beta1\nkind: HookSet\n"
#define SPEC "spec:\n"
#define MATCH "  match: {always: true}\n"
#define STAGE "  hooks:\n    poststop:\n"
#define HOOKS STAGE "      - path: /opt/x\n"

/* The one set of a text. */
static inline const struct gr_hookset *only_set(const struct decoded *decoded)
{
    assert_int_equal(decoded->sets.n, 1);
    return &decoded->sets.items[0];
}

static inline struct decoded *decode_match(const char *match, const struct gr_cond **out_cond)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), TOP SPEC "  match: %s\n" HOOKS, match);
    struct decoded *decoded = decode_good((struct gr_str){.p = text, .n = (size_t)n});

    *out_cond = only_set(decoded)->match;
    return decoded;
}

#endif
