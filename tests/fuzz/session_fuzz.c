/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole NRI session from arbitrary bytes: as they are, or as requests, answers and the owner's
 * acts made from the input. Whatever comes:
 * - each request is answered just once, and what is sent is understood by the other side;
 * - Configure is answered with the mask, and nothing else;
 * - CreateContainer is refused or gets the hook; texts of the subject are clean UTF-8.
 */
#include "fuzz.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "nri.pb-c.h"
#include "nri/methods.h"
#include "nri/session.h"
#include "wire/mux.h"
#include "wire/ttrpc.h"

#define REQUESTS_MAX 1024
#define DIGESTED "a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum asked { ASKED_OTHER, ASKED_CONFIGURE, ASKED_CREATE };

struct life {
    struct gr_session *session;
    uint64_t now_ns;
    bool hold; /* what ops->configure returns */
    bool made; /* requests are ours, so it is known what was asked */
    size_t asked_n, answered_n;
    enum asked asked[REQUESTS_MAX]; /* by stream / 2 */
    uint64_t hash;                  /* over all that was seen, so that it is read */
};

/* ---- the owner ---- */

static bool on_configure(void *user, const struct gr_nri_runtime *runtime, struct gr_str config)
{
    struct life *life = user;

    FUZZ_CHECK(gr_utf8_is_clean(runtime->name) && gr_utf8_is_clean(runtime->version));
    FUZZ_CHECK(gr_utf8_is_clean(runtime->nri_version) && gr_utf8_is_clean(config));
    FUZZ_CHECK(!runtime->err || runtime->err->code);
    return life->hold;
}

static void on_flush(void *user GR_UNUSED)
{
}

static void on_synchronized(void *user, size_t pods, size_t containers,
                            struct gr_nri_running *running)
{
    struct life *life = user;

    FUZZ_CHECK(running);
    if (gr_nri_running_state(running) == GR_NRI_RUNNING_WHOLE)
        FUZZ_CHECK(gr_nri_running_count(running) == containers);
    life->hash += pods + containers;
    gr_nri_running_free(running);
}

static void see(struct life *life, struct gr_str s)
{
    FUZZ_CHECK(gr_utf8_is_clean(s));
    life->hash = gr_hash_more(life->hash, s);
}

static void see_all(struct life *life, struct gr_strs list)
{
    for (size_t i = 0; i < list.n; i++)
        see(life, list.items[i]);
}

static void see_map(struct life *life, struct gr_kvs map)
{
    for (size_t i = 0; i < map.n; i++) {
        see(life, map.items[i].key);
        see(life, map.items[i].value);
    }
}

static const struct gr_oci_hook hook = {
    .stage = GR_STAGE_POSTSTOP, .path = {.p = "/x", .n = 2}, .has_timeout = true, .timeout_s = 5};

static int on_decide(void *user, const struct gr_subject *subject, struct gr_arena *arena GR_UNUSED,
                     struct gr_decision *out_decision, struct gr_err *err GR_UNUSED)
{
    struct life *life = user;

    see(life, subject->id);
    see(life, subject->name);
    see(life, subject->pod_name);
    see(life, subject->pod_namespace);
    see(life, subject->pod_uid);
    see(life, subject->runtime_handler);
    see(life, subject->runtime);
    see(life, subject->image.name);
    see(life, subject->image.digest);
    see_all(life, subject->args);
    see_map(life, subject->pod_labels);
    see_map(life, subject->pod_annotations);
    see_map(life, subject->container_labels);
    see_map(life, subject->container_annotations);
    for (size_t i = 0; i < subject->hooks_n; i++) {
        see(life, subject->hooks[i].path);
        see_all(life, subject->hooks[i].args);
        see_all(life, subject->hooks[i].env);
    }
    see_all(life, subject->env);
    for (size_t i = 0; i < subject->mounts_n; i++) {
        see(life, subject->mounts[i].destination);
        see(life, subject->mounts[i].source);
        see(life, subject->mounts[i].type);
        see_all(life, subject->mounts[i].options);
    }
    for (size_t i = 0; i < subject->present_n; i++) {
        see(life, subject->present[i].key);
        see(life, subject->present[i].text);
    }
    *out_decision = (struct gr_decision){.hooks = &hook, .hooks_n = 1};
    return 0;
}

