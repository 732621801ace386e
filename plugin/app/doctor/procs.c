/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/procs.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "app/proc_stat.h"
#include "app/way.h"

#define CMDLINE_BYTES_MAX (256U << 10)
#define STAT_BYTES_MAX (64U << 10)
#define PROC_PATH_BYTES 64
#define LOOK_BLOCK_BYTES 4096

bool gr_doctor_is_plugin_name(const char *name)
{
    return name[0] >= '0' && name[0] <= '9' && name[1] >= '0' && name[1] <= '9' && name[2] == '-' &&
           name[3] != '\0';
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *gr_doctor_plain_name(const char *path)
{
    const char *name = base_name(path);

    return gr_doctor_is_plugin_name(name) ? name + 3 : name;
}

const char *gr_doctor_arg(const struct gr_doctor_proc *proc, const char *name, char letter)
{
    size_t n = strlen(name);

    for (size_t i = 1; i < proc->args_n; i++) {
        const char *arg = proc->args[i];
        const char *value = NULL;

        if (letter && arg[0] == '-' && arg[1] == letter && (arg[2] == '\0' || arg[2] == '='))
            value = arg + 2;
        else if (strncmp(arg, "--", 2) == 0 && strncmp(arg + 2, name, n) == 0)
            value = arg + 2 + n;
        if (!value || (value[0] != '\0' && value[0] != '='))
            continue;
        if (value[0] == '=')
            return value + 1;
        return i + 1 < proc->args_n && proc->args[i + 1][0] != '-' ? proc->args[i + 1] : "";
    }
    return NULL;
}

static int read_args(struct gr_doctor_host *host, struct gr_doctor_proc *proc)
{
    char path[PROC_PATH_BYTES];
    struct gr_str text;
    int r;

    (void)snprintf(path, sizeof(path), "/proc/%u/cmdline", proc->pid);
    r = gr_doctor_read(host, path, CMDLINE_BYTES_MAX, &text);
    if (r == -ENOMEM)
        return r;
    while (r == 0 && text.n > 0 && proc->args_n < GR_DOCTOR_ARGS_MAX) {
        size_t n = gr_str_find(text, '\0');

        proc->args[proc->args_n++] = text.p; /* terminated: the arena's copy is, behind its end */
        text = gr_str_skip(text, n + 1);
    }
    return 0;
}

/* The programs that are many in one, and know from their first word which one to be. */
static bool is_many(const char *exe)
{
    return strcmp(base_name(exe), "k3s") == 0 || strcmp(base_name(exe), "rke2") == 0;
}

/* A program that an update has replaced is still known by the name it had. */
static const char *without_deleted(struct gr_arena *arena, const char *exe)
{
    struct gr_str text = gr_str_from(exe);

    if (!exe || !gr_str_has_suffix(text, GR_STR(" (deleted)")))
        return exe;
    return gr_arena_copy(arena, gr_str_first(text, text.n - strlen(" (deleted)")));
}

static bool choose(struct gr_doctor_proc *proc)
{
    static const struct {
        const char *name;
        enum gr_doctor_program program;
    } known[] = {{"containerd", GR_PROGRAM_CONTAINERD},
                 {"crio", GR_PROGRAM_CRIO},
                 {"dockerd", GR_PROGRAM_DOCKERD}};
    const char *name;

    if (proc->args_n == 0)
        return false; /* a thread of the kernel */
    name = gr_doctor_plain_name(proc->exe && !is_many(proc->exe) ? proc->exe : proc->args[0]);
    for (size_t i = 0; i < GR_ARRAY_LEN(known); i++) {
        proc->program = known[i].program;
        if (strcmp(name, known[i].name) == 0)
            return true;
    }
    proc->program = GR_PROGRAM_PLUGIN;
    if (strncmp(name, "grapnel", 7) != 0 && strcmp(gr_doctor_plain_name(proc->args[0]), "grapnel"))
        return false;
    if (proc->args_n > 1)
        return strcmp(proc->args[1], "plugin") == 0;
    return gr_doctor_is_plugin_name(base_name(proc->args[0]));
}

/* The n-th word of a text, from 0; empty when there are fewer. */
static struct gr_str word(struct gr_str text, size_t n)
{
    for (; n > 0 && text.n > 0; n--)
        text = gr_str_skip(text, gr_str_find(text, ' ') + 1);
    text = gr_str_first(text, gr_str_find(text, '\n'));
    return gr_str_first(text, gr_str_find(text, ' '));
}

static uint64_t boot_time_s(struct gr_doctor_host *host)
{
    struct gr_str text;
    uint64_t seconds = 0;

    if (gr_doctor_read(host, "/proc/stat", STAT_BYTES_MAX * 16, &text) != 0)
        return 0;
    while (text.n > 0 && !gr_str_has_prefix(text, GR_STR("btime ")))
        text = gr_str_skip(text, gr_str_find(text, '\n') + 1);
    return gr_str_to_u64(word(text, 1), &seconds) == 0 ? seconds : 0;
}

static void read_stat(struct gr_doctor_host *host, struct gr_doctor_proc *proc)
{
    uint64_t boot_s = boot_time_s(host);
    uint64_t ticks = 0, parent = 0;
    char path[PROC_PATH_BYTES];
    struct gr_str text;

    (void)snprintf(path, sizeof(path), "/proc/%u/stat", proc->pid);
    if (gr_doctor_read(host, path, STAT_BYTES_MAX, &text) != 0)
        return;
    if (gr_proc_stat(text, GR_PROC_STAT_PARENT, &parent))
        proc->parent = (unsigned)parent;
    if (boot_s > 0 && gr_proc_stat(text, GR_PROC_STAT_START, &ticks))
        proc->started_s = (int64_t)(boot_s + ticks / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* A process in our own group is where we are: in a pod nobody sees more of that than "/". */
static int find_way(struct gr_doctor_host *host, struct gr_doctor_proc *proc)
{
    struct gr_str text, unit = GR_STR_NONE;
    char path[PROC_PATH_BYTES];
    int r;

    proc->unit = "";
    proc->way = GR_WAY_LAUNCHED; /* as NN-NAME, and with no arguments */
    if (proc->args_n == 1)
        return 0;
    (void)snprintf(path, sizeof(path), "/proc/%u/cgroup", proc->pid);
    proc->way = GR_WAY_EXTERNAL;
    r = gr_doctor_read(host, path, GR_WAY_CGROUP_MAX_BYTES, &text);
    if (r != 0)
        return r == -ENOMEM ? r : 0;
    proc->way =
        gr_str_is(text, "0::/\n") ? gr_way_own(false, 0).way : gr_way_of_cgroup(text, &unit);
    if (unit.n > 0)
        proc->unit = gr_arena_copy(host->arena, unit);
    return proc->unit ? 0 : -ENOMEM;
}

/* Copies what lives in the arena of a look. */
static bool keep(struct gr_doctor_proc *proc, struct gr_arena *arena)
{
    bool fine = true;

    if (proc->exe)
        fine = (proc->exe = gr_arena_copy(arena, gr_str_from(proc->exe))) != NULL;
    if (proc->unit && fine)
        fine = (proc->unit = gr_arena_copy(arena, gr_str_from(proc->unit))) != NULL;
    for (size_t i = 0; i < proc->args_n && fine; i++)
        fine = (proc->args[i] = gr_arena_copy(arena, gr_str_from(proc->args[i]))) != NULL;
    return fine;
}

static int look_at(struct gr_doctor_host *host, unsigned pid, struct gr_doctor_procs *procs,
                   struct gr_arena *arena)
{
    struct gr_doctor_proc proc = {.pid = pid};
    char path[PROC_PATH_BYTES];
    bool denied = host->denied;
    int r = read_args(host, &proc);

    if (r != 0 || proc.args_n == 0)
        return r;
    (void)snprintf(path, sizeof(path), "/proc/%u/exe", pid);
    proc.exe = without_deleted(host->arena, gr_doctor_link(host, path));
    host->denied = denied; /* of each process of somebody else: that says nothing */
    if (!choose(&proc))
        return 0;
    read_stat(host, &proc);
    if (proc.program == GR_PROGRAM_PLUGIN && find_way(host, &proc) != 0)
        return -ENOMEM;
    if (!keep(&proc, arena))
        return -ENOMEM;
    procs->items[procs->n++] = proc;
    return 0;
}

/* Command lines may have megabytes, and are anybody's: only those of the chosen stay. */
static int look_briefly(struct gr_doctor_host *host, unsigned pid, struct gr_doctor_procs *procs)
{
    struct gr_arena *arena = host->arena;
    struct gr_arena look;
    int r;

    gr_arena_init(&look, LOOK_BLOCK_BYTES, 0);
    host->arena = &look;
    r = look_at(host, pid, procs, arena);
    host->arena = arena;
    gr_arena_fini(&look);
    return r;
}

/* What others run is no runtime of the node, whatever they call it. */
static bool is_ours(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Processes that are looked for on one node. No evidence. */
#define PROCS_MAX 64

int gr_doctor_procs_read(struct gr_doctor_host *host, struct gr_doctor_procs *out_procs)
{
    struct gr_doctor_entries entries;
    int r = gr_doctor_list(host, "/proc", &entries);

    *out_procs = (struct gr_doctor_procs){0};
    if (r != 0)
        return r == -ENOMEM ? r : 0;
    out_procs->items = gr_arena_array(host->arena, PROCS_MAX, sizeof(*out_procs->items));
    if (!out_procs->items)
        return -ENOMEM;
    for (size_t i = 0; i < entries.n && out_procs->n < PROCS_MAX && r == 0; i++) {
        uint64_t pid;

        if (gr_str_to_u64(gr_str_from(entries.items[i].name), &pid) != 0 || pid > UINT32_MAX)
            continue;
        out_procs->visible = true;
        if (!is_ours(&entries.items[i].st))
            continue;
        r = look_briefly(host, (unsigned)pid, out_procs);
    }
    return r;
}
