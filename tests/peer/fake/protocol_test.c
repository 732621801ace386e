/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of the plugin process with a fake runtime: both ways to start, the order of the first
 * messages, and what happens when the connection ends at any step.
 */
#include "fake_runtime.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

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

/* ---- the usual course ---- */

static void test_external(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_start_connected(fake);
    fake_get_ready(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    assert_int_equal(kill(fake->pid, SIGTERM), 0);
    fake_expect_close(fake);
    fake_expect_exit(fake);
}

/* No arguments, three variables, /dev/null: and Configure says where rules are. */
static void test_launched(void **state)
{
    struct fake *fake = *state;

    fake_launch(fake, FAKE_AS_RUNTIME);
    fake_get_ready(fake);
    fake_expect_hooks(fake, &any_pod, 0);
    fake_close(fake);
    fake_expect_exit(fake);
}

static void test_launched_with_rules(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    fake_close(fake);
    fake_expect_exit(fake);
}

/* The runtime's handler signals success before its reply is written. */
static void test_configure_first(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_start_connected(fake);
    fake_take_register(fake);
    fake_configure(fake, "");
    fake_synchronize(fake);
    fake_answer_register(fake);
    fake_expect_hooks(fake, &any_pod, 1);
}

/* Everything sent at once, before anything of the plugin is read. */
static void test_all_at_once(void **state)
{
    struct fake *fake = *state;
    uint32_t configured, synchronized, created;
    struct gr_buf out;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_start_connected(fake);
    gr_buf_init(&out, 65536);
    configured = fake_put_request(fake, &out, "Configure", fake_configure_payload(fake, ""));
    synchronized = fake_put_request(fake, &out, "Synchronize", GR_STR_NONE);
    created = fake_put_request(fake, &out, "CreateContainer", fake_pod_payload(fake, &any_pod));
    fake_put_message(&out, GR_MUX_ID_RUNTIME, 1, GR_TTRPC_RESPONSE, GR_STR_NONE);
    fake_send(fake, out.data, out.len);
    gr_buf_fini(&out);
    fake_take_register(fake);
    assert_true(gr_str_eq(fake_reply(fake, configured).payload, GR_STR("\x10\x08")));
    assert_int_equal(fake_reply(fake, synchronized).payload.n, 0);
    fake_check_hooks(fake_reply(fake, created).payload, 1);
}

/* NRI up to 0.6.1 sends a launched plugin no Synchronize; others take their time. */
static void test_no_synchronize(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_launch(fake, FAKE_APART);
    fake_take_register(fake);
    fake_answer_register(fake);
    fake_configure_rules(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    fake_close(fake);
    fake_expect_exit(fake);
}

/* Before Configure nobody knows where rules lie: containers are refused, and SIGHUP loads nothing.
 */
static void test_before_configure(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_launch(fake, FAKE_APART_WITH_LOG);
    fake_take_register(fake);
    fake_answer_register(fake);
    assert_int_equal(kill(fake->pid, SIGHUP), 0);
    (void)fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &any_pod), 9);
    fake_wait_log(fake, "Grapnel is still loading its rules");
    fake_configure_rules(fake);
    fake_wait_log(fake, "msg=\"rules loaded\" sets=1");
    assert_false(fake_has_logged(fake, "msg=\"rules loaded\" sets=0"));
    fake_expect_hooks(fake, &any_pod, 1);
    fake_close(fake);
    fake_expect_exit(fake);
}

/* ---- ends ---- */

static void test_shutdown_launched(void **state)
{
    struct fake *fake = *state;

    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
    assert_int_equal(fake_call(fake, "Shutdown", GR_STR_NONE).n, 0);
    fake_expect_close(fake);
    fake_expect_exit(fake);
}

static void test_shutdown_external(void **state)
{
    struct fake *fake = *state;

    fake_start_connected(fake);
    fake_get_ready(fake);
    assert_int_equal(fake_call(fake, "Shutdown", GR_STR_NONE).n, 0);
    fake_expect_close(fake);
    fake_expect_exit(fake);
}

static void test_signals(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct fake *fake = *state;

    for (size_t i = 0; i < GR_ARRAY_LEN(signals); i++) {
        fake_launch(fake, FAKE_APART);
        fake_get_ready(fake);
        assert_int_equal(kill(fake->pid, signals[i]), 0);
        fake_expect_close(fake);
        fake_expect_exit(fake);
        fake_close(fake);
    }
}

/* A signal while there is no runtime at all. */
static void test_signal_unconnected(void **state)
{
    struct fake *fake = *state;

    fake_start(fake);
    fake_wait_log(fake, "cannot connect");
    assert_int_equal(kill(fake->pid, SIGTERM), 0);
    fake_expect_exit(fake);
}

/* ---- the connection ends at any step ---- */

