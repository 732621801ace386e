/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime by hand around one session, without IO: requests are put together byte by byte, what
 * the session says and asks becomes a log of text. Nothing here allocates but rig_request, so that
 * the tests of failing allocations can use it.
 */
#ifndef GR_TESTS_NRI_RIG_H
#define GR_TESTS_NRI_RIG_H

#include "testing.h"

#include "nri.pb-c.h"
#include "nri/methods.h"
#include "nri/session.h"
#include "wire/mux.h"
#include "wire/ttrpc.h"

#define RIG_LOG_BYTES 16384
#define RIG_SHOWN_BYTES 96 /* longer payloads are logged by their length */

struct rig {
    struct gr_session *session;
    uint64_t now_ns;
    uint32_t stream; /* of the last request */
    bool hold;       /* what ops->configure returns */
    int decide;      /* what ops->decide returns; the text is then "no decision" */
    struct gr_decision decision;
    size_t replies;                     /* seen in what was sent */
    uint64_t slow_ns;                   /* what each look at the clock adds */
    size_t answers[GR_NRI_UNKNOWN + 1]; /* told, by method */
    uint64_t took_ns;                   /* of the last one */
    const char *failure;                /* the same */
    size_t flushes, flushed_bytes;
    struct gr_nri_running *running; /* of the last Synchronize */
    char log[RIG_LOG_BYTES];
    size_t log_bytes;
};

GR_PRINTF(2, 3)
static inline void rig_log(struct rig *rig, const char *format, ...)
{
    size_t room = sizeof(rig->log) - rig->log_bytes;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(rig->log + rig->log_bytes, room, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < room);
    rig->log_bytes += (size_t)n;
}

/* What was logged since the last time. */
static inline void rig_expect(struct rig *rig, const char *expected)
{
    if (strcmp(rig->log, expected) != 0)
        fail_msg("expected:\n%s\nfound:\n%s", expected, rig->log);
    rig->log[0] = '\0';
    rig->log_bytes = 0;
}

/* ---- what the session asks and tells ---- */

static inline bool rig_configure(void *user, const struct gr_nri_runtime *runtime,
                                 struct gr_str config)
{
    struct rig *rig = user;

    rig_log(rig, "configure %.*s %.*s nri=%.*s timeout=%llu config=%.*s%s%s\n",
            GR_STR_FMT(runtime->name), GR_STR_FMT(runtime->version),
            GR_STR_FMT(runtime->nri_version), (unsigned long long)runtime->request_timeout_ms,
            GR_STR_FMT(config), runtime->err ? " error: " : "",
            runtime->err ? runtime->err->code : "");
    return rig->hold;
}

/* What is pending now went out before what follows. */
static inline void rig_flush(void *user)
{
    struct rig *rig = user;

    rig->flushes++;
    rig->flushed_bytes = gr_session_pending(rig->session).n;
}

static inline void rig_synchronized(void *user, size_t pods, size_t containers,
                                    struct gr_nri_running *running)
{
    struct rig *rig = user;

    rig_log(rig, "synchronized %zu pods %zu containers\n", pods, containers);
    gr_nri_running_free(rig->running);
    rig->running = running;
}

static inline int rig_decide(void *user, const struct gr_subject *subject, struct gr_arena *arena,
                             struct gr_decision *out_decision, struct gr_err *err)
{
    struct rig *rig = user;

    (void)arena;
    rig_log(rig, "decide %.*s/%.*s/%.*s image=%.*s\n", GR_STR_FMT(subject->pod_namespace),
            GR_STR_FMT(subject->pod_name), GR_STR_FMT(subject->name),
            GR_STR_FMT(subject->image.known ? subject->image.repository : GR_STR("?")));
    if (rig->decide != 0)
        return gr_fail(err, rig->decide, "no-decision", "no decision");
    *out_decision = rig->decision;
    return 0;
}

static inline void rig_created(void *user, const struct gr_session_event *event)
{
    rig_log(user, "created%s%s", event->subject ? "" : " unread", event->refused ? " refused" : "");
    if (event->decision)
        rig_log(user, " hooks=%zu", event->decision->hooks_n);
    if (event->err)
        rig_log(user, " error: %s", event->err->code);
    rig_log(user, "\n");
}

static inline uint64_t rig_now(void *user)
{
    struct rig *rig = user;

    rig->now_ns += rig->slow_ns;
    return rig->now_ns;
}

static inline void rig_answered(void *user, const struct gr_session_answer *answer)
{
    struct rig *rig = user;

    rig->answers[answer->method]++;
    rig->took_ns = answer->took_ns;
    rig->failure = answer->failure;
}

static inline void rig_rejected(void *user, struct gr_str text)
{
    rig_log(user, "rejected: %.*s\n", GR_STR_FMT(text));
}

static inline void rig_shutdown(void *user)
{
    rig_log(user, "shutdown\n");
}

