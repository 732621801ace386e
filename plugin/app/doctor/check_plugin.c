/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_plugin: the plugin's own process, as it sees itself, and its run directory.
 *
 * Layer: app.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/cli/shared/control_client.h"
#include "app/doctor/doctor.h"

/* The journal: specs/decisions/0005. */
#define JOURNAL_NAME "decisions"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && text[0] ? text : NULL;
}

/* ---- a process that does not answer ---- */

static const char *start_fix(struct gr_doctor *d)
{
    if (d->entry)
        return gr_doctor_text(d,
                              "a runtime starts %s only when it starts itself: %s; what became of "
                              "it says: journalctl -t grapnel",
                              d->entry, gr_doctor_restart(d));
    if (!gr_runtime_has_nri(&d->runtime))
        return "where a runtime is, run grapnel plugin from a unit or a DaemonSet";
    return gr_doctor_text(d,
                          "run grapnel plugin from a unit or a DaemonSet, or have the runtime "
                          "launch it: grapnel setup autostart, then: %s",
                          gr_doctor_restart(d));
}

static void check_process(struct gr_doctor *d)
{
    const struct gr_doctor_plugin *plugin = &d->plugin;
    const struct gr_doctor_proc *proc = gr_doctor_find_proc(d, GR_PROGRAM_PLUGIN);
    bool nobody = plugin->answer == -ENOENT || plugin->answer == -ECONNREFUSED;

    if (plugin->answer == -EACCES)
        gr_doctor_add(d, "not-permitted", GR_DOCTOR_FILE(plugin->control),
                      "run it as root: sudo grapnel doctor", "%s", plugin->why);
    else if (!proc && gr_runtime_is_engine(&d->runtime))
        gr_doctor_note(d, "%s asks no plugin: there is nothing to start",
                       gr_runtime_name(d->runtime.kind));
    else if (!proc && (nobody || (!plugin->control && d->procs.visible)))
        gr_doctor_add(d, "plugin-not-running", GR_DOCTOR_NOWHERE, start_fix(d),
                      "no process of the plugin was found; %s", plugin->why);
    else
        gr_doctor_add(d, "plugin-no-answer", GR_DOCTOR_FILE(plugin->control),
                      "name its socket with --control; where the process is stuck or of another "
                      "version, restart it",
                      "%s", plugin->why);
}

/* ---- one that does ---- */

static void check_view(struct gr_doctor *d)
{
    const json_t *status = d->plugin.status;
    const json_t *connection = json_object_get(status, "connection");
    const char *state = text_of(connection, "state");
    const char *error = text_of(connection, "connectError");
    const char *end = text_of(connection, "lastEnd");
    const char *missing = text_of(status, "notReady");

    if (state && (strcmp(state, "closed") == 0 || strcmp(state, "new") == 0))
        gr_doctor_add(d, "plugin-not-connected", GR_DOCTOR_FILE(text_of(connection, "socket")),
                      "mend what is said of the runtime, NRI and the socket; the plugin connects "
                      "again by itself within 5 seconds, after short sessions within 60",
                      "the plugin runs and has no connection%s%s%s%s", error ? ": " : "",
                      error ? error : "", end ? "; the last session ended: " : "", end ? end : "");
    else if (missing)
        gr_doctor_add(d, "plugin-not-ready", GR_DOCTOR_NOWHERE,
                      "mend what is said of the rules and settings; grapnel status says more",
                      "the plugin is connected and not ready: %s", missing);
    else
        gr_doctor_note(d, "the plugin is connected and ready");
    gr_check_problems(d);
}

/* ---- the run directory, as seen from here ---- */

static bool is_ours(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static void check_journal(struct gr_doctor *d, const char *run_dir, int dir)
{
    const char *path = gr_doctor_text(d, "%s/" JOURNAL_NAME, run_dir);
    struct stat st;

    if (fstatat(dir, JOURNAL_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return; /* it is made when there is something to write */
    if (!S_ISREG(st.st_mode))
        gr_doctor_add(d, "journal-unusable", GR_DOCTOR_FILE(path),
                      gr_doctor_text(d, "rm -r %s", path), "what lies there is no regular file");
    else if (!is_ours(&st))
        gr_doctor_add(d, "journal-unusable", GR_DOCTOR_FILE(path), gr_doctor_text(d, "rm %s", path),
                      "others than root may write to it (owner %u, mode %04o)", st.st_uid,
                      st.st_mode & 07777);
}

static void check_run_dir(struct gr_doctor *d)
{
    const char *path = d->settings.config.run_dir;
    const char *fix = gr_doctor_text(d, "chown root: %s; chmod 0755 %s", path, path);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statvfs fs;
    struct stat st;

    if (dir < 0) {
        if (errno != ENOENT)
            gr_doctor_add(d, "run-dir-unusable", GR_DOCTOR_FILE(path),
                          "make it a directory of root's, or name another one: runDir",
                          "it cannot be opened: %s", strerror(errno));
        return;
    }
    if (fstat(dir, &st) == 0 && !is_ours(&st))
        gr_doctor_add(d, "run-dir-unusable", GR_DOCTOR_FILE(path), fix,
                      "others than root may change it (owner %u, mode %04o)", st.st_uid,
                      st.st_mode & 07777);
    if (fstatvfs(dir, &fs) == 0 && ((fs.f_flag & ST_RDONLY) || fs.f_bavail == 0))
        gr_doctor_add(d, "run-dir-unusable", GR_DOCTOR_FILE(path),
                      "free some space there, or name another directory: runDir",
                      "nothing can be written: its file system is %s",
                      fs.f_flag & ST_RDONLY ? "mounted read-only" : "full");
    check_journal(d, path, dir);
    (void)close(dir);
}

void gr_check_plugin(struct gr_doctor *d)
{
    if (d->plugin.status)
        check_view(d);
    else
        check_process(d);
    check_run_dir(d);
}
