/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/cleanup: what is left when the plugin is gone for good.
 *
 * Layer: app.
 */
#include <stdio.h>

#include "app/cli/setup/parts.h"
#include "app/cli/shared/common.h"
#include "app/daemon/nri_socket.h"
#include "app/exit.h"
#include "app/setup/cleanup.h"

struct talk {
    bool dry_run;
    size_t said;
};

static void say_removed(const struct talk *talk, const struct gr_cleanup_item *item)
{
    const char *would = talk->dry_run ? "would be " : "";
    const char *files = item->files == 1 ? "file" : "files";

    if (item->stays)
        (void)printf("%s: %zu %s %sremoved\n", item->path, item->files, files, would);
    else if (item->files > 0)
        (void)printf("%s %sremoved, with %zu %s\n", item->path, would, item->files, files);
    else
        (void)printf("%s %sremoved\n", item->path, would);
}

static void on_item(void *user, const struct gr_cleanup_item *item)
{
    static const char *const words[] = {[GR_CLEANUP_KEPT] = "kept", [GR_CLEANUP_LEFT] = "left"};
    struct talk *talk = user;

    talk->said++;
    if (item->fate == GR_CLEANUP_REMOVED) {
        say_removed(talk, item);
    } else if (item->fate == GR_CLEANUP_FAILED) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "grapnel setup: %s cannot be removed: %s\n", item->path, item->why);
    } else {
        (void)printf("%s %s: %s\n", item->path, words[item->fate], item->why);
    }
}

static void on_waiting(void *user GR_UNUSED, const char *why)
{
    (void)fprintf(stderr, "grapnel setup: waiting: %s\n", why);
}

static int clean(const struct gr_setup *setup, const struct gr_config *config)
{
    struct talk talk = {.dry_run = setup->dry_run};
    const struct gr_cleanup cleanup = {.fs = &setup->fs,
                                       .config = config,
                                       .socket =
                                           setup->socket ? setup->socket : GR_NRI_SOCKET_DEFAULT,
                                       .wait_ms = (uint32_t)setup->wait_s * 1000,
                                       .dry_run = setup->dry_run,
                                       .say = on_item,
                                       .waiting = on_waiting,
                                       .user = &talk};
    struct gr_err err = {0};
    int rc = gr_cleanup(&cleanup, &err);

    if (rc == 0 && talk.said == 0)
        (void)puts("nothing of Grapnel's is left here");
    return gr_setup_end(rc, &err) == GR_EXIT_OK ? GR_EXIT_OK
           : rc == GR_CLEANUP_RUNS              ? GR_EXIT_FAILED
                                                : GR_EXIT_HOST;
}

/* Settings that are not understood could name other directories. */
int gr_setup_cleanup(const struct gr_setup *setup)
{
    struct gr_flags flags = {.config_path = setup->config_path};
    struct gr_printed printed = {0};
    const struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_settings settings;
    int r;

    flags.config.host_root = setup->host_root;
    flags.config.origins[GR_SETTING_HOST_ROOT] =
        (struct gr_setting_origin){.has = setup->has_host_root, .source = GR_CONFIG_FLAG};
    flags.config.crio_dir = setup->crio_dir;
    flags.config.origins[GR_SETTING_CRIO_DIR] =
        (struct gr_setting_origin){.has = setup->crio_dir != NULL, .source = GR_CONFIG_FLAG};
    if (gr_settings_read(&flags, GR_STR_NONE, GR_SETTINGS_AS_WRITTEN, &reporter, &settings) != 0) {
        (void)fputs("grapnel setup: no memory for the settings\n", stderr);
        return GR_EXIT_FAILED;
    }
    r = settings.sound ? clean(setup, &settings.config) : GR_EXIT_HOST;
    gr_settings_fini(&settings);
    return r;
}