static inline void rig_state(void *user, enum gr_session_state from, enum gr_session_state to)
{
    rig_log(user, "%s > %s\n", gr_session_state_name(from), gr_session_state_name(to));
}

static const struct gr_session_ops rig_ops = {
    .now = rig_now,
    .configure = rig_configure,
    .flush = rig_flush,
    .synchronized = rig_synchronized,
    .decide = rig_decide,
    .created = rig_created,
    .answered = rig_answered,
    .rejected = rig_rejected,
    .shutdown = rig_shutdown,
    .state = rig_state,
};

/* ---- requests ---- */

#define RIG_HEADERS_BYTES (GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES)

static inline void rig_headers(uint8_t *out, uint32_t id, size_t data_bytes, uint32_t stream,
                               uint8_t type)
{
    gr_mux_put_header(out, id, (uint32_t)(GR_TTRPC_HEADER_BYTES + data_bytes));
    gr_ttrpc_put_header(out + GR_MUX_HEADER_BYTES, (uint32_t)data_bytes, stream, type);
}

/* A request to the Plugin service in one frame, on the heap. */
static inline struct gr_str rig_request(struct rig *rig, const char *method, struct gr_str payload,
                                        int64_t timeout_ns)
{
    struct gr_ttrpc_request request = {.service = GR_STR(GR_NRI_SERVICE_PLUGIN),
                                       .method = gr_str_from(method),
                                       .payload = payload,
                                       .timeout_ns = timeout_ns};
    size_t bytes = gr_ttrpc_request_bytes(&request);
    uint8_t *out = malloc(RIG_HEADERS_BYTES + bytes);
    uint8_t *at;

    assert_non_null(out);
    rig->stream += rig->stream ? 2 : 1;
    rig_headers(out, GR_MUX_ID_PLUGIN, bytes, rig->stream, GR_TTRPC_REQUEST);
    at = gr_ttrpc_request_encode(&request, out + RIG_HEADERS_BYTES);
    if (payload.n)
        memcpy(at, payload.p, payload.n);
    return (struct gr_str){.p = (char *)out, .n = RIG_HEADERS_BYTES + bytes};
}

static inline int rig_feed(struct rig *rig, struct gr_str bytes)
{
    return gr_session_feed(rig->session, bytes, rig->now_ns);
}

static inline int rig_send_timeout(struct rig *rig, const char *method, struct gr_str payload,
                                   int64_t timeout_ns)
{
    struct gr_str request = rig_request(rig, method, payload, timeout_ns);
    uint8_t *exact = test_exact(request.p, request.n);
    int r = rig_feed(rig, (struct gr_str){.p = (char *)exact, .n = request.n});

    free(exact);
    free((void *)(uintptr_t)request.p);
    return r;
}

static inline void rig_send(struct rig *rig, const char *method, struct gr_str payload)
{
    assert_int_equal(rig_send_timeout(rig, method, payload, 0), 0);
}

static inline void rig_send_hex(struct rig *rig, const char *method, const char *hex)
{
    uint8_t bytes[2048];
    size_t n = test_unhex(hex, bytes, sizeof(bytes));

    rig_send(rig, method, (struct gr_str){.p = (char *)bytes, .n = n});
}

static inline void rig_send_message(struct rig *rig, const char *method,
                                    const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(n + 1);

    assert_non_null(bytes);
    (void)protobuf_c_message_pack(message, bytes);
    rig_send(rig, method, (struct gr_str){.p = (char *)bytes, .n = n});
    free(bytes);
}

/* The answer to the session's call on stream 1. */
static inline int rig_answer(struct rig *rig, int32_t code, const char *text)
{
    struct gr_ttrpc_response response = {.code = code, .text = gr_str_from(text)};
    uint8_t bytes[512];
    size_t n = gr_ttrpc_response_bytes(&response);

    assert_true(RIG_HEADERS_BYTES + n <= sizeof(bytes));
    rig_headers(bytes, GR_MUX_ID_RUNTIME, n, 1, GR_TTRPC_RESPONSE);
    (void)gr_ttrpc_response_encode(&response, bytes + RIG_HEADERS_BYTES);
    return rig_feed(rig, (struct gr_str){.p = (char *)bytes, .n = RIG_HEADERS_BYTES + n});
}

/* ---- what the session sends ---- */

static inline void rig_log_bytes(struct rig *rig, struct gr_str bytes)
{
    if (bytes.n > RIG_SHOWN_BYTES) {
        rig_log(rig, " %zu bytes", bytes.n);
        return;
    }
    if (bytes.n)
        rig_log(rig, " ");
    for (size_t i = 0; i < bytes.n; i++)
        rig_log(rig, "%02x", (unsigned char)bytes.p[i]);
}

