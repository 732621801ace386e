/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/recorder.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "state/limits.h"

void gr_recorder_init(struct gr_recorder *r, const struct gr_log *log)
{
    *r = (struct gr_recorder){.log = log};
}

/* ---- telling ---- */

static void tell_failure(struct gr_recorder *r, const char *why)
{
    if (!r->failing)
        GR_LOG(r->log, GR_LEVEL_WARNING,
               "decisions are not recorded: containers get their hooks all the same, but explain "
               "--live does not know them",
               GR_LOG_TEXT("run_dir", r->run_dir), GR_LOG_TEXT("error", why),
               GR_LOG_INT("retry_s", GR_JOURNAL_RETRY_S));
    r->failing = true;
    (void)snprintf(r->why, sizeof(r->why), "%s", why);
}

static void tell_result(struct gr_recorder *r, int result)
{
    struct gr_journal_status status;

    if (result) {
        tell_failure(r, strerror(-result));
        return;
    }
    if (!r->failing)
        return;
    r->failing = false;
    gr_journal_status(r->journal, &status);
    GR_LOG(r->log, GR_LEVEL_INFO, "decisions are recorded again",
           GR_LOG_INT("lost", status.lost + r->unopened));
}

static void tell_opened(const struct gr_recorder *r)
{
    struct gr_journal_status status;

    gr_journal_status(r->journal, &status);
    GR_LOG(r->log, status.damaged > 0 ? GR_LEVEL_WARNING : GR_LEVEL_DEBUG, "journal opened",
           GR_LOG_TEXT("run_dir", r->run_dir), GR_LOG_INT("known", status.known),
           GR_LOG_TEXT("complete", gr_journal_is_complete(r->journal) ? "yes" : "no"),
           GR_LOG_INT("damaged", status.damaged));
}

/* ---- the file ---- */

/* What holds already when the journal is opened. */
static void record_present(struct gr_recorder *r, struct gr_str reason)
{
    if (r->connected)
        tell_result(r, gr_journal_session(r->journal, true, reason));
    if (r->has_rules)
        tell_result(r, gr_journal_rules(r->journal, r->rules_hash, r->rules_sets));
}

/* Whether there is a journal; one that could not be opened is tried again. */
static bool is_open(struct gr_recorder *r)
{
    struct gr_err err = {0};

    if (r->journal || !r->run_dir)
        return r->journal != NULL;
    if (r->not_opened_ms != 0 &&
        gr_now_ms() - r->not_opened_ms < GR_JOURNAL_RETRY_S * UINT64_C(1000))
        return false;
    if (gr_journal_open(r->run_dir, &r->journal, &err) != 0) {
        r->not_opened_ms = gr_now_ms();
        tell_failure(r, err.text);
        return false;
    }
    r->not_opened_ms = 0;
    tell_opened(r);
    record_present(r, GR_STR("the journal was opened"));
    return true;
}

static bool is_usable(struct gr_recorder *r)
{
    bool open = is_open(r);

    r->unopened += !open && r->run_dir;
    return open;
}

static void close_journal(struct gr_recorder *r, struct gr_str reason)
{
    if (r->journal && r->connected)
        (void)gr_journal_session(r->journal, false, reason);
    gr_journal_free(gr_take(r->journal));
    free(gr_take(r->run_dir));
    r->not_opened_ms = 0;
    r->failing = false;
}

void gr_recorder_set_dir(struct gr_recorder *r, struct gr_str run_dir)
{
    if (gr_str_eq(gr_str_from(r->run_dir), run_dir)) {
        if (r->journal)
            tell_result(r, gr_journal_follow(r->journal));
        return;
    }
    close_journal(r, GR_STR("the journal moves elsewhere"));
    if (run_dir.n > 0)
        r->run_dir = strndup(run_dir.p, run_dir.n);
    (void)is_open(r);
}

void gr_recorder_fini(struct gr_recorder *r)
{
    close_journal(r, GR_STR("the plugin ends"));
}

/* ---- records ---- */

void gr_recorder_rules(struct gr_recorder *r, uint64_t hash, size_t sets)
{
    if (r->has_rules && r->rules_hash == hash)
        return;
    r->has_rules = true;
    r->rules_hash = hash;
    r->rules_sets = sets;
    if (r->journal)
        tell_result(r, gr_journal_rules(r->journal, hash, sets));
}

void gr_recorder_session_begun(struct gr_recorder *r, struct gr_str reason)
{
    if (r->connected)
        return;
    r->connected = true;
    if (r->journal)
        tell_result(r, gr_journal_session(r->journal, true, reason));
}

void gr_recorder_session_ended(struct gr_recorder *r, struct gr_str reason)
{
    if (!r->connected)
        return;
    r->connected = false;
    if (r->journal)
        tell_result(r, gr_journal_session(r->journal, false, reason));
}

void gr_recorder_created(struct gr_recorder *r, const struct gr_session_event *event)
{
    if (is_usable(r))
        tell_result(r, gr_journal_decided(r->journal, event->subject, event->decision, event->err,
                                          event->refused));
}

void gr_recorder_status(const struct gr_recorder *r, struct gr_recorder_status *out_status)
{
    struct gr_journal_status journal = {0};

    if (r->journal)
        gr_journal_status(r->journal, &journal);
    *out_status = (struct gr_recorder_status){
        .run_dir = r->run_dir,
        .open = r->journal != NULL,
        .complete = r->journal && gr_journal_is_complete(r->journal),
        .problem = r->failing ? r->why : NULL,
        .known = journal.known,
        .records = journal.records,
        .lost = journal.lost + r->unopened,
        .damaged = journal.damaged,
    };
}
