/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nri/session: CreateContainer. Above all: whatever a pod's author puts into a request, the
 * container is refused or has its hooks; it never starts silently without them.
 */
#include "rig.h"

#include <errno.h>

static const struct gr_str hook_args[] = {{.p = "x", .n = 1}};
static const struct gr_oci_hook one_hook = {.stage = GR_STAGE_CREATE_RUNTIME,
                                            .path = {.p = "/x", .n = 2},
                                            .args = {hook_args, 1},
                                            .has_timeout = true,
                                            .timeout_s = 5};
#define ONE_HOOK_HEX "0a0f2a0d120b0a022f7812017822020805"

static void give_hooks(struct rig *rig, const struct gr_oci_hook *hooks, size_t n)
{
    rig->decision = (struct gr_decision){.hooks = hooks, .hooks_n = n};
}

static void test_hooks(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    give_hooks(&rig, &one_hook, 1);
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated hooks=1\nreply 5 " ONE_HOOK_HEX "\n");
    rig_fini(&rig);
}

/* What the runtime said in Configure decides where the image's name is taken from. */
static void test_subject(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    /* pod: name p, namespace n; container: name c, annotation io.kubernetes.cri.image-name=nginx */
    rig_send_hex(&rig, "CreateContainer",
                 "0a06 120170 22016e"
                 "122a 1a0163 3225 0a1c"
                 "696f2e6b756265726e657465732e6372692e696d6167652d6e616d65 1205 6e67696e78");
    rig_read(&rig);
    rig_expect(&rig, "decide n/p/c image=nginx\ncreated hooks=0\nreply 5\n");
    rig_fini(&rig);
}

/* No hooks: an empty message, also under the settings. */
static void test_no_hooks(void **state)
{
    const struct gr_session_settings settings = {.ignore_request_errors = true};
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    gr_session_set(rig.session, &settings);
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated hooks=0\ndecide // image=?\ncreated hooks=0\n"
                     "reply 5\nreply 7\n");
    rig_fini(&rig);
}

static void test_refusal(void **state)
{
    const struct gr_session_settings settings = {.ignore_request_errors = true};
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig.decision = (struct gr_decision){
        .refuse = true, .refusal = GR_STR("set tap: blocked"), .hooks = &one_hook, .hooks_n = 1};
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    gr_session_set(rig.session, &settings); /* is about requests, not about decisions */
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated refused hooks=1\n"
                     "decide // image=?\ncreated refused hooks=1\n"
                     "error 5 9 set tap: blocked\nerror 7 9 set tap: blocked\n");
    rig_fini(&rig);
}

/* ---- requests without a decision ---- */

struct undecided {
    const char *name;
    const char *hex;
    const char *code; /* of the error that is told to the owner */
    const char *text; /* what the runtime is told; NULL: any */
};

static const struct undecided undecided_rows[] = {
    {"no pod", "1200", "bad-request", "the CreateContainer request has no pod"},
    {"no container", "0a00", "bad-request", "the CreateContainer request has no container"},
    {"neither", "", "bad-request", "the CreateContainer request has no pod"},
    {"not protobuf", "ffffffff", "message-not-valid", NULL},
    {"cut", "0a00 1205 1a", "message-not-valid", NULL},
    {"a pod annotation with a NUL byte", "0a0a 3208 0a0161 1203 620063 1200",
     "message-text-not-valid", NULL},
    {"a pod annotation that is not UTF-8", "0a0a 3208 0a0161 1203 62ff63 1200",
     "message-text-not-valid", NULL},
    {"a key with a NUL byte", "0a0a 3208 0a03 610062 1201 63 1200", "message-text-not-valid", NULL},
    {"a container label that is not UTF-8", "0a00 1209 2a07 0a0161 1202 c328",
     "message-text-not-valid", NULL},
    {"a name with a NUL byte", "0a00 1205 1a03 610062", "message-text-not-valid", NULL},
    {"an argument with a NUL byte", "0a00 1205 3a03 610062", "message-text-not-valid", NULL},
    {"a surrogate in a namespace", "0a05 2203 eda080 1200", "message-text-not-valid", NULL},
    {"a pod that is a number", "0801 1200", "message-not-valid", NULL},
};

static void send_undecided(struct rig *rig, const struct undecided *row)
{
    rig_send_hex(rig, "CreateContainer", row->hex);
}

static void refused_by_default(void **state)
{
    const struct undecided *row = *state;
    char expected[256];
    struct rig rig;

    rig_init_ready(&rig);
    give_hooks(&rig, &one_hook, 1);
    send_undecided(&rig, row);
    (void)snprintf(expected, sizeof(expected), "created unread refused error: %s\n", row->code);
    rig_expect(&rig, expected);
    rig_read(&rig);
    if (row->text) {
        (void)snprintf(expected, sizeof(expected), "error 5 9 %s\n", row->text);
        rig_expect(&rig, expected);
    }
    if (strncmp(rig.log, "error 5 9 ", 10) != 0 && !row->text)
        fail_msg("%s", rig.log);
    rig.log[0] = '\0';
    rig.log_bytes = 0;
    rig_send_hex(&rig, "CreateContainer", "0a00 1200"); /* the next one is none the worse */
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated hooks=1\nreply 7 " ONE_HOOK_HEX "\n");
    rig_fini(&rig);
}