static void on_created(void *user GR_UNUSED, const struct gr_session_event *event)
{
    FUZZ_CHECK(event->decision || (event->err && event->err->code && event->refused));
}

/* Any clock, also one that goes backwards. */
static uint64_t on_now(void *user)
{
    struct life *life = user;

    return life->hash;
}

static void on_answered(void *user GR_UNUSED, const struct gr_session_answer *answer)
{
    FUZZ_CHECK(answer->method != GR_NRI_UNKNOWN);
}

static void on_rejected(void *user, struct gr_str text)
{
    struct life *life = user;

    life->hash = gr_hash_more(life->hash, text);
}

static void on_shutdown(void *user GR_UNUSED)
{
}

static void on_state(void *user GR_UNUSED, enum gr_session_state from, enum gr_session_state to)
{
    FUZZ_CHECK(from < to);
}

static const struct gr_session_ops ops = {
    .now = on_now,
    .configure = on_configure,
    .flush = on_flush,
    .synchronized = on_synchronized,
    .decide = on_decide,
    .created = on_created,
    .answered = on_answered,
    .rejected = on_rejected,
    .shutdown = on_shutdown,
    .state = on_state,
};

/* ---- what is sent ---- */

static void check_created(struct gr_str payload)
{
    Nri__CreateContainerResponse *in =
        nri__create_container_response__unpack(NULL, payload.n, (const uint8_t *)payload.p);

    FUZZ_CHECK(in && in->adjust && in->adjust->hooks && in->adjust->hooks->n_poststop == 1);
    nri__create_container_response__free_unpacked(in, NULL);
}

static void check_reply(struct life *life, const struct gr_ttrpc_message *message)
{
    struct gr_ttrpc_response response;
    enum asked asked;

    FUZZ_CHECK(message->type == GR_TTRPC_RESPONSE);
    FUZZ_CHECK(gr_ttrpc_response_decode(message->data, &response) == 0);
    life->answered_n++;
    if (!life->made)
        return;
    FUZZ_CHECK(message->stream % 2 && message->stream / 2 < life->asked_n);
    asked = life->asked[message->stream / 2];
    if (asked == ASKED_CONFIGURE)
        FUZZ_CHECK(response.code == 0 && gr_str_eq(response.payload, GR_STR("\x10\x08")));
    if (asked == ASKED_CREATE && response.code == 0)
        check_created(response.payload);
}

/* Reads all that waits to be sent. */
static void read_sent(struct life *life)
{
    struct gr_str sent = gr_session_pending(life->session);
    size_t all = sent.n, used;
    struct gr_ttrpc_message message;
    struct gr_ttrpc_rx plugin, runtime;
    struct gr_mux_rx mux;
    struct gr_str data;
    uint32_t id;

    gr_mux_rx_init(&mux);
    gr_ttrpc_rx_init(&plugin);
    gr_ttrpc_rx_init(&runtime);
    while (gr_mux_feed(&mux, sent, &used, &id, &data) == GR_MUX_DATA) {
        struct gr_ttrpc_rx *rx = id == GR_MUX_ID_PLUGIN ? &plugin : &runtime;
        int r;

        FUZZ_CHECK(id == GR_MUX_ID_PLUGIN || id == GR_MUX_ID_RUNTIME);
        sent = gr_str_skip(sent, used);
        while ((r = gr_ttrpc_feed(rx, data, &used, &message)) > 0) {
            FUZZ_CHECK(r == GR_TTRPC_MESSAGE);
            if (rx == &plugin)
                check_reply(life, &message);
            data = gr_str_skip(data, used);
        }
        FUZZ_CHECK(r == 0);
    }
    FUZZ_CHECK(mux.have == 0 && mux.left == 0 && plugin.have == 0 && runtime.have == 0);
    gr_ttrpc_rx_fini(&plugin);
    gr_ttrpc_rx_fini(&runtime);
    gr_session_sent(life->session, all);
}

/* ---- what comes in ---- */

