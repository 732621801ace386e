/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and requests with a fake runtime: who gets hooks, reloads, and what a pod's author may
 * write into annotations. A container is refused or has its hooks; it is never silently without
 * them.
 */
#include "fake_runtime.h"

#include <signal.h>

#include "wire/field.h"

static int setup(void **state)
{
    static struct fake fake;

    fake_init(&fake);
    *state = &fake;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    return 0;
}

static const struct fake_pod any_pod;

static void start_ready(struct fake *fake)
{
    fake_start_connected(fake);
    fake_get_ready(fake);
}

/* ---- matching ---- */

static void test_matching(void **state)
{
    static const struct {
        struct fake_pod pod;
        size_t hooks;
    } rows[] = {
        {{.image = "nginx"}, 1},
        {{.image = "docker.io/library/nginx:1.27"}, 1},
        {{.image = "quay.io/library/nginx"}, 0},
        {{.image = NULL}, 0},
        {{.image = "nginx", .namespace = "kube-system"}, 0},
        {{.namespace = "tap"}, 1},
        {{.annotations = {{{"example.com/tap", 15}, {"yes", 3}}}}, 1},
        {{.annotations = {{{"example.com/tap", 15}, {"no", 2}}}}, 0},
        {{.annotations = {{{"example.com/other", 17}, {"yes", 3}}}}, 0},
        {{.annotations = {{{"example.com/tap", 15}, {"yes", 3}}}, .namespace = "kube-system"}, 0},
        /* The image's name is the runtime's to say, not the pod's. */
        {{.annotations = {{{"io.kubernetes.cri.image-name", 28}, {"nginx", 5}}}}, 0},
    };
    struct fake *fake = *state;

    fake_write_rule(fake,
                    "\n    any:\n      - image: nginx\n      - namespace: tap\n"
                    "      - podAnnotations: {example.com/tap: 'yes'}\n"
                    "    namespace: {notIn: [kube-system]}",
                    NULL);
    start_ready(fake);
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        (void)fprintf(stderr, "row %zu\n", i);
        fake_expect_hooks(fake, &rows[i].pod, rows[i].hooks);
    }
}

static void test_no_rules(void **state)
{
    struct fake *fake = *state;

    start_ready(fake);
    fake_expect_hooks(fake, &any_pod, 0);
}

/* ---- reload ---- */

static void reload(struct fake *fake)
{
    assert_int_equal(kill(fake->pid, SIGHUP), 0);
    fake_wait_log(fake, "msg=\"rules loaded\"");
}

static void test_reload(void **state)
{
    struct fake *fake = *state;

    start_ready(fake);
    fake_expect_hooks(fake, &any_pod, 0);
    fake_write_rule(fake, "{always: true}", NULL);
    fake_expect_hooks(fake, &any_pod, 0);
    reload(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    fake_write_rule(fake, "{namespace: other}", NULL);
    reload(fake);
    fake_expect_hooks(fake, &any_pod, 0);
    fake_write_rule(fake, "{namespace: 'n'}", NULL);
    reload(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    fake_remove(fake, "hooks.d/tap.yaml");
    reload(fake);
    fake_expect_hooks(fake, &any_pod, 0);
}

/* A bad file is said, with its place; the others and the process stay. */
static void test_reload_bad_file(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    start_ready(fake);
    fake_write(fake, "hooks.d/bad.yaml",
               "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {mtch: 1}\n");
    assert_int_equal(kill(fake->pid, SIGHUP), 0);
    fake_wait_log(fake, "bad.yaml");
    fake_wait_log(fake, "ready=no");
    fake_expect_hooks(fake, &any_pod, 1);
    fake_remove(fake, "hooks.d/bad.yaml");
    assert_int_equal(kill(fake->pid, SIGHUP), 0);
    fake_wait_log(fake, "ready=yes");
    fake_expect_hooks(fake, &any_pod, 1);
}

/* Settings are read anew as well. */
static void test_reload_settings(void **state)
{
    const struct fake_pod bad = {.annotations = {{{"a", 1}, {"\xff", 1}}}};
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    start_ready(fake);
    (void)fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &bad), 9);
    fake_write(fake, "config.yaml",
               "apiVersion: grapnel/v1beta1\nkind: Config\n"
               "spec: {onRequestError: Ignore, logLevel: debug}\n");
    reload(fake);
    assert_int_equal(fake_call(fake, "CreateContainer", fake_pod_payload(fake, &bad)).n, 0);
    fake_expect_hooks(fake, &any_pod, 1);
}

/* Requests go on while rules are loaded again and again; each has one hook, of whichever set. */
static void test_reload_under_load(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    start_ready(fake);
    for (int i = 0; i < 50; i++) {
        char env[32];

        (void)snprintf(env, sizeof(env), "['ROUND=%d']", i);
        fake_write_rule(fake, "{always: true}", env);
        assert_int_equal(kill(fake->pid, SIGHUP), 0);
        for (int k = 0; k < 20; k++)
            fake_expect_hooks(fake, &any_pod, 1);
    }
    assert_int_equal(kill(fake->pid, SIGTERM), 0);
    fake_expect_exit(fake);
}

/* ---- what a pod's author may write ---- */

