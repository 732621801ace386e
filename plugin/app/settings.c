/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"
#include "load/configfile.h"
#include "load/lastsettings.h"
#include "rules/limits.h"
#include "version.h"

/* HOST_NAME_MAX of Linux is 64. */
#define HOST_NAME_BYTES 65

const char *gr_settings_file_name(enum gr_settings_file file)
{
    static const char *const names[] = {
        [GR_SETTINGS_NO_FILE] = "none",
        [GR_SETTINGS_PRESENT] = "present",
        [GR_SETTINGS_LAST_GOOD] = "last-good",
        [GR_SETTINGS_NOTHING] = "nothing",
    };

    return names[file];
}

const char *gr_settings_path(const struct gr_flags *flags)
{
    return flags->config_path ? flags->config_path : GR_CONFIG_DEFAULT;
}

const char *gr_settings_kept_dir(const struct gr_flags *flags)
{
    const char *dir = flags->config.origins[GR_SETTING_LAST_GOOD_DIR].has
                          ? flags->config.last_good_dir
                          : GR_CONFIG_LAST_GOOD_DEFAULT;

    return dir[0] ? dir : NULL;
}

/* ---- the file ---- */

void gr_settings_report_file(const struct gr_settings *settings, const struct gr_flags *flags,
                             const struct gr_reporter *reporter)
{
    char when[GR_UTC_BYTES];
    struct gr_err err = {0};

    if (settings->file == GR_SETTINGS_LAST_GOOD)
        (void)gr_fail(&err, 0, "last-good",
                      "expected settings without an error, found some; the text of this file that "
                      "was accepted at %s is in force instead",
                      gr_utc_text(settings->accepted_s, when));
    else if (settings->file == GR_SETTINGS_NOTHING)
        (void)gr_fail(&err, 0, "no-last-good",
                      "expected settings without an error, found some; no earlier text of this "
                      "file is kept, so that the defaults stand in for what it sets");
    else
        return;
    gr_err_at(&err, gr_settings_path(flags), 0, 0);
    gr_report(reporter, GR_LEVEL_WARNING, &err);
}

/* Returns 0 also where this version refuses it, which is reported; -ENOMEM. */
static int take_last_good(struct gr_settings *s, const char *path, struct gr_str kept,
                          int64_t kept_s, const struct gr_reporter *reporter)
{
    const struct gr_config_text text = {.text = kept, .name = path, .source = GR_CONFIG_FILE};
    const struct gr_reporter nobody = {0};
    struct gr_config config = {0};
    struct gr_err err = {0};
    int r = gr_config_decode(&s->arena, &text, &nobody, &config);

    if (r == GR_CONFIG_REFUSED) {
        (void)gr_fail(&err, 0, "last-good-outdated",
                      "expected the settings that were accepted last to be acceptable still, found "
                      "that this version refuses them; they are not used");
        gr_err_at(&err, path, 0, 0);
        gr_report(reporter, GR_LEVEL_WARNING, &err);
        return 0;
    }
    if (r == 0) {
        gr_config_merge(&s->config, &config);
        s->file = GR_SETTINGS_LAST_GOOD;
        s->accepted_s = kept_s;
    }
    return r;
}

static int lay_last_good(struct gr_settings *s, const struct gr_flags *flags,
                         const struct gr_fs *fs, const struct gr_reporter *reporter)
{
    const struct gr_lastsettings where = {
        .fs = fs, .dir = gr_settings_kept_dir(flags), .path = gr_settings_path(flags)};
    struct gr_buf text;
    int64_t kept_s = 0;
    int r;

    gr_buf_init(&text, GR_YAML_FILE_MAX_BYTES);
    r = gr_lastsettings_read(&where, reporter, &text, &kept_s);
    if (r == 0)
        r = take_last_good(s, where.path, gr_buf_view(&text), kept_s, reporter);
    gr_buf_fini(&text);
    gr_settings_report_file(s, flags, reporter);
    return r < 0 ? r : 0;
}

/* Whether it can be used. A file that was named must be there. */
static bool judge_file(int r, const struct gr_flags *flags, const struct gr_reporter *reporter)
{
    struct gr_err err = {0};

    if (r != GR_CONFIGFILE_MISSING || !flags->config_path)
        return r != GR_CONFIG_REFUSED;
    (void)gr_fail(&err, 0, "missing-file",
                  "expected the settings file that --config names, found nothing there");
    gr_err_at(&err, flags->config_path, 0, 0);
    gr_report(reporter, GR_LEVEL_ERROR, &err);
    return false;
}

