/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes and messages of the fake runtime; its process and files are in fake_process.c. */
#include "fake_runtime.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "fake_process.h"
#include "nri.pb-c.h"
#include "wire/be32.h"

#define MESSAGE_MAX_BYTES (GR_TTRPC_HEADER_BYTES + GR_TTRPC_SEND_MAX_BYTES)

/* ---- bytes ---- */

bool fake_try_send(struct fake *fake, const void *bytes, size_t n)
{
    const char *at = bytes;
    int64_t until = fake_now_ms() + FAKE_DEADLINE_MS;

    while (n > 0) {
        ssize_t sent = send(fake->conn, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
            until = fake_now_ms() + FAKE_DEADLINE_MS;
        } else if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            return false;
        } else if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            fake_fail(fake, "send: %s", strerror(errno));
        } else {
            fake_wait_fd(fake, fake->conn, POLLOUT, until, "the plugin to read");
        }
    }
    return true;
}

void fake_send(struct fake *fake, const void *bytes, size_t n)
{
    if (!fake_try_send(fake, bytes, n))
        fake_fail(fake, "the plugin has closed the connection");
}

/* Reads n bytes; false at the end of the connection, which may come after some of them. */
static bool receive(struct fake *fake, uint8_t *out, size_t n)
{
    int64_t until = fake_now_ms() + FAKE_DEADLINE_MS;

    while (n > 0) {
        ssize_t got = recv(fake->conn, out, n, MSG_DONTWAIT);

        if (got > 0) {
            out += got;
            n -= (size_t)got;
            until = fake_now_ms() + FAKE_DEADLINE_MS;
        } else if (got == 0 || errno == ECONNRESET) {
            return false;
        } else if (errno != EINTR && errno != EAGAIN) {
            fake_fail(fake, "recv: %s", strerror(errno));
        } else {
            fake_wait_fd(fake, fake->conn, POLLIN, until, "the plugin to write");
        }
    }
    return true;
}

void fake_expect_close(struct fake *fake)
{
    int64_t until = fake_now_ms() + FAKE_DEADLINE_MS;
    uint8_t bytes[65536];
    ssize_t n;

    while ((n = recv(fake->conn, bytes, sizeof(bytes), MSG_DONTWAIT)) != 0) {
        if (n < 0 && errno == ECONNRESET)
            return;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            fake_fail(fake, "recv: %s", strerror(errno));
        if (n < 0)
            fake_wait_fd(fake, fake->conn, POLLIN, until, "the end of the connection");
    }
}

/* Takes one frame into its stream. */
static struct fake_stream *read_frame(struct fake *fake, uint32_t *out_id)
{
    uint8_t header[GR_MUX_HEADER_BYTES];
    struct fake_stream *stream;
    uint32_t bytes;
    uint8_t *at;

    if (!receive(fake, header, sizeof(header)))
        fake_fail(fake, "the plugin has closed the connection");
    *out_id = gr_be32_get(header);
    bytes = gr_be32_get(header + 4);
    if (*out_id != GR_MUX_ID_PLUGIN && *out_id != GR_MUX_ID_RUNTIME)
        fake_fail(fake, "a frame of id %u", *out_id);
    if (bytes == 0 || bytes > MESSAGE_MAX_BYTES)
        fake_fail(fake, "a frame of %u bytes", bytes);
    stream = &fake->streams[*out_id - 1];
    if (stream->taken) {
        gr_buf_reset(&stream->bytes, SIZE_MAX);
        stream->frames = 0;
        stream->taken = false;
    }
    at = gr_buf_grow(&stream->bytes, bytes);
    if (!at)
        fake_fail(fake, "a message that is too long");
    if (!receive(fake, at, bytes))
        fake_fail(fake, "the plugin has closed the connection inside a frame");
    if (stream->frames++ == 0)
        stream->first_bytes = bytes;
    return stream;
}

struct fake_message fake_read(struct fake *fake)
{
    for (;;) {
        struct fake_message message = {0};
        struct fake_stream *stream = read_frame(fake, &message.id);
        const uint8_t *p = stream->bytes.data;
        size_t have = stream->bytes.len;

        if (have < GR_TTRPC_HEADER_BYTES)
            continue;
        message.data.n = gr_be32_get(p);
        if (have < GR_TTRPC_HEADER_BYTES + message.data.n)
            continue;
        /* Not demanded by NRI, but all that the plugin has reason to do. */
        if (have > GR_TTRPC_HEADER_BYTES + message.data.n)
            fake_fail(fake, "a frame with parts of two messages");
        message.stream = gr_be32_get(p + 4);
        message.type = p[8];
        message.flags = p[9];
        message.data.p = (const char *)p + GR_TTRPC_HEADER_BYTES;
        message.frames = stream->frames;
        message.first_bytes = stream->first_bytes;
        stream->taken = true;
        /* What a Go peer can take: wire/limits.h, GR_MUX_FIRST_FRAME_MAX_BYTES. */
        if (message.first_bytes > GR_MUX_FIRST_FRAME_MAX_BYTES || message.frames > 2)
            fake_fail(fake, "a message of %zu frames, the first of %zu bytes", message.frames,
                      message.first_bytes);
        return message;
    }
}