/* A request of which only a part comes. */
static void send_part(struct fake *fake, size_t n)
{
    struct gr_buf out;

    gr_buf_init(&out, 4096);
    (void)fake_put_request(fake, &out, "CreateContainer", fake_pod_payload(fake, &any_pod));
    assert_true(n < out.len);
    fake_send(fake, out.data, n);
    gr_buf_fini(&out);
}

static void do_nothing(struct fake *fake)
{
    (void)fake;
}

static void refuse_register(struct fake *fake)
{
    const struct gr_ttrpc_response refusal = {.code = 2, .text = GR_STR("no such plugin")};
    uint8_t bytes[64];
    struct gr_buf out;

    fake_take_register(fake);
    (void)gr_ttrpc_response_encode(&refusal, bytes);
    gr_buf_init(&out, 256);
    fake_put_message(
        &out, GR_MUX_ID_RUNTIME, 1, GR_TTRPC_RESPONSE,
        (struct gr_str){.p = (const char *)bytes, .n = gr_ttrpc_response_bytes(&refusal)});
    fake_send(fake, out.data, out.len);
    gr_buf_fini(&out);
    fake_expect_close(fake);
}

static void take_and_answer_register(struct fake *fake)
{
    fake_take_register(fake);
    fake_answer_register(fake);
}

static void ask_configure(struct fake *fake)
{
    take_and_answer_register(fake);
    (void)fake_request(fake, "Configure", fake_configure_payload(fake, ""));
}

static void configure(struct fake *fake)
{
    take_and_answer_register(fake);
    fake_configure(fake, "");
}

static void part_of_mux_header(struct fake *fake)
{
    fake_get_ready(fake);
    send_part(fake, 3);
}

static void part_of_ttrpc_header(struct fake *fake)
{
    fake_get_ready(fake);
    send_part(fake, 13);
}

static void part_of_data(struct fake *fake)
{
    fake_get_ready(fake);
    send_part(fake, 40);
}

static void ask_create(struct fake *fake)
{
    fake_get_ready(fake);
    (void)fake_request(fake, "CreateContainer", fake_pod_payload(fake, &any_pod));
}

static void create(struct fake *fake)
{
    fake_get_ready(fake);
    (void)fake_call(fake, "CreateContainer", fake_pod_payload(fake, &any_pod));
}

static void too_long_a_frame(struct fake *fake)
{
    fake_get_ready(fake);
    fake_send(fake, "\0\0\0\1\1\0\0\013", 8); /* 16 MiB + 11 bytes */
    fake_expect_close(fake);
}

struct step {
    const char *name;
    void (*reach)(struct fake *fake);
};

static const struct step steps[] = {
    {"after accept", do_nothing},
    {"after RegisterPlugin", fake_take_register},
    {"after a refusal of RegisterPlugin", refuse_register},
    {"after its answer", take_and_answer_register},
    {"after Configure", ask_configure},
    {"after its answer", configure},
    {"after Synchronize", fake_get_ready},
    {"inside a mux header", part_of_mux_header},
    {"inside a ttrpc header", part_of_ttrpc_header},
    {"inside a request", part_of_data},
    {"after CreateContainer", ask_create},
    {"after its answer", create},
    {"after a frame that is too long", too_long_a_frame},
};
#define STEPS GR_ARRAY_LEN(steps)

static void test_close_launched(void **state)
{
    struct fake *fake = *state;

    for (size_t i = 0; i < STEPS; i++) {
        (void)fprintf(stderr, "closed %s\n", steps[i].name);
        fake_launch(fake, FAKE_APART);
        steps[i].reach(fake);
        fake_close(fake);
        fake_expect_exit(fake);
    }
}

static void test_closed_before_start(void **state)
{
    struct fake *fake = *state;

    fake_launch(fake, FAKE_APART_AND_CLOSED);
    fake_expect_exit(fake);
}

/*
 * All steps at once, each with a process of its own, since a plugin waits 5 s (less a quarter at
 * most) after a young session. The runtime comes back as after a crash: another socket in the same
 * place.
 */
struct crowd {
    struct fake fakes[STEPS];
};

static int setup_crowd(void **state)
{
    static struct crowd crowd;

    for (size_t i = 0; i < STEPS; i++)
        fake_init(&crowd.fakes[i]);
    *state = &crowd;
    return 0;
}

static int teardown_crowd(void **state)
{
    struct crowd *crowd = *state;

    for (size_t i = 0; i < STEPS; i++)
        fake_fini(&crowd->fakes[i]);
    return 0;
}

