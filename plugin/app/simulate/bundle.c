/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle as runc and crun take it: config.json, and a root file system made of this machine's own
 * system directories, bound read-only when a container is made. Without a container it only serves
 * hooks that look into it.
 */
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/shared/hooks_json.h"
#include "app/simulate/simulate.h"
#include "app/exit.h"

/* The oldest that all runtimes at hand take; crun 1.8 refuses 1.2. */
#define OCI_VERSION "1.0.2"

/* Does nothing, and is on every Debian and Ubuntu. */
#define CONTAINER_PROGRAM "/bin/true"

#define WORK_NAME "/grapnel-simulate.XXXXXX"

/* What a dynamic program needs; each is a folder, a link, or not there. */
static const char *const system_dirs[] = {"/bin",   "/sbin",   "/lib", "/lib32",
                                          "/lib64", "/libx32", "/usr"};

static int say_errno(const char *path)
{
    (void)fprintf(stderr, "grapnel simulate: %s cannot be made: %s\n", path, strerror(errno));
    return GR_EXIT_HOST;
}

static const char *join(struct gr_arena *arena, const char *a, const char *b, const char *c)
{
    const char *parts[] = {a, b, c, NULL};

    return gr_sim_join(arena, parts).p;
}

int gr_sim_work_new(struct gr_sim *sim, const char **out_work)
{
    const char *parents[] = {getenv("TMPDIR"), "/tmp", "/run", "/var/tmp"};

    for (size_t i = 0; i < GR_ARRAY_LEN(parents); i++) {
        char path[PATH_MAX];
        char real[PATH_MAX];

        /* Resolved: runtimes refuse or resolve links themselves, and hooks see the path. */
        if (!parents[i] || !parents[i][0] || !realpath(parents[i], real) ||
            strlen(real) + sizeof(WORK_NAME) > sizeof(path))
            continue;
        (void)snprintf(path, sizeof(path), "%.*s" WORK_NAME, (int)(PATH_MAX - sizeof(WORK_NAME)),
                       real);
        if (!mkdtemp(path))
            continue;
        *out_work = gr_arena_copy(&sim->arena, gr_str_from(path));
        if (*out_work)
            return GR_EXIT_OK;
        (void)rmdir(path);
        return gr_sim_no_memory();
    }
    return say_errno("a temporary folder (in $TMPDIR, /tmp, /run or /var/tmp)");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void gr_sim_work_free(const char *work)
{
    struct stat st;

    /* Never into another file system: a mount that was left behind must not be emptied. */
    (void)nftw(work, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (lstat(work, &st) == 0)
        (void)fprintf(stderr, "grapnel simulate: %s could not be removed whole\n", work);
}

/* ---- the root file system ---- */

/* Where it is mounted from is added to mounts; links are made anew. */
static int add_system_dir(struct gr_sim *sim, const char *rootfs, const char *dir, json_t *mounts)
{
    const char *path = join(&sim->arena, rootfs, dir, "");
    char target[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (!path)
        return say_errno(dir);
    if (lstat(dir, &st) != 0)
        return GR_EXIT_OK;
    if (S_ISLNK(st.st_mode)) {
        n = readlink(dir, target, sizeof(target) - 1);
        if (n < 0)
            return say_errno(path);
        target[n] = '\0';
        return symlink(target, path) == 0 ? GR_EXIT_OK : say_errno(path);
    }
    if (mkdir(path, 0755) != 0)
        return say_errno(path);
    (void)json_array_append_new(mounts,
                                json_pack("{s:s, s:s, s:s, s:[s,s]}", "destination", dir, "type",
                                          "bind", "source", dir, "options", "rbind", "ro"));
    return GR_EXIT_OK;
}

static int make_rootfs(struct gr_sim *sim, const char *rootfs, json_t *mounts)
{
    static const char *const empty_dirs[] = {"/proc", "/dev", "/tmp", "/etc"};

    for (size_t i = 0; i < GR_ARRAY_LEN(empty_dirs); i++) {
        const char *path = join(&sim->arena, rootfs, empty_dirs[i], "");

        if (!path || mkdir(path, 0755) != 0)
            return say_errno(rootfs);
    }
    (void)json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "destination", "/proc", "type",
                                                  "proc", "source", "proc"));
    (void)json_array_append_new(mounts, json_pack("{s:s, s:s, s:s, s:[s,s]}", "destination", "/dev",
                                                  "type", "tmpfs", "source", "tmpfs", "options",
                                                  "nosuid", "mode=755"));
    for (size_t i = 0; i < GR_ARRAY_LEN(system_dirs); i++) {
        int r = add_system_dir(sim, rootfs, system_dirs[i], mounts);

        if (r != GR_EXIT_OK)
            return r;
    }
    return GR_EXIT_OK;
}

/* ---- config.json ---- */

/* The cgroup has a name of its own: the ids are the same in every run, and two may run at once. */
static json_t *make_linux(const struct gr_sim_container *c)
{
    static const char *const namespaces[] = {"pid", "ipc", "uts", "mount", "network"};
    json_t *list = json_array();

    for (size_t i = 0; i < GR_ARRAY_LEN(namespaces); i++)
        (void)json_array_append_new(list, json_pack("{s:s}", "type", namespaces[i]));
    return json_pack("{s:o, s:o}", "namespaces", list, "cgroupsPath",
                     json_sprintf("simulate-%ld-%s", (long)getpid(), c->subject.id.p));
}

static json_t *make_process(const struct gr_sim_container *c)
{
    json_t *env = json_pack("[s]", "PATH=/usr/sbin:/usr/bin:/sbin:/bin");

    for (size_t i = 0; i < c->subject.env.n; i++)
        (void)json_array_append_new(
            env, json_stringn(c->subject.env.items[i].p, c->subject.env.items[i].n));
    return json_pack("{s:b, s:{s:i, s:i}, s:[s], s:o, s:s, s:b}", "terminal", 0, "user", "uid", 0,
                     "gid", 0, "args", CONTAINER_PROGRAM, "env", env, "cwd", "/", "noNewPrivileges",
                     1);
}

/* "--record DIR NUMBER PATH ARG…" of this program takes the hook's place and becomes it. */
static void put_recorder(json_t *hook, const char *recorder, const char *records, size_t number)
{
    json_t *old = json_object_get(hook, "args");
    json_t *path = json_object_get(hook, "path");
    json_t *args = json_pack("[s, s, s, s, o, O]", "grapnel", "simulate", "--record", records,
                             json_sprintf("%zu", number), path);

    if (json_array_size(old) > 0)
        (void)json_array_extend(args, old);
    else
        (void)json_array_append(args, path);
    (void)json_object_set_new(hook, "args", args);
    (void)json_object_set_new(hook, "path", json_string(recorder));
}

/* The answer's hooks, numbered as they stand there. startContainer hooks are looked up inside the
 * container, where there is no recorder. */
static json_t *make_hooks(const struct gr_sim_container *c, const char *recorder,
                          const char *records)
{
    json_t *hooks = gr_hooks_json(c->hooks, c->hooks_n);
    size_t number = 0;

    if (!recorder)
        return hooks;
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        json_t *list = json_object_get(hooks, gr_stage_name((enum gr_stage)stage));
        json_t *hook;
        size_t i;

        json_array_foreach(list, i, hook)
        {
            if (stage != GR_STAGE_START_CONTAINER)
                put_recorder(hook, recorder, records, number);
            number++;
        }
    }
    return hooks;
}

