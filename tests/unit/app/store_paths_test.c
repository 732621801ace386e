/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/reload/store_paths: which paths are watched for the store. */
#include "load/loading.h"

#include "app/daemon/reload/store_paths.h"

static struct memfs host;

#define HEAD                                                                   \
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: a}\nspec:\n" \
    "  match: {always: true}\n  hooks:\n"

/* A set with so many packages, each of them twice. */
static struct loaded *load_packages(size_t n)
{
    static char text[16384];
    size_t used = (size_t)snprintf(text, sizeof(text), HEAD "    prestart:\n");

    for (size_t i = 0; i < n; i++) {
        if (i == 32)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "    poststart:\n");
        if (i == 64)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "    poststop:\n");
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "      - program: p%zu/a\n      - program: p%zu/b\n", i, i);
    }
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", text);
    return load(&host);
}

static size_t paths_of(const struct gr_config *config, const struct loaded *l,
                       struct gr_arena *arena, const char **out)
{
    gr_arena_init(arena, 4096, 0);
    return gr_store_paths(config, l ? l->result.ruleset : NULL, arena, out);
}

static void end(struct loaded *l)
{
    loaded_free(l);
    memfs_fini(&host);
}

static void test_paths(void **state)
{
    const char *paths[GR_STORE_PATHS_MAX + 1];
    struct loaded *l = load_packages(2);
    struct gr_config config;
    struct gr_arena arena;

    (void)state;
    gr_config_init(&config);
    assert_int_equal(paths_of(&config, NULL, &arena, paths), 1);
    assert_string_equal(paths[0], "/opt/grapnel/programs");
    gr_arena_fini(&arena);
    config.host_root = "/host";
    config.programs_dir = "/p";
    assert_int_equal(paths_of(&config, l, &arena, paths), 3);
    assert_string_equal(paths[0], "/host/p");
    assert_string_equal(paths[1], "/host/p/p0/current");
    assert_string_equal(paths[2], "/host/p/p1/current");
    gr_arena_fini(&arena);
    config.programs_dir = "";
    assert_int_equal(paths_of(&config, l, &arena, paths), 0);
    gr_arena_fini(&arena);
    end(l);
}

static void test_limit(void **state)
{
    const char *paths[GR_STORE_PATHS_MAX + 1];
    uint64_t hashes[2];
    struct gr_config config;
    struct gr_arena arena;

    (void)state;
    gr_config_init(&config);
    for (size_t over = 0; over < 2; over++) {
        struct loaded *l = load_packages(GR_STORE_PATHS_MAX + over);

        assert_int_equal(l->result.sets, 1);
        assert_int_equal(paths_of(&config, l, &arena, paths), GR_STORE_PATHS_MAX + 1);
        hashes[over] = gr_store_packages_hash(l->result.ruleset);
        gr_arena_fini(&arena);
        end(l);
    }
    assert_true(hashes[0] == hashes[1]);
}

int main(void)
{
    test_add("paths", test_paths);
    test_add("limit", test_limit);
    return test_run("store_paths");
}
