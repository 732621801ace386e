/* SPDX-License-Identifier: Apache-2.0 */
#include "nri/runtime.h"

#include <errno.h>

#include "nri/limits.h"
#include "nri/methods.h"
#include "nri/translate.h"
#include "wire/mux.h"
#include "wire/pbcheck.h"
#include "wire/rpc.h"

#define NS_PER_MS UINT64_C(1000000)

/* What runtimes give a plugin where nobody configured it: NRI pkg/api/timeouts.go. */
#define REGISTRATION_TIMEOUT_MS 5000
#define REQUEST_TIMEOUT_MS 2000

enum call {
    CALL_NONE,
    CALL_CONFIGURE,
    CALL_SYNCHRONIZE,
    CALL_CREATE,
};

struct gr_runtime {
    struct gr_rpc *rpc;
    const struct gr_runtime_ops *ops;
    void *user;
    const char *name;
    const char *version;
    struct gr_arena arena; /* of the message that is made or read */
    enum call call;        /* the one that is outstanding: a runtime has one at a time */
    uint32_t stream;       /* of it */
    bool late;             /* a call is ended because its time is over */
};

static const char *method_of(enum call call)
{
    static const char *const names[] = {
        [CALL_NONE] = "",
        [CALL_CONFIGURE] = "Configure",
        [CALL_SYNCHRONIZE] = "Synchronize",
        [CALL_CREATE] = "CreateContainer",
    };

    return names[call];
}

/* ---- what the plugin asks ---- */

static bool knows(void *user, struct gr_str service, struct gr_str method)
{
    (void)user;
    return gr_str_is(service, GR_NRI_SERVICE_RUNTIME) &&
           (gr_str_is(method, "RegisterPlugin") || gr_str_is(method, "UpdateContainers"));
}

static void on_register(struct gr_runtime *rt, uint32_t stream, struct gr_str payload)
{
    Nri__Empty empty = NRI__EMPTY__INIT;
    ProtobufCMessage *message = NULL;
    const Nri__RegisterPluginRequest *in;
    struct gr_err err = {0};

    if (gr_pb_unpack(&nri__register_plugin_request__descriptor, payload, &rt->arena, &message,
                     &err) != 0) {
        (void)gr_rpc_reply_status(rt->rpc, stream, GR_STATUS_INTERNAL, gr_str_from(err.text));
        rt->ops->failed(rt->user, "RegisterPlugin", gr_str_from(err.text));
        return;
    }
    in = (const Nri__RegisterPluginRequest *)message;
    (void)gr_rpc_reply(rt->rpc, stream, &empty.base);
    rt->ops->registered(rt->user, gr_str_from(in->plugin_name), gr_str_from(in->plugin_idx));
}

static void on_request(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                       uint64_t deadline_ns)
{
    struct gr_runtime *rt = user;
    Nri__Empty nothing_failed = NRI__EMPTY__INIT;

    (void)deadline_ns; /* nothing here waits */
    gr_arena_reset(&rt->arena);
    if (gr_str_is(request->method, "RegisterPlugin"))
        on_register(rt, stream, request->payload);
    else
        (void)gr_rpc_reply(rt->rpc, stream, &nothing_failed.base);
}

/* ---- what the plugin answers ---- */

static void configured(struct gr_runtime *rt, struct gr_str payload)
{
    ProtobufCMessage *message = NULL;
    struct gr_err err = {0};

    if (gr_pb_unpack(&nri__configure_response__descriptor, payload, &rt->arena, &message, &err))
        rt->ops->failed(rt->user, method_of(CALL_CONFIGURE), gr_str_from(err.text));
    else
        rt->ops->configured(rt->user, ((const Nri__ConfigureResponse *)message)->events);
}

static void created(struct gr_runtime *rt, const struct gr_ttrpc_response *response)
{
    struct gr_runtime_answer answer = {.code = response->code, .text = response->text};
    const Nri__CreateContainerResponse *in;
    ProtobufCMessage *message = NULL;
    struct gr_err err = {0};

    if (response->code != GR_STATUS_OK) {
        rt->ops->created(rt->user, &answer);
        return;
    }
    if (gr_pb_unpack(&nri__create_container_response__descriptor, response->payload, &rt->arena,
                     &message, &err) != 0) {
        rt->ops->failed(rt->user, method_of(CALL_CREATE), gr_str_from(err.text));
        return;
    }
    in = (const Nri__CreateContainerResponse *)message;
    if (in->adjust &&
        (gr_nri_read_hooks(in->adjust->hooks, &rt->arena, &answer.hooks, &answer.hooks_n) != 0 ||
         gr_nri_read_adjusted(in->adjust, &rt->arena, &answer.adjust, &answer.adjust_n) != 0)) {
        rt->ops->failed(rt->user, method_of(CALL_CREATE), GR_STR("no memory to read the answer"));
        return;
    }
    rt->ops->created(rt->user, &answer);
}

