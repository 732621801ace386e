/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal_state.h"

#include <errno.h>

static void drop_parts(struct gr_journal_state *state)
{
    gr_known_ids_fini(&state->parts.ids);
    state->parts.part = 0;
}

void gr_journal_state_fini(struct gr_journal_state *state)
{
    gr_known_ids_fini(&state->ids);
    drop_parts(state);
}

void gr_journal_state_damaged(struct gr_journal_state *state)
{
    state->complete = false;
}

/* In the table, and in the one that is about to take its place. */
static int set(struct gr_journal_state *state, uint64_t hash, enum gr_known known)
{
    bool dropped = false;
    int r = gr_known_set(&state->ids, hash, known, &dropped);

    if (r == 0 && state->parts.part > 0)
        r = gr_known_set(&state->parts.ids, hash, known, &dropped);
    if (r || dropped)
        state->complete = false;
    return r;
}

int gr_journal_state_decided(struct gr_journal_state *state, uint64_t hash, bool injected)
{
    enum gr_known before = gr_known_get(&state->ids, hash);

    /* What another instance has injected is not undone by finding it there already. */
    if (before == GR_KNOWN_MISSED || (before == GR_KNOWN_INJECTED && !injected))
        return set(state, hash, before);
    return set(state, hash, injected ? GR_KNOWN_INJECTED : GR_KNOWN_SEEN);
}

int gr_journal_state_missed(struct gr_journal_state *state, uint64_t hash)
{
    return set(state, hash, GR_KNOWN_MISSED);
}

void gr_journal_state_session(struct gr_journal_state *state, bool begun, uint64_t by,
                              int64_t now_s)
{
    if (begun) {
        /* Another one was connected and has never said that it ended. */
        if (state->session_by != 0)
            state->session_ended_s = 0;
        state->session_by = by;
        return;
    }
    state->session_ended_s = now_s;
    if (state->session_by == by)
        state->session_by = 0;
}

int gr_journal_state_listed(struct gr_journal_state *state, const struct gr_str *ids, size_t n)
{
    struct gr_known_ids told = {0};
    bool dropped = false;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        uint64_t hash = gr_known_hash(ids[i]);
        enum gr_known before = gr_known_get(&state->ids, hash);

        r = gr_known_set(&told, hash, before == GR_KNOWN_NOT ? GR_KNOWN_SEEN : before, &dropped);
    }
    if (r) {
        gr_known_ids_fini(&told);
        state->complete = false;
        return r;
    }
    gr_known_ids_fini(&state->ids);
    drop_parts(state);
    state->ids = told;
    state->complete = !dropped;
    return 0;
}

static int add_ids(struct gr_journal_state *state, const struct gr_known_ids *ids)
{
    int r = 0;

    for (uint32_t i = 0; i < ids->n && r == 0; i++) {
        uint64_t hash = gr_known_hash_at(ids, i);

        if (gr_known_get(&state->ids, hash) < gr_known_state_at(ids, i))
            r = set(state, hash, gr_known_state_at(ids, i));
    }
    return r;
}

int gr_journal_state_merge(struct gr_journal_state *state, const struct gr_journal_state *other)
{
    state->complete = state->complete && other->complete;
    state->session_ended_s = other->session_ended_s;
    state->session_by = other->session_by;
    return add_ids(state, &other->ids);
}

/* ---- what is carried over ---- */

static bool follows(const struct gr_journal_state *state, const struct gr_journal_record *record)
{
    if (record->part == 1)
        return true;
    return state->parts.part + 1 == record->part && state->parts.by == record->by &&
           state->parts.of == record->of && record->part > 1;
}

/* All parts are there. What the runtime told takes the place of what was known; what is carried
 * over is added, since another instance may have written before it was. */
static int take_all(struct gr_journal_state *state, const struct gr_journal_record *record)
{
    struct gr_known_ids ids = state->parts.ids;
    int r = 0;

    state->parts.ids = (struct gr_known_ids){0};
    state->parts.part = 0;
    state->complete = record->complete;
    state->session_ended_s = record->session_ended_s;
    state->session_by = record->session_by;
    if (record->kind == GR_JOURNAL_KNOWN) {
        r = add_ids(state, &ids);
        gr_known_ids_fini(&ids);
    } else {
        gr_known_ids_fini(&state->ids);
        state->ids = ids;
    }
    return r;
}

static int take_known(struct gr_journal_state *state, const struct gr_journal_record *record)
{
    bool dropped = false;
    int r = 0;

    if (!follows(state, record)) {
        drop_parts(state);
        state->complete = false;
        return 0;
    }
    if (record->part == 1)
        drop_parts(state);
    state->parts.by = record->by;
    state->parts.part = record->part;
    state->parts.of = record->of;
    for (size_t i = 0; i < record->ids_n && r == 0; i++)
        r = gr_known_set(&state->parts.ids, record->ids[i], (enum gr_known)(record->ids[i] & 3),
                         &dropped);
    if (r || dropped) {
        drop_parts(state);
        state->complete = false;
        return r;
    }
    return record->part == record->of ? take_all(state, record) : 0;
}

int gr_journal_state_take(struct gr_journal_state *state, const struct gr_journal_record *record)
{
    const struct gr_journal_decision *decision = &record->decision;
    int r = 0;

    switch (record->kind) {
    case GR_JOURNAL_DECISION:
        if (decision->subject.id.n > 0 && !decision->refused)
            r = gr_journal_state_decided(state, gr_known_hash(decision->subject.id),
                                         gr_str_is(decision->outcome, "injected"));
        break;
    case GR_JOURNAL_SESSION:
        gr_journal_state_session(state, record->begun, record->by, record->time_s);
        break;
    case GR_JOURNAL_LISTED:
    case GR_JOURNAL_KNOWN:
        r = take_known(state, record);
        break;
    case GR_JOURNAL_MISSED:
        r = gr_journal_state_missed(state, gr_known_hash(record->id));
        break;
    case GR_JOURNAL_RULES:
    case GR_JOURNAL_OTHER:
        break;
    }
    return r;
}
