/* SPDX-License-Identifier: Apache-2.0 */
#include "nri/session.h"

#include <errno.h>

#include "base/utf8.h"
#include "nri/methods.h"
#include "nri/sync.h"
#include "nri/translate.h"
#include "wire/mux.h"
#include "wire/pbcheck.h"
#include "wire/rpc.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* NRI's default where Configure does not say (before 0.7). */
#define REQUEST_TIMEOUT_DEFAULT_MS 2000

/* Room for what a runtime calls itself and its version; longer ones are cut. */
#define RUNTIME_TEXT_BYTES 128

struct gr_session {
    struct gr_rpc *rpc;
    const struct gr_session_ops *ops;
    void *user;
    const char *name;
    const char *index;
    enum gr_session_state state;
    struct gr_session_settings settings;
    struct gr_arena arena; /* of the request that is being answered */
    uint64_t now_ns;       /* of the feed or tick that is under way */

    char runtime_name[RUNTIME_TEXT_BYTES];
    char runtime_version[RUNTIME_TEXT_BYTES];

    uint32_t register_stream;  /* 0: not outstanding */
    uint32_t configure_stream; /* 0: no answer is held back */
    uint64_t configure_until_ns, configure_from_ns;
    const char *configure_failure;                 /* of the request whose answer is held back */
    size_t sync_parts, sync_pods, sync_containers; /* counted over the parts */
    struct gr_nri_running *running;                /* kept of them; NULL: nothing */
    int broken;                                    /* 0, or why the connection is to be closed */
};

const char *gr_session_state_name(enum gr_session_state state)
{
    static const char *const names[] = {
        [GR_SESSION_NEW] = "new",
        [GR_SESSION_REGISTERING] = "registering",
        [GR_SESSION_CONFIGURED] = "configured",
        [GR_SESSION_READY] = "ready",
        [GR_SESSION_CLOSED] = "closed",
    };

    return names[state];
}

/* The life cycle as a table: a move that is not in it is the peer's mistake and is not made. */
static bool may_move(enum gr_session_state from, enum gr_session_state to)
{
    static const bool allowed[][GR_SESSION_CLOSED + 1] = {
        [GR_SESSION_NEW] = {[GR_SESSION_REGISTERING] = true, [GR_SESSION_CLOSED] = true},
        [GR_SESSION_REGISTERING] = {[GR_SESSION_CONFIGURED] = true, [GR_SESSION_CLOSED] = true},
        [GR_SESSION_CONFIGURED] = {[GR_SESSION_READY] = true, [GR_SESSION_CLOSED] = true},
        [GR_SESSION_READY] = {[GR_SESSION_CLOSED] = true},
        [GR_SESSION_CLOSED] = {false},
    };

    return allowed[from][to];
}

static bool move(struct gr_session *s, enum gr_session_state to)
{
    enum gr_session_state from = s->state;

    if (!may_move(from, to))
        return false;
    s->state = to;
    s->ops->state(s->user, from, to);
    return true;
}

static void check_sent(struct gr_session *s, int r)
{
    /* Too large was already replaced by an error status; anything else leaves the peer waiting. */
    if (r != 0 && r != -EMSGSIZE)
        s->broken = r;
}

/* Returns false when the peer is told an error instead. */
static bool reply(struct gr_session *s, uint32_t stream, const ProtobufCMessage *message)
{
    int r = gr_rpc_reply(s->rpc, stream, message);

    check_sent(s, r);
    return r == 0;
}

static void reply_empty(struct gr_session *s, uint32_t stream)
{
    Nri__Empty empty = NRI__EMPTY__INIT;

    (void)reply(s, stream, &empty.base);
}

static void reply_error(struct gr_session *s, uint32_t stream, enum gr_status code,
                        struct gr_str text)
{
    check_sent(s, gr_rpc_reply_status(s->rpc, stream, code, text));
}

/* from_ns: when the request was there. */
static void tell_answered(struct gr_session *s, enum gr_nri_method method, uint64_t from_ns,
                          const char *failure)
{
    uint64_t now_ns = s->ops->now(s->user);
    const struct gr_session_answer answer = {
        .method = method, .took_ns = now_ns - GR_MIN(from_ns, now_ns), .failure = failure};

    s->ops->answered(s->user, &answer);
}

void gr_session_configured(struct gr_session *s)
{
    Nri__ConfigureResponse response = NRI__CONFIGURE_RESPONSE__INIT;
    uint32_t stream = s->configure_stream;

    if (stream == 0)
        return;
    s->configure_stream = 0;
    response.events =
        s->settings.only_looks ? GR_NRI_EVENT_REMOVE_POD_SANDBOX : GR_NRI_EVENT_CREATE_CONTAINER;
    (void)reply(s, stream, &response.base);
    tell_answered(s, GR_NRI_CONFIGURE, s->configure_from_ns, s->configure_failure);
    (void)move(s, GR_SESSION_CONFIGURED);
}

