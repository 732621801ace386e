/* SPDX-License-Identifier: Apache-2.0 */
/* nri/session: what the owner is told of each request that was answered, for counting. */
#include "rig.h"

#include <errno.h>

#define MS UINT64_C(1000000)

struct row {
    const char *name;
    const char *method;
    const char *hex;
    const char *failure; /* NULL: handled */
    int decide;
    enum gr_nri_method told;
};

static const struct row rows[] = {
    {"CreateContainer", "CreateContainer", "0a00 1200", NULL, 0, GR_NRI_CREATE_CONTAINER},
    {"no decision", "CreateContainer", "0a00 1200", "no-decision", -EAGAIN,
     GR_NRI_CREATE_CONTAINER},
    {"no pod", "CreateContainer", "", "bad-request", 0, GR_NRI_CREATE_CONTAINER},
    {"no protobuf", "CreateContainer", "ff", "message-not-valid", 0, GR_NRI_CREATE_CONTAINER},
    {"Synchronize", "Synchronize", "", NULL, 0, GR_NRI_SYNCHRONIZE},
    {"a part of Synchronize", "Synchronize", "1801", NULL, 0, GR_NRI_SYNCHRONIZE},
    {"bad Synchronize", "Synchronize", "ff", "message-not-valid", 0, GR_NRI_SYNCHRONIZE},
    {"Configure", "Configure", RIG_CONFIGURE, NULL, 0, GR_NRI_CONFIGURE},
    {"bad Configure", "Configure", "0801", "message-not-valid", 0, GR_NRI_CONFIGURE},
    {"Shutdown", "Shutdown", "", NULL, 0, GR_NRI_SHUTDOWN},
    {"an event that is of no interest", "StateChange", "", NULL, 0, GR_NRI_OTHER},
};

static void drop_log(struct rig *rig)
{
    rig_read(rig);
    rig->log[0] = '\0';
    rig->log_bytes = 0;
}

/* Once for each request, with the time since its bytes came. */
static void tells(void **state)
{
    const struct row *row = *state;
    struct rig rig;

    rig_init_ready(&rig);
    memset(rig.answers, 0, sizeof(rig.answers));
    rig.decide = row->decide;
    rig.slow_ns = 3 * MS;
    rig_send_hex(&rig, row->method, row->hex);
    for (size_t i = 0; i < GR_ARRAY_LEN(rig.answers); i++)
        assert_int_equal(rig.answers[i], i == row->told ? 1 : 0);
    assert_int_equal(rig.took_ns, 3 * MS);
    if (row->failure)
        assert_string_equal(rig.failure, row->failure);
    else
        assert_null(rig.failure);
    drop_log(&rig);
    rig_fini(&rig);
}

/* A refusal is an answer like any other. */
static void test_refused(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig.decision = (struct gr_decision){.refuse = true, .refusal = GR_STR("no")};
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    assert_null(rig.failure);
    drop_log(&rig);
    rig_fini(&rig);
}

/* The time that Configure waited for the rules counts; the request's own failure is remembered. */
static void test_held(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_started(&rig);
    rig.hold = true;
    rig_send_hex(&rig, "Configure", "0801");
    assert_int_equal(rig.answers[GR_NRI_CONFIGURE], 0);
    rig.now_ns += 7 * MS;
    gr_session_configured(rig.session);
    assert_int_equal(rig.answers[GR_NRI_CONFIGURE], 1);
    assert_int_equal(rig.took_ns, 7 * MS);
    assert_string_equal(rig.failure, "message-not-valid");
    gr_session_configured(rig.session);
    assert_int_equal(rig.answers[GR_NRI_CONFIGURE], 1);
    drop_log(&rig);
    rig_fini(&rig);
}

/* A clock that goes backwards gives 0, not an age of the world. */
static void test_backwards(void **state)
{
    struct rig rig;

    (void)state;
    rig_init_ready(&rig);
    rig.slow_ns = (uint64_t)0 - 500;
    rig_send_hex(&rig, "CreateContainer", "0a00 1200");
    assert_int_equal(rig.took_ns, 0);
    drop_log(&rig);
    rig_fini(&rig);
}

int main(void)
{
    TEST_ADD_ROWS(tells, rows);
    test_add("refused", test_refused);
    test_add("an answer held back", test_held);
    test_add("a clock that goes backwards", test_backwards);
    return test_run("session_answered");
}