static int feed(struct life *life, struct gr_str bytes, size_t cut)
{
    int r = 0;

    for (size_t at = 0; at < bytes.n && r == 0;) {
        struct gr_str piece = gr_str_first(gr_str_skip(bytes, at), cut ? cut : bytes.n);
        char *exact = fuzz_exact(piece);

        r = gr_session_feed(life->session, (struct gr_str){.p = exact, .n = piece.n}, life->now_ns);
        free(exact);
        at += piece.n;
    }
    read_sent(life);
    return r;
}

/* Wraps it in a field of bytes. */
static void put_field(struct gr_buf *out, uint8_t number, struct gr_str bytes)
{
    size_t n = bytes.n;

    (void)gr_buf_byte(out, (uint8_t)(number << 3 | 2));
    for (; n > 127; n >>= 7)
        (void)gr_buf_byte(out, (uint8_t)(n | 0x80));
    (void)gr_buf_byte(out, (uint8_t)n);
    (void)gr_buf_str(out, bytes);
}

/* The next few bytes of the input, or fewer. */
static struct gr_str slice(struct gr_str *input)
{
    struct gr_str s = gr_str_first(*input, fuzz_take(input, 1) % 32);

    s = gr_str_first(*input, s.n);
    *input = gr_str_skip(*input, s.n);
    return s;
}

/* Names of runtimes and keys that mean something. */
static struct gr_str word(uint32_t number)
{
    static const char *const words[] = {"containerd",
                                        "cri-o",
                                        "v2",
                                        "v1.7.2",
                                        "io.kubernetes.cri.image-name",
                                        "io.kubernetes.cri-o.ImageName",
                                        "io.kubernetes.cri-o.ImageRepoDigests",
                                        DIGESTED};

    return gr_str_from(words[number % GR_ARRAY_LEN(words)]);
}

/* A message of fields with words, texts and messages like itself: what NRI's objects look like. */
static void put_object(struct gr_buf *out, struct gr_str *input, int depth)
{
    struct gr_buf inner;
    uint32_t fields = fuzz_take(input, 1) % 5;

    for (uint32_t i = 0; i < fields; i++) {
        uint32_t what = fuzz_take(input, 1);
        uint8_t number = (uint8_t)(1 + (what >> 2) % 15);

        if ((what & 3) == 0) {
            put_field(out, number, slice(input));
        } else if ((what & 3) == 1) {
            put_field(out, number, word(what >> 2));
        } else if (depth < 4) {
            gr_buf_init(&inner, 1U << 20);
            put_object(&inner, input, depth + 1);
            put_field(out, number, gr_buf_view(&inner));
            gr_buf_fini(&inner);
        }
    }
}

/* {1: object, 2: object}: a pod and a container. */
static void put_pair(struct gr_buf *out, struct gr_str *input)
{
    struct gr_buf inner;

    gr_buf_init(&inner, 1U << 20);
    for (uint8_t number = 1; number <= 2; number++) {
        gr_buf_reset(&inner, SIZE_MAX);
        put_object(&inner, input, 0);
        put_field(out, number, gr_buf_view(&inner));
    }
    gr_buf_fini(&inner);
}

/* What Configure says: the runtime's name and version. */
static void put_runtime(struct gr_buf *out, struct gr_str *input)
{
    put_field(out, 2, word(fuzz_take(input, 1)));
    put_field(out, 3, word(fuzz_take(input, 1)));
}