/* ---- messages ---- */

void fake_put_message(struct gr_buf *out, uint32_t id, uint32_t stream, uint8_t type,
                      struct gr_str data)
{
    uint8_t *at = gr_buf_grow(out, FAKE_HEADERS_BYTES);

    assert_non_null(at);
    gr_mux_put_header(at, id, (uint32_t)(GR_TTRPC_HEADER_BYTES + data.n));
    gr_ttrpc_put_header(at + GR_MUX_HEADER_BYTES, (uint32_t)data.n, stream, type);
    assert_int_equal(gr_buf_str(out, data), 0);
}

uint32_t fake_put_request(struct fake *fake, struct gr_buf *out, const char *method,
                          struct gr_str payload)
{
    const struct gr_ttrpc_request request = {.service = GR_STR(GR_NRI_SERVICE_PLUGIN),
                                             .method = gr_str_from(method),
                                             .payload = payload,
                                             .timeout_ns = INT64_C(2000000000)};
    size_t bytes = gr_ttrpc_request_bytes(&request);
    uint8_t *at = gr_buf_grow(out, FAKE_HEADERS_BYTES + bytes);

    assert_non_null(at);
    fake->stream += fake->stream ? 2 : 1;
    gr_mux_put_header(at, GR_MUX_ID_PLUGIN, (uint32_t)(GR_TTRPC_HEADER_BYTES + bytes));
    gr_ttrpc_put_header(at + GR_MUX_HEADER_BYTES, (uint32_t)bytes, fake->stream, GR_TTRPC_REQUEST);
    /* The timeout stands behind the payload: it is written with the rest. */
    at = gr_ttrpc_request_encode(&request, at + FAKE_HEADERS_BYTES);
    if (payload.n)
        memcpy(at, payload.p, payload.n);
    return fake->stream;
}

uint32_t fake_request(struct fake *fake, const char *method, struct gr_str payload)
{
    struct gr_buf out;
    uint32_t stream;

    gr_buf_init(&out, 64U << 20);
    stream = fake_put_request(fake, &out, method, payload);
    fake_send(fake, out.data, out.len);
    gr_buf_fini(&out);
    return stream;
}

struct gr_ttrpc_response fake_reply(struct fake *fake, uint32_t stream)
{
    struct fake_message message = fake_read(fake);
    struct gr_ttrpc_response response;

    if (message.id != GR_MUX_ID_PLUGIN || message.stream != stream ||
        message.type != GR_TTRPC_RESPONSE || message.flags != 0)
        fake_fail(fake, "expected the answer to %u, found id %u stream %u type %u flags %u", stream,
                  message.id, message.stream, message.type, message.flags);
    if (gr_ttrpc_response_decode(message.data, &response) != 0)
        fake_fail(fake, "the answer to %u is no response", stream);
    return response;
}

struct gr_str fake_call_code(struct fake *fake, const char *method, struct gr_str payload,
                             int32_t code)
{
    struct gr_ttrpc_response response = fake_reply(fake, fake_request(fake, method, payload));

    if (response.code != code)
        fake_fail(fake, "%s: expected code %d, found %d %.*s", method, code, response.code,
                  GR_STR_FMT(response.text));
    return code == 0 ? response.payload : response.text;
}

struct gr_str fake_call(struct fake *fake, const char *method, struct gr_str payload)
{
    return fake_call_code(fake, method, payload, 0);
}

/* ---- the usual course ---- */

void fake_take_register(struct fake *fake)
{
    struct fake_message message = fake_read(fake);
    Nri__RegisterPluginRequest *in;
    struct gr_ttrpc_request request;

    if (message.id != GR_MUX_ID_RUNTIME || message.stream != 1 ||
        message.type != GR_TTRPC_REQUEST || message.flags != 0)
        fake_fail(fake, "the first message is not RegisterPlugin");
    assert_int_equal(gr_ttrpc_request_decode(message.data, &request), 0);
    assert_true(gr_str_is(request.service, GR_NRI_SERVICE_RUNTIME));
    assert_true(gr_str_is(request.method, "RegisterPlugin"));
    in = nri__register_plugin_request__unpack(NULL, request.payload.n,
                                              (const uint8_t *)request.payload.p);
    assert_non_null(in);
    assert_string_equal(in->plugin_name, "grapnel");
    assert_string_equal(in->plugin_idx, "10");
    nri__register_plugin_request__free_unpacked(in, NULL);
}

void fake_answer_register(struct fake *fake)
{
    struct gr_buf out;

    gr_buf_init(&out, 64);
    fake_put_message(&out, GR_MUX_ID_RUNTIME, 1, GR_TTRPC_RESPONSE, GR_STR_NONE);
    fake_send(fake, out.data, out.len);
    gr_buf_fini(&out);
}

struct gr_str fake_configure_payload(struct fake *fake, const char *config)
{
    Nri__ConfigureRequest request;
    union {
        const char *in;
        char *out;
    } text = {.in = config};
    char name[] = "containerd", version[] = "v2.1.4", nri_version[] = "v0.12.2";
    uint8_t *at;

