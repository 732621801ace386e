/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_runs: whether a plugin runs on this node.
 *
 * Layer: app. Its two sockets say so where it uses the same directory, whoever started it;
 * processes are looked through as well, which shows those of the host from the host alone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/daemon/control/listener.h"
#include "app/doctor/procs.h"
#include "app/setup/cleanup_parts.h"
#include "rules/read/findings.h"
#include "state/instances.h"

#define ARENA_BLOCK_BYTES (64U << 10)

static bool listens(const char *path, char *out_who, size_t bytes)
{
    pid_t pid = 0;

    if (!path[0] || !gr_listener_somebody(path, &pid))
        return false;
    if (pid > 0)
        (void)snprintf(out_who, bytes, "process %ld has the socket %s", (long)pid, path);
    else
        (void)snprintf(out_who, bytes, "a process has the socket %s", path);
    return true;
}

static bool is_instance(const char *run_dir, char *out_who, size_t bytes)
{
    int dir = run_dir[0] ? open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    struct gr_instance_list list;

    if (dir < 0)
        return false;
    gr_instances_read(dir, &list);
    (void)close(dir);
    if (list.n == 0)
        return false;
    (void)snprintf(out_who, bytes, "%s runs (%s), as %s/" GR_INSTANCES_FILE " tells",
                   gr_show(gr_str_from(list.items[0].name)).text, gr_way_name(list.items[0].way),
                   run_dir);
    return true;
}

/* What cannot be looked at says nothing. */
static bool is_process(const char *host_root, char *out_who, size_t bytes)
{
    struct gr_doctor_host *host = malloc(sizeof(*host));
    struct gr_doctor_procs procs = {0};
    struct gr_arena arena;
    bool found = false;

    if (!host)
        return false;
    gr_arena_init(&arena, ARENA_BLOCK_BYTES, 0);
    if (gr_doctor_host_open(host, host_root, &arena) == 0) {
        if (gr_doctor_procs_read(host, &procs) != 0)
            procs.n = 0;
        gr_doctor_host_close(host);
    }
    for (size_t i = 0; i < procs.n && !found; i++) {
        found = procs.items[i].program == GR_PROGRAM_PLUGIN;
        if (found)
            (void)snprintf(out_who, bytes, "process %u is one", procs.items[i].pid);
    }
    gr_arena_fini(&arena);
    free(host);
    return found;
}

bool gr_cleanup_sees_plugin(const struct gr_config *config, char *out_who, size_t bytes)
{
    return listens(config->control_socket, out_who, bytes) ||
           is_instance(config->run_dir, out_who, bytes) ||
           is_process(config->host_root, out_who, bytes);
}
