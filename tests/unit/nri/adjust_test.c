/* SPDX-License-Identifier: Apache-2.0 */
/* nri/translate: a decision to a CreateContainerResponse, byte for byte. */
#include "testing.h"

#include <errno.h>

#include "nri/translate.h"

struct fixture {
    struct gr_arena arena;
    struct gr_decision decision;
    Nri__CreateContainerResponse response;
};

static void init(struct fixture *f, const struct gr_oci_hook *hooks, size_t n)
{
    *f = (struct fixture){.decision = {.hooks = hooks, .hooks_n = n}};
    gr_arena_init(&f->arena, 4096, 1U << 20);
}

static void assert_packed(struct fixture *f, const char *hex)
{
    uint8_t expected[512], found[512];
    size_t n = test_unhex(hex, expected, sizeof(expected));

    assert_int_equal(gr_nri_adjust(&f->decision, &f->arena, &f->response), 0);
    assert_int_equal(nri__create_container_response__get_packed_size(&f->response), n);
    (void)nri__create_container_response__pack(&f->response, found);
    assert_memory_equal(found, expected, n);
    gr_arena_fini(&f->arena);
}

/* "Nothing to do" is an empty message: no adjust, and no hooks that are empty. */
static void test_none(void **state)
{
    struct fixture f;

    (void)state;
    init(&f, NULL, 0);
    assert_packed(&f, "");
    assert_null(f.response.adjust);
}

/* The vector of the protocol notes. */
static void test_vector(void **state)
{
    const struct gr_str args[] = {GR_STR("x")};
    const struct gr_oci_hook hook = {.stage = GR_STAGE_CREATE_RUNTIME,
                                     .path = GR_STR("/x"),
                                     .args = {args, 1},
                                     .has_timeout = true,
                                     .timeout_s = 5};
    struct fixture f;

    (void)state;
    init(&f, &hook, 1);
    assert_packed(&f, "0a0f 2a0d 120b 0a022f78 120178 22020805");
}

/* Absent: no timeout. Present with 0: an immediate kill in runc. */
static void test_timeouts(void **state)
{
    const struct gr_oci_hook hooks[] = {
        {.stage = GR_STAGE_PRESTART, .path = GR_STR("/a")},
        {.stage = GR_STAGE_PRESTART, .path = GR_STR("/b"), .has_timeout = true},
        {.stage = GR_STAGE_PRESTART, .path = GR_STR("/c"), .timeout_s = 9},
    };
    struct fixture f;

    (void)state;
    init(&f, hooks, 3);
    assert_packed(&f, "0a16 2a14 0a04 0a022f61 0a06 0a022f62 2200 0a04 0a022f63");
}

static void test_env(void **state)
{
    const struct gr_str env[] = {GR_STR("A=1"), GR_STR("B=")};
    const struct gr_oci_hook hook = {
        .stage = GR_STAGE_POSTSTOP, .path = GR_STR("/x"), .env = {env, 2}};
    struct fixture f;

    (void)state;
    init(&f, &hook, 1);
    assert_packed(&f, "0a11 2a0f 320d 0a022f78 1a03413d31 1a02423d");
}

/* Each stage in its own list, with the order of the decision; path /<stage><number>. */
static void test_stages(void **state)
{
    static const char *const paths[] = {"/00", "/01", "/10", "/11", "/20", "/21",
                                        "/30", "/31", "/40", "/41", "/50", "/51"};
    struct gr_oci_hook hooks[12] = {0};
    struct fixture f;
    const Nri__Hooks *h;

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        hooks[i].stage = (enum gr_stage)(i / 2);
        hooks[i].path = gr_str_from(paths[i]);
    }
    init(&f, hooks, 12);
    assert_int_equal(gr_nri_adjust(&f.decision, &f.arena, &f.response), 0);
    h = f.response.adjust->hooks;
#define ASSERT_STAGE(list, a, b)                    \
    do {                                            \
        assert_int_equal(h->n_##list, 2);           \
        assert_string_equal(h->list[0]->path, (a)); \
        assert_string_equal(h->list[1]->path, (b)); \
    } while (0)
    ASSERT_STAGE(prestart, "/00", "/01");
    ASSERT_STAGE(create_runtime, "/10", "/11");
    ASSERT_STAGE(create_container, "/20", "/21");
    ASSERT_STAGE(start_container, "/30", "/31");
    ASSERT_STAGE(poststart, "/40", "/41");
    ASSERT_STAGE(poststop, "/50", "/51");
#undef ASSERT_STAGE
    gr_arena_fini(&f.arena);
}