    nri__configure_request__init(&request);
    request.config = text.out;
    request.runtime_name = name;
    request.runtime_version = version;
    request.registration_timeout = 5000;
    request.request_timeout = 2000;
    request.nri_version = nri_version;
    gr_buf_reset(&fake->payload, SIZE_MAX);
    at = gr_buf_grow(&fake->payload, nri__configure_request__get_packed_size(&request));
    assert_non_null(at);
    (void)nri__configure_request__pack(&request, at);
    return gr_buf_view(&fake->payload);
}

void fake_configure(struct fake *fake, const char *config)
{
    struct gr_str reply = fake_call(fake, "Configure", fake_configure_payload(fake, config));

    if (!gr_str_eq(reply, GR_STR("\x10\x08")))
        fake_fail(fake, "Configure is answered with something else than the mask 0x0008");
}

void fake_synchronize(struct fake *fake)
{
    struct gr_str reply = fake_call(fake, "Synchronize", GR_STR_NONE);

    if (reply.n != 0)
        fake_fail(fake, "Synchronize is answered with something");
}

void fake_configure_rules(struct fake *fake)
{
    char config[256];

    (void)snprintf(config, sizeof(config),
                   "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {hooksDirs: [%s/hooks.d], "
                   "lastGoodDir: none, runDir: none, controlSocket: none}\n",
                   fake->dir);
    fake_configure(fake, config);
}

void fake_get_ready(struct fake *fake)
{
    fake_take_register(fake);
    fake_answer_register(fake);
    if (fake->launched)
        fake_configure_rules(fake);
    else
        fake_configure(fake, "");
    fake_synchronize(fake);
}

/* A field of bytes; number below 16. */
static void put_field(struct gr_buf *out, unsigned int number, struct gr_str bytes)
{
    size_t n = bytes.n;

    (void)gr_buf_byte(out, (uint8_t)(number << 3 | 2));
    for (; n > 127; n >>= 7)
        (void)gr_buf_byte(out, (uint8_t)(n | 0x80));
    (void)gr_buf_byte(out, (uint8_t)n);
    (void)gr_buf_str(out, bytes);
}

static void put_annotation(struct gr_buf *out, struct gr_str key, struct gr_str value)
{
    struct gr_buf entry;

    gr_buf_init(&entry, 32U << 20);
    put_field(&entry, 1, key);
    put_field(&entry, 2, value);
    put_field(out, 6, gr_buf_view(&entry));
    assert_int_equal(entry.broken, 0);
    gr_buf_fini(&entry);
}

static struct gr_str text_or(const char *text, const char *otherwise)
{
    return gr_str_from(text ? text : otherwise);
}

/* By hand, so that texts may hold what protobuf-c cannot write. */
struct gr_str fake_pod_payload(struct fake *fake, const struct fake_pod *pod)
{
    struct gr_buf part;

    gr_buf_init(&part, 32U << 20);
    gr_buf_reset(&fake->payload, SIZE_MAX);
    put_field(&part, 1, GR_STR("pod-id"));
    put_field(&part, 2, text_or(pod->pod, "p"));
    put_field(&part, 3, GR_STR("uid"));
    put_field(&part, 4, text_or(pod->namespace, "n"));
    for (size_t i = 0; i < GR_ARRAY_LEN(pod->annotations); i++) {
        if (pod->annotations[i].key.n > 0)
            put_annotation(&part, pod->annotations[i].key, pod->annotations[i].value);
    }
    put_field(&fake->payload, 1, gr_buf_view(&part));
    gr_buf_reset(&part, SIZE_MAX);
    put_field(&part, 1, GR_STR("container-id"));
    put_field(&part, 2, GR_STR("pod-id"));
    put_field(&part, 3, text_or(pod->container, "c"));
    if (pod->image)
        put_annotation(&part, GR_STR("io.kubernetes.cri.image-name"), gr_str_from(pod->image));
    if (pod->hooks.n > 0)
        put_field(&part, 10, pod->hooks);
    put_field(&fake->payload, 2, gr_buf_view(&part));
    assert_int_equal(part.broken | fake->payload.broken, 0);
    gr_buf_fini(&part);
    return gr_buf_view(&fake->payload);
}

void fake_check_hooks(struct gr_str reply, size_t hooks)
{
    Nri__CreateContainerResponse *in =
        nri__create_container_response__unpack(NULL, reply.n, (const uint8_t *)reply.p);

    assert_non_null(in);
    if (hooks == 0) {
        assert_int_equal(reply.n, 0);
    } else {
        assert_non_null(in->adjust);
        assert_non_null(in->adjust->hooks);
        assert_int_equal(in->adjust->hooks->n_create_runtime, hooks);
        for (size_t i = 0; i < hooks; i++)
            assert_string_equal(in->adjust->hooks->create_runtime[i]->path, "/bin/true");
    }
    nri__create_container_response__free_unpacked(in, NULL);
}

void fake_expect_hooks(struct fake *fake, const struct fake_pod *pod, size_t hooks)
{
    fake_check_hooks(fake_call(fake, "CreateContainer", fake_pod_payload(fake, pod)), hooks);
}
