/* SPDX-License-Identifier: Apache-2.0 */
/* The wire with a fake runtime: frames, messages, stream ids and garbage. */
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

static const struct fake_pod any_pod;

static void launch_ready(struct fake *fake)
{
    fake_write_rule(fake, "{always: true}", NULL);
    fake_launch(fake, FAKE_APART);
    fake_get_ready(fake);
}

/* What was sent before did no harm, and the process ends well. */
static void expect_healthy(struct fake *fake)
{
    fake_expect_hooks(fake, &any_pod, 1);
    fake_close(fake);
    fake_expect_exit(fake);
}

/* A message of any kind, alone in its frame. */
static void send_message(struct fake *fake, uint32_t id, uint32_t stream, uint8_t type,
                         struct gr_str data)
{
    struct gr_buf out;

    gr_buf_init(&out, 64 * MIB);
    fake_put_message(&out, id, stream, type, data);
    fake_send(fake, out.data, out.len);
    gr_buf_fini(&out);
}

static void expect_code(struct fake *fake, uint32_t stream, int32_t code)
{
    assert_int_equal(fake_reply(fake, stream).code, code);
}

/* ---- Synchronize ---- */

/* Pods of 1 KiB each, n bytes in all (a multiple of 1024). */
static struct gr_str pods(size_t n)
{
    char *out = calloc(1, n);

    assert_non_null(out);
    for (size_t at = 0; at < n; at += 1024)
        memcpy(out + at, "\x0a\xfd\x07\x0a\xfa\x07", 6); /* pod {id: 1018 bytes} */
    return (struct gr_str){.p = out, .n = n};
}

/* As a Go sender of NRI up to 0.6.1 writes it: 4096 bytes, then all the rest in one frame. */
static void test_large_synchronize(void **state)
{
    struct fake *fake = *state;
    struct gr_str payload = pods(16 * MIB - 1024);
    uint8_t header[GR_MUX_HEADER_BYTES];
    struct gr_buf out;
    uint32_t stream;

    launch_ready(fake);
    gr_buf_init(&out, 64 * MIB);
    stream = fake_put_request(fake, &out, "Synchronize", payload);
    gr_mux_put_header(header, GR_MUX_ID_PLUGIN, 4096);
    fake_send(fake, header, sizeof(header));
    fake_send(fake, out.data + GR_MUX_HEADER_BYTES, 4096);
    gr_mux_put_header(header, GR_MUX_ID_PLUGIN, (uint32_t)(out.len - GR_MUX_HEADER_BYTES - 4096));
    fake_send(fake, header, sizeof(header));
    fake_send(fake, out.data + GR_MUX_HEADER_BYTES + 4096, out.len - GR_MUX_HEADER_BYTES - 4096);
    assert_int_equal(fake_reply(fake, stream).payload.n, 0);
    /* And whole in one frame. */
    assert_int_equal(fake_call(fake, "Synchronize", payload).n, 0);
    gr_buf_fini(&out);
    free((void *)(uintptr_t)payload.p);
    expect_healthy(fake);
}

static void test_split_synchronize(void **state)
{
    struct fake *fake = *state;
    struct gr_str payload = pods(4 * MIB - 4096);
    struct gr_buf part;

    launch_ready(fake);
    gr_buf_init(&part, 8 * MIB);
    assert_int_equal(gr_buf_str(&part, payload), 0);
    assert_int_equal(gr_buf_text(&part, "\x18\x01"), 0); /* more */
    for (int i = 0; i < 4; i++)
        assert_true(
            gr_str_eq(fake_call(fake, "Synchronize", gr_buf_view(&part)), GR_STR("\x10\x01")));
    assert_int_equal(fake_call(fake, "Synchronize", payload).n, 0);
    gr_buf_fini(&part);
    free((void *)(uintptr_t)payload.p);
    expect_healthy(fake);
}

/* ---- methods ---- */

static void test_methods(void **state)
{
    static const char *const known[] = {"StateChange",         "RunPodSandbox",
                                        "UpdatePodSandbox",    "PostUpdatePodSandbox",
                                        "StopPodSandbox",      "RemovePodSandbox",
                                        "PostCreateContainer", "StartContainer",
                                        "PostStartContainer",  "UpdateContainer",
                                        "PostUpdateContainer", "StopContainer",
                                        "RemoveContainer",     "ValidateContainerAdjustment"};
    static const char *const unknown[] = {"", "createContainer", "RegisterPlugin", "ResizePod"};
    struct fake *fake = *state;

    launch_ready(fake);
    for (size_t i = 0; i < GR_ARRAY_LEN(known); i++)
        assert_int_equal(fake_call(fake, known[i], fake_pod_payload(fake, &any_pod)).n, 0);
    for (size_t i = 0; i < GR_ARRAY_LEN(unknown); i++)
        (void)fake_call_code(fake, unknown[i], GR_STR_NONE, 12);
    expect_healthy(fake);
}