/* ---- adjustments ---- */

#define TEXT(s)                      \
    {                                \
        .p = (s), .n = sizeof(s) - 1 \
    }
#define NUMBER(which, value)                                               \
    {                                                                      \
        .kind = GR_ADJUST_RESOURCE, .resource = (which), .number = (value) \
    }
#define WORD(which, value)                                                   \
    {                                                                        \
        .kind = GR_ADJUST_RESOURCE, .resource = (which), .text = TEXT(value) \
    }

static const struct gr_str options[] = {TEXT("ro")};

struct entry_row {
    const char *name;
    struct gr_adjust_entry entry;
    const char *hex; /* of ContainerAdjustment */
};

/* One of each; sorted by kind and key, as a decision has them. */
static const struct entry_row entry_rows[] = {
    {"env", {.kind = GR_ADJUST_ENV, .key = TEXT("A"), .text = TEXT("1")}, "22 06 0a0141 120131"},
    {"mount",
     {.kind = GR_ADJUST_MOUNT,
      .key = TEXT("/d"),
      .mount = {.destination = TEXT("/d"),
                .source = TEXT("/s"),
                .type = TEXT("b"),
                .options = {options, 1}}},
     "1a 0f 0a022f64 120162 1a022f73 2202726f"},
    {"annotation",
     {.kind = GR_ADJUST_ANNOTATION, .key = TEXT("k"), .text = TEXT("v")},
     "12 06 0a016b 120176"},
    {"device",
     {.kind = GR_ADJUST_DEVICE, .key = TEXT("/x"), .device = {.type = 'c', .major = 1, .minor = 3}},
     "32 0d 0a 0b 0a022f78 120163 1801 2003"},
    {"device with mode and owner",
     {.kind = GR_ADJUST_DEVICE,
      .key = TEXT("/y"),
      .device = {.type = 'b',
                 .has_mode = true,
                 .mode = 0640,
                 .has_uid = true,
                 .uid = 7,
                 .has_gid = true}},
     "32 14 0a 12 0a022f79 120162 2a03 08a003 3202 0807 3a00"},
    {"CDI device", {.kind = GR_ADJUST_CDI_DEVICE, .key = TEXT("v/c=n")}, "42 07 0a05 762f633d6e"},
    {"rlimit",
     {.kind = GR_ADJUST_RLIMIT, .key = TEXT("R"), .rlimit = {.soft = 5, .hard = 9}},
     "3a 07 0a0152 1009 1805"},
    {"memory limit", NUMBER(GR_RESOURCE_MEMORY_LIMIT, 5), "32 08 12 06 0a 04 0a02 0805"},
    {"memory reservation", NUMBER(GR_RESOURCE_MEMORY_RESERVATION, 5),
     "32 08 12 06 0a 04 1202 0805"},
    {"memory swap: no limit", NUMBER(GR_RESOURCE_MEMORY_SWAP, -1),
     "32 11 12 0f 0a 0d 1a0b 08ffffffffffffffffff01"},
    {"cpu shares", NUMBER(GR_RESOURCE_CPU_SHARES, 5), "32 08 12 06 12 04 0a02 0805"},
    {"cpu quota", NUMBER(GR_RESOURCE_CPU_QUOTA, 5), "32 08 12 06 12 04 1202 0805"},
    {"cpu period", NUMBER(GR_RESOURCE_CPU_PERIOD, 5), "32 08 12 06 12 04 1a02 0805"},
    {"cpus", WORD(GR_RESOURCE_CPU_CPUS, "0"), "32 07 12 05 12 03 320130"},
    {"mems", WORD(GR_RESOURCE_CPU_MEMS, "1"), "32 07 12 05 12 03 3a0131"},
    {"pids: none", NUMBER(GR_RESOURCE_PIDS_LIMIT, 0), "32 04 12 02 4200"},
    {"blockio class", WORD(GR_RESOURCE_BLOCKIO_CLASS, "b"), "32 07 12 05 22 03 0a0162"},
    {"rdt class", WORD(GR_RESOURCE_RDT_CLASS, "r"), "32 07 12 05 2a 03 0a0172"},
    {"huge pages",
     {.kind = GR_ADJUST_HUGEPAGES, .key = TEXT("2MB"), .number = 5},
     "32 0b 12 09 1a 07 0a03324d42 1005"},
    {"unified",
     {.kind = GR_ADJUST_UNIFIED, .key = TEXT("k"), .text = TEXT("v")},
     "32 0a 12 08 32 06 0a016b 120176"},
};

