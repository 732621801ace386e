/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as lines of the journal: each is read or damaged; what is known then can be carried
 * over, and the same is known from that. A decision that was read, and is written again as far as
 * it has facts, says the same about its container.
 */
#include "fuzz.h"

#include "state/journal_lines.h"
#include "state/journal_put.h"
#include "state/limits.h"

static const struct gr_journal_stamp stamp = {.time_s = 1, .by = 1};

static void same_map(struct gr_kvs a, struct gr_kvs b)
{
    FUZZ_CHECK(a.n == b.n);
    for (size_t i = 0; i < a.n; i++)
        FUZZ_CHECK(gr_str_eq(a.items[i].key, b.items[i].key) &&
                   gr_str_eq(a.items[i].value, b.items[i].value));
}

static bool was_dropped(const struct gr_journal_decision *decision)
{
    return decision->dropped_n > 0;
}

static void again(const struct gr_subject *s)
{
    const struct gr_decision nothing = {0};
    struct gr_journal_record record;
    struct gr_arena arena;
    struct gr_buf buf;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&buf, GR_JOURNAL_RECORD_MAX_BYTES);
    FUZZ_CHECK(gr_journal_put_decision(&buf, &stamp, s, &nothing, NULL, false) == 0);
    FUZZ_CHECK(buf.len > 0 && buf.len <= GR_JOURNAL_RECORD_MAX_BYTES);
    FUZZ_CHECK(
        gr_journal_record_read(&arena, gr_str_first(gr_buf_view(&buf), buf.len - 1), &record) == 0);
    if (!was_dropped(&record.decision)) {
        const struct gr_subject *t = &record.decision.subject;

        FUZZ_CHECK(gr_str_eq(s->id, t->id) && gr_str_eq(s->pod_name, t->pod_name));
        FUZZ_CHECK(s->unknown_fields == t->unknown_fields);
        FUZZ_CHECK(s->image.known == t->image.known);
        same_map(s->pod_labels, t->pod_labels);
        same_map(s->container_annotations, t->container_annotations);
        FUZZ_CHECK(s->args.n == t->args.n && s->mounts_n == t->mounts_n);
    }
    gr_buf_fini(&buf);
    gr_arena_fini(&arena);
}

static void take_lines(struct gr_str text, struct gr_journal_state *state)
{
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    while (text.n > 0) {
        size_t end = gr_str_find(text, '\n');
        struct gr_str line = {.p = fuzz_exact(gr_str_first(text, end)), .n = end};
        struct gr_journal_record record;
        int r = gr_journal_record_read(&arena, line, &record);

        FUZZ_CHECK(r == 0 || r == GR_JOURNAL_DAMAGED);
        if (r == 0 && record.kind == GR_JOURNAL_DECISION && record.decision.has_facts)
            again(&record.decision.subject);
        gr_arena_reset(&arena);
        r = gr_journal_line_take(line, &arena, state);
        FUZZ_CHECK(r == 0 || (r == GR_JOURNAL_DAMAGED && !state->complete));
        free((void *)(uintptr_t)line.p);
        text = gr_str_skip(text, end + 1);
    }
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_journal_state state = {0}, carried = {0};
    struct gr_journal_standing standing;
    struct gr_buf buf;

    take_lines((struct gr_str){.p = (const char *)data, .n = size}, &state);
    FUZZ_CHECK(state.ids.n <= GR_JOURNAL_KNOWN_MAX);
    standing = (struct gr_journal_standing){.ids = &state.ids,
                                            .complete = state.complete,
                                            .session_ended_s = state.session_ended_s,
                                            .session_by = state.session_by};
    gr_buf_init(&buf, 1U << 20);
    FUZZ_CHECK(gr_journal_put_known(&buf, &stamp, &standing) == 0);
    take_lines(gr_buf_view(&buf), &carried);
    FUZZ_CHECK(carried.complete == state.complete && carried.ids.n == state.ids.n);
    FUZZ_CHECK(carried.session_ended_s == state.session_ended_s);
    FUZZ_CHECK(carried.session_by == state.session_by);
    for (uint32_t i = 0; i < state.ids.n; i++)
        FUZZ_CHECK(state.ids.items[i] == carried.ids.items[i]);
    gr_buf_fini(&buf);
    gr_journal_state_fini(&state);
    gr_journal_state_fini(&carried);
    return 0;
}
