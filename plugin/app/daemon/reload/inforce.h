/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/inforce: the rules and settings that are in force, and how they are replaced.
 *
 * Layer: app. Loop thread only. A load runs on the loader thread (app/daemon/reload/reload); its
 * rule set is swapped in whole. Requests are answered from the set in force meanwhile.
 */
#ifndef GR_APP_DAEMON_RELOAD_INFORCE_H
#define GR_APP_DAEMON_RELOAD_INFORCE_H

#include "app/daemon/reload/findings.h"
#include "app/daemon/reload/watch.h"
#include "app/settings.h"
#include "load/load.h"
#include "nri/session.h"
#include "state/since.h"

struct event_base;
struct gr_inforce;
struct gr_suspend;

/* Loads in a row that may be dropped because files changed while they were read; what comes next is
 * put in force as it is, so that a directory that never rests is read all the same. */
#define GR_INFORCE_TORN_MAX 3

/* Called after each load that was put in force or failed. */
typedef void gr_inforce_changed_fn(void *user);

/*
 * Reads the settings, enters the sandbox that they ask for and starts the loader thread. flags and
 * log are borrowed for the object; the log's level and format follow the settings. launched: where
 * rules lie is only known from Configure, so nothing is loaded (and no last good text touched)
 * before; else the first load is ordered. Returns 0; a negative errno.
 */
GR_CHECKED int gr_inforce_new(struct event_base *base, const struct gr_flags *flags, bool launched,
                              struct gr_log *log, gr_inforce_changed_fn *changed, void *user,
                              struct gr_inforce **out_inforce);
void gr_inforce_free(struct gr_inforce *inforce); /* NULL is fine */

/* To be called where no other instance lives beside this one: since when its sets are in force is
 * written down when it is freed. One that has gone may have written its own. NULL is fine. */
void gr_inforce_is_last(struct gr_inforce *inforce);

/* Settings are read again and the rules are loaded again. Nothing while a launched plugin waits for
 * Configure. cause: a word for the log, such as "SIGHUP"; borrowed for ever. */
void gr_inforce_reload(struct gr_inforce *inforce, const char *cause);

/* What NRI Configure carried; orders a load when that may matter: no container is decided about
 * before the rules that it names are in force. */
void gr_inforce_configure(struct gr_inforce *inforce, struct gr_str text);

/* Whether containers can be decided about: the rules that Configure named, or without one the
 * first ones, are in force. */
bool gr_inforce_is_usable(const struct gr_inforce *inforce);

/* What a session needs to know of the settings and of the rules in force; changes with a load. */
struct gr_session_settings gr_inforce_session_settings(const struct gr_inforce *inforce);

/* Whose suspensions decisions are made with; borrowed for the object. NULL, as at first: none. */
void gr_inforce_set_suspend(struct gr_inforce *inforce, struct gr_suspend *suspend);

/*
 * Decides about one container. Returns 0; -EAGAIN the rules are still being loaded, -ENOMEM (err
 * says so). The decision borrows from the rule set, which stays until the loop's next turn at
 * least.
 */
GR_CHECKED int gr_inforce_decide(struct gr_inforce *inforce, const struct gr_subject *subject,
                                 struct gr_arena *arena, struct gr_decision *out_decision,
                                 struct gr_err *err);

/* How containers are decided about now, for another thread. */
struct gr_inforce_copy {
    struct gr_ruleset *ruleset;       /* one reference */
    struct gr_decide_options options; /* in the arena */
};

/* Returns 0; -EAGAIN the rules are still being loaded, -ENOMEM (err says so). */
GR_CHECKED int gr_inforce_take_copy(struct gr_inforce *inforce, struct gr_arena *arena,
                                    struct gr_inforce_copy *out_copy, struct gr_err *err);

/* Work for the loader's thread, behind a load that is under way: gr_reload_run. */
struct gr_reload_task;
void gr_inforce_run(struct gr_inforce *inforce, struct gr_reload_task *task);

/* What status, metrics and probes tell of the rules and settings in force. Borrowed; valid until
 * the loop's next turn. */
struct gr_inforce_status {
    const struct gr_settings *settings;
    const struct gr_ruleset *ruleset; /* NULL: none was loaded yet */
    const struct gr_since *since;     /* since when its sets are in force; NULL: not known */
    /* Of the last load that ended; lives as long as the rule set. ruleset in it is NULL. */
    const struct gr_load_result *load;
    const struct gr_finding_list *findings;          /* of that load */
    const struct gr_finding_list *settings_findings; /* of the last reading of settings */
    uint64_t rules_hash;                             /* of what is in force */
    bool sound;                                      /* every source of settings is good */
    bool ready; /* usable, settings sound, nothing rejected, no error in the last load */
    uint64_t loads, failures;       /* ended; of them those with errors, or without memory */
    int64_t last_s, last_success_s; /* when, seconds since 1970; 0: none yet */
    uint64_t last_took_ns;
    const char *last_cause; /* of it, a word: "start", "watch", "rescan", "SIGHUP", "Configure";
                             * NULL: none yet */
};

void gr_inforce_status(const struct gr_inforce *inforce, struct gr_inforce_status *out_status);

/* How changed files are noticed. Borrowed; valid until the loop's next turn. */
void gr_inforce_watch_status(struct gr_inforce *inforce, struct gr_watch_status *out_status);

#endif
