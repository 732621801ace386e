/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of Synchronize while memory runs out: it is whole, or there is nothing. */
#include "failing.h"

#include "testing.h"

#include <errno.h>

#include "nri/running.h"
#include "nri/translate.h"

/* Enough for several blocks. */
#define CONTAINERS 40
#define TEXT_BYTES 16000 /* a length of two bytes */

static struct gr_str part;

static void make_part(void)
{
    const size_t bytes = 2 * 3 + 3 + TEXT_BYTES;
    uint8_t *at = malloc(8 + CONTAINERS * (bytes + 4));

    assert_non_null(at);
    part.p = (char *)at;
    memcpy(at, "\x0a\x03\x0a\x01p", 5);
    at += 5;
    for (size_t i = 0; i < CONTAINERS; i++) {
        *at++ = 0x12;
        *at++ = (uint8_t)(bytes & 0x7f) | 0x80;
        *at++ = (uint8_t)(bytes >> 7 & 0x7f) | 0x80;
        *at++ = (uint8_t)(bytes >> 14);
        memcpy(at, "\x0a\x01\x63\x12\x01p\x3a", 7);
        at += 7;
        *at++ = (uint8_t)(TEXT_BYTES & 0x7f) | 0x80;
        *at++ = (uint8_t)(TEXT_BYTES >> 7);
        memset(at, 'x', TEXT_BYTES);
        at += TEXT_BYTES;
    }
    part.n = (size_t)((const char *)at - part.p);
}

static int look(const struct gr_nri_running *running)
{
    struct gr_nri_container container;
    struct gr_arena arena;
    struct gr_err err = {0};
    int r = 0;

    if (gr_nri_running_state(running) != GR_NRI_RUNNING_WHOLE) {
        assert_int_equal(gr_nri_running_count(running), 0);
        return -ENOMEM;
    }
    assert_int_equal(gr_nri_running_count(running), CONTAINERS);
    gr_arena_init(&arena, 512, 0);
    for (size_t i = 0; i < CONTAINERS && r != -ENOMEM; i++) {
        assert_int_equal(gr_nri_running_id(running, i).n, 1);
        r = gr_nri_running_at(running, i, &arena, &container, &err);
        gr_arena_reset(&arena);
    }
    gr_arena_fini(&arena);
    return r;
}

static int scenario(void *user)
{
    const struct gr_nri_origin origin = {.runtime_name = GR_STR("cri-o"),
                                         .runtime_version = GR_STR("1")};
    struct gr_nri_running *running;
    int r = gr_nri_running_new(&origin, &running);

    (void)user;
    if (r)
        return r;
    gr_nri_running_add(running, part);
    gr_nri_running_finish(running);
    r = look(running);
    gr_nri_running_free(running);
    return r;
}

static void test_each(void **state)
{
    (void)state;
    make_part();
    failing_begin(0, false);
    assert_int_equal(scenario(NULL), 0);
    assert_true(failing_end() >= 4);
    failing_run(scenario, NULL);
    free((void *)(uintptr_t)part.p);
}

int main(void)
{
    test_add("each allocation fails", test_each);
    return test_run("running_fault");
}