static void keep_text(char out[RUNTIME_TEXT_BYTES], struct gr_str text)
{
    size_t n = gr_utf8_valid_prefix(gr_str_first(text, RUNTIME_TEXT_BYTES - 1));

    if (n)
        memcpy(out, text.p, n);
    out[n] = '\0';
}

/* Until when Configure may wait: three quarters of the time that the runtime gives leave room. */
static uint64_t hold_until_ns(uint64_t now_ns, uint64_t deadline_ns, uint64_t request_timeout_ms)
{
    uint64_t hold_ms = GR_MIN(request_timeout_ms / 4 * 3, (uint64_t)GR_NRI_CONFIGURE_HOLD_MS);
    uint64_t hold_ns = hold_ms * NS_PER_MS;

    if (deadline_ns > now_ns)
        hold_ns = GR_MIN((deadline_ns - now_ns) / 4 * 3, hold_ns);
    return now_ns + hold_ns;
}

/*
 * Fills what Configure tells. A request that cannot be read is answered like any other: refusing it
 * would end the plugin for good, or with NRI up to 0.6.1 the runtime's CRI service.
 */
static void read_configure(struct gr_session *s, struct gr_str payload,
                           struct gr_nri_runtime *out_runtime, struct gr_str *out_config,
                           struct gr_err *err)
{
    ProtobufCMessage *message = NULL;

    out_runtime->request_timeout_ms = REQUEST_TIMEOUT_DEFAULT_MS;
    if (gr_pb_unpack(&nri__configure_request__descriptor, payload, &s->arena, &message, err) == 0) {
        const Nri__ConfigureRequest *in = (const Nri__ConfigureRequest *)message;

        keep_text(s->runtime_name, gr_str_from(in->runtime_name));
        keep_text(s->runtime_version, gr_str_from(in->runtime_version));
        out_runtime->nri_version = gr_str_from(in->nri_version);
        if (in->request_timeout > 0)
            out_runtime->request_timeout_ms = (uint64_t)in->request_timeout;
        *out_config = gr_str_from(in->config);
    } else {
        out_runtime->err = err;
    }
    out_runtime->name = gr_str_from(s->runtime_name);
    out_runtime->version = gr_str_from(s->runtime_version);
}

static void on_configure(struct gr_session *s, uint32_t stream,
                         const struct gr_ttrpc_request *request, uint64_t deadline_ns)
{
    struct gr_nri_runtime runtime = {0};
    struct gr_str config = GR_STR_NONE;
    struct gr_err err = {0};

    gr_session_configured(s); /* no request stays without an answer, also one before this */
    read_configure(s, request->payload, &runtime, &config, &err);
    s->configure_stream = stream;
    s->configure_from_ns = s->now_ns;
    s->configure_failure = err.code;
    s->configure_until_ns = hold_until_ns(s->now_ns, deadline_ns, runtime.request_timeout_ms);
    if (!s->ops->configure(s->user, &runtime, config))
        gr_session_configured(s);
}

static struct gr_nri_origin origin_of(const struct gr_session *s)
{
    return (struct gr_nri_origin){
        .runtime_name = gr_str_from(s->runtime_name),
        .runtime_version = gr_str_from(s->runtime_version),
        .ambiguous_image_unknown = s->settings.ambiguous_image_unknown,
        .fields = s->settings.fields,
        .adjusts = s->settings.adjusts,
    };
}

static void forget_running(struct gr_session *s)
{
    gr_nri_running_free(gr_take(s->running));
    s->sync_parts = 0;
    s->sync_pods = 0;
    s->sync_containers = 0;
}

/* Without memory for the first part nothing is kept of the others either. */
static void keep_running(struct gr_session *s, struct gr_str payload)
{
    const struct gr_nri_origin origin = origin_of(s);

    if (s->sync_parts++ == 0 && gr_nri_running_new(&origin, &s->running) != 0)
        return;
    if (s->running)
        gr_nri_running_add(s->running, payload);
}

/* Returns the code of what went wrong, or NULL. */
static const char *on_synchronize(struct gr_session *s, uint32_t stream,
                                  const struct gr_ttrpc_request *request)
{
    Nri__SynchronizeResponse response = NRI__SYNCHRONIZE_RESPONSE__INIT;
    struct gr_nri_sync part = {0};

    if (gr_nri_sync_scan(request->payload, &part) != 0) {
        forget_running(s);
        reply_error(s, stream, GR_STATUS_INVALID_ARGUMENT,
                    GR_STR("the Synchronize request is no valid protobuf message"));
        return "message-not-valid";
    }
    s->sync_pods += part.pods;
    s->sync_containers += part.containers;
    response.more = part.more;
    (void)reply(s, stream, &response.base);
    s->ops->flush(s->user);
    keep_running(s, request->payload);
    if (part.more)
        return NULL;
    if (s->running)
        gr_nri_running_finish(s->running);
    (void)move(s, GR_SESSION_READY);
    s->ops->synchronized(s->user, s->sync_pods, s->sync_containers, gr_take(s->running));
    forget_running(s);
    return NULL;
}

