/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/settings: what a verb runs with, merged from its sources.
 *
 * Layer: app. Built-in defaults < the settings file < the same YAML through NRI Configure < flags
 * (specs/config.md). Policies, which may stand beside settings in Configure, are read with the
 * rules. A source that is bad is reported and left out whole; the others stand. For a settings file
 * that is bad its last good text may stand in, which the plugin process keeps.
 */
#ifndef GR_APP_SETTINGS_H
#define GR_APP_SETTINGS_H

#include "load/config.h"
#include "load/load.h"
#include "rules/decide/decide.h"

#define GR_CONFIG_DEFAULT "/etc/grapnel/config.yaml"
#define GR_POLICY_DEFAULT "/etc/grapnel/policy.yaml"

/* What flags said; text is borrowed for ever. */
struct gr_flags {
    struct gr_config config; /* origins say which settings are there */
    const char *config_path; /* --config; NULL: the default, which may be missing */
    const char *policy_path; /* --policy; the same */
};

/* What of the settings file counts. */
enum gr_settings_file {
    GR_SETTINGS_NO_FILE,   /* there is none */
    GR_SETTINGS_PRESENT,   /* what stands in it */
    GR_SETTINGS_LAST_GOOD, /* it is refused: its text that was accepted last */
    GR_SETTINGS_NOTHING,   /* it is refused, and no earlier text is known */
};

/* "none", "present", "last-good", "nothing". */
const char *gr_settings_file_name(enum gr_settings_file file);

struct gr_settings {
    struct gr_arena arena; /* holds the text */
    struct gr_config config;
    bool sound; /* every source that is there could be read and was good */
    enum gr_settings_file file;
    struct gr_str file_text; /* that was accepted; n == 0: none, or it is not known here */
    int64_t accepted_s;      /* when the text that counts was; 0: none does */
};

/* Whether the settings file's last good text stands in where the file is refused. */
enum gr_settings_use {
    GR_SETTINGS_AS_WRITTEN, /* no: verbs that judge files */
    GR_SETTINGS_AS_IN_FORCE /* yes: the plugin, and verbs that ask it or read what it has written */
};

/*
 * Merges all sources anew. configure_text: what NRI Configure carried, or n == 0.
 * Returns 0 and settings for gr_settings_fini; -ENOMEM.
 */
GR_CHECKED int gr_settings_read(const struct gr_flags *flags, struct gr_str configure_text,
                                enum gr_settings_use use, const struct gr_reporter *reporter,
                                struct gr_settings *out_settings);

/* Where the settings file lies. */
const char *gr_settings_path(const struct gr_flags *flags);

/* Where its last good text is kept, which the settings themselves cannot say: where the flag for
 * those of rules says, or by default. NULL: nowhere. */
const char *gr_settings_kept_dir(const struct gr_flags *flags);

/* A warning that says what stands in for a settings file that is refused; none where it counts. */
void gr_settings_report_file(const struct gr_settings *settings, const struct gr_flags *flags,
                             const struct gr_reporter *reporter);

void gr_settings_fini(struct gr_settings *settings);

/*
 * How rules are loaded with these settings; last_good_dir is for the caller to drop, names and
 * check_host for it to add. Everything is borrowed from the arguments.
 */
struct gr_load_options gr_settings_load_options(const struct gr_settings *settings,
                                                const struct gr_flags *flags,
                                                struct gr_str configure_text,
                                                const struct gr_fs *fs);

/* How containers are decided about with these settings. Borrowed from them. */
struct gr_decide_options gr_settings_decide_options(const struct gr_settings *settings);

#endif