static int lay_file(struct gr_settings *s, const struct gr_flags *flags, enum gr_settings_use use,
                    const struct gr_reporter *reporter)
{
    struct gr_configfile file = {0};
    struct gr_fs fs;
    int r;

    gr_fs_posix(&fs);
    r = gr_configfile_read(&fs, gr_settings_path(flags), &s->arena, reporter, &file);
    if (r < 0)
        return r;
    s->sound = judge_file(r, flags, reporter);
    if (r == 0) {
        gr_config_merge(&s->config, &file.config);
        s->file = GR_SETTINGS_PRESENT;
        s->file_text = file.text;
        s->accepted_s = (int64_t)time(NULL);
    }
    if (s->sound)
        return 0;
    s->file = GR_SETTINGS_NOTHING;
    return use == GR_SETTINGS_AS_IN_FORCE ? lay_last_good(s, flags, &fs, reporter) : 0;
}

/* ---- the other sources ---- */

static int lay_configure(struct gr_settings *s, struct gr_str text,
                         const struct gr_reporter *reporter)
{
    const struct gr_config_text source = {
        .text = text, .name = "NRI Configure", .source = GR_CONFIG_NRI};
    struct gr_config config = {0};
    int r = gr_config_decode(&s->arena, &source, reporter, &config);

    if (r == 0)
        gr_config_merge(&s->config, &config);
    if (r == GR_CONFIG_REFUSED)
        s->sound = false;
    return r < 0 ? r : 0;
}

/* The default of nodeName. Empty when the kernel does not say. */
static int fill_node_name(struct gr_settings *s)
{
    char name[HOST_NAME_BYTES] = "";

    if (s->config.node_name[0] != '\0')
        return 0;
    if (gethostname(name, sizeof(name) - 1) != 0)
        name[0] = '\0';
    s->config.node_name = gr_arena_copy(&s->arena, gr_str_from(name));
    return s->config.node_name ? 0 : -ENOMEM;
}

int gr_settings_read(const struct gr_flags *flags, struct gr_str configure_text,
                     enum gr_settings_use use, const struct gr_reporter *reporter,
                     struct gr_settings *out_settings)
{
    struct gr_settings s = {.sound = true};
    int r;

    gr_arena_init(&s.arena, 4096, 0);
    gr_config_init(&s.config);
    r = lay_file(&s, flags, use, reporter);
    if (r == 0)
        r = lay_configure(&s, configure_text, reporter);
    if (r == 0) {
        gr_config_merge(&s.config, &flags->config);
        r = fill_node_name(&s);
    }
    if (r) {
        gr_arena_fini(&s.arena);
        return r;
    }
    *out_settings = s;
    return 0;
}

void gr_settings_fini(struct gr_settings *settings)
{
    gr_arena_fini(&settings->arena);
}

struct gr_load_options gr_settings_load_options(const struct gr_settings *settings,
                                                const struct gr_flags *flags,
                                                struct gr_str configure_text,
                                                const struct gr_fs *fs)
{
    const struct gr_config *config = &settings->config;

    return (struct gr_load_options){
        .fs = fs,
        .dirs = config->hooks_dirs,
        .dirs_n = config->hooks_dirs_n,
        .dirs_named = config->origins[GR_SETTING_HOOKS_DIRS].source != GR_CONFIG_BUILT_IN,
        .host_root = config->host_root,
        .programs_dir = config->programs_dir[0] ? config->programs_dir : NULL,
        .last_good_dir = config->last_good_dir[0] ? config->last_good_dir : NULL,
        .oci_dirs = config->oci_hooks_dirs,
        .oci_dirs_n = config->oci_hooks_dirs_n,
        .policy = {.path = flags->policy_path ? flags->policy_path : GR_POLICY_DEFAULT,
                   .named = flags->policy_path != NULL,
                   .configure_text = configure_text},
        .environment = gr_str_from(config->environment),
        .version = GR_STR(GR_VERSION),
        .node_name = gr_str_from(config->node_name),
    };
}

struct gr_decide_options gr_settings_decide_options(const struct gr_settings *settings)
{
    const struct gr_config *config = &settings->config;

    return (struct gr_decide_options){
        .node_name = gr_str_from(config->node_name),
        .own_namespace = gr_str_from(config->own_namespace),
        .request_annotation = gr_str_from(config->request_annotation),
        .required_sets = config->required_sets,
    };
}