static void on_response(void *user, uint32_t stream, const struct gr_ttrpc_response *response)
{
    struct gr_runtime *rt = user;
    enum call call = rt->call;

    if (stream != rt->stream)
        return;
    rt->call = CALL_NONE;
    rt->stream = 0;
    gr_arena_reset(&rt->arena);
    if (rt->late) {
        rt->ops->failed(rt->user, method_of(call), GR_STR("no answer in time"));
    } else if (call == CALL_CREATE) {
        created(rt, response); /* here a status is an answer: it refuses the container */
    } else if (response->code != GR_STATUS_OK) {
        rt->ops->failed(rt->user, method_of(call), response->text);
    } else if (call == CALL_CONFIGURE) {
        configured(rt, response->payload);
    } else {
        rt->ops->synchronized(rt->user);
    }
}

static const struct gr_rpc_ops rpc_ops = {
    .request = on_request,
    .response = on_response,
    .knows = knows,
};

/* ---- what the runtime calls ---- */

static int call_plugin(struct gr_runtime *rt, enum call call, const ProtobufCMessage *message,
                       uint64_t now_ns)
{
    int r;

    if (rt->call != CALL_NONE)
        return -EBUSY;
    r = gr_rpc_call(rt->rpc, GR_NRI_SERVICE_PLUGIN, method_of(call), message,
                    REQUEST_TIMEOUT_MS * NS_PER_MS, now_ns, &rt->stream);
    if (r == 0)
        rt->call = call;
    return r;
}

int gr_runtime_configure(struct gr_runtime *rt, struct gr_str config, uint64_t now_ns)
{
    Nri__ConfigureRequest request;
    char nri_version[] = GR_NRI_VERSION;
    struct gr_arena arena;
    int r = -ENOMEM;

    gr_arena_init(&arena, GR_NRI_ARENA_BLOCK_BYTES, 0);
    nri__configure_request__init(&request);
    request.config = gr_arena_copy(&arena, config);
    request.runtime_name = gr_arena_copy(&arena, gr_str_from(rt->name));
    request.runtime_version = gr_arena_copy(&arena, gr_str_from(rt->version));
    request.registration_timeout = REGISTRATION_TIMEOUT_MS;
    request.request_timeout = REQUEST_TIMEOUT_MS;
    request.nri_version = nri_version;
    if (request.config && request.runtime_name && request.runtime_version)
        r = call_plugin(rt, CALL_CONFIGURE, &request.base, now_ns);
    gr_arena_fini(&arena);
    return r;
}

int gr_runtime_synchronize(struct gr_runtime *rt, uint64_t now_ns)
{
    Nri__SynchronizeRequest nothing = NRI__SYNCHRONIZE_REQUEST__INIT;

    return call_plugin(rt, CALL_SYNCHRONIZE, &nothing.base, now_ns);
}

/* protobuf-c has a type of its own for the entries of each map, all of one shape. */
#define WRITE_MAP(arena, from, type, init, out_n, out) \
    write_map((arena), (from), sizeof(type), init, (out_n), (void ***)(void *)(out))

typedef void init_entry(void *entry);

static void init_pod_label(void *entry)
{
    nri__pod_sandbox__labels_entry__init(entry);
}

static void init_pod_annotation(void *entry)
{
    nri__pod_sandbox__annotations_entry__init(entry);
}

static void init_label(void *entry)
{
    nri__container__labels_entry__init(entry);
}

static void init_annotation(void *entry)
{
    nri__container__annotations_entry__init(entry);
}

/* The entries begin alike: the message's base, then key and value (subject.c asserts it). */
static int write_map(struct gr_arena *arena, struct gr_kvs from, size_t entry_bytes,
                     init_entry *init, size_t *out_n, void ***out)
{
    void **items;

    if (from.n == 0)
        return 0;
    items = gr_arena_array(arena, from.n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < from.n; i++) {
        Nri__Container__LabelsEntry *entry = gr_arena_alloc(arena, entry_bytes);

        if (!entry)
            return -ENOMEM;
        init(entry);
        entry->key = gr_arena_copy(arena, from.items[i].key);
        entry->value = gr_arena_copy(arena, from.items[i].value);
        if (!entry->key || !entry->value)
            return -ENOMEM;
        items[i] = entry;
    }
    *out = items;
    *out_n = from.n;
    return 0;
}

static int write_pod(struct gr_arena *arena, const struct gr_subject *s, Nri__PodSandbox *pod)
{
    nri__pod_sandbox__init(pod);
    pod->id = gr_arena_copy(arena, s->pod_uid);
    pod->name = gr_arena_copy(arena, s->pod_name);
    pod->uid = gr_arena_copy(arena, s->pod_uid);
    pod->namespace_ = gr_arena_copy(arena, s->pod_namespace);
    pod->runtime_handler = gr_arena_copy(arena, s->runtime_handler);
    if (!pod->id || !pod->name || !pod->uid || !pod->namespace_ || !pod->runtime_handler)
        return -ENOMEM;
    if (WRITE_MAP(arena, s->pod_labels, Nri__PodSandbox__LabelsEntry, init_pod_label,
                  &pod->n_labels, &pod->labels) ||
        WRITE_MAP(arena, s->pod_annotations, Nri__PodSandbox__AnnotationsEntry, init_pod_annotation,
                  &pod->n_annotations, &pod->annotations))
        return -ENOMEM;
    return 0;
}

