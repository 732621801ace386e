/* SPDX-License-Identifier: Apache-2.0 */
/* nri/session: the life cycle of a connection. Configure and CreateContainer have files of their
 * own. */
#include "rig.h"

#include <errno.h>

#define MS UINT64_C(1000000)

/* ---- the usual course ---- */

static void test_life(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    assert_int_equal(rig_answer(&rig, 0, ""), 0);
    rig_expect(&rig, "");
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_read(&rig);
    rig_expect(&rig, RIG_CONFIGURED "registering > configured\n"
                                    "reply 1 1008\n");
    rig_send_hex(&rig, "Synchronize", "0a00 0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "configured > ready\nsynchronized 2 pods 1 containers\nreply 3\n");
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated hooks=0\nreply 5\n");
    rig_send_hex(&rig, "Shutdown", "");
    rig_read(&rig);
    rig_expect(&rig, "shutdown\nreply 7\n");
    gr_session_closed(rig.session);
    rig_expect(&rig, "ready > closed\n");
    gr_session_closed(rig.session);
    rig_fini(&rig);
}

/* The runtime's handler signals success before its reply is written. */
static void test_configure_first(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_send_hex(&rig, "Synchronize", "");
    rig_read(&rig);
    rig_expect(&rig, RIG_CONFIGURED "registering > configured\nconfigured > ready\n"
                                    "synchronized 0 pods 0 containers\nreply 1 1008\nreply 3\n");
    assert_int_equal(rig_answer(&rig, 0, ""), 0);
    assert_int_equal(gr_session_state(rig.session), GR_SESSION_READY);
    assert_int_equal(gr_session_next_deadline(rig.session), 0);
    rig_fini(&rig);
}

/* A whole life in pieces: cut at every offset, and byte by byte, with the same outcome. */
static void feed_in_pieces(const struct gr_str *life, size_t first, size_t step)
{
    struct gr_str rest = *life;
    struct rig rig;

    rig_init_started(&rig);
    while (rest.n > 0) {
        size_t n = GR_MIN(first ? first : step, rest.n);
        uint8_t *exact = test_exact(rest.p, n);

        assert_int_equal(rig_feed(&rig, (struct gr_str){.p = (char *)exact, .n = n}), 0);
        free(exact);
        rest = gr_str_skip(rest, n);
        first = 0;
    }
    rig_read(&rig);
    rig_expect(&rig, RIG_CONFIGURED "registering > configured\nconfigured > ready\n"
                                    "synchronized 1 pods 0 containers\n"
                                    "decide // image=?\ncreated hooks=0\nshutdown\n"
                                    "reply 1 1008\nreply 3\nreply 5\nreply 7\n");
    rig_fini(&rig);
}

static void test_pieces(void **state)
{
    static const struct {
        const char *method, *hex;
    } steps[] = {{"Configure", RIG_CONFIGURE},
                 {"Synchronize", "0a00"},
                 {"CreateContainer", "0a00 1200"},
                 {"Shutdown", ""}};
    static const uint8_t answer[] = {0, 0, 0, 2, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0};
    char bytes[1024];
    struct gr_str life = {.p = bytes};
    struct rig rig = {0};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(steps); i++) {
        uint8_t payload[64];
        size_t n = test_unhex(steps[i].hex, payload, sizeof(payload));
        struct gr_str request =
            rig_request(&rig, steps[i].method, (struct gr_str){.p = (char *)payload, .n = n}, 0);

        memcpy(bytes + life.n, request.p, request.n);
        life.n += request.n;
        free((void *)(uintptr_t)request.p);
        if (i == 0) {
            memcpy(bytes + life.n, answer, sizeof(answer));
            life.n += sizeof(answer);
        }
    }
    feed_in_pieces(&life, 0, life.n);
    feed_in_pieces(&life, 0, 1);
    for (size_t cut = 1; cut < life.n; cut++)
        feed_in_pieces(&life, cut, life.n);
}

/* ---- RegisterPlugin ---- */

static void test_refused(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    assert_int_equal(rig_answer(&rig, 2, "invalid plugin index"), -ECONNREFUSED);
    rig_expect(&rig, "rejected: invalid plugin index\n");
    assert_true(gr_session_is_broken(rig.session));
    gr_session_closed(rig.session);
    rig_expect(&rig, "registering > closed\n");
    rig_fini(&rig);
}

static void test_refused_silently(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    assert_int_equal(rig_answer(&rig, 13, ""), -ECONNREFUSED);
    rig_expect(&rig, "rejected: the runtime gives no reason\n");
    rig_fini(&rig);
}

