/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "app/setup/cleanup_parts.h"
#include "base/clock.h"
#include "load/lastgood.h"
#include "state/rundir.h"

#define WHO_BYTES 256

struct cleaning {
    const struct gr_cleanup *cleanup;
    struct gr_holders holders;
    struct gr_cleanup_place *place; /* the one that is open */
    bool failed;
};

/* ---- a plugin that runs ---- */

static int check_plugin(const struct cleaning *c, struct gr_err *err)
{
    char who[WHO_BYTES];

    if (!gr_cleanup_sees_plugin(c->cleanup->config, who, sizeof(who)))
        return 0;
    return gr_fail(err, GR_CLEANUP_RUNS, "cleanup-running",
                   "expected no plugin to run on this node, found that %s; remove it first "
                   "(helm uninstall, systemctl disable --now grapnel, grapnel setup autostart "
                   "--undo), and run it again",
                   who);
}

static int wait_for_plugin(const struct cleaning *c, struct gr_err *err)
{
    uint64_t deadline_ms = gr_now_ms() + c->cleanup->wait_ms;
    int rc = check_plugin(c, err);

    if (rc != 0)
        c->cleanup->waiting(c->cleanup->user, "a plugin runs on this node still");
    while (rc != 0 && gr_now_ms() < deadline_ms) {
        (void)poll(NULL, 0, GR_CLEANUP_LOOK_MS);
        rc = check_plugin(c, err);
    }
    return rc;
}

/* ---- one directory after the other ---- */

static int open_place(struct cleaning *c, const char *root, const char *path, struct gr_err *err)
{
    *c->place = (struct gr_cleanup_place){.cleanup = c->cleanup, .path = path};
    return gr_cleanup_enter(c->place, root, err);
}

static void close_place(struct cleaning *c)
{
    c->failed = c->failed || c->place->failed;
    gr_cleanup_leave(c->place);
}

/* One that cannot be opened is told, and the others are cleaned all the same. */
static void say_closed_as(struct cleaning *c, enum gr_cleanup_fate fate, const char *path, int rc,
                          const struct gr_err *why)
{
    const struct gr_cleanup_item item = {
        .fate = fate, .path = path, .why = why->code ? why->text : strerror(-rc)};

    c->failed = c->failed || fate == GR_CLEANUP_FAILED;
    c->cleanup->say(c->cleanup->user, &item);
}

static void say_closed(struct cleaning *c, const char *path, int rc, const struct gr_err *why)
{
    say_closed_as(c, GR_CLEANUP_FAILED, path, rc, why);
}

static int no_memory(struct gr_err *err)
{
    return gr_fail(err, -ENOMEM, "no-memory", "no memory to clean up");
}

/* ---- the store ---- */

static int know_store(struct cleaning *c, struct gr_err *err)
{
    int rc = gr_cleanup_store_know(c->place, &c->holders);

    if (rc == 0 || rc == -ENOMEM)
        return rc ? no_memory(err) : 0;
    return gr_fail_errno(err, rc, "cleanup-failed",
                         "expected to see what %s holds, found an error; nothing of it was removed",
                         c->place->path);
}

static int ask(struct cleaning *c, struct gr_err *err)
{
    struct gr_cleanup_told told = {0};
    int rc = gr_cleanup_ask(c->cleanup, &told, err);

    if (rc == 0)
        rc = know_store(c, err);
    if (rc == 0)
        rc = gr_holders_read(&c->holders, told.running, err);
    if (rc == 0 && told.hides_ended)
        rc = gr_holders_read_bundles(&c->holders, c->cleanup, told.running, err);
    gr_nri_running_free(told.running);
    return rc == 0 ? check_plugin(c, err) : rc; /* once more: time has passed */
}

/* Where there is nothing in it, nobody is asked. */
static int clean_store(struct cleaning *c, struct gr_err *err)
{
    const struct gr_config *config = c->cleanup->config;
    struct gr_err why = {0};
    bool empty = true;
    int rc;

    if (!config->programs_dir[0])
        return 0;
    rc = open_place(c, config->host_root, config->programs_dir, &why);
    if (rc == 0)
        rc = gr_cleanup_store_is_empty(c->place, &empty);
    if (rc == 0 && !empty)
        rc = ask(c, err);
    else if (rc != 0 && rc != -ENOENT)
        say_closed(c, config->programs_dir, rc, &why);
    if (rc == 0)
        rc = gr_cleanup_store(c->place, &c->holders);
    close_place(c);
    if (rc == -ENOMEM && !err->code)
        return no_memory(err);
    return err->code ? rc : 0;
}

