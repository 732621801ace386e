/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time inside the plugin: from the bytes of a CreateContainer request to the bytes of the answer,
 * with everything between (frames, protobuf, matching, deciding, building the answer) and without
 * the socket, the event loop and the log. Prints the best and the median of many calls, and by how
 * much memory grew from the first tenth of them to the last.
 *
 *     session_bench REQUEST SETS CALLS [oci]
 *
 * REQUEST: a file with an encoded CreateContainerRequest, as "floor --dump" writes it. SETS: a
 * directory of rule files; with "oci" one of oci-hooks(5) files.
 */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "load/load.h"
#include "nri.pb-c.h"
#include "nri/methods.h"
#include "nri/session.h"
#include "wire/mux.h"
#include "wire/rpc.h"

#define REQUEST_MAX_BYTES (1U << 20)
#define CALLS_MAX 1000000

struct bench {
    struct gr_ruleset *rules;
    struct gr_rpc *runtime;
    struct gr_session *session;
    size_t hooks; /* of the last decision */
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void need(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "session_bench: %s failed\n", what);
        exit(1);
    }
}

/* ---- what the session asks ---- */

static bool on_configure(void *user GR_UNUSED, const struct gr_nri_runtime *runtime GR_UNUSED,
                         struct gr_str config GR_UNUSED)
{
    return false;
}

static int on_decide(void *user, const struct gr_subject *subject, struct gr_arena *arena,
                     struct gr_decision *out_decision, struct gr_err *err GR_UNUSED)
{
    const struct gr_decide_options options = {.node_name = GR_STR("node-1")};
    struct bench *b = user;

    return gr_decide(b->rules, subject, &options, arena, out_decision);
}

static void on_created(void *user, const struct gr_session_event *event)
{
    struct bench *b = user;

    b->hooks = event->decision ? event->decision->hooks_n : 0;
}

static void on_flush(void *user GR_UNUSED)
{
}

static uint64_t on_now(void *user GR_UNUSED)
{
    return now_ns();
}

static void on_answered(void *user GR_UNUSED, const struct gr_session_answer *answer GR_UNUSED)
{
}

static void on_synchronized(void *user GR_UNUSED, size_t pods GR_UNUSED,
                            size_t containers GR_UNUSED, struct gr_nri_running *running)
{
    gr_nri_running_free(running);
}

static void on_rejected(void *user GR_UNUSED, struct gr_str text GR_UNUSED)
{
}

static void on_shutdown(void *user GR_UNUSED)
{
}

static void on_state(void *user GR_UNUSED, enum gr_session_state from GR_UNUSED,
                     enum gr_session_state to GR_UNUSED)
{
}

