/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/programs/named.h"

#include "load/tree.h"

void gr_named_begin(struct gr_named *named)
{
    gr_named_fini(named);
    gr_arena_init(&named->arena, 4096, 0);
    named->digests = gr_arena_array(&named->arena, GR_NAMED_MAX, sizeof(*named->digests));
    named->known = named->digests != NULL;
}

void gr_named_fini(struct gr_named *named)
{
    gr_arena_fini(&named->arena);
    *named = (struct gr_named){0};
}

static void add(struct gr_named *named, struct gr_str digest)
{
    for (size_t i = 0; i < named->n; i++) {
        if (gr_str_eq(named->digests[i], digest))
            return;
    }
    if (named->n == GR_NAMED_MAX ||
        !gr_arena_str(&named->arena, digest, &named->digests[named->n])) {
        named->known = false;
        return;
    }
    named->n++;
}

static void add_text(struct gr_named *named, struct gr_str text)
{
    struct gr_str digest;

    while (named->known && gr_tree_digest_next(&text, &digest))
        add(named, digest);
}

static void add_templates(struct gr_named *named, const struct gr_hook_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_text(named, texts[i].text.source);
}

static void add_set(struct gr_named *named, const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t k = 0; k < set->hooks[stage].n; k++) {
            const struct gr_hook *hook = &set->hooks[stage].items[k];

            add_text(named, hook->path);
            add_templates(named, hook->args, hook->args_n);
            add_templates(named, hook->env, hook->env_n);
        }
    }
    if (set->environment)
        add_templates(named, set->environment->env, set->environment->env_n);
}

void gr_named_add_rules(struct gr_named *named, const struct gr_ruleset *ruleset, uint64_t hash)
{
    if (!ruleset || (named->has_rules && named->rules_hash == hash))
        return;
    named->has_rules = true;
    named->rules_hash = hash;
    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++)
        add_set(named, gr_ruleset_at(ruleset, i));
}
