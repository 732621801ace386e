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

void gr_named_unknown(struct gr_named *named)
{
    named->known = false;
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

void gr_named_add_path(struct gr_named *named, struct gr_str path)
{
    struct gr_str digest;

    while (named->known && gr_tree_digest_next(&path, &digest))
        add(named, digest);
}

static void add_texts(struct gr_named *named, struct gr_strs texts)
{
    for (size_t i = 0; i < texts.n; i++)
        gr_named_add_path(named, texts.items[i]);
}

void gr_named_add_container(struct gr_named *named, const struct gr_subject *subject)
{
    for (size_t i = 0; i < subject->hooks_n; i++) {
        const struct gr_oci_hook *hook = &subject->hooks[i];

        gr_named_add_path(named, hook->path);
        add_texts(named, hook->args);
        add_texts(named, hook->env);
    }
}

static void add_templates(struct gr_named *named, const struct gr_hook_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gr_named_add_path(named, texts[i].text.source);
}

static void add_set(struct gr_named *named, const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t k = 0; k < set->hooks[stage].n; k++) {
            const struct gr_hook *hook = &set->hooks[stage].items[k];

            gr_named_add_path(named, hook->path);
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
