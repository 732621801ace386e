/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/cli/shared/control_client.h"
#include "app/exit.h"
#include "app/setup/program.h"
#include "base/utf8.h"

/* A finding quotes paths and whole messages of rules. */
#define TEXT_BYTES_MAX 4096

static const struct {
    const char *name;
    void (*run)(struct gr_doctor *d);
} checks[] = {
    {"runtime", gr_check_runtime},       {"nri", gr_check_nri},
    {"socket", gr_check_socket},         {"plugin directory", gr_check_plugin_dir},
    {"validator", gr_check_validator},   {"selinux", gr_check_selinux},
    {"rules", gr_check_rules},           {"oci-hooks", gr_check_oci_hooks},
    {"plugin", gr_check_plugin},         {"kernel limits", gr_check_kernel},
    {"other engines", gr_check_engines},
};

static const char *format_text(struct gr_doctor *d, const char *format, va_list args)
    GR_PRINTF(2, 0);

static const char *format_text(struct gr_doctor *d, const char *format, va_list args)
{
    char text[TEXT_BYTES_MAX];
    const char *copy;

    (void)vsnprintf(text, sizeof(text), format, args);
    copy = gr_arena_copy(&d->arena, gr_str_from(text));
    d->no_memory = d->no_memory || !copy;
    return copy ? copy : "";
}

const char *gr_doctor_text(struct gr_doctor *d, const char *format, ...)
{
    const char *text;
    va_list args;

    va_start(args, format);
    text = format_text(d, format, args);
    va_end(args);
    return text;
}

void gr_doctor_note(struct gr_doctor *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    d->checks[d->checks_n - 1].note = format_text(d, format, args);
    va_end(args);
}

void gr_doctor_put(struct gr_doctor *d, const struct gr_doctor_finding *finding)
{
    struct gr_doctor_finding *copy = gr_arena_alloc(&d->arena, sizeof(*copy));
    struct gr_doctor_check_result *check = &d->checks[d->checks_n - 1];

    if (!copy) {
        d->no_memory = true;
        return;
    }
    *copy = *finding;
    copy->check = check->name;
    if (copy->file) /* it may live as long as a load only */
        copy->file = gr_doctor_text(d, "%s", copy->file);
    if (d->last)
        d->last->next = copy;
    else
        d->first = copy;
    d->last = copy;
    d->errors += copy->level == GR_LEVEL_ERROR;
    d->warnings += copy->level == GR_LEVEL_WARNING;
    check->findings += copy->level != GR_LEVEL_INFO;
}

void gr_doctor_add(struct gr_doctor *d, const char *code, struct gr_doctor_place at,
                   const char *fix, const char *format, ...)
{
    struct gr_doctor_finding finding = {.file = at.file, .line = at.line, .fix = fix};
    va_list args;

    va_start(args, format);
    finding.found = format_text(d, format, args);
    va_end(args);
    for (size_t i = 0; i < gr_doctor_codes_n; i++) {
        if (strcmp(gr_doctor_codes[i].name, code) != 0)
            continue;
        finding.code = gr_doctor_codes[i].name;
        finding.level = gr_doctor_codes[i].level;
        finding.why = gr_doctor_codes[i].why;
        gr_doctor_put(d, &finding);
        return;
    }
}

const struct gr_doctor_proc *gr_doctor_find_proc(const struct gr_doctor *d,
                                                 enum gr_doctor_program program)
{
    for (size_t i = 0; i < d->procs.n; i++) {
        if (d->procs.items[i].program == program)
            return &d->procs.items[i];
    }
    return NULL;
}

const char *gr_doctor_restart(struct gr_doctor *d)
{
    static const char *const distributions[] = {"k3s", "rke2"};

    for (size_t i = 0; i < GR_ARRAY_LEN(distributions); i++) {
        if (d->runtime.config.path &&
            strstr(d->runtime.config.path, gr_doctor_text(d, "/%s/", distributions[i])))
            return gr_doctor_text(d, "systemctl restart %s", distributions[i]);
    }
    if (gr_runtime_is_engine(&d->runtime)) /* that would only stop its containers */
        return "restart the runtime that launches plugins";
    return gr_doctor_text(d, "systemctl restart %s", gr_runtime_unit(d->runtime.kind));
}

bool gr_doctor_is_backup(const char *name)
{
    static const char *const ends[] = {".bak",      ".old",       ".orig",     ".save",
                                       ".tmp",      ".new",       ".part",     ".swp",
                                       ".rpmsave",  ".rpmnew",    ".rpmorig",  ".dpkg-old",
                                       ".dpkg-new", ".dpkg-dist", ".dpkg-tmp", "~"};
    struct gr_str text = gr_str_from(name);

    for (size_t i = 0; i < GR_ARRAY_LEN(ends); i++) {
        if (gr_str_has_suffix(text, gr_str_from(ends[i])))
            return true;
    }
    return false;
}

/* Whatever it is called. */
static bool is_program(struct gr_doctor *d, const char *path)
{
    char version[GR_PROGRAM_VERSION_BYTES];
    int fd = gr_doctor_open_read(d->host, path);
    bool is_ours = fd >= 0 && gr_program_is_ours(&d->host->fs, fd, version);

    if (fd >= 0)
        (void)close(fd);
    return is_ours;
}

