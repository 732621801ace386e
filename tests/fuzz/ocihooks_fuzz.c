/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of oci-hooks(5) or of bare hooks: findings have places, the same bytes give
 * the same answer, and what is accepted can be written and read again as the same set.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/read/ocihooks.h"
#include "rules/write/write.h"
#include "same.h"

#define BEFORE "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/x\"},\"when\":{\"always\":true},"

/* Where the bytes stand. */
static const struct frame {
    const char *before;
    const char *after;
} frames[] = {
    {"", ""},
    {BEFORE "\"stages\":[\"poststop\"],", "}"},
    {BEFORE "\"stages\":[\"poststop\"],\"hook\":{", "}}"},
    {BEFORE "\"stages\":[\"poststop\"],\"when\":{", "}}"},
    {BEFORE "\"stages\":[\"poststop\"],\"hook\":{\"args\":[\"x\",\"", "\"]}}"},
    {"{\"hook\":\"/x\",\"stages\":[\"prestart\"],", "}"},
    {"{\"prestart\":[{\"path\":\"/x\"}],", "}"},
    {"{\"hooks\":{\"poststart\":[", "]}}"},
};

struct seen {
    struct gr_buf log;
    size_t errors, warnings;
    uint32_t lines;
};

static void report(void *user, enum gr_level level, const struct gr_err *err)
{
    struct seen *seen = user;

    FUZZ_CHECK(err->code && err->text[0] && err->file[0]);
    FUZZ_CHECK(err->line >= 1 && err->line <= seen->lines && err->column >= 1);
    FUZZ_CHECK(gr_utf8_is_clean(gr_str_from(err->text)));
    seen->errors += level == GR_LEVEL_ERROR;
    seen->warnings += level != GR_LEVEL_ERROR;
    FUZZ_CHECK(seen->errors <= GR_FINDINGS_MAX && seen->warnings <= 1000);
    fuzz_log_number(&seen->log, err->line);
    fuzz_log_number(&seen->log, err->column);
    fuzz_log_bytes(&seen->log, gr_str_from(err->text));
}

/* What was accepted comes back from its own text. */
static void check_set(const struct gr_hookset *set, struct seen *seen)
{
    struct gr_source source = {.file = "w.yaml", .stem = GR_STR("w")};
    struct gr_hooksets again = {0};
    struct gr_arena arena;
    struct gr_buf text;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 8U << 20);
    FUZZ_CHECK(gr_hookset_write(set, &text) == 0);
    source.text = gr_buf_view(&text);
    fuzz_log_bytes(&seen->log, source.text);
    if (source.text.n <= GR_YAML_FILE_MAX_BYTES) {
        FUZZ_CHECK(gr_hooksets_decode(&arena, &source, NULL, &again) == 0);
        FUZZ_CHECK(again.n == 1 && again.rejected == 0);
        FUZZ_CHECK(set_difference(set, &again.items[0]) == NULL);
    }
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
}

static void decode(struct gr_str text, bool specs, struct seen *seen)
{
    const struct gr_source source = {.text = text, .file = "f.json", .stem = GR_STR("f")};
    const struct gr_reporter reporter = {.report = report, .user = seen};
    struct gr_hooksets sets = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 0);
    if (specs)
        FUZZ_CHECK(gr_hookspecs_decode(&arena, &source, 1, GR_STR("f"), true, &reporter, &sets) ==
                   0);
    else
        FUZZ_CHECK(gr_ocihooks_decode(&arena, &source, &reporter, &sets) == 0);
    FUZZ_CHECK((sets.rejected == 0) == (seen->errors == 0));
    FUZZ_CHECK(sets.n + sets.rejected <= 1);
    if (sets.n == 1)
        check_set(&sets.items[0], seen);
    gr_arena_fini(&arena);
}

static void run(struct gr_str text, bool specs, struct gr_buf *out_log)
{
    struct seen seen = {.lines = 2};
    char *copy = fuzz_exact(text);

    text.p = copy;
    for (size_t i = 0; i < text.n; i++)
        seen.lines += text.p[i] == '\n' || text.p[i] == '\r';
    gr_buf_init(&seen.log, 16U << 20);
    decode(text, specs, &seen);
    free(copy);
    *out_log = seen.log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    uint32_t mode = fuzz_take(&input, 1);
    const struct frame *frame = &frames[mode % GR_ARRAY_LEN(frames)];
    bool specs = mode % GR_ARRAY_LEN(frames) >= 6 || mode >= 128;
    struct gr_buf text, once, again;

    gr_buf_init(&text, 1U << 22);
    FUZZ_CHECK(gr_buf_text(&text, frame->before) == 0 && gr_buf_str(&text, input) == 0 &&
               gr_buf_text(&text, frame->after) == 0);
    run(gr_buf_view(&text), specs, &once);
    run(gr_buf_view(&text), specs, &again);
    FUZZ_CHECK(gr_str_eq(gr_buf_view(&once), gr_buf_view(&again)));
    gr_buf_fini(&once);
    gr_buf_fini(&again);
    gr_buf_fini(&text);
    return 0;
}
