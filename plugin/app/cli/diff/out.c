/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "app/cli/diff/parts.h"
#include "app/cli/shared/document.h"
#include "app/explain/out.h"
#include "app/cli/shared/hooks_json.h"
#include "rules/read/findings.h"

/* What was written in the rule, and what is written out: without what is added to every env. */
static void put_texts(const char *name, struct gr_strs texts)
{
    const char *before = name;

    for (size_t i = 0; i < texts.n; i++) {
        struct gr_shown shown = gr_show(texts.items[i]);

        if (gr_str_has_prefix(texts.items[i], GR_STR("GRAPNEL_")) ||
            gr_str_is(texts.items[i], GR_HOOK_PATH_ENV))
            continue;
        (void)printf("%s%s", before, shown.text);
        before = ", ";
    }
    (void)fputs(before == name ? "" : "]", stdout);
}

static void put_hooks(const struct gr_decision *decision, struct gr_str set, char sign)
{
    for (size_t i = 0; i < decision->hooks_n; i++) {
        const struct gr_oci_hook *hook = &decision->hooks[i];
        struct gr_shown path = gr_show(hook->path);

        if (set.n > 0 && !gr_diff_is_of(hook, set))
            continue;
        (void)printf("    %c %s: %s", sign, gr_stage_name(hook->stage), path.text);
        put_texts(" [", hook->args);
        put_texts(" env [", hook->env);
        (void)printf(" timeout %lld\n", (long long)hook->timeout_s);
    }
}

static void put_adjust(const struct gr_decision *decision, struct gr_str set, char sign)
{
    for (size_t i = 0; i < decision->adjust_n; i++) {
        const struct gr_adjust_entry *entry = decision->adjust[i].entry;
        char room[GR_SHOWN_BYTES * 4];
        struct gr_shown shown = gr_show(gr_adjust_describe(entry, true, room, sizeof(room)));

        if (gr_str_eq(decision->adjust[i].set->name, set))
            (void)printf("    %c %s %s\n", sign, gr_adjust_kind_name(entry->kind), shown.text);
    }
}

static void put_entry(const struct gr_diff *diff, const struct gr_diff_entry *entry)
{
    (void)printf("  %s", gr_diff_kind_name(entry->kind));
    switch (entry->kind) {
    case GR_DIFF_REFUSED:
        (void)printf(": %.*s\n", GR_STR_FMT(diff->after->refusal));
        return;
    case GR_DIFF_CREATED:
        (void)printf("; it was refused: %.*s\n", GR_STR_FMT(diff->before->refusal));
        return;
    case GR_DIFF_UNKNOWN:
        (void)printf(" %.*s%s%.*s\n", GR_STR_FMT(entry->set), entry->why.n > 0 ? ": " : "",
                     GR_STR_FMT(entry->why));
        return;
    case GR_DIFF_ORDER:
        (void)puts(": the same hooks run in another order");
        break;
    case GR_DIFF_GAINS:
    case GR_DIFF_LOSES:
    case GR_DIFF_CHANGES:
        (void)printf(" %.*s\n", GR_STR_FMT(entry->set));
        break;
    }
    if (entry->kind != GR_DIFF_GAINS) {
        put_hooks(diff->before, entry->set, '-');
        put_adjust(diff->before, entry->set, '-');
    }
    if (entry->kind != GR_DIFF_LOSES) {
        put_hooks(diff->after, entry->set, '+');
        put_adjust(diff->after, entry->set, '+');
    }
}

void gr_diff_text(const char *title, const struct gr_diff *diff)
{
    (void)printf("%s\n", title);
    for (size_t i = 0; i < diff->n; i++)
        put_entry(diff, &diff->items[i]);
}

static json_t *side_json(const struct gr_decision *decision)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "refused", json_boolean(decision->refuse));
    gr_json_set_str(object, "refusal", decision->refusal);
    (void)json_object_set_new(object, "hooks", gr_hooks_json(decision->hooks, decision->hooks_n));
    if (decision->adjust_n > 0)
        (void)json_object_set_new(object, "adjust",
                                  gr_adjust_json(decision->adjust, decision->adjust_n));
    return object;
}

json_t *gr_diff_json(const struct gr_subject *subject, const struct gr_diff *diff)
{
    json_t *object = gr_subject_json(subject), *changes = json_array();

    for (size_t i = 0; i < diff->n; i++) {
        json_t *change = json_object();

        (void)json_object_set_new(change, "change",
                                  json_string(gr_diff_kind_name(diff->items[i].kind)));
        gr_json_set_str(change, "set", diff->items[i].set);
        gr_json_set_str(change, "why", diff->items[i].why);
        (void)json_array_append_new(changes, change);
    }
    (void)json_object_set_new(object, "changes", changes);
    (void)json_object_set_new(object, "before", side_json(diff->before));
    (void)json_object_set_new(object, "after", side_json(diff->after));
    return object;
}