/* The service HostFunctions is not ours, nor is anything else. */
static void test_service(void **state)
{
    const struct gr_ttrpc_request request = {.service = GR_STR("nri.pkg.api.v1alpha1.Other"),
                                             .method = GR_STR("Configure")};
    struct fake *fake = *state;
    uint8_t bytes[128];

    launch_ready(fake);
    (void)gr_ttrpc_request_encode(&request, bytes);
    fake->stream += 2;
    send_message(fake, GR_MUX_ID_PLUGIN, fake->stream, GR_TTRPC_REQUEST,
                 (struct gr_str){.p = (char *)bytes, .n = gr_ttrpc_request_bytes(&request)});
    expect_code(fake, fake->stream, 12);
    expect_healthy(fake);
}

/* ---- what a ttrpc server refuses ---- */

static void test_stream_ids(void **state)
{
    static const uint32_t bad[] = {0, 2, 4, 6, 1, 3, 5, 0x7ffffffe};
    struct fake *fake = *state;

    launch_ready(fake);
    fake_expect_hooks(fake, &any_pod, 1);
    for (size_t i = 0; i < GR_ARRAY_LEN(bad); i++) {
        send_message(fake, GR_MUX_ID_PLUGIN, bad[i], GR_TTRPC_REQUEST, GR_STR_NONE);
        expect_code(fake, bad[i], 3);
    }
    expect_healthy(fake);
}

static void test_bad_messages(void **state)
{
    struct fake *fake = *state;

    launch_ready(fake);
    fake->stream += 2;
    send_message(fake, GR_MUX_ID_PLUGIN, fake->stream, GR_TTRPC_REQUEST, GR_STR("\xff\xff\xff"));
    expect_code(fake, fake->stream, 3);
    fake->stream += 2;
    send_message(fake, GR_MUX_ID_PLUGIN, fake->stream, GR_TTRPC_DATA, GR_STR("abc"));
    expect_code(fake, fake->stream, 3);
    send_message(fake, GR_MUX_ID_PLUGIN, 1, GR_TTRPC_RESPONSE, GR_STR_NONE); /* ignored: */
    send_message(fake, GR_MUX_ID_PLUGIN, 1, 77, GR_STR("abc"));
    send_message(fake, GR_MUX_ID_RUNTIME, 9, GR_TTRPC_RESPONSE, GR_STR_NONE);
    send_message(fake, GR_MUX_ID_RUNTIME, 1, GR_TTRPC_RESPONSE, GR_STR("\xff"));
    send_message(fake, GR_MUX_ID_RUNTIME, 1, GR_TTRPC_REQUEST, GR_STR("\xff"));
    send_message(fake, 0, 1, GR_TTRPC_REQUEST, GR_STR("abc"));
    send_message(fake, 3, 1, GR_TTRPC_REQUEST, GR_STR("abc"));
    fake_send(fake, "\0\0\0\1\0\0\0\0", 8); /* empty frames, of any id */
    fake_send(fake, "\xff\xff\xff\xff\0\0\0\0", 8);
    expect_healthy(fake);
}

/* In frames that are allowed, but more than a message may have: thrown away, then as before. */
static void test_oversized(void **state)
{
    struct fake *fake = *state;
    uint8_t header[FAKE_HEADERS_BYTES];
    char *mib = calloc(1, MIB);

    assert_non_null(mib);
    launch_ready(fake);
    fake->stream += 2;
    gr_mux_put_header(header, GR_MUX_ID_PLUGIN, GR_TTRPC_HEADER_BYTES);
    gr_ttrpc_put_header(header + GR_MUX_HEADER_BYTES, (uint32_t)(20 * MIB), fake->stream,
                        GR_TTRPC_REQUEST);
    fake_send(fake, header, sizeof(header));
    for (int i = 0; i < 20; i++) {
        gr_mux_put_header(header, GR_MUX_ID_PLUGIN, (uint32_t)MIB);
        fake_send(fake, header, GR_MUX_HEADER_BYTES);
        fake_send(fake, mib, MIB);
    }
    expect_code(fake, fake->stream, 8);
    free(mib);
    expect_healthy(fake);
}

/* A CreateContainer of 5 MiB cannot be looked at: the container is refused. */
static void test_large_create(void **state)
{
    struct fake *fake = *state;
    char *value = malloc(5 * MIB);
    struct fake_pod pod = {.annotations = {{GR_STR("a"), {value, 5 * MIB}}}};

    assert_non_null(value);
    memset(value, 'x', 5 * MIB);
    launch_ready(fake);
    (void)fake_call_code(fake, "CreateContainer", fake_pod_payload(fake, &pod), 9);
    free(value);
    expect_healthy(fake);
}

/* ---- pieces ---- */

