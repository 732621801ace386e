/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a template and as its values: the parts cover the source in order, a text without
 * fields is itself, and a value comes out as it is, wherever it stands.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/template.h"

static int check(void *user, const struct gr_template_part *part, struct gr_err *err)
{
    (void)user;
    FUZZ_CHECK(part->name.n > 0);
    FUZZ_CHECK(part->has_arg || (part->arg.n == 0 && !part->has_fallback));
    if (gr_str_is(part->name, ".Bad"))
        return gr_fail(err, -EINVAL, "unknown-field", "no such field");
    return (int)part->name.n;
}

static int give(void *user, const struct gr_template_part *part, struct gr_buf *out)
{
    const struct gr_str *value = user;

    FUZZ_CHECK(part->id == (int)part->name.n);
    return gr_buf_str(out, *value);
}

/* What an expansion must give: the literals with the value between them. */
static void expect(const struct gr_template *t, struct gr_str value, struct gr_buf *out)
{
    uint32_t offset = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct gr_template_part *part = &t->parts[i];

        FUZZ_CHECK(i == 0 ? part->offset == 0 : part->offset > offset);
        FUZZ_CHECK(part->offset < t->source.n);
        FUZZ_CHECK(part->name.n == 0 || part->literal.n == 0);
        offset = part->offset;
        FUZZ_CHECK(gr_buf_str(out, part->name.n ? value : part->literal) == 0);
    }
}

static bool has_braces(struct gr_str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] == '{' && s.p[i + 1] == '{')
            return true;
    }
    return false;
}

static void check_parsed(const struct gr_template *t, struct gr_str value)
{
    struct gr_buf expected;
    struct gr_buf found;

    gr_buf_init(&expected, 1U << 24);
    gr_buf_init(&found, 1U << 24);
    expect(t, value, &expected);
    FUZZ_CHECK(gr_template_expand(t, give, &value, &found) == 0);
    FUZZ_CHECK(gr_str_eq(gr_buf_view(&found), gr_buf_view(&expected)));
    if (!has_braces(t->source)) {
        FUZZ_CHECK(!t->has_fields);
        FUZZ_CHECK(gr_str_eq(gr_buf_view(&found), t->source));
    }
    gr_buf_fini(&expected);
    gr_buf_fini(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t value_bytes = fuzz_take(&input, 1);
    struct gr_str value = gr_str_first(input, value_bytes);
    struct gr_str source = gr_str_skip(input, value_bytes);
    struct gr_template t;
    struct gr_err err = {0};
    struct gr_arena arena;
    int r;

    source.p = fuzz_exact(source);
    gr_arena_init(&arena, 256, 0);
    r = gr_template_parse(&arena, source, check, NULL, &t, &err);
    if (r == 0)
        check_parsed(&t, value);
    else
        FUZZ_CHECK((r == -EINVAL || r == -E2BIG) && err.code && err.column >= 1 &&
                   err.column <= source.n + 1);
    gr_arena_fini(&arena);
    free((void *)(uintptr_t)source.p);
    return 0;
}