static void let_through_where_asked(void **state)
{
    const struct gr_session_settings settings = {.ignore_request_errors = true};
    const struct undecided *row = *state;
    char expected[256];
    struct rig rig;

    rig_init_ready(&rig);
    give_hooks(&rig, &one_hook, 1);
    gr_session_set(rig.session, &settings);
    send_undecided(&rig, row);
    rig_read(&rig);
    (void)snprintf(expected, sizeof(expected), "created unread error: %s\nreply 5\n", row->code);
    rig_expect(&rig, expected);
    rig_fini(&rig);
}

/* Refused, also where requests that cannot be read are let through. */
static void test_no_decision(void **state)
{
    const struct gr_session_settings settings = {.ignore_request_errors = true};
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    give_hooks(&rig, &one_hook, 1);
    rig.decide = -ENOMEM;
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    gr_session_set(rig.session, &settings);
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated refused error: no-decision\n"
                     "decide // image=?\ncreated refused error: no-decision\n"
                     "error 5 9 no decision\nerror 7 9 no decision\n");
    rig_fini(&rig);
}

/* ---- sizes ---- */

/* {pod: {annotations: {a: "xxx…"}}, container: {}} of exactly n bytes, on the heap. */
static struct gr_str annotated(size_t n)
{
    /* pod {6: entry}, entry {1: "a", 2: value}; the lengths as four-byte varints */
    size_t value = n - 2 - 5 - 5 - 3 - 5;
    size_t lengths[3] = {5 + 3 + 5 + value, 3 + 5 + value, value};
    static const char tags[3] = {0x0a, 0x32, 0x12};
    char *out = malloc(n);
    char *at = out;

    assert_non_null(out);
    for (size_t i = 0; i < 3; i++) {
        if (i == 2) {
            memcpy(at,
                   "\x0a\x01"
                   "a",
                   3);
            at += 3;
        }
        *at++ = tags[i];
        for (size_t k = 0; k < 4; k++)
            *at++ = (char)((lengths[i] >> (7 * k) & 0x7f) | (k < 3 ? 0x80 : 0));
    }
    memset(at, 'x', value);
    memcpy(at + value, "\x12\x00", 2);
    assert_ptr_equal(at + value + 2, out + n);
    return (struct gr_str){.p = out, .n = n};
}

struct size_row {
    const char *name;
    size_t bytes;
    const char *expected;
};

static const struct size_row size_rows[] = {
    {"a value of 256 KiB", (256U << 10) + 20,
     "decide // image=?\ncreated hooks=1\nreply 5 " ONE_HOOK_HEX "\n"},
    {"at the limit", 4U << 20, "decide // image=?\ncreated hooks=1\nreply 5 " ONE_HOOK_HEX "\n"},
    {"one byte over the limit", (4U << 20) + 1,
     "created unread refused error: request-too-large\n"
     "error 5 9 the CreateContainer request has 4194305 bytes, more than 4194304\n"},
    {"14 MiB", 14U << 20,
     "created unread refused error: request-too-large\n"
     "error 5 9 the CreateContainer request has 14680064 bytes, more than 4194304\n"},
};

static void request_size(void **state)
{
    const struct size_row *row = *state;
    struct gr_str request = annotated(row->bytes);
    struct rig rig;

    rig_init_ready(&rig);
    give_hooks(&rig, &one_hook, 1);
    rig_send(&rig, "CreateContainer", request);
    rig_read(&rig);
    rig_expect(&rig, row->expected);
    free((void *)(uintptr_t)request.p);
    rig_fini(&rig);
}

/* Many tiny entries take many times their encoding: refused before memory is taken. */
static void test_bomb(void **state)
{
    size_t entries = 1U << 20;
    char *payload = malloc(5 + 2 * entries + 2);
    struct rig rig;

    (void)state;
    assert_non_null(payload);
    memcpy(payload, "\x0a\x80\x80\x80\x01", 5); /* a pod of 2 MiB: empty labels */
    for (size_t i = 0; i < entries; i++)
        memcpy(payload + 5 + 2 * i, "\x2a\x00", 2);
    memcpy(payload + 5 + 2 * entries, "\x12\x00", 2);
    rig_init_ready(&rig);
    rig_send(&rig, "CreateContainer", (struct gr_str){.p = payload, .n = 5 + 2 * entries + 2});
    rig_expect(&rig, "created unread refused error: message-too-large\n");
    gr_session_sent(rig.session, gr_session_pending(rig.session).n);
    free(payload);
    rig_fini(&rig);
}

/* One hook whose only argument has n bytes. */
static void send_with_argument(struct rig *rig, char *argument, size_t n)
{
    const struct gr_str arg = {.p = argument, .n = n};
    const struct gr_oci_hook hook = {
        .stage = GR_STAGE_POSTSTOP, .path = GR_STR("/x"), .args = {&arg, 1}};

    give_hooks(rig, &hook, 1);
    rig_send_hex(rig, "CreateContainer", "0a00 1200");
    rig_read(rig);
}

