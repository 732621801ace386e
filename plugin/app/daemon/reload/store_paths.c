/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/store_paths.h"

#include <stdio.h>

#include "base/hash.h"
#include "load/limits.h"
#include "rules/program.h"

/* Each package once, in the order of the sets. */
struct packages {
    struct gr_str names[GR_STORE_PATHS_MAX];
    size_t n;
};

static void add(struct packages *p, struct gr_str program)
{
    struct gr_str name = gr_str_first(program, gr_str_find(program, '/'));

    for (size_t i = 0; i < p->n; i++) {
        if (gr_str_eq(p->names[i], name))
            return;
    }
    if (p->n < GR_ARRAY_LEN(p->names))
        p->names[p->n++] = name;
}

static void find_packages(const struct gr_ruleset *ruleset, struct packages *out)
{
    *out = (struct packages){0};
    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);

        for (size_t stage = 0; stage < GR_STAGE_COUNT && !set->other_node; stage++) {
            for (size_t k = 0; k < set->hooks[stage].n; k++) {
                if (set->hooks[stage].items[k].program.n > 0)
                    add(out, set->hooks[stage].items[k].program);
            }
        }
    }
}

static bool put(struct gr_arena *arena, const char *const *parts, size_t n, const char **out_path)
{
    char path[2 * GR_LOAD_PATH_BYTES];
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(path + used, sizeof(path) - used, "%.*s", GR_LOAD_PATH_BYTES / 2,
                                 parts[i]);
    *out_path = gr_arena_copy(arena, gr_str_from(path));
    return *out_path != NULL;
}

size_t gr_store_paths(const struct gr_config *config, const struct gr_ruleset *ruleset,
                      struct gr_arena *arena, const char **out_paths)
{
    const char *root = strcmp(config->host_root, "/") == 0 ? "" : config->host_root;
    const char *store[] = {root, config->programs_dir};
    struct packages packages = {0};
    size_t n = 0;

    if (!config->programs_dir[0] || !put(arena, store, GR_ARRAY_LEN(store), &out_paths[0]))
        return 0;
    if (ruleset)
        find_packages(ruleset, &packages);
    while (n < packages.n) {
        const char *name = gr_arena_copy(arena, packages.names[n]);
        const char *current[] = {out_paths[0], "/", name, "/" GR_PROGRAM_CURRENT};

        if (!name || !put(arena, current, GR_ARRAY_LEN(current), &out_paths[n + 1]))
            break;
        n++;
    }
    return n + 1;
}

uint64_t gr_store_packages_hash(const struct gr_ruleset *ruleset)
{
    uint64_t hash = GR_HASH_START;
    struct packages packages;

    find_packages(ruleset, &packages);
    for (size_t i = 0; i < packages.n; i++) {
        hash = gr_hash_more(hash, packages.names[i]);
        hash = gr_hash_more(hash, GR_STR("/"));
    }
    return hash;
}
