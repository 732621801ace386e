/* SPDX-License-Identifier: Apache-2.0 */
/* nri/running: what is kept of Synchronize, and what is read of it. */
#include "subjecting.h"

#include <errno.h>

#include "nri/running.h"
#include "nri/sync.h"

/* Synchronize by hand: parts are added as they are encoded. */
struct rig {
    struct gr_nri_running *running;
    struct gr_arena arena;
    struct gr_nri_container container;
    struct gr_err err;
};

static void rig_init_with(struct rig *rig, const struct gr_nri_origin *origin)
{
    *rig = (struct rig){0};
    gr_arena_init(&rig->arena, 4096, 0);
    assert_int_equal(gr_nri_running_new(origin, &rig->running), 0);
}

static void rig_init(struct rig *rig)
{
    const struct gr_nri_origin origin = {.runtime_name = GR_STR("containerd"),
                                         .runtime_version = GR_STR("v2.1.4")};

    rig_init_with(rig, &origin);
}

static void rig_fini(struct rig *rig)
{
    gr_nri_running_free(rig->running);
    gr_arena_fini(&rig->arena);
}

/* The part is gone when it was added: nothing may be borrowed from it. */
static void add_bytes(struct rig *rig, const void *bytes, size_t n)
{
    uint8_t *exact = test_exact(bytes, n);
    struct gr_str part = {.p = (char *)exact, .n = n};
    struct gr_nri_sync sync;

    assert_int_equal(gr_nri_sync_scan(part, &sync), 0);
    gr_nri_running_add(rig->running, part);
    memset(exact, 0xff, n);
    free(exact);
}

static void add_hex(struct rig *rig, const char *hex)
{
    uint8_t bytes[1024];

    add_bytes(rig, bytes, test_unhex(hex, bytes, sizeof(bytes)));
}

static int at(struct rig *rig, size_t i)
{
    return gr_nri_running_at(rig->running, i, &rig->arena, &rig->container, &rig->err);
}

/* ---- joins ---- */

/* Pods p (namespace d), q (namespace e); containers c of p, b of q, a of p. */
#define POD_P "0a06 0a0170 220164 "
#define POD_Q "0a06 0a0171 220165 "
#define CTR_C "1206 0a0163 120170 "
#define CTR_B "1206 0a0162 120171 "
#define CTR_A "1206 0a0161 120170 "

struct order {
    const char *name;
    const char *parts[4];
    const char *expected; /* each container's id and namespace */
};

static const struct order orders[] = {
    {"one part", {POD_P POD_Q CTR_C CTR_B CTR_A}, "cd be ad "},
    {"pods behind", {CTR_C CTR_B CTR_A POD_Q POD_P}, "cd be ad "},
    {"parts: pods first", {POD_P POD_Q, CTR_C CTR_B, CTR_A}, "cd be ad "},
    {"parts: a container before its pod", {CTR_A POD_Q, CTR_B, POD_P, CTR_C}, "ad be cd "},
    {"a pod that never comes", {CTR_A CTR_B POD_Q}, "a! be "},
    {"a pod twice", {POD_P POD_P CTR_A}, "ad "},
    {"no pods at all", {CTR_A}, "a! "},
    {"no containers", {POD_P POD_Q}, ""},
    {"an empty last part", {POD_P CTR_A, ""}, "ad "},
    {"a container of no pod", {POD_P "1203 0a0161"}, "a! "},
    {"a pod without an id", {"0a03 220164 1203 0a0161"}, "a! "},
};

static void joins(void **state)
{
    const struct order *order = *state;
    char found[64] = "";
    struct rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < GR_ARRAY_LEN(order->parts) && order->parts[i]; i++)
        add_hex(&rig, order->parts[i]);
    gr_nri_running_finish(rig.running);
    for (size_t i = 0; i < gr_nri_running_count(rig.running); i++) {
        struct gr_str id = gr_nri_running_id(rig.running, i);
        int r = at(&rig, i);

        assert_int_equal(r, strchr(order->expected, '!') && id.p[0] == 'a' ? -EBADMSG : 0);
        (void)snprintf(found + strlen(found), 8, "%.*s%.*s ", GR_STR_FMT(id),
                       GR_STR_FMT(r ? GR_STR("!") : rig.container.subject.pod_namespace));
    }
    assert_string_equal(found, order->expected);
    rig_fini(&rig);
}

