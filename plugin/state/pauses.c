/* SPDX-License-Identifier: Apache-2.0 */
#include "state/pauses.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "rules/limits.h"
#include "rules/read/strict.h"
#include "state/object.h"
#include "state/rundir.h"

#define FILE_NAME "pauses"
#define LOCK_NAME "pauses.lock" /* empty; 0600, so that only root opens it */
#define VERSION 1

/* Values of the file: each entry has up to 7 and is one, and there may be others of a later
 * version. */
#define VALUES_MAX (GR_PAUSES_MAX * 16)

#define ARENA_BLOCK_BYTES 4096
#define ARENA_MAX_BYTES (8U << 20)

/* ---- reading ---- */

enum { TOP_VERSION, TOP_SUSPENDED };

static const struct gr_member top_members[] = {
    [TOP_VERSION] = {"v", GR_JSON_NUMBER, true, UINT32_MAX},
    [TOP_SUSPENDED] = {"suspended", GR_JSON_LIST, true, 0},
};

enum { SET, ALL, KIND, BY, SINCE, UNTIL, REASON };

static const struct gr_member members[] = {
    [SET] = {"set", GR_JSON_STRING, false, GR_NAME_MAX_BYTES},
    [ALL] = {"all", GR_JSON_BOOLEAN, false, 0},
    [KIND] = {"kind", GR_JSON_STRING, true, 16},
    [BY] = {"by", GR_JSON_STRING, true, GR_PAUSE_BY_MAX_BYTES},
    [SINCE] = {"since", GR_JSON_NUMBER, true, INT64_MAX},
    [UNTIL] = {"until", GR_JSON_NUMBER, false, INT64_MAX},
    [REASON] = {"reason", GR_JSON_STRING, false, GR_PAUSE_REASON_MAX_BYTES},
};

static int take_entry(struct gr_pauses *pauses, const struct gr_member_value *v, struct gr_err *err)
{
    struct gr_suspension *s = &pauses->items[pauses->n];
    bool all = v[ALL].truth;
    bool paused = gr_str_is(v[KIND].text, "paused");
    struct gr_arena *arena = &pauses->arena;

    if (all == (v[SET].node != NULL) || (!all && !gr_is_dns_subdomain(v[SET].text)))
        return gr_fail(err, -EINVAL, "wrong-type", "expected the name of one set, or all");
    if (!paused && !gr_str_is(v[KIND].text, "tripped"))
        return gr_fail(err, -EINVAL, "wrong-type", "expected the kind paused or tripped");
    if (all && !paused)
        return gr_fail(err, -EINVAL, "wrong-type", "a breaker is of one set");
    *s = (struct gr_suspension){.kind = paused ? GR_PAUSED : GR_TRIPPED,
                                .since_s = (int64_t)v[SINCE].number,
                                .until_s = (int64_t)v[UNTIL].number};
    if (!gr_arena_str(arena, v[SET].text, &s->set) || !gr_arena_str(arena, v[BY].text, &s->by) ||
        !gr_arena_str(arena, v[REASON].text, &s->reason))
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to read the file");
    pauses->n++;
    return 0;
}

static int take_entries(struct gr_pauses *pauses, struct gr_arena *scratch, struct gr_str text,
                        const struct gr_json_node *list, struct gr_err *err)
{
    struct gr_member_value values[GR_ARRAY_LEN(members)];
    size_t n = 0;

    for (const struct gr_json_node *node = list->first; node; node = node->next)
        n++;
    if (n > GR_PAUSES_MAX)
        return gr_fail(err, -EINVAL, "too-many", "expected at most %d suspensions, found %zu",
                       GR_PAUSES_MAX, n);
    pauses->items = gr_arena_array(&pauses->arena, n, sizeof(*pauses->items));
    if (!pauses->items)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to read the file");
    for (const struct gr_json_node *node = list->first; node; node = node->next) {
        int r = gr_object_read(scratch, text, node, members, GR_ARRAY_LEN(members), values, err);

        if (r == 0)
            r = take_entry(pauses, values, err);
        if (r)
            return r;
    }
    return 0;
}

static int by_set_and_kind(const void *a, const void *b)
{
    return gr_suspension_cmp(a, b);
}

static int sort(struct gr_pauses *pauses, struct gr_err *err)
{
    if (pauses->n > 1)
        qsort(pauses->items, pauses->n, sizeof(*pauses->items), by_set_and_kind);
    for (size_t i = 1; i < pauses->n; i++) {
        if (gr_suspension_cmp(&pauses->items[i - 1], &pauses->items[i]) == 0)
            return gr_fail(err, -EINVAL, "duplicate-name", "a set stands there twice");
    }
    return 0;
}

static int parse(struct gr_pauses *pauses, struct gr_arena *scratch, struct gr_str text,
                 struct gr_err *err)
{
    struct gr_member_value top[GR_ARRAY_LEN(top_members)];
    const struct gr_json_node *root;
    int r = gr_json_read_all(scratch, text, VALUES_MAX, &root, err);