static int write_text(const char *path, struct gr_str text)
{
    FILE *file = path ? fopen(path, "we") : NULL;
    bool fine = file && fwrite(text.p, 1, text.n, file) == text.n;

    if (file)
        fine &= fclose(file) == 0;
    return fine ? GR_EXIT_OK : say_errno(path ? path : "config.json");
}

/* Takes config. */
static int write_config(struct gr_sim *sim, const struct gr_sim_container *c, const char *path,
                        json_t *config)
{
    char *plain = config ? json_dumps(config, JSON_INDENT(2)) : NULL;
    struct gr_buf text;
    int r;

    json_decref(config);
    if (!plain)
        return gr_sim_no_memory();
    gr_buf_init(&text, SIZE_MAX);
    r = gr_sim_apply_adjust(sim, c, gr_str_from(plain), &text);
    if (r == GR_EXIT_OK)
        r = text.broken ? gr_sim_no_memory() : write_text(path, gr_buf_view(&text));
    gr_buf_fini(&text);
    free(plain);
    return r;
}

int gr_sim_bundle_new(struct gr_sim *sim, const char *work, const struct gr_sim_container *c,
                      const char *recorder, bool hooks, struct gr_sim_bundle *out_bundle)
{
    struct gr_sim_bundle b = {0};
    json_t *mounts = json_array();
    json_t *config = NULL;
    const char *name = c->subject.id.p;
    int r = GR_EXIT_OK;

    b.path = join(&sim->arena, work, "/", name);
    b.rootfs = b.path ? join(&sim->arena, b.path, "/rootfs", "") : NULL;
    b.records = recorder && b.path ? join(&sim->arena, b.path, "/records", "") : NULL;
    if (!b.rootfs || mkdir(b.path, 0700) != 0 || mkdir(b.rootfs, 0755) != 0 ||
        (recorder && (!b.records || mkdir(b.records, 0700) != 0)))
        r = say_errno(b.path ? b.path : work);
    if (r == GR_EXIT_OK)
        r = make_rootfs(sim, b.rootfs, mounts);
    if (r == GR_EXIT_OK) {
        config = json_pack("{s:s, s:o, s:{s:s, s:b}, s:s, s:O, s:o, s:o, s:o}", "ociVersion",
                           OCI_VERSION, "process", make_process(c), "root", "path", "rootfs",
                           "readonly", 0, "hostname", "simulated", "mounts", mounts, "annotations",
                           gr_annotations_json(c->spec_annotations), "linux", make_linux(c),
                           "hooks", hooks ? make_hooks(c, recorder, b.records) : json_object());
        r = write_config(sim, c, join(&sim->arena, b.path, "/config.json", ""), config);
    }
    json_decref(mounts);
    *out_bundle = b;
    return r;
}
