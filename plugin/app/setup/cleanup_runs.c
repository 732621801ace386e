/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_runs: whether a plugin runs on this node.
 *
 * Layer: app. Its two sockets say so where it uses the same directory, whoever started it;
 * processes are looked through as well, which shows those of the host from the host alone.
 */
#include <stdio.h>

#include "app/daemon/control/listener.h"
#include "app/daemon/suspend/reports.h"
#include "app/doctor/procs.h"
#include "app/setup/cleanup_parts.h"

#define ARENA_BLOCK_BYTES (64U << 10)

static bool listens(const char *path, bool datagrams, char *out_who, size_t bytes)
{
    pid_t pid = 0;

    if (!path[0] || !gr_listener_somebody(path, datagrams, &pid))
        return false;
    if (pid > 0)
        (void)snprintf(out_who, bytes, "process %ld has the socket %s", (long)pid, path);
    else
        (void)snprintf(out_who, bytes, "a process has the socket %s", path);
    return true;
}

static bool reads_reports(const char *run_dir, char *out_who, size_t bytes)
{
    char path[GR_CONFIG_SOCKET_MAX_BYTES + 1];
    int n = snprintf(path, sizeof(path), "%s/" GR_REPORTS_SOCKET, run_dir);

    return run_dir[0] && n > 0 && (size_t)n < sizeof(path) && listens(path, true, out_who, bytes);
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
    return listens(config->control_socket, false, out_who, bytes) ||
           reads_reports(config->run_dir, out_who, bytes) ||
           is_process(config->host_root, out_who, bytes);
}
