/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as documents about containers, cut in two at a byte 0x1e: they are read or refused with
 * a finding; what comes out is UTF-8 without NUL, stands in the arena alone, and is the same the
 * second time.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "oci/input.h"
#include "rules/adjust.h"

static void count(void *user, enum gr_level level, const struct gr_err *err)
{
    size_t *errors = user;

    FUZZ_CHECK(err->code && err->text[0] && err->line && err->column);
    *errors += level == GR_LEVEL_ERROR;
}

static void see(struct gr_buf *log, struct gr_str text)
{
    FUZZ_CHECK(gr_utf8_is_clean(text));
    fuzz_log_number(log, text.n);
    fuzz_log_bytes(log, text);
}

static void see_map(struct gr_buf *log, struct gr_kvs map)
{
    for (size_t i = 0; i < map.n; i++) {
        see(log, map.items[i].key);
        see(log, map.items[i].value);
    }
}

static void see_list(struct gr_buf *log, struct gr_strs list)
{
    for (size_t i = 0; i < list.n; i++)
        see(log, list.items[i]);
}

static void see_subject(struct gr_buf *log, const struct gr_subject *s)
{
    const struct gr_str single[] = {
        s->id,      s->name,      s->pod_name, s->pod_namespace, s->pod_uid, s->runtime_handler,
        s->runtime, s->image.name};

    FUZZ_CHECK(s->unknown_fields < 1U << GR_FIELD_COUNT);
    FUZZ_CHECK(gr_subject_knows(s, GR_FIELD_REQUESTED));
    see_list(log, (struct gr_strs){single, GR_ARRAY_LEN(single)});
    see_list(log, s->args);
    see_list(log, s->env);
    see_map(log, s->pod_labels);
    see_map(log, s->container_labels);
    see_map(log, s->pod_annotations);
    see_map(log, s->container_annotations);
    for (size_t i = 0; i < s->mounts_n; i++) {
        see(log, s->mounts[i].destination);
        see(log, s->mounts[i].source);
        see(log, s->mounts[i].type);
        see_list(log, s->mounts[i].options);
    }
    for (size_t i = 0; i < s->hooks_n; i++) {
        FUZZ_CHECK(s->hooks[i].stage < GR_STAGE_COUNT);
        FUZZ_CHECK(i == 0 || s->hooks[i - 1].stage <= s->hooks[i].stage);
        see(log, s->hooks[i].path);
        see_list(log, s->hooks[i].args);
        see_list(log, s->hooks[i].env);
    }
    for (size_t i = 0; i < s->present_n; i++)
        fuzz_log_number(log, s->present[i].kind);
    fuzz_log_number(log, s->unknown_fields);
}

static int run(struct gr_str first, struct gr_str second, struct gr_buf *log)
{
    size_t errors = 0;
    struct gr_reporter reporter = {count, &errors};
    struct gr_inputs inputs = {0};
    struct gr_arena arena;
    struct gr_input_text texts[] = {{{fuzz_exact(first), first.n}, "one"},
                                    {{fuzz_exact(second), second.n}, "two"}};
    int r;

    gr_arena_init(&arena, 4096, 0);
    r = gr_inputs_read(&arena, texts, second.n ? 2 : 1, GR_STR_NONE, &reporter, &inputs);
    FUZZ_CHECK(r == 0 || r == GR_INPUT_REFUSED);
    FUZZ_CHECK((r != 0) == (errors > 0));
    for (size_t i = 0; i < 2; i++)
        free((void *)(uintptr_t)texts[i].text.p);
    for (size_t i = 0; i < inputs.n; i++)
        see_subject(log, &inputs.subjects[i]);
    gr_arena_fini(&arena);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str text = {.p = (const char *)data, .n = size};
    size_t cut = gr_str_find(text, 0x1e);
    struct gr_buf once, again;

    gr_buf_init(&once, 1U << 28);
    gr_buf_init(&again, 1U << 28);
    FUZZ_CHECK(run(gr_str_first(text, cut), gr_str_skip(text, cut + 1), &once) ==
               run(gr_str_first(text, cut), gr_str_skip(text, cut + 1), &again));
    FUZZ_CHECK(gr_str_eq(gr_buf_view(&once), gr_buf_view(&again)));
    gr_buf_fini(&once);
    gr_buf_fini(&again);
    return 0;
}