/* ---- hostile messages ---- */

struct bad {
    const char *name;
    const char *hex;
    const char *id;
    int result;
};

static const struct bad bads[] = {
    {"an empty container", "1200", "", -EBADMSG},
    {"an empty id", "1205 0a00 120170", "", -EBADMSG},
    {"NUL in the id", "1207 0a026300 120170", "", -EBADMSG},
    {"an id that is no UTF-8", "1206 0a01ff 120170", "", -EBADMSG},
    {"an id that is a number", "1205 0807 120170", "", -EBADMSG},
    {"NUL in the pod's id", "1207 0a0163 12027000", "c", -EBADMSG},
    {"NUL in the name", "1209 0a0163 120170 1a0100", "c", -EBADMSG},
    {"a broken field behind", "1207 0a0163 120170 1a", "c", -EBADMSG},
    {"a broken field that nobody reads", "1208 0a0163 120170 5aff", "c", -EBADMSG},
    {"a label that is no entry", "1209 0a0163 120170 2a01ff", "c", -EBADMSG},
    {"an annotation without a value", "120d 0a0163 120170 3205 0a016b1200", "c", 0},
    {"hooks that are no hooks", "1209 0a0163 120170 5201ff", "c", -EBADMSG},
    {"the last id counts", "1209 0a0161 0a0163 120170", "c", 0},
    {"created_at as bytes", "1209 0a0163 120170 720101", "c", 0},
};

/* What is beside it is not harmed. */
static void survives(void **state)
{
    const struct bad *bad = *state;
    struct gr_arena arena;
    struct gr_strs ids;
    struct rig rig;

    rig_init(&rig);
    add_hex(&rig, POD_P);
    add_hex(&rig, bad->hex);
    add_hex(&rig, CTR_A);
    gr_nri_running_finish(rig.running);
    assert_int_equal(gr_nri_running_state(rig.running), GR_NRI_RUNNING_WHOLE);
    assert_int_equal(gr_nri_running_count(rig.running), 2);
    assert_str(gr_nri_running_id(rig.running, 0), bad->id);
    gr_arena_init(&arena, 256, 0);
    assert_true(gr_nri_running_ids(rig.running, &arena, &ids));
    assert_int_equal(ids.n, bad->id[0] ? 2 : 1);
    assert_str(ids.items[ids.n - 1], "a");
    gr_arena_fini(&arena);
    assert_int_equal(at(&rig, 0), bad->result);
    assert_int_equal(rig.err.code != NULL, bad->result != 0);
    if (bad->result == 0)
        assert_int_equal(rig.container.created_s, 0);
    assert_int_equal(at(&rig, 1), 0);
    assert_str(rig.container.subject.id, "a");
    rig_fini(&rig);
}

static void test_a_broken_pod(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    add_hex(&rig, "0a05 0a0170 22ff");
    add_hex(&rig, POD_Q CTR_A CTR_B);
    gr_nri_running_finish(rig.running);
    assert_int_equal(at(&rig, 0), -EBADMSG);
    assert_int_equal(at(&rig, 1), 0);
    rig_fini(&rig);
}

/* Too many entries are no reason to give up the others. */
static void test_too_many_entries(void **state)
{
    static uint8_t bytes[16 + 2 * (GR_NRI_ENTRIES_MAX + 1)];
    size_t inside = 6 + 2 * (GR_NRI_ENTRIES_MAX + 1);
    struct rig rig;
    uint8_t *to = bytes;

    (void)state;
    rig_init(&rig);
    *to++ = 0x12;
    to[0] = (uint8_t)(inside & 0x7f) | 0x80;
    to[1] = (uint8_t)(inside >> 7 & 0x7f) | 0x80;
    to[2] = (uint8_t)(inside >> 14);
    to += 3;
    to += test_unhex("0a0163 120170", to, 6);
    for (size_t i = 0; i <= GR_NRI_ENTRIES_MAX; i++) {
        *to++ = 0x3a; /* an empty argument */
        *to++ = 0;
    }
    add_bytes(&rig, bytes, (size_t)(to - bytes));
    add_hex(&rig, POD_P CTR_A);
    gr_nri_running_finish(rig.running);
    assert_int_equal(at(&rig, 0), -E2BIG);
    assert_int_equal(at(&rig, 1), 0);
    rig_fini(&rig);
}