static void test_register_timeout(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    assert_int_equal(gr_session_next_deadline(rig.session), 1000 + 60000 * MS);
    gr_session_tick(rig.session, 999 + 60000 * MS);
    assert_false(gr_session_is_broken(rig.session));
    gr_session_tick(rig.session, 1000 + 60000 * MS);
    rig_expect(&rig, "rejected: the runtime did not answer RegisterPlugin in time\n");
    assert_true(gr_session_is_broken(rig.session));
    assert_int_equal(gr_session_next_deadline(rig.session), 0);
    rig_fini(&rig);
}

/* Once configured, a lost answer to RegisterPlugin does no harm; nor a late one. */
static void test_register_never_answered(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_read(&rig);
    rig_expect(&rig, RIG_CONFIGURED "registering > configured\nreply 1 1008\n");
    gr_session_tick(rig.session, rig.now_ns + 60000 * MS);
    assert_false(gr_session_is_broken(rig.session));
    assert_int_equal(rig_answer(&rig, 2, "too late"), 0);
    rig_send_hex(&rig, "Synchronize", "");
    rig_read(&rig);
    rig_expect(&rig, "configured > ready\nsynchronized 0 pods 0 containers\nreply 3\n");
    rig_fini(&rig);
}

/* ---- Synchronize ---- */

static void test_parts(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig_send_hex(&rig, "Synchronize", "0a00 0a00 1200 1801");
    rig_send_hex(&rig, "Synchronize", "1200 1801");
    rig_read(&rig);
    rig_expect(&rig, "reply 5 1001\nreply 7 1001\n");
    rig_send_hex(&rig, "Synchronize", "0a00");
    rig_read(&rig);
    rig_expect(&rig, "synchronized 3 pods 2 containers\nreply 9\n");
    rig_send_hex(&rig, "Synchronize", "0a00"); /* the count begins anew */
    rig_read(&rig);
    rig_expect(&rig, "synchronized 1 pods 0 containers\nreply 11\n");
    rig_fini(&rig);
}

static void test_bad_part(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_send_hex(&rig, "Synchronize", "0aff");
    rig_read(&rig);
    rig_expect(&rig,
               RIG_CONFIGURED "registering > configured\nreply 1 1008\n"
                              "error 3 3 the Synchronize request is no valid protobuf message\n");
    rig_send_hex(&rig, "Synchronize", "0a00");
    rig_read(&rig);
    rig_expect(&rig, "configured > ready\nsynchronized 1 pods 0 containers\nreply 5\n");
    rig_fini(&rig);
}

/* Each part's answer is on its way before anything is kept of it; pods and containers are joined
 * over the parts. */
static void test_running(void **state)
{
    struct gr_nri_container container;
    struct gr_err err = {0};
    struct gr_arena arena;
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    assert_int_equal(rig.flushes, 1);
    rig_send_hex(&rig, "Synchronize", "1208 0a0163 120170 1a00 1801"); /* c of p, and more */
    assert_int_equal(rig.flushes, 2);
    assert_true(rig.flushed_bytes > 0);
    assert_non_null(rig.running);
    assert_int_equal(gr_nri_running_count(rig.running), 0);  /* still of the Synchronize before */
    rig_send_hex(&rig, "Synchronize", "0a06 0a0170 220164"); /* p of namespace d */
    assert_int_equal(rig.flushes, 3);
    rig_read(&rig);
    rig_expect(&rig, "synchronized 1 pods 1 containers\nreply 5 1001\nreply 7\n");
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_nri_running_count(rig.running), 1);
    assert_int_equal(gr_nri_running_at(rig.running, 0, &arena, &container, &err), 0);
    assert_str(container.subject.id, "c");
    assert_str(container.subject.pod_namespace, "d");
    assert_str(container.subject.runtime, "containerd");
    gr_arena_fini(&arena);
    rig_fini(&rig);
}

/* A part that cannot be read takes what came before it along: the runtime drops the plugin. */
static void test_running_of_a_broken_synchronize(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig_send_hex(&rig, "Synchronize", "1203 0a0163 1801");
    rig_send_hex(&rig, "Synchronize", "0aff");
    rig_send_hex(&rig, "Synchronize", "0a00");
    rig_read(&rig);
    rig_expect(&rig, "synchronized 1 pods 0 containers\nreply 5 1001\n"
                     "error 7 3 the Synchronize request is no valid protobuf message\nreply 9\n");
    assert_int_equal(gr_nri_running_count(rig.running), 0);
    rig_fini(&rig);
}

