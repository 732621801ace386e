/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_socket: whether the plugin's socket is the runtime's, and whether somebody
 * listens there.
 *
 * Layer: app. The kernel tells of a listener in our own network namespace; only where it tells of
 * none a connection is made and closed at once, which a runtime takes for a plugin that gave up.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/doctor/doctor.h"
#include "app/doctor/listening.h"

/* Where the plugin looks: as it says itself, as its process was told, or the default. */
static const char *ours(const struct gr_doctor *d)
{
    const json_t *connection = json_object_get(d->plugin.status, "connection");
    const char *told = json_string_value(json_object_get(connection, "socket"));
    const struct gr_doctor_proc *proc = gr_doctor_find_proc(d, GR_PROGRAM_PLUGIN);
    const char *arg = proc ? gr_doctor_arg(proc, "socket", '\0') : NULL;

    if (d->socket)
        return d->socket;
    if (told && told[0])
        return told;
    return arg && arg[0] ? arg : GR_NRI_SOCKET_PATH;
}

/* /var/run is a link to /run, and runtimes name either. */
static struct gr_str without_var(struct gr_str path)
{
    return gr_str_has_prefix(path, GR_STR("/var/run/")) ? gr_str_skip(path, strlen("/var")) : path;
}

static bool same_path(struct gr_doctor *d, const char *a, const char *b)
{
    return gr_str_eq(without_var(gr_str_from(a)), without_var(gr_str_from(b))) ||
           gr_doctor_same(d->host, a, b);
}

/* Through a descriptor of the socket's file: its path may be longer than an address, and is the
 * host's. Returns 0 or a negative errno. */
static int knock(int file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 0;

    if (fd < 0)
        return -errno;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", file);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        r = -errno;
    (void)close(fd);
    return r == -EAGAIN ? 0 : r; /* its queue is full: somebody listens */
}

static const char *restart_fix(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;

    if (r->kind != GR_RUNTIME_CONTAINERD && r->kind != GR_RUNTIME_CRIO)
        return "start the runtime";
    return gr_doctor_text(d, "%s; why it did not listen says: journalctl -u %s | grep -i nri",
                          gr_doctor_restart(d), gr_runtime_unit(r->kind));
}

static void check_listening(struct gr_doctor *d, const char *path, int file)
{
    int r = gr_doctor_sees_listener(file) ? 0 : knock(file);

    if (r == -EACCES || r == -EPERM)
        gr_doctor_add(d, "not-permitted", GR_DOCTOR_FILE(path),
                      "run it as root: sudo grapnel doctor",
                      "whether somebody listens at this socket only root may find out");
    else if (r == -ECONNREFUSED)
        gr_doctor_add(d, "socket-dead", GR_DOCTOR_FILE(path), restart_fix(d),
                      "the socket is there, and nobody listens at it");
    else if (r != 0)
        gr_doctor_add(d, "socket-missing", GR_DOCTOR_FILE(path), restart_fix(d),
                      "the socket cannot be used: %s", strerror(-r));
    else
        gr_doctor_note(d, "somebody listens at %s", path);
}

static void check_file(struct gr_doctor *d, const char *path)
{
    int file = gr_doctor_open(d->host, path);
    struct stat st;

    if (file == -EACCES || file == -EPERM) {
        gr_doctor_add(d, "not-permitted", GR_DOCTOR_FILE(path),
                      "run it as root: sudo grapnel doctor", "only root may look at this socket");
        return;
    }
    if (file < 0) {
        gr_doctor_add(d, "socket-missing", GR_DOCTOR_FILE(path), restart_fix(d),
                      "there is no NRI socket: %s", strerror(-file));
        return;
    }
    if (fstat(file, &st) == 0 && S_ISSOCK(st.st_mode))
        check_listening(d, path, file);
    else
        gr_doctor_add(d, "socket-missing", GR_DOCTOR_FILE(path),
                      gr_doctor_text(d, "remove it, then: %s", gr_doctor_restart(d)),
                      "what lies there is no socket");
    (void)close(file);
}

/* ---- what refuses the plugin ---- */

/* The way to the socket, as a process of uid 0 without capabilities may go it. */
struct way {
    bool in_pod;         /* what lies above a mount of its own does not matter: the last counts */
    char path[PATH_MAX]; /* what refuses; empty: nothing does */
    struct gr_fs_meta meta; /* of it */
};