bool gr_doctor_is_our_entry(struct gr_doctor *d, const struct gr_doctor_entry *entry)
{
    const char *path = gr_doctor_text(d, "%s/%s", d->runtime.plugin_dir, entry->name);
    const char *link = gr_doctor_link(d->host, path);

    if (S_ISDIR(entry->st.st_mode) || (!link && !(entry->st.st_mode & 0111)) ||
        !gr_doctor_is_plugin_name(entry->name))
        return false;
    return strncmp(gr_doctor_plain_name(entry->name), "grapnel", 7) == 0 ||
           (link && strcmp(gr_doctor_plain_name(link), "grapnel") == 0) || is_program(d, path);
}

static int find_entry(struct gr_doctor *d)
{
    struct gr_doctor_entries entries;
    int r = gr_doctor_list(d->host, d->runtime.plugin_dir, &entries);

    for (size_t i = 0; r == 0 && i < entries.n && !d->entry; i++) {
        if (gr_doctor_is_our_entry(d, &entries.items[i]) &&
            !gr_doctor_is_backup(entries.items[i].name))
            d->entry = gr_doctor_text(d, "%s/%s", d->runtime.plugin_dir, entries.items[i].name);
    }
    return r == -ENOMEM ? r : 0;
}

/* What the process sees itself; that it does not answer is for a check to tell. */
static int ask_plugin(struct gr_doctor *d)
{
    struct gr_doctor_plugin *plugin = &d->plugin;
    struct gr_err err = {0};
    json_t *request;

    plugin->control = d->control ? d->control : d->settings.config.control_socket;
    if (plugin->control[0] == '\0') {
        plugin->control = NULL;
        plugin->why = "the settings say controlSocket: none";
        return 0;
    }
    request = json_pack("{s:s}", "command", "status");
    plugin->answer = request ? gr_control_ask(plugin->control, GR_CONTROL_TIMEOUT_DEFAULT_MS,
                                              request, &plugin->status, &err)
                             : -ENOMEM;
    json_decref(request);
    if (plugin->answer != 0) {
        json_decref(plugin->status);
        plugin->status = NULL;
        plugin->why = gr_doctor_text(d, "%s", err.text);
    }
    return plugin->answer == -ENOMEM ? -ENOMEM : 0;
}

static void read_instances(struct gr_doctor *d)
{
    const char *path = d->settings.config.run_dir;
    int dir = d->from_host ? gr_doctor_open(d->host, path)
                           : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return;
    gr_instances_read(dir, &d->instances);
    (void)close(dir);
}

static int gather(struct gr_doctor *d)
{
    const struct gr_reporter nobody = {0}; /* a check tells what is wrong with them */
    int r = gr_settings_read(&d->common->flags, GR_STR_NONE, GR_SETTINGS_AS_IN_FORCE, &nobody,
                             &d->settings);

    if (r != 0)
        return r;
    d->host = malloc(sizeof(*d->host));
    if (!d->host)
        return -ENOMEM;
    r = gr_doctor_host_open(d->host, d->settings.config.host_root, &d->arena);
    if (r != 0) {
        (void)fprintf(stderr, "grapnel %s: the host's / at %s: %s\n", d->common->verb,
                      d->settings.config.host_root, strerror(-r));
        free(gr_take(d->host));
        return r == -ENOMEM ? r : GR_EXIT_HOST;
    }
    read_instances(d);
    r = gr_doctor_procs_read(d->host, &d->procs);
    if (r == 0)
        r = ask_plugin(d);
    if (r == 0)
        r = gr_runtime_find(d);
    return r == 0 ? find_entry(d) : r;
}

/* An exit code of what went wrong. */
static int failed(const struct gr_doctor *d, int r)
{
    if (r > 0)
        return r;
    (void)fprintf(stderr, "grapnel %s: %s\n", d->common->verb, strerror(r < 0 ? -r : ENOMEM));
    return GR_EXIT_FAILED;
}

int gr_doctor_gather(struct gr_doctor *d)
{
    int r;

    gr_arena_init(&d->arena, 64U << 10, 0);
    r = gather(d);
    return r != 0 || d->no_memory ? failed(d, r) : GR_EXIT_OK;
}

int gr_doctor_run(struct gr_doctor *d)
{
    int r = gr_doctor_gather(d);

    for (size_t i = 0; i < GR_ARRAY_LEN(checks) && r == GR_EXIT_OK; i++) {
        d->checks[d->checks_n++] = (struct gr_doctor_check_result){.name = checks[i].name};
        checks[i].run(d);
    }
    return r == GR_EXIT_OK && d->no_memory ? failed(d, 0) : r;
}

void gr_doctor_fini(struct gr_doctor *d)
{
    json_decref(d->plugin.status);
    if (d->host)
        gr_doctor_host_close(d->host);
    free(d->host);
    gr_settings_fini(&d->settings);
    gr_arena_fini(&d->arena);
}