static void tell_created(struct gr_session *s, struct gr_session_event *event)
{
    struct gr_session_answer answer = {.method = GR_NRI_CREATE_CONTAINER,
                                       .failure = event->decision ? NULL : event->err->code};
    uint64_t now_ns = s->ops->now(s->user);

    answer.took_ns = now_ns - GR_MIN(s->now_ns, now_ns);
    event->took_ns = answer.took_ns;
    s->ops->created(s->user, event);
    s->ops->answered(s->user, &answer);
}

/*
 * No decision could be made. A pod's author must not be able to get there and lose the hooks, so
 * refusing is the default. Config.onRequestError is about requests that cannot be read: a container
 * that was read and not decided about (no memory, rules still loading) is refused in any case.
 */
static void undecided(struct gr_session *s, uint32_t stream, struct gr_session_event *event)
{
    Nri__CreateContainerResponse nothing = NRI__CREATE_CONTAINER_RESPONSE__INIT;

    event->refused = event->subject || !s->settings.ignore_request_errors;
    if (event->refused)
        reply_error(s, stream, GR_STATUS_FAILED_PRECONDITION, gr_str_from(event->err->text));
    else
        event->refused = !reply(s, stream, &nothing.base);
    tell_created(s, event);
}

static int read_create(struct gr_session *s, struct gr_str payload, struct gr_subject *out_subject,
                       struct gr_err *err)
{
    const struct gr_nri_origin origin = origin_of(s);

    if (payload.n > GR_NRI_CREATE_MAX_BYTES)
        return gr_fail(err, -E2BIG, "request-too-large",
                       "the CreateContainer request has %zu bytes, more than %u", payload.n,
                       GR_NRI_CREATE_MAX_BYTES);
    return gr_nri_subject(payload, &origin, &s->arena, out_subject, err);
}

static void on_create(struct gr_session *s, uint32_t stream, const struct gr_ttrpc_request *request)
{
    struct gr_session_event event = {.request_bytes = request->payload.n};
    Nri__CreateContainerResponse response;
    struct gr_decision decision = {0};
    struct gr_subject subject = {0};
    struct gr_err err = {0};

    event.err = &err;
    if (read_create(s, request->payload, &subject, &err) != 0) {
        undecided(s, stream, &event);
        return;
    }
    event.subject = &subject;
    if (s->ops->decide(s->user, &subject, &s->arena, &decision, &err) != 0) {
        undecided(s, stream, &event);
        return;
    }
    if (!decision.refuse && gr_nri_adjust(&decision, &s->arena, &response) != 0) {
        (void)gr_fail(&err, -ENOMEM, "no-memory", "no memory to build the answer");
        undecided(s, stream, &event);
        return;
    }
    event.decision = &decision;
    event.err = NULL;
    event.refused = decision.refuse;
    if (decision.refuse) {
        reply_error(s, stream, GR_STATUS_FAILED_PRECONDITION, decision.refusal);
    } else if (!reply(s, stream, &response.base)) {
        (void)gr_fail(&err, -EMSGSIZE, "reply-too-large",
                      "the answer with %zu hooks could not be sent: over the limit of %u bytes, or "
                      "no memory for it",
                      decision.hooks_n, GR_TTRPC_SEND_MAX_BYTES);
        event.decision = NULL;
        event.err = &err;
        event.refused = true;
    }
    tell_created(s, &event);
}

static void on_request(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                       uint64_t deadline_ns)
{
    enum gr_nri_method method = gr_nri_method(request->service, request->method);
    struct gr_session *s = user;
    const char *failure;

    switch (method) {
    case GR_NRI_CREATE_CONTAINER:
        on_create(s, stream, request);
        break;
    case GR_NRI_CONFIGURE:
        on_configure(s, stream, request, deadline_ns);
        break;
    case GR_NRI_SYNCHRONIZE:
        failure = on_synchronize(s, stream, request);
        tell_answered(s, method, s->now_ns, failure);
        break;
    case GR_NRI_SHUTDOWN:
        reply_empty(s, stream);
        tell_answered(s, method, s->now_ns, NULL);
        s->ops->shutdown(s->user);
        break;
    case GR_NRI_OTHER:
    case GR_NRI_UNKNOWN: /* not reached: knows() refused it */
        reply_empty(s, stream);
        tell_answered(s, method, s->now_ns, NULL);
        break;
    }
    gr_arena_reset(&s->arena);
}

