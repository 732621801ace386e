/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/programs/named: digests in paths, and when nothing is known. */
#include "load/loading.h"

#include "app/daemon/programs/named.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

static void test_paths(void **state)
{
    struct gr_named named = {0};

    (void)state;
    gr_named_begin(&named);
    gr_named_add_path(&named, GR_STR("/opt/grapnel/programs/net/" ONE "/bin/setup"));
    gr_named_add_path(&named, GR_STR("/srv/elsewhere/" TWO));
    gr_named_add_path(&named, GR_STR("/opt/hooks/x"));
    gr_named_add_path(&named, GR_STR("/" ONE "1/a" TWO "/x"));
    gr_named_add_path(&named, GR_STR_NONE);
    assert_true(named.known);
    assert_int_equal(named.n, 2);
    assert_true(gr_str_is(named.digests[0], ONE));
    assert_true(gr_str_is(named.digests[1], TWO));
    gr_named_fini(&named);
    gr_named_fini(&named);
}

/* An interpreter's script stands in the arguments. */
static void test_arguments(void **state)
{
    const struct gr_str args[] = {GR_STR("sh"), GR_STR("/p/net/" ONE "/script")};
    const struct gr_str env[] = {GR_STR("LIB=/p/net/" TWO)};
    const struct gr_oci_hook hook = {.path = GR_STR("/bin/sh"), .args = {args, 2}, .env = {env, 1}};
    const struct gr_subject subject = {.hooks = &hook, .hooks_n = 1};
    struct gr_named named = {0};

    (void)state;
    gr_named_begin(&named);
    gr_named_add_container(&named, &subject);
    assert_int_equal(named.n, 2);
    gr_named_fini(&named);
}

static void test_containers(void **state)
{
    const struct gr_oci_hook hooks[] = {{.path = GR_STR("/p/net/" ONE "/a")},
                                        {.path = GR_STR("/p/net/" ONE "/b")}};
    const struct gr_subject subject = {.hooks = hooks, .hooks_n = 2};
    struct gr_named named = {0};

    (void)state;
    gr_named_begin(&named);
    gr_named_add_container(&named, &subject);
    assert_int_equal(named.n, 1);
    gr_named_unknown(&named);
    assert_false(named.known);
    gr_named_begin(&named);
    assert_true(named.known);
    assert_int_equal(named.n, 0);
    gr_named_fini(&named);
}

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: a}\nspec:\n"

static struct memfs host;

static void name_rules(struct gr_named *named, const char *text, uint64_t hash)
{
    struct loaded *l;

    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", text);
    l = loaded_new(&host);
    l->options.environment = GR_STR("site");
    l->options.check_host = false;
    load_again(l);
    assert_int_equal(gr_ruleset_count(l->result.ruleset), 1);
    gr_named_add_rules(named, l->result.ruleset, hash);
    loaded_free(l);
    memfs_fini(&host);
}

/* Wherever it stands: a container that is created with them has it there, too. */
static void test_rules(void **state)
{
    static const char *const texts[] = {
        HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /p/net/" ONE "/x}]}\n",
        HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /bin/sh, args: [sh, "
             "'/p/" ONE "/{{.ID}}']}]}\n",
        HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /bin/sh, env: [A=" ONE "]}]}\n",
        HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /bin/sh}]}\n"
             "  environments: {site: {env: [LIB=/p/" ONE "]}}\n"};
    static const char other[] =
        HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /p/" TWO "/x}]}\n";
    struct gr_named named = {0};

    (void)state;
    gr_named_begin(&named);
    gr_named_add_rules(&named, NULL, 1);
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        name_rules(&named, texts[i], i);
        assert_int_equal(named.n, 1);
        assert_true(named.known && gr_str_is(named.digests[0], ONE));
        name_rules(&named, other, i); /* said to be the same */
        assert_int_equal(named.n, 1);
        gr_named_begin(&named);
    }
    gr_named_fini(&named);
}

static void test_limit(void **state)
{
    struct gr_named named = {0};
    char path[128];

    (void)state;
    gr_named_begin(&named);
    for (unsigned i = 0; i <= GR_NAMED_MAX; i++) {
        assert_true(named.known);
        (void)snprintf(path, sizeof(path), "/p/net/%064x/setup", i);
        gr_named_add_path(&named, gr_str_from(path));
        assert_int_equal(named.n, GR_MIN(i + 1, GR_NAMED_MAX));
    }
    assert_false(named.known);
    gr_named_fini(&named);
}

int main(void)
{
    test_add("paths", test_paths);
    test_add("arguments", test_arguments);
    test_add("containers", test_containers);
    test_add("rules", test_rules);
    test_add("limit", test_limit);
    return test_run("named");
}
