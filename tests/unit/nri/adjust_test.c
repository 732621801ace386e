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

/* Whatever the arena has room for: all or -ENOMEM. */
static void test_no_memory(void **state)
{
    const struct gr_str texts[] = {GR_STR("A=1"), GR_STR("B=2")};
    const struct gr_oci_hook hook = {.path = GR_STR("/x"),
                                     .args = {texts, 2},
                                     .env = {texts, 2},
                                     .has_timeout = true,
                                     .timeout_s = 1};
    struct fixture f;
    int r = -ENOMEM;
    int failed = 0;

    (void)state;
    for (size_t limit = 1; r == -ENOMEM && limit < 8192; limit += 16) {
        init(&f, &hook, 1);
        gr_arena_fini(&f.arena);
        gr_arena_init(&f.arena, 16, limit);
        r = gr_nri_adjust(&f.decision, &f.arena, &f.response);
        failed += r == -ENOMEM;
        gr_arena_fini(&f.arena);
    }
    assert_int_equal(r, 0);
    assert_true(failed > 10);
}

int main(void)
{
    test_add("no hooks: an empty message", test_none);
    test_add("the vector of the protocol notes", test_vector);
    test_add("timeout absent, 0 and not asked for", test_timeouts);
    test_add("env", test_env);
    test_add("all stages, in order", test_stages);
    test_add("no memory", test_no_memory);
    return test_run("adjust");
}
