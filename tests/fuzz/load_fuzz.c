/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole host of files: HookSets, oci-hooks(5) files, policies, settings, what Configure carries,
 * links between them, owners and modes. Whatever they are, a load ends, gives a rule set, leaks no
 * descriptor, and keeps its promises:
 *   - nothing of another owner, and nothing that others may write, gives a set;
 *   - a policy that is refused blocks every set, and one more policy never unblocks one;
 *   - a second load of the same host finds the same.
 */
#include "fuzz.h"

/* What unit/testing.h gives: the file system of the unit tests wants little of it. */
#define fail_msg(...)                       \
    do {                                    \
        (void)fprintf(stderr, __VA_ARGS__); \
        abort();                            \
    } while (0)
#define assert_non_null(p) FUZZ_CHECK((p) != NULL)
#define assert_true(c) FUZZ_CHECK(c)
#define assert_int_equal(a, b) FUZZ_CHECK((a) == (b))
#define assert_in_range(v, lo, hi) FUZZ_CHECK((v) >= (lo) && (v) <= (hi))
#define GR_TESTS_TESTING_H

#include "load/configfile.h"
#include "load/load.h"
#include "memfs.h"

#define HEAD "apiVersion: grapnel/v1beta1\n"
#define HOOKSET HEAD "kind: HookSet\nspec:\n  match: {always: true}\n  hooks: {poststop: [{path: "

#define OCI_BEGUN                                                                         \
    "{\"version\": \"1.0.0\", \"when\": {\"always\": true}, \"stages\": [\"poststop\"], " \
    "\"hook\": "                                                                          \
    "{\"path\": \"/opt/hooks/x\""

static const char *const hook_dirs[] = {"/usr/share/grapnel/hooks.d", "/etc/grapnel/hooks.d"};
static const char *const oci_dirs[] = {"/usr/share/oci", "/etc/oci"};

/* Where the input's pieces go. */
static const char *const places[] = {
    "/usr/share/grapnel/hooks.d/a.yaml",
    "/etc/grapnel/hooks.d/a.yaml",
    "/etc/grapnel/hooks.d/b.json",
    "/usr/share/oci/a.json",
    "/etc/oci/a.json",
    "/etc/oci/b.json",
    "/etc/grapnel/policy.yaml",
    "/etc/grapnel/config.yaml",
    "/opt/hooks/x",
    "/srv/target",
};

/* What a piece begins with, so that the bytes behind it are reached. */
static const char *const beginnings[] = {
    "",
    HEAD "kind: HookSet\nspec:\n",
    HOOKSET,
    HOOKSET "/opt/hooks/x}]}\n---\n",
    HEAD "kind: Policy\nspec:\n  ",
    HEAD "kind: Policy\nspec: {stages: [poststop]}\n---\n",
    HEAD "kind: Config\nspec:\n  ",
    OCI_BEGUN,
    "{\"hook\": {\"path\": \"/opt/hooks/x\"}, \"stages\": [\"poststop\"]}",
};

static const uint32_t owners[] = {0, 0, 0, 1000};
static const uint32_t modes[] = {0644, 0755, 0755, 0644, 0666, 0777};

struct seen {
    size_t errors, unreadable;
};

static void see(void *user, enum gr_level level, const struct gr_err *err)
{
    struct seen *seen = user;

    FUZZ_CHECK(err->code && err->text[0] && err->file[0]);
    seen->errors += level == GR_LEVEL_ERROR;
    seen->unreadable += strcmp(err->code, "policy-unreadable") == 0;
}

/* The next piece of the input, behind its length. */
static struct gr_str take_piece(struct gr_str *input)
{
    size_t n = GR_MIN((size_t)fuzz_take(input, 2), input->n);
    struct gr_str piece = gr_str_first(*input, n);

    *input = gr_str_skip(*input, n);
    return piece;
}

static void put(struct memfs *m, const char *path, const char *beginning, struct gr_str piece)
{
    size_t head = strlen(beginning);
    char *text = malloc(head + piece.n + 1);

    FUZZ_CHECK(text);
    memcpy(text, beginning, head);
    if (piece.n)
        memcpy(text + head, piece.p, piece.n);
    mem_set(m, &m->nodes[mem_make(m, path, GR_FS_REGULAR)], text, head + piece.n);
    free(text);
}

/* One file or link with an owner and a mode, or those of its directory. */
static void make_one(struct memfs *m, struct gr_str *input)
{
    const char *path = places[fuzz_take(input, 1) % GR_ARRAY_LEN(places)];
    const char *beginning = beginnings[fuzz_take(input, 1) % GR_ARRAY_LEN(beginnings)];
    uint32_t how = fuzz_take(input, 1);
    struct mem_node *node;

    if (how % 8 == 7 && !mem_find(m, path))
        (void)mem_link(m, path, places[(how >> 3) % GR_ARRAY_LEN(places)]);
    else if (!mem_find(m, path) || mem_at(m, path)->meta.type == GR_FS_REGULAR)
        put(m, path, beginning, take_piece(input));
    node = mem_at(m, path);
    if (how % 8 == 6)
        node = &m->nodes[node->parent];
    node->meta.uid = owners[(how >> 3) % GR_ARRAY_LEN(owners)];
    if (node->meta.type == GR_FS_REGULAR)
        node->meta.mode = modes[(how >> 5) % GR_ARRAY_LEN(modes)];
}

