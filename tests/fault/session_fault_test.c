/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole NRI session while memory runs out: nothing crashes or leaks, each request is answered or
 * the session says that its connection is to be closed, and a container is refused or has its
 * hooks.
 */
#include "failing.h"

#include "nri/rig.h"

#include <errno.h>

#define ARGUMENT_BYTES 100000
#define ANNOTATION_BYTES 200000
#define REQUESTS_MAX 9

struct script {
    struct gr_str requests[REQUESTS_MAX]; /* on the heap, in frames */
    size_t n;
    struct gr_oci_hook hook;
    struct gr_str arg;
    const char *created[REQUESTS_MAX]; /* "reply N\n" of a container without hooks */
    size_t created_n;
};

static void add(struct script *script, struct rig *rig, const char *method, struct gr_str payload)
{
    script->requests[script->n++] = rig_request(rig, method, payload, 0);
}

/* {pod: {annotations: {"a": 200,000 bytes}}, container: {}}: more than the arena's first block. */
static struct gr_str large_create(void)
{
    const size_t value = ANNOTATION_BYTES;
    const size_t lengths[] = {value + 11, value + 7, value};
    static const char tags[] = {0x0a, 0x32, 0x12};
    char *out = malloc(value + 32);
    char *at = out;

    assert_non_null(out);
    for (size_t i = 0; i < GR_ARRAY_LEN(lengths); i++) {
        if (i == 2) {
            memcpy(at,
                   "\x0a\x01"
                   "a",
                   3);
            at += 3;
        }
        *at++ = tags[i];
        for (int k = 0; k < 3; k++)
            *at++ = (char)((lengths[i] >> (7 * k) & 0x7f) | (k < 2 ? 0x80 : 0));
    }
    memset(at, 'x', value);
    memcpy(at + value, "\x12\x00", 2);
    return (struct gr_str){.p = out, .n = (size_t)(at - out) + value + 2};
}

static void init_script(struct script *script)
{
    static const char configure[] = "\x12\x0a"
                                    "containerd"
                                    "\x1a\x06"
                                    "v2.1.4";
    /* Env A=1, a mount with an option, a pids limit, an rlimit, a CDI device. */
    static const char parts[] = "\x0a\x00\x12\x24"
                                "\x42\x03"
                                "A=1"
                                "\x4a\x08\x0a\x02/d\x22\x02ro"
                                "\x5a\x06\x1a\x04\x42\x02\x08\x05"
                                "\x6a\x03\x0a\x01R"
                                "\xa2\x01\x05\x0a\x03"
                                "v/c";
    struct gr_str create = large_create();
    struct rig rig = {0};
    char *argument = malloc(ARGUMENT_BYTES);

    assert_non_null(argument);
    memset(argument, 'a', ARGUMENT_BYTES);
    *script = (struct script){.arg = {.p = argument, .n = ARGUMENT_BYTES}};
    script->hook = (struct gr_oci_hook){.stage = GR_STAGE_POSTSTOP,
                                        .path = GR_STR("/x"),
                                        .args = {&script->arg, 1},
                                        .has_timeout = true,
                                        .timeout_s = 1};
    add(script, &rig, "Configure", (struct gr_str){.p = configure, .n = sizeof(configure) - 1});
    add(script, &rig, "Synchronize",
        GR_STR("\x0a\x03\x0a\x01p\x12\x06\x0a\x01"
               "c\x12\x01p\x18\x01"));
    add(script, &rig, "Synchronize", GR_STR_NONE);
    add(script, &rig, "CreateContainer", GR_STR("\x0a\x00\x12\x00"));
    add(script, &rig, "CreateContainer", create);
    add(script, &rig, "CreateContainer", (struct gr_str){.p = parts, .n = sizeof(parts) - 1});
    add(script, &rig, "CreateContainer", GR_STR("\x0a\x00"));
    add(script, &rig, "StateChange", GR_STR_NONE);
    add(script, &rig, "Shutdown", GR_STR_NONE);
    script->created[script->created_n++] = "reply 7\n";
    script->created[script->created_n++] = "reply 9\n";
    script->created[script->created_n++] = "reply 11\n";
    script->created[script->created_n++] = "reply 13\n";
    free((void *)(uintptr_t)create.p);
}

static void fini_script(struct script *script)
{
    for (size_t i = 0; i < script->n; i++)
        free((void *)(uintptr_t)script->requests[i].p);
    free((void *)(uintptr_t)script->arg.p);
}

/* In two pieces, so that what came first has to be kept. */
static int feed_halves(struct rig *rig, struct gr_str bytes)
{
    int r = rig_feed(rig, gr_str_first(bytes, bytes.n / 2));

    return r ? r : rig_feed(rig, gr_str_skip(bytes, bytes.n / 2));
}

static int live(struct rig *rig, const struct script *script)
{
    int r = gr_session_start(rig->session, rig->now_ns);

    if (r)
        return r;
    rig_read(rig);
    r = rig_answer(rig, 0, "");
    for (size_t i = 0; r == 0 && i < script->n; i++) {
        r = feed_halves(rig, script->requests[i]);
        rig_read(rig);
        if (r == 0) {
            assert_int_equal(rig->replies, i + 1);
            assert_false(gr_session_is_broken(rig->session));
        }
    }
    for (size_t i = 0; i < script->created_n; i++)
        assert_null(strstr(rig->log, script->created[i]));
    gr_session_closed(rig->session);
    return r;
}

static const struct gr_adjust_entry entries[] = {
    {.kind = GR_ADJUST_ENV, .key = {"A", 1}, .text = {"1", 1}},
    {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_CPU_SHARES, .number = 5},
    {.kind = GR_ADJUST_UNIFIED, .key = {"k", 1}, .text = {"v", 1}},
};

static int scenario(void *user)
{
    const struct gr_adjusted adjusted[] = {
        {.entry = &entries[0]}, {.entry = &entries[1]}, {.entry = &entries[2]}};
    const struct gr_session_settings settings = {.adjusts = true};
    static struct rig rig;
    const struct script *script = user;
    int r;

    rig = (struct rig){.now_ns = 1000,
                       .decision = {.hooks = &script->hook,
                                    .hooks_n = 1,
                                    .adjust = adjusted,
                                    .adjust_n = GR_ARRAY_LEN(adjusted)}};
    r = gr_session_new("grapnel", "10", &rig_ops, &rig, &rig.session);
    if (r)
        return r;
    gr_session_set(rig.session, &settings);
    r = live(&rig, script);
    gr_session_free(rig.session);
    gr_nri_running_free(gr_take(rig.running));
    return r;
}

static void test_session(void **state)
{
    struct script script;

    (void)state;
    init_script(&script);
    failing_run(scenario, &script);
    fini_script(&script);
}

/* Undisturbed, the scenario is what it is meant to be. */
static void test_undisturbed(void **state)
{
    struct script script;

    (void)state;
    init_script(&script);
    failing_begin(0, false);
    assert_int_equal(scenario(&script), 0);
    assert_true(failing_end() >= 10);
    fini_script(&script);
}

int main(void)
{
    test_add("the scenario", test_undisturbed);
    test_add("each allocation fails", test_session);
    return test_run("session_fault");
}