static const struct gr_session_ops session_ops = {
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

/* ---- the runtime's side ---- */

static void on_request(void *user, uint32_t stream,
                       const struct gr_ttrpc_request *request GR_UNUSED,
                       uint64_t deadline_ns GR_UNUSED)
{
    struct bench *b = user;
    Nri__Empty empty = NRI__EMPTY__INIT;

    (void)gr_rpc_reply(b->runtime, stream, &empty.base);
}

static void on_response(void *user GR_UNUSED, uint32_t stream GR_UNUSED,
                        const struct gr_ttrpc_response *response)
{
    need(response->code == GR_STATUS_OK, "a call");
}

static bool knows(void *user GR_UNUSED, struct gr_str service GR_UNUSED,
                  struct gr_str method GR_UNUSED)
{
    return true;
}

static const struct gr_rpc_ops runtime_ops = {
    .request = on_request, .response = on_response, .knows = knows};

/* Hands what the session wants to send over to the runtime's side. */
static void deliver(struct bench *b)
{
    struct gr_str out = gr_session_pending(b->session);

    need(gr_rpc_feed(b->runtime, out, 0) == 0, "reading the plugin's bytes");
    gr_session_sent(b->session, out.n);
}

/* Calls a method of the plugin; returns what the plugin needed for it. */
static uint64_t call(struct bench *b, const char *method, const ProtobufCMessage *message)
{
    uint32_t stream;
    struct gr_str in;
    uint64_t start;
    uint64_t taken;

    need(gr_rpc_call(b->runtime, GR_NRI_SERVICE_PLUGIN, method, message, 0, 0, &stream) == 0,
         method);
    in = gr_rpc_pending(b->runtime);
    start = now_ns();
    need(gr_session_feed(b->session, in, start) == 0, method);
    taken = now_ns() - start;
    gr_rpc_sent(b->runtime, in.n);
    deliver(b);
    return taken;
}

static void configure(struct bench *b)
{
    Nri__ConfigureRequest request = NRI__CONFIGURE_REQUEST__INIT;
    char name[] = "containerd";
    char version[] = "v2.1.4";

    request.runtime_name = name;
    request.runtime_version = version;
    (void)call(b, "Configure", &request.base);
}

/* ---- input ---- */

static void report(void *user GR_UNUSED, enum gr_level level, const struct gr_err *err)
{
    if (level == GR_LEVEL_ERROR)
        (void)fprintf(stderr, "session_bench: %s:%u: %s\n", err->file, err->line, err->text);
}

static void load(struct bench *b, const char *directory, bool oci)
{
    const struct gr_reporter reporter = {.report = report};
    struct gr_load_options options = {.host_root = "/"};
    struct gr_load_result result;
    struct gr_fs fs;

    gr_fs_posix(&fs);
    if (oci)
        options.oci_dirs = &directory;
    else
        options.dirs = &directory;
    options.oci_dirs_n = oci;
    options.dirs_n = !oci;
    options.fs = &fs;
    need(gr_load(&options, &reporter, &result) == 0 && result.errors == 0, "loading the rules");
    b->rules = result.ruleset;
}

static ProtobufCMessage *read_request(const char *path, size_t *out_bytes)
{
    static uint8_t bytes[REQUEST_MAX_BYTES];
    FILE *file = fopen(path, "rb");
    ProtobufCMessage *message;

    need(file != NULL, path);
    *out_bytes = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    message = protobuf_c_message_unpack(&nri__create_container_request__descriptor, NULL,
                                        *out_bytes, bytes);
    need(message != NULL, "unpacking the request");
    return message;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* What malloc has given out, and what the process has of its own (RssAnon), in bytes. */
struct memory {
    long long given, own;
};

static struct memory memory_now(void)
{
    struct mallinfo2 info = mallinfo2();
    struct memory memory = {.given = (long long)(info.uordblks + info.hblkhd)};
    FILE *status = fopen("/proc/self/status", "r");
    char line[128];

    need(status != NULL, "reading /proc/self/status");
    while (fgets(line, sizeof(line), status)) {
        if (strncmp(line, "RssAnon:", 8) == 0)
            memory.own = strtoll(line + 8, NULL, 10) * 1024;
    }
    (void)fclose(status);
    return memory;
}

static void run(struct bench *b, const ProtobufCMessage *request, size_t bytes, size_t calls)
{
    uint64_t *taken = malloc(calls * sizeof(*taken));
    struct memory first = {0};
    struct memory last;

    need(taken != NULL, "memory");
    memset(taken, 0xFF, calls * sizeof(*taken)); /* its pages are no growth */
    for (size_t i = 0; i < calls; i++) {
        if (i == calls / 10)
            first = memory_now();
        taken[i] = call(b, "CreateContainer", request);
    }
    last = memory_now();
    qsort(taken, calls, sizeof(*taken), ascending);
    printf("%zu sets, request of %zu bytes, %zu hooks: best %llu ns, p50 %llu ns\n",
           gr_ruleset_count(b->rules), bytes, b->hooks, (unsigned long long)taken[0],
           (unsigned long long)taken[calls / 2]);
    printf("memory from call %zu to call %zu: %+lld bytes from malloc, %+lld bytes resident\n",
           calls / 10, calls, last.given - first.given, last.own - first.own);
    free(taken);
}

int main(int argc, char **argv)
{
    bool oci = argc == 5 && strcmp(argv[4], "oci") == 0;
    size_t calls = argc == 4 || oci ? strtoul(argv[3], NULL, 10) : 0;
    struct bench b = {0};
    ProtobufCMessage *request;
    size_t bytes;

    if (calls == 0 || calls > CALLS_MAX) {
        (void)fprintf(stderr, "usage: session_bench REQUEST SETS CALLS [oci]\n");
        return 2;
    }
    request = read_request(argv[1], &bytes);
    load(&b, argv[2], oci);
    need(gr_rpc_new(GR_MUX_ID_RUNTIME, GR_MUX_ID_PLUGIN, &runtime_ops, &b, &b.runtime) == 0 &&
             gr_session_new("bench", "10", &session_ops, &b, &b.session) == 0 &&
             gr_session_start(b.session, 0) == 0,
         "starting");
    deliver(&b);
    configure(&b);
    run(&b, request, bytes, calls);
    protobuf_c_message_free_unpacked(request, NULL);
    gr_session_free(b.session);
    gr_rpc_free(b.runtime);
    gr_ruleset_unref(b.rules);
    return 0;
}
