/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of which it cannot be told what would change: their match asks for what is not known of
 * the container, and they are not the same under both rules.
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/diff/parts.h"
#include "rules/limits.h"
#include "rules/tell/explain.h"
#include "rules/write/write.h"

#define WHY_BYTES (2 * GR_EXPLAIN_TEXT_MAX_BYTES + 512)

struct finding {
    const struct gr_diff_side *sides[2];
    const struct gr_subject *subject;
    struct gr_arena *arena;
    struct gr_diff_entry *items;
    size_t n, known;
};

/* Whether the verdict of a set hangs on what is not known. Others stay as they are, whatever a
 * match would be: a set that only observes, one whose hooks are there. */
static bool is_open(const struct gr_set_result *result)
{
    return result->truth == GR_UNKNOWN && result->set->mode == GR_MODE_ENFORCE &&
           (result->verdict == GR_VERDICT_INJECTED || result->verdict == GR_VERDICT_SKIPPED ||
            result->verdict == GR_VERDICT_REFUSED || result->verdict == GR_VERDICT_IGNORED);
}

/* Written out both say the same. What cannot be written out is the same by its text. */
static int is_same(const struct gr_hookset *a, const struct gr_hookset *b, bool *out_same)
{
    struct gr_buf texts[2];
    int r;

    gr_buf_init(&texts[0], GR_YAML_FILE_MAX_BYTES);
    gr_buf_init(&texts[1], GR_YAML_FILE_MAX_BYTES);
    r = gr_hookset_write(a, &texts[0]);
    if (r == 0)
        r = gr_hookset_write(b, &texts[1]);
    if (r == 0)
        *out_same = gr_str_eq(gr_buf_view(&texts[0]), gr_buf_view(&texts[1]));
    else if (r != -ENOMEM)
        *out_same = a->hash == b->hash;
    gr_buf_fini(&texts[0]);
    gr_buf_fini(&texts[1]);
    return r == -ENOMEM ? r : 0;
}

/* The first condition that leaves it open, in words. */
static int tell_why(const struct finding *f, const struct gr_diff_side *side,
                    const struct gr_hookset *set, struct gr_str *out_why)
{
    const struct gr_ruleset *rules = side->loaded->load.ruleset;
    struct gr_explain_leaves leaves = {0};
    const struct gr_explained *explained;
    struct gr_explanation e;
    char text[WHY_BYTES];
    int r = gr_explain(rules, f->subject, &side->options, f->arena, &e);

    for (size_t i = 0; i < e.n && r == 0 && leaves.n == 0; i++) {
        explained = &e.sets[i];
        if (explained->set == set)
            r = gr_explain_leaves(&e, explained, f->arena, &leaves);
    }
    if (r || leaves.n == 0)
        return r;
    (void)snprintf(text, sizeof(text), "%.*s; seen: %.*s  (%.200s:%u:%u)",
                   GR_STR_FMT(leaves.items[0].expected), GR_STR_FMT(leaves.items[0].seen),
                   set->file.p, leaves.items[0].cond->line, leaves.items[0].cond->column);
    return gr_arena_str(f->arena, gr_str_from(text), out_why) ? 0 : -ENOMEM;
}

static bool is_listed(const struct finding *f, struct gr_str set)
{
    for (size_t i = f->known; i < f->n; i++) {
        if (gr_str_eq(f->items[i].set, set))
            return true;
    }
    return false;
}

static int find_on(struct finding *f, size_t side)
{
    const struct gr_decision *decision = &f->sides[side]->decision;
    const struct gr_ruleset *others = f->sides[1 - side]->loaded->load.ruleset;
    int r = 0;

    for (size_t i = 0; i < decision->results_n && r == 0; i++) {
        const struct gr_hookset *set = decision->results[i].set;
        const struct gr_hookset *other = gr_ruleset_find(others, set->name);
        bool same = false;

        if (!is_open(&decision->results[i]) || is_listed(f, set->name))
            continue;
        if (other)
            r = is_same(set, other, &same);
        if (r || same)
            continue;
        f->items[f->n] = (struct gr_diff_entry){.kind = GR_DIFF_UNKNOWN, .set = set->name};
        r = tell_why(f, f->sides[side], set, &f->items[f->n++].why);
    }
    return r;
}

int gr_diff_add_unknown(const struct gr_diff_side *before, const struct gr_diff_side *after,
                        const struct gr_subject *subject, struct gr_arena *arena,
                        struct gr_diff *diff)
{
    struct finding f = {
        .sides = {before, after}, .subject = subject, .arena = arena, .known = diff->n};
    int r;

    f.items = gr_arena_array(
        arena, diff->n + before->decision.results_n + after->decision.results_n, sizeof(*f.items));
    if (!f.items)
        return -ENOMEM;
    if (diff->n > 0)
        memcpy(f.items, diff->items, diff->n * sizeof(*f.items));
    f.n = diff->n;
    r = find_on(&f, 0);
    if (r == 0)
        r = find_on(&f, 1);
    diff->items = f.items;
    diff->unknown = f.n - diff->n;
    diff->n = f.n;
    return r;
}