/* NRI up to 0.6.1 sends it whole, in a frame of up to 16 MiB. */
static void test_large(void **state)
{
    size_t n = (size_t)(16U << 20) - 128;
    char *payload = calloc(1, n);
    struct rig rig;

    (void)state;
    assert_non_null(payload);
    for (size_t at = 0; at + 1024 <= n; at += 1024)
        memcpy(payload + at, "\x0a\xfd\x07", 3); /* a pod of 1021 bytes, never looked into */
    rig_init_ready(&rig);
    rig_send(&rig, "Synchronize", (struct gr_str){.p = payload, .n = n / 1024 * 1024});
    rig_read(&rig);
    rig_expect(&rig, "synchronized 16383 pods 0 containers\nreply 5\n");
    assert_int_equal(gr_nri_running_state(rig.running), GR_NRI_RUNNING_WHOLE);
    rig_fini(&rig);
    free(payload);
}

/* ---- the other methods ---- */

static const char *const other_methods[] = {
    "StateChange",         "RunPodSandbox",
    "UpdatePodSandbox",    "PostUpdatePodSandbox",
    "StopPodSandbox",      "RemovePodSandbox",
    "PostCreateContainer", "StartContainer",
    "PostStartContainer",  "UpdateContainer",
    "PostUpdateContainer", "StopContainer",
    "RemoveContainer",     "ValidateContainerAdjustment",
};

static void test_other_methods(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    for (size_t i = 0; i < GR_ARRAY_LEN(other_methods); i++) {
        char expected[32];

        rig_send_hex(&rig, other_methods[i], "ffff");
        rig_read(&rig);
        (void)snprintf(expected, sizeof(expected), "reply %u\n", rig.stream);
        rig_expect(&rig, expected);
    }
    rig_fini(&rig);
}

static void test_unknown_methods(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig_send_hex(&rig, "ResizePod", "");
    rig_send_hex(&rig, "", "");
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated hooks=0\n"
                     "error 5 12 method ResizePod\nerror 7 12 method \nreply 9\n");
    rig_fini(&rig);
}

/* ---- out of order: answered, and no move that the life cycle does not have ---- */

static void test_create_before_configure(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    rig_read(&rig);
    rig_expect(&rig, "decide // image=?\ncreated hooks=0\nreply 1\n");
    assert_int_equal(gr_session_state(rig.session), GR_SESSION_REGISTERING);
    rig_fini(&rig);
}

static void test_synchronize_before_configure(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig_send_hex(&rig, "Synchronize", "");
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_read(&rig);
    rig_expect(&rig,
               "synchronized 0 pods 0 containers\n" RIG_CONFIGURED "registering > configured\n"
               "reply 1\nreply 3 1008\n");
    rig_fini(&rig);
}

static void test_shutdown_at_once(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig_send_hex(&rig, "Shutdown", "");
    rig_read(&rig);
    rig_expect(&rig, "shutdown\nreply 1\n");
    rig_fini(&rig);
}

static void test_frame_too_long(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    assert_int_equal(rig_feed(&rig, GR_STR("\0\0\0\1\xff\xff\xff\xff")), -EMSGSIZE);
    rig_fini(&rig);
}

int main(void)
{
    test_add("a whole life", test_life);
    test_add("Configure before the answer to RegisterPlugin", test_configure_first);
    test_add("a life in pieces", test_pieces);
    test_add("RegisterPlugin refused", test_refused);
    test_add("RegisterPlugin refused without a text", test_refused_silently);
    test_add("RegisterPlugin not answered", test_register_timeout);
    test_add("RegisterPlugin not answered but configured", test_register_never_answered);
    test_add("Synchronize in parts", test_parts);
    test_add("Synchronize that is no protobuf", test_bad_part);
    test_add("what is kept of running containers", test_running);
    test_add("and of a broken Synchronize", test_running_of_a_broken_synchronize);
    test_add("Synchronize of 16 MiB", test_large);
    test_add("all other methods of the service", test_other_methods);
    test_add("unknown methods", test_unknown_methods);
    test_add("CreateContainer before Configure", test_create_before_configure);
    test_add("Synchronize before Configure", test_synchronize_before_configure);
    test_add("Shutdown at once", test_shutdown_at_once);
    test_add("a frame that is too long", test_frame_too_long);
    return test_run("session");
}
