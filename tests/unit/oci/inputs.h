/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of tests/fuzz/corpus/input, or of the test itself, and what is reported of them. */
#ifndef GR_TESTS_OCI_INPUTS_H
#define GR_TESTS_OCI_INPUTS_H

#include "testing.h"

#include "oci/input.h"

#define CORPUS TEST_SOURCE_ROOT "/tests/fuzz/corpus/input/"
#define TEXTS_MAX 4

struct reports {
    size_t errors, warnings;
    char code[64];
    uint32_t line, column;
};

static inline void take_report(void *user, enum gr_level level, const struct gr_err *err)
{
    struct reports *reports = user;

    if (level == GR_LEVEL_ERROR && reports->errors++ == 0) {
        reports->line = err->line;
        reports->column = err->column;
    }
    reports->warnings += level == GR_LEVEL_WARNING;
    (void)snprintf(reports->code, sizeof(reports->code), "%s", err->code);
}

/* A file of the corpus, or the text itself when it is no name of one. */
static inline struct gr_str load(struct gr_arena *arena, const char *text)
{
    char path[512];
    char *bytes;
    size_t n;
    FILE *file;

    if (strchr(text, '{') || strchr(text, ':') || text[0] == '\0')
        return gr_str_from(text);
    (void)snprintf(path, sizeof(path), "%s%s", CORPUS, text);
    file = fopen(path, "r");
    if (!file)
        fail_msg("cannot read %s", path);
    bytes = gr_arena_alloc(arena, 1U << 16);
    n = fread(bytes, 1, 1U << 16, file);
    (void)fclose(file);
    assert_true(n > 0 && n < (1U << 16));
    return (struct gr_str){bytes, n};
}

static inline int read_inputs(struct gr_arena *arena, const char *const *names, const char *runtime,
                              struct reports *reports, struct gr_inputs *out)
{
    struct gr_reporter reporter = {take_report, reports};
    struct gr_input_text texts[TEXTS_MAX];
    uint8_t *copies[TEXTS_MAX];
    size_t n = 0;
    int result;

    for (; n < TEXTS_MAX && names[n]; n++) {
        struct gr_str text = load(arena, names[n]);

        copies[n] = test_exact(text.p, text.n); /* gone before anything is looked at */
        texts[n] = (struct gr_input_text){{(const char *)copies[n], text.n}, "file"};
    }
    result = gr_inputs_read(arena, texts, n, gr_str_from(runtime), &reporter, out);
    while (n > 0)
        free(copies[--n]);
    return result;
}

#endif
