/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/journal_file.h"
#include "state/limits.h"
#include "state/rundir.h"

#define BUFFER_KEPT_BYTES (8U << 10) /* a usual record has 5 KiB */

struct gr_journal {
    char *run_dir; /* owned */
    struct gr_journal_file file;
    int failed;         /* 0, or why the last write failed */
    uint64_t failed_ms; /* when */
    struct gr_buf line;
    uint64_t records, lost;
};

/* ---- records ---- */

static bool may_try(const struct gr_journal *j)
{
    return j->failed == 0 || gr_journal_file_may_retry(j->failed_ms);
}

static int note(struct gr_journal *j, int r)
{
    if (r)
        j->failed_ms = gr_now_ms();
    j->failed = r;
    j->file.behind = j->file.behind || r != 0;
    return r;
}

static int record(struct gr_journal *j, struct gr_str text)
{
    int r = may_try(j) ? note(j, gr_journal_file_add(&j->file, text)) : j->failed;

    j->records += r == 0;
    j->lost += r != 0;
    return r;
}

int gr_journal_follow(struct gr_journal *j)
{
    return may_try(j) ? note(j, gr_journal_file_follow(&j->file)) : j->failed;
}

/* What was put into line, when the putting went well. */
static int record_line(struct gr_journal *j, int put)
{
    int r = put;

    if (r == 0) {
        r = record(j, gr_buf_view(&j->line));
    } else {
        j->lost++;
        j->file.behind = true;
    }
    gr_buf_reset(&j->line, BUFFER_KEPT_BYTES);
    return r;
}

int gr_journal_decided(struct gr_journal *j, const struct gr_subject *subject,
                       const struct gr_decision *decision, const struct gr_err *err, bool refused)
{
    const struct gr_journal_stamp now = gr_journal_file_stamp(&j->file);
    bool injected = decision && !refused && decision->hooks_n > 0;
    int known = 0, r;

    if (subject && !refused)
        known = gr_journal_state_decided(&j->file.state, gr_known_hash(subject->id), injected);
    r = record_line(j, gr_journal_put_decision(&j->line, &now, subject, decision, err, refused));
    return r ? r : known;
}

int gr_journal_session(struct gr_journal *j, bool begun, struct gr_str reason)
{
    const struct gr_journal_stamp now = gr_journal_file_stamp(&j->file);

    gr_journal_state_session(&j->file.state, begun, j->file.by, now.time_s);
    return record_line(j, gr_journal_put_session(&j->line, &now, begun, reason));
}

int gr_journal_rules(struct gr_journal *j, uint64_t hash, size_t sets)
{
    const struct gr_journal_stamp now = gr_journal_file_stamp(&j->file);

    return record_line(j, gr_journal_put_rules(&j->line, &now, hash, sets));
}

int gr_journal_missed(struct gr_journal *j, struct gr_str id, struct gr_str set)
{
    const struct gr_journal_stamp now = gr_journal_file_stamp(&j->file);
    int known = gr_journal_state_missed(&j->file.state, gr_known_hash(id));
    int r = record_line(j, gr_journal_put_missed(&j->line, &now, id, set));

    return r ? r : known;
}

int gr_journal_listed(struct gr_journal *j, const struct gr_str *ids, size_t n)
{
    uint64_t gaps = j->file.gaps;
    struct gr_buf all;
    int r;

    (void)gr_journal_file_read(&j->file); /* of other instances: what they know of them */
    r = gr_journal_state_listed(&j->file.state, ids, n);
    if (r)
        return r;
    gr_buf_init(&all, GR_JOURNAL_FILE_KNOWN_MAX_BYTES);
    r = gr_journal_file_put_known(&j->file, true, &all);
    if (r == 0)
        r = record(j, gr_buf_view(&all));
    else
        j->lost++;
    gr_buf_fini(&all);
    /* Who comes later forgets what another instance wrote just before: once more, with it. */
    if (r == 0 && j->file.gaps != gaps)
        r = gr_journal_file_add_known(&j->file);
    return r;
}

/* ---- what is known ---- */

enum gr_known gr_journal_known(const struct gr_journal *j, struct gr_str id)
{
    return gr_known_get(&j->file.state.ids, gr_known_hash(id));
}

bool gr_journal_is_complete(const struct gr_journal *j)
{
    return j->file.state.complete;
}

int64_t gr_journal_session_ended_s(const struct gr_journal *j)
{
    return j->file.state.session_ended_s;
}

void gr_journal_status(const struct gr_journal *j, struct gr_journal_status *out_status)
{
    *out_status = (struct gr_journal_status){.known = j->file.state.ids.n,
                                             .records = j->records,
                                             .lost = j->lost,
                                             .failed = j->failed,
                                             .damaged = j->file.damaged,
                                             .rotations = j->file.rotations};
}

/* ---- life ---- */

/* Told apart from other instances, also of other nodes' pid namespaces: not from attackers. */
static uint64_t make_number(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
        number = (uint32_t)gr_now_ms() ^ (uint32_t)getpid() << 16;
    return number ? number : 1;
}

int gr_journal_open(const char *run_dir, struct gr_journal **out, struct gr_err *err)
{
    struct gr_journal *j;
    int dir = gr_rundir_open(run_dir, err);
    int r;

    if (dir < 0)
        return dir;
    j = calloc(1, sizeof(*j));
    if (j)
        j->run_dir = strdup(run_dir);
    if (!j || !j->run_dir) {
        (void)close(dir);
        free(j);
        return gr_fail(err, -ENOMEM, "no-memory", "no memory for the journal of decisions");
    }
    gr_journal_file_init(&j->file, j->run_dir, dir, make_number());
    gr_buf_init(&j->line, GR_JOURNAL_RECORD_MAX_BYTES);
    r = gr_journal_file_attach(&j->file);
    if (r) {
        gr_journal_free(j);
        return gr_fail(
            err, r, "run-dir", "the journal %s/" GR_JOURNAL_FILE_NAME " is not used: %s", run_dir,
            r == -EPERM ? "it is no file that only root may change; remove it" : strerror(-r));
    }
    *out = j;
    return 0;
}

void gr_journal_free(struct gr_journal *j)
{
    if (!j)
        return;
    gr_journal_file_fini(&j->file);
    gr_buf_fini(&j->line);
    free(j->run_dir);
    free(j);
}