static struct gr_str make_host(struct memfs *m, struct gr_str *input)
{
    size_t n = fuzz_take(input, 1) % 12;

    memfs_init(m);
    for (size_t i = 0; i < 2; i++) {
        (void)mem_dir(m, hook_dirs[i]);
        (void)mem_dir(m, oci_dirs[i]);
    }
    (void)mem_program(m, "/opt/hooks/x");
    (void)mem_dir(m, "/srv");
    for (size_t i = 0; i < n; i++)
        make_one(m, input);
    return take_piece(input); /* Configure */
}

static struct seen load(struct memfs *m, struct gr_str configure, struct gr_load_result *out)
{
    struct seen seen = {0};
    const struct gr_reporter reporter = {.report = see, .user = &seen};
    const struct gr_load_options options = {
        .fs = &m->fs,
        .dirs = hook_dirs,
        .dirs_n = GR_ARRAY_LEN(hook_dirs),
        .oci_dirs = oci_dirs,
        .oci_dirs_n = GR_ARRAY_LEN(oci_dirs),
        .policy = {.path = "/etc/grapnel/policy.yaml", .configure_text = configure},
        .environment = GR_STR("staging"),
        .version = GR_STR("0.1.0"),
        .host_root = "/",
        .last_good_dir = "/var/lib/grapnel/last-good",
        .node_name = GR_STR("n"),
        .check_host = true,
    };

    FUZZ_CHECK(gr_load(&options, &reporter, out) == 0);
    FUZZ_CHECK(m->open_n == 0);
    FUZZ_CHECK(seen.errors == out->errors);
    FUZZ_CHECK(gr_ruleset_count(out->ruleset) == out->sets);
    FUZZ_CHECK(out->blocked <= out->sets);
    return seen;
}

static bool is_trusted(struct memfs *m, const char *path)
{
    const struct mem_node *file = mem_at(m, path);
    const struct mem_node *dir = &m->nodes[file->parent];

    if (file->meta.type == GR_FS_LINK)
        return true; /* its target is judged by the loader; here only plain files are */
    return file->meta.uid == 0 && !(file->meta.mode & 022) && dir->meta.uid == 0;
}

static void check_sets(struct memfs *m, const struct gr_load_result *load)
{
    for (size_t i = 0; i < load->sets; i++) {
        const struct gr_hookset *set = gr_ruleset_at(load->ruleset, i);

        FUZZ_CHECK(is_trusted(m, set->file.p));
        FUZZ_CHECK(strchr(set->file.p, 'o') && set->name.n > 0);
        FUZZ_CHECK((set->format == GR_FORMAT_OCI_HOOKS) == (strstr(set->file.p, "/oci/") != NULL));
    }
}

static void check_same(const struct gr_load_result *a, const struct gr_load_result *b)
{
    FUZZ_CHECK(a->sets == b->sets && a->blocked == b->blocked && a->errors == b->errors);
    FUZZ_CHECK(gr_ruleset_policies(a->ruleset)->hash == gr_ruleset_policies(b->ruleset)->hash);
}

/* What was blocked stays so under one more policy. */
static void check_stricter(struct memfs *m, const struct gr_load_result *before)
{
    struct gr_load_result after = {0};

    (void)load(m, GR_STR(HEAD "kind: Policy\nspec: {stages: [poststop], hooksPerContainer: 1}\n"),
               &after);
    for (size_t i = 0; i < before->sets; i++) {
        const struct gr_hookset *old = gr_ruleset_at(before->ruleset, i);
        const struct gr_hookset *new = gr_ruleset_find(after.ruleset, old->name);

        FUZZ_CHECK(new && (old->blocked.n == 0 || new->blocked.n > 0));
    }
    gr_ruleset_unref(after.ruleset);
}

static void read_settings(struct memfs *m)
{
    struct seen seen = {0};
    const struct gr_reporter reporter = {.report = see, .user = &seen};
    struct gr_configfile file = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 4096, 0);
    r = gr_configfile_read(&m->fs, "/etc/grapnel/config.yaml", &arena, &reporter, &file);
    FUZZ_CHECK(r == 0 || (r == GR_CONFIG_REFUSED && seen.errors > 0) || r == GR_CONFIGFILE_MISSING);
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memfs m;
    struct gr_str input = {.p = (const char *)data, .n = size};
    struct gr_load_result first = {0};
    struct gr_load_result second = {0};
    struct gr_load_result alone = {0};
    struct gr_str configure = make_host(&m, &input);
    struct seen seen = load(&m, configure, &first);

    check_sets(&m, &first);
    if (seen.unreadable)
        FUZZ_CHECK(first.blocked == first.sets);
    (void)load(&m, configure, &second);
    check_same(&first, &second);
    (void)load(&m, GR_STR_NONE, &alone);
    check_stricter(&m, &alone);
    read_settings(&m);
    gr_ruleset_unref(first.ruleset);
    gr_ruleset_unref(second.ruleset);
    gr_ruleset_unref(alone.ruleset);
    memfs_fini(&m);
    return 0;
}
