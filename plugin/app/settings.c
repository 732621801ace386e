/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings.h"

#include <errno.h>
#include <unistd.h>

#include "load/configfile.h"
#include "version.h"

/* HOST_NAME_MAX of Linux is 64. */
#define HOST_NAME_BYTES 65

static int lay_file(struct gr_settings *s, const struct gr_flags *flags,
                    const struct gr_reporter *reporter)
{
    const char *path = flags->config_path ? flags->config_path : GR_CONFIG_DEFAULT;
    struct gr_config config = {0};
    struct gr_err err = {0};
    struct gr_fs fs;
    int r;

    gr_fs_posix(&fs);
    r = gr_configfile_read(&fs, path, &s->arena, reporter, &config);
    if (r == 0)
        gr_config_merge(&s->config, &config);
    else if (r == GR_CONFIG_REFUSED)
        s->sound = false;
    else if (r == GR_CONFIGFILE_MISSING && flags->config_path) {
        s->sound = false;
        (void)gr_fail(&err, 0, "missing-file",
                      "expected the settings file that --config names, found nothing there");
        gr_err_at(&err, path, 0, 0);
        gr_report(reporter, GR_LEVEL_ERROR, &err);
    }
    return r < 0 ? r : 0;
}

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
                     const struct gr_reporter *reporter, struct gr_settings *out_settings)
{
    struct gr_settings s = {.sound = true};
    int r;

    gr_arena_init(&s.arena, 4096, 0);
    gr_config_init(&s.config);
    r = lay_file(&s, flags, reporter);
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