static void test_bad_text(void **state)
{
    static const struct gr_kv rows[] = {
        {{"example.com/tap", 15}, {"yes\0", 4}},    {{"example.com/tap", 15}, {"\0", 1}},
        {{"example.com/tap\0", 16}, {"yes", 3}},    {{"example.com/tap", 15}, {"yes\xff", 4}},
        {{"example.com/tap", 15}, {"\xc0\x80", 2}}, {{"example.com/tap", 15}, {"\xed\xa0\x80", 3}},
        {{"example.com/t\xffp", 15}, {"yes", 3}},   {{"unrelated", 9}, {"\xf5\x80\x80\x80", 4}},
    };
    const struct fake_pod good = {.annotations = {{{"example.com/tap", 15}, {"yes", 3}}}};
    struct fake *fake = *state;

    fake_write_rule(fake, "{podAnnotations: {example.com/tap: 'yes'}}", NULL);
    start_ready(fake);
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        const struct fake_pod pod = {.annotations = {rows[i]}};
        struct gr_str text;

        (void)fprintf(stderr, "row %zu\n", i);
        text = fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &pod), 9);
        assert_true(text.n > 0);
        fake_wait_log(fake, "outcome=refused");
        fake_expect_hooks(fake, &good, 1);
    }
}

/* Kubernetes lets all annotations of a pod have 256 KiB together. */
static void test_large_values(void **state)
{
    enum { BYTES = 256 << 10 };
    char *value = malloc(BYTES);
    const struct fake_pod pods[] = {
        {.annotations = {{{"unrelated", 9}, {value, BYTES}}}, .namespace = "tap"},
        {.annotations = {{{"example.com/glob", 16}, {value, BYTES}}}},
    };
    struct fake *fake = *state;

    assert_non_null(value);
    memset(value, 'a', BYTES);
    fake_write_rule(fake,
                    "\n    any:\n      - namespace: tap\n"
                    "      - podAnnotations: {example.com/glob: {glob: 'a*'}}",
                    NULL);
    start_ready(fake);
    for (size_t i = 0; i < GR_ARRAY_LEN(pods); i++)
        fake_expect_hooks(fake, &pods[i], 1);
    free(value);
}

/* A value that is too long for one element of a hook cannot be left out: failurePolicy. */
static void test_template_too_long(void **state)
{
    char *value = malloc(200000);
    const struct fake_pod pod = {.annotations = {{{"example.com/a", 13}, {value, 200000}}}};
    const struct fake_pod fits = {.annotations = {{{"example.com/a", 13}, {value, 131069}}}};
    struct fake *fake = *state;

    assert_non_null(value);
    memset(value, 'a', 200000);
    fake_write_rule(fake, "{always: true}", "['A={{annotation \"example.com/a\"}}']");
    start_ready(fake);
    (void)fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &pod), 9);
    fake_expect_hooks(fake, &fits, 1);
    (void)fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &any_pod), 9);
    free(value);
}

/* ---- sets that cannot be used, and hooks that are there ---- */

static void write_missing_program(struct fake *fake, const char *policy)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: gone}\nspec:\n"
                   "  failurePolicy: %s\n  match: {namespace: gone}\n  hooks:\n"
                   "    createRuntime:\n      - path: /nonexistent/program\n",
                   policy);
    fake_write(fake, "hooks.d/gone.yaml", text);
}

static void test_blocked(void **state)
{
    const struct fake_pod pod = {.namespace = "gone"};
    struct fake *fake = *state;
    struct gr_str text;

    fake_write_rule(fake, "{always: true}", NULL);
    write_missing_program(fake, "Fail");
    start_ready(fake);
    text = fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &pod), 9);
    assert_non_null(memmem(text.p, text.n, "gone", 4));
    fake_expect_hooks(fake, &any_pod, 1);
    write_missing_program(fake, "Ignore");
    reload(fake);
    fake_expect_hooks(fake, &pod, 1); /* of the other set */
}

/* The bytes of the first field of this number. */
static struct gr_str field_of(struct gr_str message, uint32_t number)
{
    struct gr_wire_field field = {0};

    while (gr_wire_field_next(&message, &field) == GR_WIRE_FIELD) {
        if (field.number == number)
            return field.bytes;
    }
    fail_msg("no field %u", number);
    return GR_STR_NONE;
}

/* What another instance has done already is not done twice. */
static void test_idempotent(void **state)
{
    struct fake *fake = *state;
    struct fake_pod pod = {0};
    struct gr_buf hooks;
    struct gr_str reply;

    fake_write_rule(fake, "{always: true}", NULL);
    start_ready(fake);
    gr_buf_init(&hooks, 65536);
    reply = fake_call(fake, "CreateContainer", fake_pod_payload(fake, &pod));
    assert_int_equal(gr_buf_str(&hooks, field_of(field_of(reply, 1), 5)), 0);
    pod.hooks = gr_buf_view(&hooks);
    fake_expect_hooks(fake, &pod, 0);
    gr_buf_fini(&hooks);
}

int main(int argc, char **argv)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_matching),        TEST(test_no_rules),        TEST(test_reload),
        TEST(test_reload_bad_file), TEST(test_reload_settings), TEST(test_reload_under_load),
        TEST(test_bad_text),        TEST(test_large_values),    TEST(test_template_too_long),
        TEST(test_blocked),         TEST(test_idempotent),
    };
#undef TEST

    return fake_find_grapnel(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