/* bit: 01 to search, 02 to write. */
static bool allows_root(const struct gr_fs_meta *meta, uint32_t bit)
{
    unsigned shift = meta->uid == 0 ? 6 : meta->gid == 0 ? 3 : 0;

    return meta->mode & (bit << shift);
}

static int see(void *user, const struct gr_walk_visit *visit)
{
    const struct gr_fs_meta *meta = visit->meta;
    struct way *way = user;

    if (meta->type == GR_FS_LINK || (way->path[0] && !way->in_pod) ||
        allows_root(meta, meta->type == GR_FS_DIRECTORY ? 01 : 02))
        return 0;
    (void)snprintf(way->path, sizeof(way->path), "%s", visit->path);
    way->meta = *meta;
    return 0;
}

static const char *let_fix(struct gr_doctor *d, const struct way *way)
{
    if (way->meta.type != GR_FS_DIRECTORY)
        return gr_doctor_text(d, "chown root: %s; chmod u+rw %s, and look who changed it",
                              way->path, way->path);
    if (way->meta.uid == 0)
        return gr_doctor_text(d, "chmod u+x %s", way->path);
    return gr_doctor_text(
        d, "setfacl -m u:0:x %s, which lets root through and nobody else, or: chmod o+x %s",
        way->path, way->path);
}

/* The plugin says that it may not connect: a root without capabilities is bound by modes. */
static void check_refused(struct gr_doctor *d, const char *path)
{
    const json_t *process = json_object_get(d->plugin.status, "process");
    const char *mode = json_string_value(json_object_get(process, "mode"));
    struct way way = {.in_pod = mode && strcmp(mode, "pod") == 0};
    int r = gr_walk_to(&d->host->walk, path, see, &way); /* as far as it goes */

    if (way.path[0])
        gr_doctor_add(d, "socket-not-permitted", GR_DOCTOR_FILE(way.path), let_fix(d, &way),
                      "the plugin may not reach %s: %s belongs to user %u, with mode %04o", path,
                      way.path, way.meta.uid, way.meta.mode);
    else if (r != 0)
        check_file(d, path);
    else
        gr_doctor_add(d, "socket-not-permitted", GR_DOCTOR_FILE(path),
                      "let the security module of this host (SELinux, AppArmor) allow it; what it "
                      "refused says: journalctl -k | grep -i denied",
                      "the plugin may not reach this socket, though owners and modes on the way "
                      "allow it");
}

static bool is_refused(const json_t *connection)
{
    const char *error = json_string_value(json_object_get(connection, "connectError"));

    return error && (strcmp(error, strerror(EACCES)) == 0 || strcmp(error, strerror(EPERM)) == 0);
}

static bool is_connected(const json_t *connection)
{
    const char *state = json_string_value(json_object_get(connection, "state"));

    return state && (strcmp(state, "configured") == 0 || strcmp(state, "ready") == 0);
}

void gr_check_socket(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;
    const struct gr_runtime_config *c = &r->config;
    const json_t *connection = json_object_get(d->plugin.status, "connection");
    const char *path = ours(d);
    bool known = r->kind == GR_RUNTIME_CONTAINERD || r->kind == GR_RUNTIME_CRIO;

    if (json_is_true(json_object_get(connection, "launched"))) {
        gr_doctor_note(d, "the runtime launched the plugin, which needs no socket");
        return;
    }
    if (gr_runtime_is_engine(r) && !connection && !d->socket) {
        gr_doctor_note(d, "%s has no such socket", gr_runtime_name(r->kind));
        return;
    }
    /* In a pod its path may be another one than the host's. */
    if (is_connected(connection) && !d->socket) {
        gr_doctor_note(d, "the plugin is connected at %s", path);
        return;
    }
    if (known && r->installed &&
        (!r->nri_on || (c->no_connections.has && c->no_connections.is_true)))
        return; /* why there is none has been said */
    if (known && r->installed && !same_path(d, r->socket, path)) {
        gr_doctor_add(d, "socket-elsewhere",
                      (struct gr_doctor_place){c->socket.file, c->socket.line},
                      gr_doctor_text(d, "grapnel plugin --socket %s, or set the runtime to %s",
                                     r->socket, path),
                      "the runtime listens at %s, the plugin looks for it at %s", r->socket, path);
        return;
    }
    if (is_refused(connection))
        check_refused(d, path);
    else
        check_file(d, path);
}