/* ---- when it was created ---- */

struct age {
    const char *name;
    const char *hex; /* of the field */
    int64_t created_s;
};

static const struct age ages[] = {
    {"absent", "", 0},
    {"zero", "7000", 0},
    {"1 ns", "7001", 0},
    {"seconds", "70c0e785c906", 0},
    {"microseconds", "7080e0d183ab859103", 0},
    {"just before the earliest", "70ffff8fbbbad6adf00d", 0},
    {"the earliest", "70808090bbbad6adf00d", 1000000000},
    {"now and here", "70ff93c19398d891bd18", 1763800000},
    {"the largest", "70ffffffffffffffff7f", 9223372036},
    {"before 1970", "70ffffffffffffffffff01", 0},
};

static void tells_age(void **state)
{
    const struct age *age = *state;
    char hex[128];
    uint8_t bytes[32];
    size_t n = test_unhex(age->hex, bytes, sizeof(bytes));
    struct rig rig;

    (void)snprintf(hex, sizeof(hex), POD_P "12%02x 0a0163 120170 %s", (unsigned)(6 + n), age->hex);
    rig_init(&rig);
    add_hex(&rig, hex);
    gr_nri_running_finish(rig.running);
    assert_int_equal(at(&rig, 0), 0);
    assert_int_equal(rig.container.created_s, age->created_s);
    rig_fini(&rig);
}

/* ---- the limits ---- */

/* A container of c of that many bytes that are kept. */
static void add_sized(struct rig *rig, size_t bytes)
{
    size_t text = bytes - 4;
    uint8_t *message = malloc(bytes + 8);
    uint8_t *to = message;

    assert_non_null(message);
    assert_true(bytes >= (1U << 14) && bytes < (1U << 21));
    *to++ = 0x12;
    for (int shift = 0; shift <= 14; shift += 7)
        *to++ = (uint8_t)(bytes >> shift & 0x7f) | (shift < 14 ? 0x80 : 0);
    *to++ = 0x3a; /* one argument */
    for (int shift = 0; shift <= 14; shift += 7)
        *to++ = (uint8_t)(text >> shift & 0x7f) | (shift < 14 ? 0x80 : 0);
    memset(to, 'x', text);
    to += text;
    add_bytes(rig, message, (size_t)(to - message));
    free(message);
}

/* Bytes of one object beside its fields: found by what is left of the limit. */
static size_t overhead(void)
{
    size_t low = 0, high = 4096;

    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        struct rig rig;

        rig_init(&rig);
        for (int i = 0; i < 15; i++)
            add_sized(&rig, (1U << 20) - 4096);
        add_sized(&rig, (1U << 20) + 15 * 4096 - 16 * middle);
        if (gr_nri_running_state(rig.running) == GR_NRI_RUNNING_WHOLE)
            high = middle - 1;
        else
            low = middle;
        rig_fini(&rig);
    }
    return low + 1;
}

static void test_bytes_at_the_edge(void **state)
{
    size_t each = overhead();
    struct rig rig;

    (void)state;
    assert_true(each > 32 && each < 256);
    for (size_t past = 0; past <= 1; past++) {
        rig_init(&rig);
        for (int i = 0; i < 15; i++)
            add_sized(&rig, (1U << 20) - each);
        assert_int_equal(gr_nri_running_state(rig.running), GR_NRI_RUNNING_WHOLE);
        add_sized(&rig, (1U << 20) - each + past);
        assert_int_equal(gr_nri_running_state(rig.running),
                         past ? GR_NRI_RUNNING_TOO_LARGE : GR_NRI_RUNNING_WHOLE);
        assert_int_equal(gr_nri_running_count(rig.running), past ? 0 : 16);
        rig_fini(&rig);
    }
}