static void test_close_external(void **state)
{
    struct crowd *crowd = *state;
    int64_t closed_ms[STEPS];

    for (size_t i = 0; i < STEPS; i++) {
        struct fake *fake = &crowd->fakes[i];

        fake_write_rule(fake, "{always: true}", NULL);
        fake_start_connected(fake);
        (void)fprintf(stderr, "closing %s\n", steps[i].name);
        steps[i].reach(fake);
        closed_ms[i] = fake_now_ms();
        fake_close(fake);
        fake_stop_listening(fake);
        fake_listen(fake);
    }
    for (size_t i = 0; i < STEPS; i++) {
        struct fake *fake = &crowd->fakes[i];

        (void)fprintf(stderr, "coming back after closing %s\n", steps[i].name);
        fake_wait_log(fake, "the connection to the runtime is lost");
        fake_accept(fake);
        assert_true(fake_now_ms() - closed_ms[i] >= 3000);
        fake_get_ready(fake);
        fake_expect_hooks(fake, &any_pod, 1);
    }
}

/* The runtime starts later than the plugin. */
static void test_late_runtime(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_start(fake);
    fake_wait_log(fake, "cannot connect");
    fake_listen(fake);
    fake_accept(fake);
    fake_get_ready(fake);
    fake_expect_hooks(fake, &any_pod, 1);
}

/* ---- a bad Config in Configure: said, and nothing else ---- */

static const char *const bad_configs[] = {
    "[", /* no YAML */
    "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {hooksDir: [/tmp]}\n",
    "apiVersion: grapnel/v1beta1\nkind: HookSet\n",
    "apiVersion: grapnel/v9\nkind: Config\nspec: {}\n",
    "\x01",
};

static void expect_bad_config(struct fake *fake, struct gr_str payload)
{
    struct gr_str reply = fake_call(fake, "Configure", payload);

    assert_true(gr_str_eq(reply, GR_STR("\x10\x08")));
}

static void test_bad_config_external(void **state)
{
    struct fake *fake = *state;

    fake_write(fake, "config.yaml",
               "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {logLevel: debug}\n");
    fake_write_rule(fake, "{always: true}", NULL);
    fake_start_connected(fake);
    take_and_answer_register(fake);
    for (size_t i = 0; i < GR_ARRAY_LEN(bad_configs); i++) {
        expect_bad_config(fake, fake_configure_payload(fake, bad_configs[i]));
        fake_wait_log(fake, "level=error");
    }
    fake_wait_log(fake, "ready=no");
    fake_synchronize(fake);
    fake_expect_hooks(fake, &any_pod, 1);
}

/* Bytes that are no Configure request at all. */
static void test_unreadable_configure(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_start_connected(fake);
    take_and_answer_register(fake);
    expect_bad_config(fake, GR_STR("\x0a\x02"
                                   "a\xff"));
    fake_wait_log(fake, "level=error");
    expect_bad_config(fake, GR_STR("\xff\xff"));
    fake_wait_log(fake, "level=error");
    fake_synchronize(fake);
    fake_expect_hooks(fake, &any_pod, 1);
}

/* What an earlier one said stays: the rules do not go away with it. */
static void test_unreadable_configure_after_a_good_one(void **state)
{
    struct fake *fake = *state;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    expect_bad_config(fake, GR_STR("\xff\xff"));
    fake_expect_hooks(fake, &any_pod, 1);
    fake_close(fake);
    fake_expect_exit(fake);
}

/* Up to NRI 0.6.1 the end of a launched plugin ends the runtime's CRI. */
static void test_bad_config_launched(void **state)
{
    struct fake *fake = *state;

    for (size_t i = 0; i < GR_ARRAY_LEN(bad_configs); i++) {
        fake_launch(fake, FAKE_APART_WITH_LOG);
        take_and_answer_register(fake);
        expect_bad_config(fake, fake_configure_payload(fake, bad_configs[i]));
        fake_wait_log(fake, "NRI Configure");
        fake_wait_log(fake, "ready=no");
        fake_synchronize(fake);
        (void)fake_call(fake, "CreateContainer", fake_pod_payload(fake, &any_pod));
        fake_close(fake);
        fake_expect_exit(fake);
    }
}

int main(int argc, char **argv)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_external),
        TEST(test_launched),
        TEST(test_launched_with_rules),
        TEST(test_configure_first),
        TEST(test_all_at_once),
        TEST(test_no_synchronize),
        TEST(test_before_configure),
        TEST(test_shutdown_launched),
        TEST(test_shutdown_external),
        TEST(test_signals),
        TEST(test_signal_unconnected),
        TEST(test_close_launched),
        TEST(test_closed_before_start),
        cmocka_unit_test_setup_teardown(test_close_external, setup_crowd, teardown_crowd),
        TEST(test_late_runtime),
        TEST(test_bad_config_external),
        TEST(test_unreadable_configure),
        TEST(test_unreadable_configure_after_a_good_one),
        TEST(test_bad_config_launched),
    };
#undef TEST

    return fake_find_grapnel(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
