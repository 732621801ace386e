/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of all sizes with a fake runtime, and a runtime that does not read them. */
#include "fake_runtime.h"

#define MIB ((size_t)1 << 20)

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

/* ---- sizes of replies ---- */

/* big: repeated by that many hooks; small: once. */
#define BIG_HOOKS 40

static void write_sized_rule(struct fake *fake)
{
    struct gr_buf text;

    gr_buf_init(&text, 65536);
    (void)gr_buf_text(&text, "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: tap}\n"
                             "spec:\n  match: {always: true}\n  hooks:\n    createRuntime:\n"
                             "      - path: /bin/true\n"
                             "        env: ['A={{annotation \"example.com/small\"}}']\n");
    for (size_t i = 0; i < BIG_HOOKS; i++)
        (void)gr_buf_printf(&text,
                            "      - path: /bin/true\n"
                            "        args: ['true', 'number-%zu']\n"
                            "        env: ['A={{annotation \"example.com/big\"}}']\n",
                            i);
    (void)gr_buf_byte(&text, 0);
    assert_int_equal(text.broken, 0);
    fake_write(fake, "hooks.d/tap.yaml", (const char *)text.data);
    gr_buf_fini(&text);
}

static char filling[256 << 10]; /* of 'x' */

/* Payload of a container whose reply grows with both. */
static struct gr_str sized_payload(struct fake *fake, size_t big, size_t small)
{
    const struct fake_pod pod = {.annotations = {{GR_STR("example.com/big"), {filling, big}},
                                                 {GR_STR("example.com/small"), {filling, small}}}};

    return fake_pod_payload(fake, &pod);
}

/* Length of the ttrpc data that answers. */
static size_t sized_reply(struct fake *fake, size_t big, size_t small)
{
    uint32_t stream = fake_request(fake, "CreateContainer", sized_payload(fake, big, small));
    struct fake_message message = fake_read(fake);
    struct gr_ttrpc_response response;

    assert_int_equal(message.stream, stream);
    assert_int_equal(gr_ttrpc_response_decode(message.data, &response), 0);
    assert_int_equal(response.code, 0);
    fake_check_hooks(response.payload, BIG_HOOKS + 1);
    return message.data.n;
}

/* Finds texts for which the reply has exactly so many bytes; lengths of lengths make it a search.
 */
static void reach_size(struct fake *fake, size_t target, size_t *out_big, size_t *out_small)
{
    size_t base = sized_reply(fake, 0, 0);
    bool large = target > base + 100000;
    size_t big = large ? (target - base - 60000) / BIG_HOOKS : 0;
    size_t small = large ? 20000 : 1; /* so that the first steps do not go over the limit */
    size_t bytes = 0;

    for (int i = 0; i < 8 && bytes != target; i++) {
        bytes = sized_reply(fake, big, small);
        small = small + target - bytes;
        assert_true(small < sizeof(filling) / 2);
    }
    assert_int_equal(bytes, target);
    *out_big = big;
    *out_small = small;
}

/* Too large to be sent: a refusal, never a container without hooks. */
static void test_reply_sizes(void **state)
{
    static const size_t sizes[] = {20000, 65536, MIB, 4 * MIB - 1, 4 * MIB};
    struct fake *fake = *state;
    size_t big = 0, small = 0;

    write_sized_rule(fake);
    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
    for (size_t i = 0; i < GR_ARRAY_LEN(sizes); i++)
        reach_size(fake, sizes[i], &big, &small);
    (void)fake_call_code(fake, "CreateContainer", sized_payload(fake, big, small + 1), 8);
    (void)fake_call_code(fake, "CreateContainer", sized_payload(fake, 131069, 1), 8);
    assert_int_equal(sized_reply(fake, big, small), 4 * MIB);
    fake_close(fake);
    fake_expect_exit(fake);
}

/* Around the edge between one frame and two: 10 bytes of header and 4086 of data. */
static void test_first_frame(void **state)
{
    static const char rule[] = "{always: true}";
    struct fake *fake = *state;
    bool one = false, two = false;

    fake_write_rule(fake, rule, "['A={{annotation \"example.com/small\"}}']");
    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
    for (size_t small = 3600; small < 4200; small++) {
        uint32_t stream = fake_request(fake, "CreateContainer", sized_payload(fake, 0, small));
        struct fake_message message = fake_read(fake);
        bool fits = message.data.n <= 4086;

        assert_int_equal(message.stream, stream);
        assert_int_equal(message.frames, fits ? 1 : 2);
        one |= message.data.n == 4086;
        two |= message.data.n == 4087;
    }
    assert_true(one && two);
}

/* ---- a runtime that does not read ---- */

static void init_slow(struct fake *fake, size_t *out_big, size_t *out_small)
{
    write_sized_rule(fake);
    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
    reach_size(fake, 4 * MIB - 4096, out_big, out_small);
}

/* Replies that pile up all arrive once the runtime reads on. */
static void test_slow_reader(void **state)
{
    struct fake *fake = *state;
    uint32_t streams[3];
    size_t big, small;

    init_slow(fake, &big, &small);
    for (size_t i = 0; i < GR_ARRAY_LEN(streams); i++)
        streams[i] = fake_request(fake, "CreateContainer", sized_payload(fake, big, small));
    for (size_t i = 0; i < GR_ARRAY_LEN(streams); i++)
        fake_check_hooks(fake_reply(fake, streams[i]).payload, BIG_HOOKS + 1);
    assert_int_equal(sized_reply(fake, big, small), 4 * MIB - 4096);
    fake_close(fake);
    fake_expect_exit(fake);
}

/*
 * Beyond the queue's limit containers are refused, and when not even that can be queued the
 * connection ends: nothing grows without end.
 */
static void test_stopped_reader(void **state)
{
    struct fake *fake = *state;
    size_t big, small;
    struct gr_buf out;
    bool open = true;
    int rounds = 0;

    init_slow(fake, &big, &small);
    for (int i = 0; i < 8; i++)
        (void)fake_request(fake, "CreateContainer", sized_payload(fake, big, small));
    gr_buf_init(&out, 64 * MIB);
    for (; open && rounds < 1000; rounds++) {
        gr_buf_reset(&out, SIZE_MAX);
        for (int i = 0; i < 100; i++)
            (void)fake_put_request(fake, &out, "Unknown", GR_STR_NONE);
        open = fake_try_send(fake, out.data, out.len);
    }
    gr_buf_fini(&out);
    assert_false(open);
    fake_expect_exit(fake);
}

int main(int argc, char **argv)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_reply_sizes),
        TEST(test_first_frame),
        TEST(test_slow_reader),
        TEST(test_stopped_reader),
    };
#undef TEST

    memset(filling, 'x', sizeof(filling));
    return fake_find_grapnel(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
