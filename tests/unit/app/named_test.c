/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/programs/named: digests in rules, and when nothing is known. */
#include "load/loading.h"

#include "app/daemon/programs/named.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

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

/* As many as are told apart in two sets, and one more in a third. */
static void test_limit(void **state)
{
    static char text[2][GR_NAMED_MAX * 40];
    struct gr_named named = {0};
    unsigned i = 0;

    (void)state;
    gr_named_begin(&named);
    for (size_t k = 0; k < 2; k++) {
        size_t n = (size_t)snprintf(text[k], sizeof(text[k]),
                                    HEAD "  match: {always: true}\n  hooks:\n    poststop:\n"
                                         "      - path: /bin/sh\n        args:\n          - sh\n");

        for (; i < GR_NAMED_MAX / 2 * (k + 1); i += 4)
            n += (size_t)snprintf(text[k] + n, sizeof(text[k]) - n,
                                  "          - %064x:%064x,%064x %064x\n", i, i + 1, i + 2, i + 3);
        name_rules(&named, text[k], k);
        assert_int_equal(named.n, i);
        assert_true(named.known);
    }
    name_rules(&named, text[0], 3);
    assert_true(named.known);
    name_rules(&named,
               HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /p/" TWO "/x}]}\n", 4);
    assert_false(named.known);
    assert_int_equal(named.n, GR_NAMED_MAX);
    gr_named_fini(&named);
    gr_named_fini(&named);
}

int main(void)
{
    test_add("rules", test_rules);
    test_add("limit", test_limit);
    return test_run("named");
}
