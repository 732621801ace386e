/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the bench: an NRI plugin that answers CreateContainer with one hook, always the
 * same, without looking at the container. It has Grapnel's wire and nothing else, one thread and a
 * blocking socket, so what Grapnel takes longer is its own: reading the request, matching,
 * deciding, its event loop and its log.
 *
 *     floor [plugin] --socket PATH --index NN --name NAME [--dump FILE]
 *
 * --dump writes the first CreateContainerRequest to FILE, as it came.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nri.pb-c.h"
#include "nri/methods.h"
#include "nri/sync.h"
#include "wire/mux.h"
#include "wire/rpc.h"

/* As much as Grapnel reads at once. */
#define READ_BYTES (64U << 10)

struct floor {
    struct gr_rpc *rpc;
    char *socket, *index, *name;
    char *dump; /* file for the first request; NULL: no longer */
};

static int fail(const char *what)
{
    (void)fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    return 1;
}

/* What Grapnel answers when the bench's rule matches, but for the mark that it leaves. */
static int reply_canned(struct gr_rpc *rpc, uint32_t stream)
{
    char path[] = "/bin/true", container_id[] = "--container-id", id[] = "0123456789abcdef";
    char variable[] = "NETWORK_MODE=bridge";
    char *args[] = {path, container_id, id}, *env[] = {variable};
    Nri__CreateContainerResponse response = NRI__CREATE_CONTAINER_RESPONSE__INIT;
    Nri__ContainerAdjustment adjust = NRI__CONTAINER_ADJUSTMENT__INIT;
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    Nri__OptionalInt timeout = NRI__OPTIONAL_INT__INIT;
    Nri__Hook hook = NRI__HOOK__INIT, *create_runtime = &hook;

    timeout.value = 30;
    hook.path = path;
    hook.args = args;
    hook.n_args = GR_ARRAY_LEN(args);
    hook.env = env;
    hook.n_env = GR_ARRAY_LEN(env);
    hook.timeout = &timeout;
    hooks.create_runtime = &create_runtime;
    hooks.n_create_runtime = 1;
    adjust.hooks = &hooks;
    response.adjust = &adjust;
    return gr_rpc_reply(rpc, stream, &response.base);
}

static int reply_configure(struct gr_rpc *rpc, uint32_t stream)
{
    Nri__ConfigureResponse response = NRI__CONFIGURE_RESPONSE__INIT;

    response.events = GR_NRI_EVENT_CREATE_CONTAINER;
    return gr_rpc_reply(rpc, stream, &response.base);
}

static int reply_synchronize(struct gr_rpc *rpc, uint32_t stream, struct gr_str payload)
{
    Nri__SynchronizeResponse response = NRI__SYNCHRONIZE_RESPONSE__INIT;
    struct gr_nri_sync part = {0};

    if (gr_nri_sync_scan(payload, &part) == 0)
        response.more = part.more;
    return gr_rpc_reply(rpc, stream, &response.base);
}

static void dump(struct floor *f, struct gr_str payload)
{
    FILE *file = f->dump ? fopen(f->dump, "wb") : NULL;

    f->dump = NULL;
    if (!file)
        return;
    (void)fwrite(payload.p, 1, payload.n, file);
    (void)fclose(file);
}

/* A reply that cannot be queued makes gr_rpc_feed fail. */
static void on_request(void *user, uint32_t stream, const struct gr_ttrpc_request *request,
                       uint64_t deadline_ns GR_UNUSED)
{
    struct floor *f = user;
    Nri__Empty empty = NRI__EMPTY__INIT;

    switch (gr_nri_method(request->service, request->method)) {
    case GR_NRI_CREATE_CONTAINER:
        dump(f, request->payload);
        (void)reply_canned(f->rpc, stream);
        break;
    case GR_NRI_CONFIGURE:
        (void)reply_configure(f->rpc, stream);
        break;
    case GR_NRI_SYNCHRONIZE:
        (void)reply_synchronize(f->rpc, stream, request->payload);
        break;
    case GR_NRI_SHUTDOWN:
    case GR_NRI_OTHER:
    case GR_NRI_UNKNOWN:
        (void)gr_rpc_reply(f->rpc, stream, &empty.base);
        break;
    }
}

static void on_response(void *user GR_UNUSED, uint32_t stream GR_UNUSED,
                        const struct gr_ttrpc_response *response)
{
    if (response->code != GR_STATUS_OK)
        (void)fprintf(stderr, "floor: refused: %.*s\n", GR_STR_FMT(response->text));
}

static bool knows(void *user GR_UNUSED, struct gr_str service, struct gr_str method)
{
    return gr_nri_method(service, method) != GR_NRI_UNKNOWN;
}

static const struct gr_rpc_ops ops = {
    .request = on_request, .response = on_response, .knows = knows};

static int start_registration(struct floor *f)
{
    Nri__RegisterPluginRequest request = NRI__REGISTER_PLUGIN_REQUEST__INIT;
    char version[] = GR_NRI_VERSION;
    uint32_t stream;

    request.plugin_name = f->name;
    request.plugin_idx = f->index;
    request.nri_version = version;
    return gr_rpc_call(f->rpc, GR_NRI_SERVICE_RUNTIME, "RegisterPlugin", &request.base, 0, 0,
                       &stream);
}

static int send_pending(struct gr_rpc *rpc, int fd)
{
    struct gr_str out;

    while ((out = gr_rpc_pending(rpc)).n > 0) {
        ssize_t n = send(fd, out.p, out.n, MSG_NOSIGNAL);

        if (n < 0)
            return fail("send");
        gr_rpc_sent(rpc, (size_t)n);
    }
    return 0;
}

static int serve(struct floor *f, int fd)
{
    static char input[READ_BYTES];

    if (start_registration(f) != 0)
        return fail("registering");
    for (;;) {
        ssize_t n;

        if (send_pending(f->rpc, fd) != 0)
            return 1;
        n = recv(fd, input, sizeof(input), 0);
        if (n <= 0)
            return n == 0 ? 0 : fail("recv");
        if (gr_rpc_feed(f->rpc, (struct gr_str){.p = input, .n = (size_t)n}, 0) != 0)
            return fail("reading a request");
    }
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool parse(struct floor *f, int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"index", required_argument, NULL, 'i'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"dump", required_argument, NULL, 'd'},
                                            {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            f->socket = optarg;
        else if (option == 'i')
            f->index = optarg;
        else if (option == 'n')
            f->name = optarg;
        else if (option == 'd')
            f->dump = optarg;
        else
            return false;
    }
    return f->socket && f->index && f->name;
}

int main(int argc, char **argv)
{
    struct floor f = {0};
    int status;
    int fd;

    if (!parse(&f, argc, argv)) {
        (void)fprintf(stderr, "usage: floor [plugin] --socket PATH --index NN --name NAME "
                              "[--dump FILE]\n");
        return 2;
    }
    fd = connect_to(f.socket);
    if (fd < 0)
        return fail(f.socket);
    if (gr_rpc_new(GR_MUX_ID_PLUGIN, GR_MUX_ID_RUNTIME, &ops, &f, &f.rpc) != 0) {
        (void)close(fd);
        return fail("memory");
    }
    status = serve(&f, fd);
    gr_rpc_free(f.rpc);
    (void)close(fd);
    return status;
}
