/* SPDX-License-Identifier: Apache-2.0 */
/* nri/session: Configure. It is always answered, in time and with the mask; a bad one as well. */
#include "rig.h"

#define MS UINT64_C(1000000)

/* ---- Configure ---- */

static void test_configure_text(void **state)
{
    Nri__ConfigureRequest request;
    char config[] = "spec: {}", name[] = "cri-o", version[] = "1.40.0", nri[] = "v0.12.2";
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    nri__configure_request__init(&request);
    request.config = config;
    request.runtime_name = name;
    request.runtime_version = version;
    request.nri_version = nri;
    request.registration_timeout = 5000;
    request.request_timeout = 700;
    rig_send_message(&rig, "Configure", &request.base);
    rig_read(&rig);
    rig_expect(&rig, "configure cri-o 1.40.0 nri=v0.12.2 timeout=700 config=spec: {}\n"
                     "registering > configured\nreply 1 1008\n");
    rig_fini(&rig);
}

struct unread {
    const char *name;
    const char *hex;
};

/* Nothing makes Configure fail: that would end a launched plugin, or the runtime's CRI. */
static const struct unread unreadable[] = {
    {"not protobuf", "ffffffff"},
    {"cut", "0a05 6162"},
    {"config with a NUL byte", "0a03 610062"},
    {"config that is not UTF-8", "0a02 c3 28"},
    {"name with a NUL byte", "1203 610062"},
    {"config of another type", "0801"},
};

static void unreadable_configure(void **state)
{
    const struct unread *row = *state;
    bool text = strstr(row->hex, "00") || strstr(row->hex, "28");
    struct rig rig;

    rig_init_started(&rig);
    rig_send_hex(&rig, "Configure", row->hex);
    rig_read(&rig);
    if (text)
        rig_expect(&rig, "configure   nri= timeout=2000 config= error: message-text-not-valid\n"
                         "registering > configured\nreply 1 1008\n");
    else
        rig_expect(&rig, "configure   nri= timeout=2000 config= error: message-not-valid\n"
                         "registering > configured\nreply 1 1008\n");
    rig_fini(&rig);
}

/* Cut between two characters: 127 bytes are kept, and 'ä' takes two of them. */
static void test_long_name(void **state)
{
    Nri__ConfigureRequest request;
    char name[256 + 1], expected[256];
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    nri__configure_request__init(&request);
    for (size_t i = 0; i < 256; i += 2)
        memcpy(name + i, "\xc3\xa4", 3);
    request.runtime_name = name;
    rig_send_message(&rig, "Configure", &request.base);
    rig_read(&rig);
    (void)snprintf(expected, sizeof(expected),
                   "configure %.126s  nri= timeout=2000 config=\n"
                   "registering > configured\nreply 1 1008\n",
                   name);
    rig_expect(&rig, expected);
    rig_fini(&rig);
}

/* Whoever only wants to know what runs is asked about nothing else. */
static void test_only_looks(void **state)
{
    const struct gr_session_settings settings = {.only_looks = true};
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    gr_session_set(rig.session, &settings);
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_read(&rig);
    rig_expect(&rig, RIG_CONFIGURED "registering > configured\nreply 1 1004\n");
    rig_fini(&rig);
}

static void test_second_configure(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_read(&rig);
    rig_expect(&rig, RIG_CONFIGURED "reply 5 1008\n");
    assert_int_equal(gr_session_state(rig.session), GR_SESSION_READY);
    rig_fini(&rig);
}

/* ---- Configure whose answer waits ---- */

static void init_held(struct rig *rig, const char *configure_hex, int64_t timeout_ns)
{
    uint8_t bytes[64];
    size_t n = test_unhex(configure_hex, bytes, sizeof(bytes));

    rig_init_started(rig);
    assert_int_equal(rig_answer(rig, 0, ""), 0);
    rig->hold = true;
    assert_int_equal(
        rig_send_timeout(rig, "Configure", (struct gr_str){.p = (char *)bytes, .n = n}, timeout_ns),
        0);
    rig_read(rig);
    rig->log[0] = '\0';
    rig->log_bytes = 0;
    assert_int_equal(gr_session_state(rig->session), GR_SESSION_REGISTERING);
}