    if (r == 0)
        r = gr_object_read(scratch, text, root, top_members, GR_ARRAY_LEN(top_members), top, err);
    if (r == 0 && top[TOP_VERSION].number != VERSION)
        r = gr_fail(err, -EINVAL, "wrong-type", "it is of version %llu, expected %d",
                    (unsigned long long)top[TOP_VERSION].number, VERSION);
    if (r == 0)
        r = take_entries(pauses, scratch, text, top[TOP_SUSPENDED].node, err);
    return r ? r : sort(pauses, err);
}

static int read_text(int dir, struct gr_pauses *pauses, struct gr_buf *text, struct gr_err *err)
{
    int r = gr_rundir_read(dir, FILE_NAME, GR_PAUSES_FILE_MAX_BYTES, text);
    struct gr_arena scratch;
    struct gr_err why = {0};

    if (r == -ENOENT)
        return 0;
    if (r)
        return gr_fail(err, r, "pauses-unreadable",
                       "the file pauses of the run directory cannot be read, so that nothing in it "
                       "counts: %s",
                       r == -EPERM ? "it is not only ours to write" : strerror(-r));
    gr_arena_init(&scratch, ARENA_BLOCK_BYTES, ARENA_MAX_BYTES);
    r = parse(pauses, &scratch, gr_buf_view(text), &why);
    gr_arena_fini(&scratch);
    if (r == 0 || r == -ENOMEM)
        return r ? gr_fail(err, r, "no-memory", "no memory to read the file pauses") : 0;
    return gr_fail(err, -EINVAL, "pauses-damaged",
                   "the file pauses of the run directory is damaged, so that nothing in it counts: "
                   "%s; pause again what is to be paused",
                   why.text);
}

int gr_pauses_read(int dir, struct gr_pauses *out_pauses, struct gr_err *err)
{
    struct gr_buf text;
    int r;

    *out_pauses = (struct gr_pauses){0};
    gr_arena_init(&out_pauses->arena, ARENA_BLOCK_BYTES, ARENA_MAX_BYTES);
    gr_buf_init(&text, GR_PAUSES_FILE_MAX_BYTES);
    r = read_text(dir, out_pauses, &text, err);
    gr_buf_fini(&text);
    if (r) {
        out_pauses->items = NULL;
        out_pauses->n = 0;
    }
    return r;
}

void gr_pauses_fini(struct gr_pauses *pauses)
{
    gr_arena_fini(&pauses->arena);
    *pauses = (struct gr_pauses){0};
}

/* ---- writing ---- */

static void put_text(struct gr_buf *out, const char *key, struct gr_str text)
{
    if (text.n == 0)
        return;
    (void)gr_buf_printf(out, ",\"%s\":", key);
    if (gr_json_quote(out, text) == -EINVAL)
        (void)gr_buf_text(out, "\"?\"");
}

static void put_entry(struct gr_buf *out, const struct gr_suspension *s)
{
    (void)gr_buf_printf(out, "{\"kind\":\"%s\"", gr_suspension_kind_name(s->kind));
    if (s->set.n == 0)
        (void)gr_buf_text(out, ",\"all\":true");
    put_text(out, "set", s->set);
    put_text(out, "by", s->by);
    (void)gr_buf_printf(out, ",\"since\":%lld", (long long)s->since_s);
    if (s->until_s != 0)
        (void)gr_buf_printf(out, ",\"until\":%lld", (long long)s->until_s);
    put_text(out, "reason", s->reason);
    (void)gr_buf_byte(out, '}');
}

int gr_pauses_write(int dir, const struct gr_suspension *items, size_t n, struct gr_err *err)
{
    struct gr_buf out;
    int r;

    gr_buf_init(&out, GR_PAUSES_FILE_MAX_BYTES);
    (void)gr_buf_printf(&out, "{\"v\":%d,\"suspended\":[", VERSION);
    for (size_t i = 0; i < n; i++) {
        (void)gr_buf_text(&out, i ? ",\n" : "\n");
        put_entry(&out, &items[i]);
    }
    (void)gr_buf_text(&out, "]}\n");
    r = out.broken ? out.broken : gr_rundir_write(dir, FILE_NAME, gr_buf_view(&out));
    gr_buf_fini(&out);
    return r ? gr_fail(err, r, "pauses-unwritable",
                       "the file pauses of the run directory cannot be written, so that what is "
                       "paused does not outlive this process: %s",
                       strerror(-r))
             : 0;
}

/* ---- which file it is ---- */

struct gr_pauses_stamp gr_pauses_stamp(int dir)
{
    struct stat st;

    if (fstatat(dir, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return (struct gr_pauses_stamp){0};
    return (struct gr_pauses_stamp){.inode = st.st_ino,
                                    .changed_s = st.st_ctim.tv_sec,
                                    .changed_ns = st.st_ctim.tv_nsec,
                                    .bytes = st.st_size};
}

bool gr_pauses_same_stamp(const struct gr_pauses_stamp *a, const struct gr_pauses_stamp *b)
{
    return a->inode == b->inode && a->changed_s == b->changed_s && a->changed_ns == b->changed_ns &&
           a->bytes == b->bytes;
}

/* Not the directory: whoever may read a file may lock it. */
int gr_pauses_lock(int dir)
{
    int fd = gr_rundir_append(dir, LOCK_NAME, false);
    int r;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    r = -errno;
    (void)close(fd);
    return r;
}

void gr_pauses_unlock(int lock)
{
    (void)close(lock);
}
