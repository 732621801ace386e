/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal_load.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/limits.h"
#include "state/rundir.h"

#define NAME "decisions"
#define OLD_NAME "decisions.old"

struct loading {
    struct gr_arena *arena;
    struct gr_journal_contents contents;
    struct gr_journal_entry *entries;
    size_t room;
};

/* A line that was written twice, while the file was replaced. */
static bool is_last(const struct loading *l, const struct gr_journal_record *record)
{
    const struct gr_journal_entry *last = l->contents.n > 0 ? &l->entries[l->contents.n - 1] : NULL;

    return last && last->time_s == record->time_s &&
           gr_str_eq(last->decision.subject.id, record->decision.subject.id) &&
           gr_str_eq(last->decision.outcome, record->decision.outcome) &&
           record->decision.subject.id.n > 0;
}

static int take_line(struct loading *l, struct gr_str line, bool with_state)
{
    struct gr_journal_record record;
    int r = gr_journal_record_read(l->arena, line, &record);

    if (r == GR_JOURNAL_DAMAGED) {
        l->contents.damaged++;
        gr_journal_state_damaged(&l->contents.state);
        return 0;
    }
    if (r)
        return r;
    if (l->contents.since_s == 0)
        l->contents.since_s = record.time_s;
    if (record.kind == GR_JOURNAL_DECISION && !is_last(l, &record) && l->contents.n < l->room)
        l->entries[l->contents.n++] =
            (struct gr_journal_entry){.time_s = record.time_s, .decision = record.decision};
    return with_state ? gr_journal_state_take(&l->contents.state, &record) : 0;
}

static int take_text(struct loading *l, struct gr_str text, bool with_state)
{
    int r = 0;

    while (text.n > 0 && r == 0) {
        size_t end = gr_str_find(text, '\n');

        if (end > 0)
            r = take_line(l, gr_str_first(text, end), with_state);
        text = gr_str_skip(text, end + 1);
    }
    return r;
}

/* A copy in the arena. Returns 0; -ENOENT; as gr_rundir_read. */
static int read_file(struct loading *l, int dir, const char *name, struct gr_str *out_text)
{
    struct gr_buf buf;
    int r;

    gr_buf_init(&buf, GR_JOURNAL_HARD_MAX_BYTES + GR_JOURNAL_RECORD_MAX_BYTES);
    r = gr_rundir_read(dir, name, buf.max, &buf);
    if (r == 0 && !gr_arena_str(l->arena, gr_buf_view(&buf), out_text))
        r = -ENOMEM;
    gr_buf_fini(&buf);
    return r;
}

/* A process that ended while it replaced the file leaves one under both names. */
static bool is_same_file(int dir)
{
    struct stat a, b;

    return fstatat(dir, NAME, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(dir, OLD_NAME, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

static size_t count_lines(struct gr_str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static int load(struct loading *l, int dir)
{
    struct gr_str text = GR_STR_NONE, old = GR_STR_NONE;
    int r = read_file(l, dir, NAME, &text);

    if (r == 0 && !is_same_file(dir)) {
        r = read_file(l, dir, OLD_NAME, &old);
        if (r == -ENOENT)
            r = 0;
    }
    if (r)
        return r;
    l->room = count_lines(text) + count_lines(old);
    l->entries = gr_arena_array(l->arena, l->room, sizeof(*l->entries));
    r = l->entries ? take_text(l, old, false) : -ENOMEM;
    if (r == 0)
        r = take_text(l, text, true);
    l->contents.entries = l->entries;
    return r;
}

static int failed(const char *run_dir, int r, struct gr_err *err)
{
    if (r == -ENOMEM)
        return gr_fail(err, r, "no-memory", "no memory to read the journal of decisions");
    if (r == -EPERM)
        return gr_fail(err, r, "run-dir",
                       "the journal %s/" NAME
                       " is not read: it is no file that only root may change",
                       run_dir);
    return gr_fail_errno(err, r, "run-dir", "the journal %s/" NAME " cannot be read", run_dir);
}

int gr_journal_load(const char *run_dir, struct gr_arena *arena,
                    struct gr_journal_contents *out_contents, struct gr_err *err)
{
    struct loading l = {.arena = arena};
    int dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir < 0 ? -errno : load(&l, dir);

    if (dir >= 0)
        (void)close(dir);
    if (r) {
        gr_journal_state_fini(&l.contents.state);
        return failed(run_dir, r, err);
    }
    *out_contents = l.contents;
    return 0;
}

void gr_journal_contents_fini(struct gr_journal_contents *contents)
{
    gr_journal_state_fini(&contents->state);
}