static size_t varint_bytes(size_t value)
{
    return value < 128 ? 1 : 1 + varint_bytes(value / 128);
}

/* Length of the response with one hook /x whose only argument has n bytes. */
static size_t response_bytes(size_t n)
{
    size_t bytes = 4 + 1 + varint_bytes(n) + n;

    for (int level = 0; level < 3; level++) /* hook, hooks, adjust */
        bytes += 1 + varint_bytes(bytes);
    return bytes;
}

/* Below and above one frame, and up to ttrpc's limit; rig_read checks the frames. */
static void test_reply_sizes(void **state)
{
    static const size_t sizes[] = {3000, 4050, 4063, 4064, 4065, 4070, 8192, 100000, 4194000};
    char *argument = malloc(4U << 20);
    struct rig rig;

    (void)state;
    assert_non_null(argument);
    memset(argument, 'a', 4U << 20);
    rig_init_ready(&rig);
    for (size_t i = 0; i < GR_ARRAY_LEN(sizes); i++) {
        char expected[96];

        send_with_argument(&rig, argument, sizes[i]);
        (void)snprintf(expected, sizeof(expected),
                       "decide // image=?\ncreated hooks=1\nreply %u %zu bytes\n", rig.stream,
                       response_bytes(sizes[i]));
        rig_expect(&rig, expected);
    }
    /* An answer that cannot be sent is a refusal, and the owner is told so. */
    send_with_argument(&rig, argument, 4U << 20);
    rig_expect(&rig, "decide // image=?\ncreated refused error: reply-too-large\n"
                     "error 23 8 the reply of 4194328 bytes is over the limit of 4194304 bytes\n");
    assert_false(gr_session_is_broken(rig.session));
    free(argument);
    rig_fini(&rig);
}

/* A runtime that does not read: the queue has an end, and then the connection. */
static void test_slow_reader(void **state)
{
    char *argument = malloc(4U << 20);
    struct gr_str arg = {.p = argument, .n = 4194000};
    struct gr_oci_hook hook = {.path = GR_STR("/x"), .args = {&arg, 1}};
    struct rig rig;
    int r = 0;
    int fed = 0;

    (void)state;
    assert_non_null(argument);
    memset(argument, 'a', 4U << 20);
    rig_init_ready(&rig);
    give_hooks(&rig, &hook, 1);
    while (r == 0 && fed < 100000) {
        struct gr_str request = rig_request(&rig, "CreateContainer", GR_STR("\x0a\x00\x12\x00"), 0);

        r = rig_feed(&rig, request);
        free((void *)(uintptr_t)request.p);
        rig.log_bytes = 0;
        fed++;
    }
    /* Three fit; then there is room for many refusals, and at last for nothing. */
    assert_int_equal(r, -ENOBUFS);
    assert_true(fed > 4);
    assert_true(gr_session_is_broken(rig.session));
    assert_true(gr_session_pending(rig.session).n <= 12U << 20);
    gr_session_sent(rig.session, gr_session_pending(rig.session).n);
    rig.log[0] = '\0';
    free(argument);
    rig_fini(&rig);
}

/* The settings may change between two requests. */
static void test_settings(void **state)
{
    static const char create[] = "0a00 1227 3225 0a1c"
                                 "696f2e6b756265726e657465732e6372692e696d6167652d6e616d65"
                                 "1205 6e67696e78";
    const struct gr_session_settings strict = {.ambiguous_image_unknown = true};
    const struct gr_session_settings trust = {0};
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    /* containerd v1.7.2 */
    rig_send_hex(&rig, "Configure", "120a636f6e7461696e657264 1a0676312e372e32");
    rig_read(&rig);
    rig_expect(&rig, "configure containerd v1.7.2 nri= timeout=2000 config=\nreply 5 1008\n");
    rig_send_hex(&rig, "CreateContainer", create);
    gr_session_set(rig.session, &strict);
    rig_send_hex(&rig, "CreateContainer", create);
    gr_session_set(rig.session, &trust);
    rig_send_hex(&rig, "CreateContainer", create);
    rig_read(&rig);
    rig_expect(&rig, "decide // image=nginx\ncreated hooks=0\ndecide // image=?\ncreated hooks=0\n"
                     "decide // image=nginx\ncreated hooks=0\nreply 7\nreply 9\nreply 11\n");
    rig_fini(&rig);
}

int main(void)
{
    test_add("a hook", test_hooks);
    test_add("what the decision is made from", test_subject);
    test_add("no hooks", test_no_hooks);
    test_add("a refusal", test_refusal);
    TEST_ADD_ROWS(refused_by_default, undecided_rows);
    TEST_ADD_ROWS(let_through_where_asked, undecided_rows);
    test_add("no decision could be made", test_no_decision);
    TEST_ADD_ROWS(request_size, size_rows);
    test_add("a request that takes many times its size", test_bomb);
    test_add("replies of all sizes", test_reply_sizes);
    test_add("a runtime that does not read", test_slow_reader);
    test_add("settings that change", test_settings);
    return test_run("session_create");
}