/* ---- small files ---- */

static int clean_files(struct cleaning *c, const char *path, bool (*is_ours)(struct gr_str name),
                       struct gr_err *err)
{
    struct gr_err why = {0};
    int rc;

    if (!path[0])
        return 0;
    rc = open_place(c, "/", path, &why);
    if (rc == 0)
        rc = gr_cleanup_files(c->place, is_ours);
    else if (rc != -ENOENT)
        say_closed(c, path, rc, &why);
    close_place(c);
    return rc == -ENOMEM ? no_memory(err) : 0;
}

/* The name in the path of a file, "" where there is none, and its directory into dir. */
static const char *split(const char *path, char *dir, size_t bytes)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return "";
    (void)snprintf(dir, bytes, "%.*s", (int)GR_MAX(slash - path, 1), path);
    return slash + 1;
}

/* One that settings put elsewhere, or gave another name; the usual one goes with the run directory.
 */
static void clean_control_socket(struct cleaning *c)
{
    const struct gr_config *config = c->cleanup->config;
    char dir[GR_CONFIG_SOCKET_MAX_BYTES + 1];
    const char *name = split(config->control_socket, dir, sizeof(dir));
    struct gr_err why = {0};
    int rc;

    if (!name[0])
        return;
    if (strcmp(dir, config->run_dir) == 0 && gr_is_rundir_name(gr_str_from(name)))
        return;
    rc = open_place(c, "/", dir, &why);
    if (rc == 0)
        gr_cleanup_socket(c->place, name);
    else if (rc != -ENOENT)
        say_closed(c, config->control_socket, rc, &why);
    close_place(c);
}

/* Its directory is the collector's: where others than root may write there, nothing is touched, and
 * that is no failure. */
static int clean_textfile(struct cleaning *c, struct gr_err *err)
{
    const char *path = c->cleanup->config->metrics_textfile;
    char dir[GR_LOAD_PATH_BYTES];
    const char *name = split(path, dir, sizeof(dir));
    struct gr_err why = {0};
    int rc;

    if (!name[0])
        return 0;
    rc = open_place(c, "/", dir, &why);
    if (rc == 0)
        rc = gr_cleanup_textfile(c->place, name);
    else if (rc != -ENOENT)
        say_closed_as(c, rc == -EPERM ? GR_CLEANUP_LEFT : GR_CLEANUP_FAILED, path, rc, &why);
    close_place(c);
    return rc == -ENOMEM ? no_memory(err) : 0;
}

/* What does not hang on containers. */
static int clean_rest(struct cleaning *c, struct gr_err *err)
{
    const struct gr_config *config = c->cleanup->config;
    int rc = clean_files(c, config->last_good_dir, gr_is_lastgood_name, err);

    /* The settings' own text does not follow them. */
    if (rc == 0 && strcmp(config->last_good_dir, GR_CONFIG_LAST_GOOD_DEFAULT) != 0)
        rc = clean_files(c, GR_CONFIG_LAST_GOOD_DEFAULT, gr_is_lastgood_name, err);
    clean_control_socket(c);
    rc = rc ? rc : clean_textfile(c, err);
    return rc ? rc : clean_files(c, config->run_dir, gr_is_rundir_name, err);
}

int gr_cleanup(const struct gr_cleanup *cleanup, struct gr_err *err)
{
    struct cleaning c = {.cleanup = cleanup};
    struct gr_err rest = {0};
    int rc, rest_rc;

    *err = (struct gr_err){0};
    c.place = malloc(sizeof(*c.place));
    if (!c.place)
        return no_memory(err);
    rc = wait_for_plugin(&c, err);
    if (rc == 0) {
        rc = clean_store(&c, err);
        rest_rc = rc == GR_CLEANUP_RUNS ? 0 : clean_rest(&c, &rest);
        if (rc == 0 && rest_rc != 0)
            *err = rest;
        rc = rc ? rc : rest_rc;
    }
    if (rc == 0 && c.failed)
        rc = gr_fail(err, -EIO, "cleanup-failed",
                     "expected to remove all that is Grapnel's, found what could not be removed, "
                     "as said above; mend it and run it again");
    gr_holders_fini(&c.holders);
    free(c.place);
    return rc;
}