/* The registration failed: nothing more will come, and nobody else may notice. */
static void reject(struct gr_session *s, int reason, struct gr_str text)
{
    s->broken = reason;
    s->ops->rejected(s->user, text);
}

static void on_response(void *user, uint32_t stream, const struct gr_ttrpc_response *response)
{
    struct gr_session *s = user;

    if (stream != s->register_stream)
        return;
    s->register_stream = 0;
    if (response->code == GR_STATUS_OK)
        return;
    if (response->code == GR_STATUS_DEADLINE_EXCEEDED) {
        /* A runtime that has sent Configure has taken us, whatever became of its answer. */
        if (s->state == GR_SESSION_REGISTERING && s->configure_stream == 0)
            reject(s, -ETIMEDOUT, GR_STR("the runtime did not answer RegisterPlugin in time"));
        return;
    }
    reject(s, -ECONNREFUSED,
           response->text.n ? response->text : GR_STR("the runtime gives no reason"));
}

static bool knows(void *user, struct gr_str service, struct gr_str method)
{
    (void)user;
    return gr_nri_method(service, method) != GR_NRI_UNKNOWN;
}

static const struct gr_rpc_ops rpc_ops = {
    .request = on_request,
    .response = on_response,
    .knows = knows,
};

int gr_session_new(const char *name, const char *index, const struct gr_session_ops *ops,
                   void *user, struct gr_session **out_session)
{
    struct gr_session *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    r = gr_rpc_new(GR_MUX_ID_PLUGIN, GR_MUX_ID_RUNTIME, &rpc_ops, s, &s->rpc);
    if (r) {
        free(s);
        return r;
    }
    s->ops = ops;
    s->user = user;
    s->name = name;
    s->index = index;
    gr_arena_init(&s->arena, GR_NRI_ARENA_BLOCK_BYTES, GR_NRI_ARENA_MAX_BYTES);
    *out_session = s;
    return 0;
}

void gr_session_free(struct gr_session *session)
{
    if (!session)
        return;
    gr_rpc_free(session->rpc);
    gr_nri_running_free(session->running);
    gr_arena_fini(&session->arena);
    free(session);
}

void gr_session_set(struct gr_session *session, const struct gr_session_settings *settings)
{
    session->settings = *settings;
}

int gr_session_start(struct gr_session *s, uint64_t now_ns)
{
    Nri__RegisterPluginRequest request;
    char version[] = GR_NRI_VERSION;
    int r = -ENOMEM;

    nri__register_plugin_request__init(&request);
    request.plugin_name = gr_arena_copy(&s->arena, gr_str_from(s->name));
    request.plugin_idx = gr_arena_copy(&s->arena, gr_str_from(s->index));
    request.nri_version = version;
    if (request.plugin_name && request.plugin_idx)
        r = gr_rpc_call(s->rpc, GR_NRI_SERVICE_RUNTIME, "RegisterPlugin", &request.base,
                        GR_NRI_REGISTER_TIMEOUT_S * NS_PER_S, now_ns, &s->register_stream);
    gr_arena_reset(&s->arena);
    if (r == 0)
        (void)move(s, GR_SESSION_REGISTERING);
    return r;
}

int gr_session_feed(struct gr_session *s, struct gr_str bytes, uint64_t now_ns)
{
    int r;

    s->now_ns = now_ns;
    r = gr_rpc_feed(s->rpc, bytes, now_ns);
    return r ? r : s->broken;
}

struct gr_str gr_session_pending(const struct gr_session *session)
{
    return gr_rpc_pending(session->rpc);
}

void gr_session_sent(struct gr_session *session, size_t n)
{
    gr_rpc_sent(session->rpc, n);
}

uint64_t gr_session_next_deadline(const struct gr_session *session)
{
    uint64_t rpc = gr_rpc_next_deadline(session->rpc);

    if (session->configure_stream == 0)
        return rpc;
    return rpc == 0 ? session->configure_until_ns : GR_MIN(rpc, session->configure_until_ns);
}

void gr_session_tick(struct gr_session *s, uint64_t now_ns)
{
    s->now_ns = now_ns;
    if (s->configure_stream != 0 && now_ns >= s->configure_until_ns)
        gr_session_configured(s);
    gr_rpc_tick(s->rpc, now_ns);
}

enum gr_session_state gr_session_state(const struct gr_session *session)
{
    return session->state;
}

void gr_session_closed(struct gr_session *session)
{
    session->configure_stream = 0;
    session->register_stream = 0;
    (void)move(session, GR_SESSION_CLOSED);
}

bool gr_session_is_broken(const struct gr_session *session)
{
    return session->broken != 0;
}