/* Parts of a request on id 1 between parts of the answer to RegisterPlugin on id 2. */
static void test_interleaved(void **state)
{
    struct fake *fake = *state;
    static const uint8_t answer[GR_TTRPC_HEADER_BYTES] = {0, 0, 0, 0, 0, 0, 0, 1, 2, 0};
    struct gr_buf request, out;
    uint8_t header[GR_MUX_HEADER_BYTES];
    uint32_t stream;
    size_t at = GR_MUX_HEADER_BYTES;

    fake_launch(fake, FAKE_APART);
    fake_take_register(fake);
    gr_buf_init(&request, 65536);
    gr_buf_init(&out, 65536);
    stream = fake_put_request(fake, &request, "Configure", fake_configure_payload(fake, ""));
    for (size_t i = 0; i < sizeof(answer); i++) {
        size_t n = i + 1 < sizeof(answer) ? 7 : request.len - at;

        gr_mux_put_header(header, GR_MUX_ID_PLUGIN, (uint32_t)n);
        (void)gr_buf_add(&out, header, sizeof(header));
        (void)gr_buf_add(&out, request.data + at, n);
        at += n;
        gr_mux_put_header(header, GR_MUX_ID_RUNTIME, 1);
        (void)gr_buf_add(&out, header, sizeof(header));
        (void)gr_buf_add(&out, answer + i, 1);
    }
    fake_send(fake, out.data, out.len);
    assert_true(gr_str_eq(fake_reply(fake, stream).payload, GR_STR("\x10\x08")));
    gr_buf_fini(&request);
    gr_buf_fini(&out);
    fake_synchronize(fake);
    fake_expect_hooks(fake, &any_pod, 0);
}

static void test_byte_by_byte(void **state)
{
    struct fake *fake = *state;
    uint32_t streams[3];
    struct gr_buf out;

    fake_write_rule(fake, "{always: true}", NULL);
    fake_start_connected(fake);
    fake_take_register(fake);
    gr_buf_init(&out, 65536);
    fake_put_message(&out, GR_MUX_ID_RUNTIME, 1, GR_TTRPC_RESPONSE, GR_STR_NONE);
    streams[0] = fake_put_request(fake, &out, "Configure", fake_configure_payload(fake, ""));
    streams[1] = fake_put_request(fake, &out, "Synchronize", GR_STR_NONE);
    streams[2] = fake_put_request(fake, &out, "CreateContainer", fake_pod_payload(fake, &any_pod));
    for (size_t i = 0; i < out.len; i++)
        fake_send(fake, out.data + i, 1);
    gr_buf_fini(&out);
    assert_true(gr_str_eq(fake_reply(fake, streams[0]).payload, GR_STR("\x10\x08")));
    assert_int_equal(fake_reply(fake, streams[1]).payload.n, 0);
    fake_check_hooks(fake_reply(fake, streams[2]).payload, 1);
}

/* 2,000 requests in one go are answered, in their order. */
static void test_many(void **state)
{
    struct fake *fake = *state;
    struct gr_buf out;
    uint32_t first = 0;

    launch_ready(fake);
    gr_buf_init(&out, 64 * MIB);
    for (int i = 0; i < 2000; i++) {
        uint32_t stream =
            fake_put_request(fake, &out, "CreateContainer", fake_pod_payload(fake, &any_pod));

        first = first ? first : stream;
    }
    fake_send(fake, out.data, out.len);
    gr_buf_fini(&out);
    for (uint32_t i = 0; i < 2000; i++)
        fake_check_hooks(fake_reply(fake, first + 2 * i).payload, 1);
    expect_healthy(fake);
}

/* ---- garbage ---- */

/* Anything may come; the process ends with its connection, and never otherwise. */
static void test_garbage(void **state)
{
    struct fake *fake = *state;
    uint32_t random = 20261122;

    for (int round = 0; round < 24; round++) {
        uint8_t bytes[8192];

        launch_ready(fake);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24);
        }
        /* Half of the rounds with frames that are whole, so that the layer above sees it. */
        if (round % 2 == 0)
            gr_mux_put_header(bytes, 1 + (uint32_t)round / 2 % 2,
                              (uint32_t)sizeof(bytes) - GR_MUX_HEADER_BYTES);
        (void)fake_try_send(fake, bytes, sizeof(bytes));
        fake_close(fake);
        fake_expect_exit(fake);
    }
}

static void test_frame_lengths(void **state)
{
    static const uint32_t lengths[] = {(16U << 20) + 11, 1U << 30, UINT32_MAX};
    struct fake *fake = *state;

    for (size_t i = 0; i < GR_ARRAY_LEN(lengths); i++) {
        uint8_t header[GR_MUX_HEADER_BYTES];

        launch_ready(fake);
        gr_mux_put_header(header, GR_MUX_ID_PLUGIN, lengths[i]);
        fake_send(fake, header, sizeof(header));
        fake_expect_close(fake);
        fake_expect_exit(fake);
        fake_close(fake);
    }
}

int main(int argc, char **argv)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_large_synchronize),
        TEST(test_split_synchronize),
        TEST(test_methods),
        TEST(test_service),
        TEST(test_stream_ids),
        TEST(test_bad_messages),
        TEST(test_oversized),
        TEST(test_large_create),
        TEST(test_interleaved),
        TEST(test_byte_by_byte),
        TEST(test_many),
        TEST(test_garbage),
        TEST(test_frame_lengths),
    };
#undef TEST

    return fake_find_grapnel(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