#define ENTRIES GR_ARRAY_LEN(entry_rows)

/* The field numbers of NRI, byte for byte. */
static void one_entry(void **state)
{
    const struct entry_row *row = *state;
    const struct gr_adjusted adjusted = {.entry = &row->entry};
    uint8_t expected[64], found[64];
    size_t n = test_unhex(row->hex, expected, sizeof(expected));
    struct fixture f;

    init(&f, NULL, 0);
    f.decision.adjust = &adjusted;
    f.decision.adjust_n = 1;
    assert_int_equal(gr_nri_adjust(&f.decision, &f.arena, &f.response), 0);
    assert_null(f.response.adjust->hooks);
    assert_int_equal(nri__container_adjustment__get_packed_size(f.response.adjust), n);
    (void)nri__container_adjustment__pack(f.response.adjust, found);
    assert_memory_equal(found, expected, n);
    gr_arena_fini(&f.arena);
}

static void add_all(struct fixture *f, struct gr_adjusted adjusted[ENTRIES])
{
    for (size_t i = 0; i < ENTRIES; i++)
        adjusted[i] = (struct gr_adjusted){.entry = &entry_rows[i].entry};
    f->decision.adjust = adjusted;
    f->decision.adjust_n = ENTRIES;
}

/* All of them in one answer, with a hook: each comes back once, as it was. */
static void test_all_entries(void **state)
{
    const struct gr_oci_hook hook = {.stage = GR_STAGE_POSTSTOP, .path = GR_STR("/x")};
    const struct gr_adjust_entry *found;
    struct gr_adjusted adjusted[ENTRIES];
    Nri__CreateContainerResponse *again;
    struct fixture f;
    uint8_t bytes[1024];
    size_t found_n;
    size_t n;

    (void)state;
    init(&f, &hook, 1);
    add_all(&f, adjusted);
    assert_int_equal(gr_nri_adjust(&f.decision, &f.arena, &f.response), 0);
    n = nri__create_container_response__get_packed_size(&f.response);
    assert_in_range(n, 100, sizeof(bytes));
    (void)nri__create_container_response__pack(&f.response, bytes);
    again = nri__create_container_response__unpack(NULL, n, bytes);
    assert_non_null(again);
    assert_int_equal(again->adjust->hooks->n_poststop, 1);
    assert_int_equal(gr_nri_read_adjusted(again->adjust, &f.arena, &found, &found_n), 0);
    assert_int_equal(found_n, ENTRIES);
    for (size_t i = 0; i < ENTRIES; i++) {
        size_t same = 0;

        for (size_t k = 0; k < ENTRIES; k++)
            same += gr_adjust_same_key(&found[k], &entry_rows[i].entry) &&
                    gr_adjust_same_value(&found[k], &entry_rows[i].entry);
        assert_int_equal(same, 1);
    }
    nri__create_container_response__free_unpacked(again, NULL);
    gr_arena_fini(&f.arena);
}

/* Whatever the arena has room for: all or -ENOMEM. */
static void test_no_memory(void **state)
{
    const struct gr_str texts[] = {GR_STR("A=1"), GR_STR("B=2")};
    const struct gr_oci_hook hook = {.path = GR_STR("/x"),
                                     .args = {texts, 2},
                                     .env = {texts, 2},
                                     .has_timeout = true,
                                     .timeout_s = 1};
    struct gr_adjusted adjusted[ENTRIES];
    struct fixture f;
    int r = -ENOMEM;
    int failed = 0;

    (void)state;
    for (size_t limit = 1; r == -ENOMEM && limit < 16384; limit += 16) {
        init(&f, &hook, 1);
        add_all(&f, adjusted);
        gr_arena_fini(&f.arena);
        gr_arena_init(&f.arena, 16, limit);
        r = gr_nri_adjust(&f.decision, &f.arena, &f.response);
        failed += r == -ENOMEM;
        gr_arena_fini(&f.arena);
    }
    assert_int_equal(r, 0);
    assert_true(failed > 60);
}

int main(void)
{
    test_add("no hooks: an empty message", test_none);
    test_add("the vector of the protocol notes", test_vector);
    test_add("timeout absent, 0 and not asked for", test_timeouts);
    test_add("env", test_env);
    test_add("all stages, in order", test_stages);
    TEST_ADD_ROWS(one_entry, entry_rows);
    test_add("all entries", test_all_entries);
    test_add("no memory", test_no_memory);
    return test_run("adjust");
}