/* One request, its payload as it is or made of parts. */
static int request(struct life *life, struct gr_str *input)
{
    static const char *const methods[] = {"Configure",       "Synchronize",    "CreateContainer",
                                          "CreateContainer", "StateChange",    "Shutdown",
                                          "Unknown",         "RemoveContainer"};
    uint32_t what = fuzz_take(input, 1);
    const char *method = methods[what % GR_ARRAY_LEN(methods)];
    struct gr_buf payload, out;
    struct gr_ttrpc_request ask;
    uint32_t stream = 2 * (uint32_t)life->asked_n + 1;
    uint8_t *at;
    int r;

    gr_buf_init(&payload, 1U << 20);
    gr_buf_init(&out, 1U << 20);
    if (!(what & 64))
        (void)gr_buf_str(&payload, slice(input));
    else if (what % GR_ARRAY_LEN(methods) == 0)
        put_runtime(&payload, input);
    else
        put_pair(&payload, input);
    ask = (struct gr_ttrpc_request){.service = GR_STR(GR_NRI_SERVICE_PLUGIN),
                                    .method = gr_str_from(method),
                                    .payload = gr_buf_view(&payload),
                                    .timeout_ns = (int64_t)fuzz_take(input, 1) * 20000000};
    at = gr_buf_grow(&out,
                     GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES + gr_ttrpc_request_bytes(&ask));
    FUZZ_CHECK(at);
    gr_mux_put_header(at, GR_MUX_ID_PLUGIN, (uint32_t)out.len - GR_MUX_HEADER_BYTES);
    gr_ttrpc_put_header(at + GR_MUX_HEADER_BYTES, (uint32_t)gr_ttrpc_request_bytes(&ask), stream,
                        GR_TTRPC_REQUEST);
    at = gr_ttrpc_request_encode(&ask, at + GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES);
    if (payload.len)
        memcpy(at, payload.data, payload.len);
    life->asked[life->asked_n++] = gr_str_is(ask.method, "Configure")         ? ASKED_CONFIGURE
                                   : gr_str_is(ask.method, "CreateContainer") ? ASKED_CREATE
                                                                              : ASKED_OTHER;
    r = feed(life, gr_buf_view(&out), what >> 3 & 7);
    gr_buf_fini(&payload);
    gr_buf_fini(&out);
    return r;
}

/* The runtime's answer to RegisterPlugin, good or bad. */
static int answer(struct life *life, uint32_t code)
{
    const struct gr_ttrpc_response response = {.code = (int32_t)code};
    uint8_t bytes[64];
    size_t n = gr_ttrpc_response_bytes(&response);

    gr_mux_put_header(bytes, GR_MUX_ID_RUNTIME, (uint32_t)(GR_TTRPC_HEADER_BYTES + n));
    gr_ttrpc_put_header(bytes + GR_MUX_HEADER_BYTES, (uint32_t)n, 1, GR_TTRPC_RESPONSE);
    (void)gr_ttrpc_response_encode(&response, bytes + GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES);
    return feed(
        life,
        (struct gr_str){.p = (char *)bytes, .n = GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES + n},
        0);
}

static int act(struct life *life, struct gr_str *input)
{
    struct gr_session_settings settings = {0};
    uint32_t what = fuzz_take(input, 1);

    switch (what % 8) {
    case 0:
        return answer(life, what >> 3 & 15);
    case 1:
        life->now_ns += (uint64_t)fuzz_take(input, 1) * 500000000;
        gr_session_tick(life->session, life->now_ns);
        break;
    case 2:
        gr_session_configured(life->session);
        break;
    case 3:
        life->hold = !life->hold;
        settings.ambiguous_image_unknown = what >> 3 & 1;
        settings.adjusts = what >> 4 & 1;
        settings.fields = what >> 5 & 1 ? 1U << GR_FIELD_ENV : 1U << GR_FIELD_MOUNTS;
        gr_session_set(life->session, &settings);
        break;
    default:
        return request(life, input);
    }
    read_sent(life);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    struct life life = {.now_ns = 1, .hash = GR_HASH_START};
    uint32_t mode = fuzz_take(&input, 1);
    int r = 0;

    life.made = mode & 1;
    FUZZ_CHECK(gr_session_new("grapnel", "10", &ops, &life, &life.session) == 0);
    FUZZ_CHECK(gr_session_start(life.session, life.now_ns) == 0);
    if (life.made) {
        while (r == 0 && input.n > 0 && life.asked_n < REQUESTS_MAX)
            r = act(&life, &input);
        FUZZ_CHECK(r == 0 || gr_session_is_broken(life.session));
        gr_session_configured(life.session);
        read_sent(&life);
        FUZZ_CHECK(life.answered_n == life.asked_n || (r && life.answered_n < life.asked_n));
    } else {
        (void)feed(&life, input, mode >> 1);
    }
    gr_session_closed(life.session);
    gr_session_free(life.session);
    return 0;
}