static inline void rig_log_message(struct rig *rig, const struct gr_ttrpc_message *message)
{
    struct gr_ttrpc_response response;
    struct gr_ttrpc_request request;

    assert_int_equal(message->flags, 0);
    if (message->type == GR_TTRPC_REQUEST) {
        assert_int_equal(gr_ttrpc_request_decode(message->data, &request), 0);
        rig_log(rig, "call %u %.*s/%.*s", message->stream, GR_STR_FMT(request.service),
                GR_STR_FMT(request.method));
        rig_log_bytes(rig, request.payload);
        rig_log(rig, " within %lld s\n", (long long)(request.timeout_ns / 1000000000));
        return;
    }
    assert_int_equal(message->type, GR_TTRPC_RESPONSE);
    assert_int_equal(gr_ttrpc_response_decode(message->data, &response), 0);
    rig->replies++;
    if (response.code) {
        assert_int_equal(response.payload.n, 0);
        rig_log(rig, "error %u %d %.*s\n", message->stream, response.code,
                GR_STR_FMT(response.text));
        return;
    }
    rig_log(rig, "reply %u", message->stream);
    rig_log_bytes(rig, response.payload);
    rig_log(rig, "\n");
}

/*
 * Logs the messages that wait to be sent; they count as sent afterwards. Each must lie in frames of
 * its own: one, or one with the header and one with the data.
 */
static inline void rig_read(struct rig *rig)
{
    struct gr_str rest = gr_session_pending(rig->session);
    size_t all = rest.n;

    while (rest.n > 0) {
        const uint8_t *p = (const uint8_t *)rest.p;
        size_t first = ((size_t)p[4] << 24) | ((size_t)p[5] << 16) | ((size_t)p[6] << 8) | p[7];
        const uint8_t *h = p + GR_MUX_HEADER_BYTES;
        struct gr_ttrpc_message message = {.type = h[8], .flags = h[9]};

        assert_true(first >= GR_TTRPC_HEADER_BYTES && first <= GR_MUX_FIRST_FRAME_MAX_BYTES);
        message.data.n = ((size_t)h[0] << 24) | ((size_t)h[1] << 16) | ((size_t)h[2] << 8) | h[3];
        message.stream = ((uint32_t)h[6] << 8) | h[7];
        assert_int_equal(p[3],
                         message.type == GR_TTRPC_REQUEST ? GR_MUX_ID_RUNTIME : GR_MUX_ID_PLUGIN);
        rest = gr_str_skip(rest, RIG_HEADERS_BYTES);
        if (first != GR_TTRPC_HEADER_BYTES + message.data.n) {
            assert_int_equal(first, GR_TTRPC_HEADER_BYTES);
            rest = gr_str_skip(rest, GR_MUX_HEADER_BYTES);
        }
        assert_true(rest.n >= message.data.n);
        message.data.p = rest.p;
        rig_log_message(rig, &message);
        rest = gr_str_skip(rest, message.data.n);
    }
    gr_session_sent(rig->session, all);
}

/* ---- beginnings and ends ---- */

static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){.now_ns = 1000};
    assert_int_equal(gr_session_new("grapnel", "10", &rig_ops, rig, &rig->session), 0);
}

static inline void rig_fini(struct rig *rig)
{
    rig_expect(rig, "");
    assert_int_equal(gr_session_pending(rig->session).n, 0);
    gr_session_free(rig->session);
    gr_nri_running_free(gr_take(rig->running));
}

/* {runtime_name: containerd, runtime_version: v2.1.4} */
#define RIG_CONFIGURE "120a636f6e7461696e657264 1a0676322e312e34"

/* What the log says of RegisterPlugin (grapnel, 10, v0.12.2) and of RIG_CONFIGURE. */
#define RIG_REGISTER                                     \
    "call 1 nri.pkg.api.v1alpha1.Runtime/RegisterPlugin" \
    " 0a07677261706e656c120231301a0776302e31322e32 within 60 s\n" /* grapnel 10 v0.12.2 */
#define RIG_CONFIGURED "configure containerd v2.1.4 nri= timeout=2000 config=\n"

static inline void rig_init_started(struct rig *rig)
{
    rig_init(rig);
    assert_int_equal(gr_session_start(rig->session, rig->now_ns), 0);
    rig_expect(rig, "new > registering\n");
    rig_read(rig);
    rig_expect(rig, RIG_REGISTER);
}

/* Registered, configured and synchronized; the log is empty afterwards. */
static inline void rig_init_ready(struct rig *rig)
{
    rig_init(rig);
    assert_int_equal(gr_session_start(rig->session, rig->now_ns), 0);
    assert_int_equal(rig_answer(rig, 0, ""), 0);
    rig_send_hex(rig, "Configure", RIG_CONFIGURE);
    rig_send_hex(rig, "Synchronize", "");
    rig_read(rig);
    assert_int_equal(gr_session_state(rig->session), GR_SESSION_READY);
    rig->log[0] = '\0';
    rig->log_bytes = 0;
    rig->replies = 0;
}

#endif