static int write_mounts(struct gr_arena *arena, const struct gr_subject *s, Nri__Container *c)
{
    if (s->mounts_n == 0)
        return 0;
    c->mounts = gr_arena_array(arena, s->mounts_n, sizeof(*c->mounts));
    if (!c->mounts)
        return -ENOMEM;
    for (size_t i = 0; i < s->mounts_n; i++) {
        const struct gr_mount *from = &s->mounts[i];
        Nri__Mount *mount = gr_arena_alloc(arena, sizeof(*mount));

        if (!mount)
            return -ENOMEM;
        nri__mount__init(mount);
        mount->destination = gr_arena_copy(arena, from->destination);
        mount->type = gr_arena_copy(arena, from->type);
        mount->source = gr_arena_copy(arena, from->source);
        if (!mount->destination || !mount->type || !mount->source ||
            gr_nri_write_strs(from->options, arena, &mount->n_options, &mount->options))
            return -ENOMEM;
        c->mounts[c->n_mounts++] = mount;
    }
    return 0;
}

static int write_container(struct gr_arena *arena, const struct gr_subject *s, Nri__Container *c)
{
    nri__container__init(c);
    c->id = gr_arena_copy(arena, s->id);
    c->pod_sandbox_id = gr_arena_copy(arena, s->pod_uid);
    c->name = gr_arena_copy(arena, s->name);
    if (!c->id || !c->pod_sandbox_id || !c->name)
        return -ENOMEM;
    if (WRITE_MAP(arena, s->container_labels, Nri__Container__LabelsEntry, init_label, &c->n_labels,
                  &c->labels) ||
        WRITE_MAP(arena, s->container_annotations, Nri__Container__AnnotationsEntry,
                  init_annotation, &c->n_annotations, &c->annotations) ||
        gr_nri_write_strs(s->args, arena, &c->n_args, &c->args) ||
        gr_nri_write_strs(s->env, arena, &c->n_env, &c->env) || write_mounts(arena, s, c))
        return -ENOMEM;
    if (!s->image.known)
        return 0;
    c->image = gr_arena_alloc(arena, sizeof(*c->image));
    if (!c->image)
        return -ENOMEM;
    nri__image__init(c->image);
    c->image->name = gr_arena_copy(arena, s->image.name);
    return c->image->name ? 0 : -ENOMEM;
}

int gr_runtime_create(struct gr_runtime *rt, const struct gr_subject *subject, uint64_t now_ns)
{
    Nri__CreateContainerRequest request = NRI__CREATE_CONTAINER_REQUEST__INIT;
    Nri__PodSandbox pod;
    Nri__Container container;
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, GR_NRI_ARENA_BLOCK_BYTES, 0);
    r = write_pod(&arena, subject, &pod);
    if (r == 0)
        r = write_container(&arena, subject, &container);
    if (r == 0) {
        request.pod = &pod;
        request.container = &container;
        r = call_plugin(rt, CALL_CREATE, &request.base, now_ns);
    }
    gr_arena_fini(&arena);
    return r;
}

/* ---- the object ---- */

int gr_runtime_new(const char *name, const char *version, const struct gr_runtime_ops *ops,
                   void *user, struct gr_runtime **out_runtime)
{
    struct gr_runtime *rt = calloc(1, sizeof(*rt));
    int r;

    if (!rt)
        return -ENOMEM;
    r = gr_rpc_new(GR_MUX_ID_RUNTIME, GR_MUX_ID_PLUGIN, &rpc_ops, rt, &rt->rpc);
    if (r) {
        free(rt);
        return r;
    }
    rt->ops = ops;
    rt->user = user;
    rt->name = name;
    rt->version = version;
    gr_arena_init(&rt->arena, GR_NRI_ARENA_BLOCK_BYTES, GR_NRI_ARENA_MAX_BYTES);
    *out_runtime = rt;
    return 0;
}

void gr_runtime_free(struct gr_runtime *runtime)
{
    if (!runtime)
        return;
    gr_rpc_free(runtime->rpc);
    gr_arena_fini(&runtime->arena);
    free(runtime);
}

int gr_runtime_feed(struct gr_runtime *rt, struct gr_str bytes, uint64_t now_ns)
{
    return gr_rpc_feed(rt->rpc, bytes, now_ns);
}

struct gr_str gr_runtime_pending(const struct gr_runtime *runtime)
{
    return gr_rpc_pending(runtime->rpc);
}

void gr_runtime_sent(struct gr_runtime *runtime, size_t n)
{
    gr_rpc_sent(runtime->rpc, n);
}

uint64_t gr_runtime_next_deadline(const struct gr_runtime *runtime)
{
    return gr_rpc_next_deadline(runtime->rpc);
}

void gr_runtime_tick(struct gr_runtime *rt, uint64_t now_ns)
{
    rt->late = true;
    gr_rpc_tick(rt->rpc, now_ns);
    rt->late = false;
}