static void test_objects_at_the_edge(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (size_t i = 0; i < GR_NRI_RUNNING_MAX_OBJECTS / 2; i++)
        add_hex(&rig, POD_P CTR_C);
    assert_int_equal(gr_nri_running_state(rig.running), GR_NRI_RUNNING_WHOLE);
    assert_int_equal(gr_nri_running_count(rig.running), GR_NRI_RUNNING_MAX_OBJECTS / 2);
    add_hex(&rig, POD_P);
    assert_int_equal(gr_nri_running_state(rig.running), GR_NRI_RUNNING_TOO_LARGE);
    add_hex(&rig, CTR_A); /* and it stays so */
    gr_nri_running_finish(rig.running);
    assert_int_equal(gr_nri_running_state(rig.running), GR_NRI_RUNNING_TOO_LARGE);
    assert_int_equal(gr_nri_running_count(rig.running), 0);
    rig_fini(&rig);
}

/* ---- only what is needed ---- */

static size_t kept_of(struct fixture *f, bool adjusts, uint32_t fields)
{
    struct gr_nri_origin origin = f->origin;
    Nri__SynchronizeRequest request = NRI__SYNCHRONIZE_REQUEST__INIT;
    Nri__PodSandbox *pods[] = {&f->pod};
    Nri__Container *containers[] = {&f->container};
    size_t n, unknown;
    uint8_t *packed;
    struct rig rig;

    origin.adjusts = adjusts;
    origin.fields = fields;
    request.n_pods = request.n_containers = 1;
    request.pods = pods;
    request.containers = containers;
    n = nri__synchronize_request__get_packed_size(&request);
    packed = malloc(n);
    assert_non_null(packed);
    (void)nri__synchronize_request__pack(&request, packed);
    rig_init_with(&rig, &origin);
    add_bytes(&rig, packed, n);
    free(packed);
    gr_nri_running_finish(rig.running);
    assert_int_equal(at(&rig, 0), 0);
    unknown = rig.container.subject.unknown_fields;
    assert_int_equal(rig.container.subject.present_n > 0, adjusts);
    assert_int_equal(rig.container.subject.env.n > 0, adjusts || fields & 1U << GR_FIELD_ENV);
    assert_int_equal(rig.container.subject.mounts_n > 0, adjusts || fields & 1U << GR_FIELD_MOUNTS);
    assert_str(rig.container.subject.runtime_handler, "kata");
    rig_fini(&rig);
    return unknown;
}

static void test_only_what_rules_need(void **state)
{
    static char ctr[] = "c", pod[] = "p", kata[] = "kata";
    struct parts parts;
    struct fixture f;

    (void)state;
    init(&f);
    add_parts(&f, &parts);
    f.pod.id = pod;
    f.pod.runtime_handler = kata;
    f.container.id = ctr;
    f.container.pod_sandbox_id = pod;
    assert_int_equal(kept_of(&f, true, 0), 0);
    assert_int_equal(kept_of(&f, false, 0), 1U << GR_FIELD_ENV | 1U << GR_FIELD_MOUNTS);
    assert_int_equal(kept_of(&f, false, 1U << GR_FIELD_ENV), 1U << GR_FIELD_MOUNTS);
    assert_int_equal(kept_of(&f, false, 1U << GR_FIELD_MOUNTS), 1U << GR_FIELD_ENV);
    fini(&f);
}

int main(void)
{
    TEST_ADD_ROWS(joins, orders);
    TEST_ADD_ROWS(survives, bads);
    test_add("a broken pod", test_a_broken_pod);
    test_add("too many entries", test_too_many_entries);
    TEST_ADD_ROWS(tells_age, ages);
    test_add("bytes at the edge", test_bytes_at_the_edge);
    test_add("objects at the edge", test_objects_at_the_edge);
    test_add("only what rules need", test_only_what_rules_need);
    return test_run("running");
}