static void test_held(void **state)
{
    struct rig rig;

    (void)state;
    init_held(&rig, RIG_CONFIGURE, 0);
    gr_session_tick(rig.session, rig.now_ns + 1499 * MS);
    rig_read(&rig);
    rig_expect(&rig, "");
    gr_session_configured(rig.session);
    rig_read(&rig);
    rig_expect(&rig, "registering > configured\nreply 1 1008\n");
    gr_session_configured(rig.session);
    assert_int_equal(gr_session_next_deadline(rig.session), 0);
    gr_session_tick(rig.session, rig.now_ns + 1500 * MS);
    rig_fini(&rig);
}

struct hold {
    const char *name;
    const char *hex;    /* of Configure */
    int64_t timeout_ns; /* of the request itself */
    uint64_t hold_ms;   /* expected */
};

static const struct hold holds[] = {
    {"nothing said", "", 0, 1500},
    {"the usual 2 s, twice", "28d00f", INT64_C(2000000000), 1500},
    {"a long request timeout", "28a09c01", INT64_C(20000000000), 1500},
    {"a request timeout of 1 s", "28e807", 0, 750},
    {"a deadline of 1 s", "", INT64_C(1000000000), 750},
    {"a deadline of 1 s and a long timeout", "28a09c01", INT64_C(1000000000), 750},
    {"a request timeout without end", "28ffffffffffffffff7f", INT64_MAX, 1500},
    {"a negative request timeout", "28ffffffffffffffffff01", -1, 1500},
};

static void hold_ends(void **state)
{
    const struct hold *row = *state;
    struct rig rig;

    init_held(&rig, row->hex, row->timeout_ns);
    assert_int_equal(gr_session_next_deadline(rig.session), rig.now_ns + row->hold_ms * MS);
    gr_session_tick(rig.session, rig.now_ns + row->hold_ms * MS - 1);
    rig_read(&rig);
    rig_expect(&rig, "");
    gr_session_tick(rig.session, rig.now_ns + row->hold_ms * MS);
    rig_read(&rig);
    rig_expect(&rig, "registering > configured\nreply 1 1008\n");
    rig_fini(&rig);
}

/* The earlier of both deadlines, while RegisterPlugin has no answer yet. */
static void test_held_and_registering(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig.hold = true;
    rig.now_ns += 59000 * MS;
    rig_send_hex(&rig, "Configure", "");
    rig_expect(&rig, "configure   nri= timeout=2000 config=\n");
    assert_int_equal(gr_session_next_deadline(rig.session), 1000 + 60000 * MS);
    gr_session_tick(rig.session, 1000 + 60000 * MS);
    assert_false(gr_session_is_broken(rig.session));
    assert_int_equal(gr_session_next_deadline(rig.session), 1000 + 60500 * MS);
    gr_session_configured(rig.session);
    rig_read(&rig);
    rig_expect(&rig, "registering > configured\nreply 1 1008\n");
    rig_fini(&rig);
}

/* A second Configure releases the first; both get their answer. */
static void test_held_twice(void **state)
{
    struct rig rig;

    (void)state;
    init_held(&rig, RIG_CONFIGURE, 0);
    rig_send_hex(&rig, "Configure", RIG_CONFIGURE);
    rig_read(&rig);
    rig_expect(&rig, "registering > configured\n" RIG_CONFIGURED "reply 1 1008\n");
    gr_session_configured(rig.session);
    rig_read(&rig);
    rig_expect(&rig, "reply 3 1008\n");
    rig_fini(&rig);
}

static void test_held_and_closed(void **state)
{
    struct rig rig;

    (void)state;
    init_held(&rig, RIG_CONFIGURE, 0);
    gr_session_closed(rig.session);
    rig_expect(&rig, "registering > closed\n");
    gr_session_configured(rig.session);
    assert_int_equal(gr_session_next_deadline(rig.session), 0);
    rig_fini(&rig);
}

int main(void)
{
    test_add("what Configure tells", test_configure_text);
    TEST_ADD_ROWS(unreadable_configure, unreadable);
    test_add("a runtime's name that is too long", test_long_name);
    test_add("only looks", test_only_looks);
    test_add("a second Configure", test_second_configure);
    test_add("an answer held back and released", test_held);
    TEST_ADD_ROWS(hold_ends, holds);
    test_add("held while RegisterPlugin has no answer", test_held_and_registering);
    test_add("a second Configure while one is held", test_held_twice);
    test_add("closed while an answer is held", test_held_and_closed);
    return test_run("session_configure");
}
