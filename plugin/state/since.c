/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table is an array sorted by the hashes of name and set: 10,000 sets take 240 KiB and names need
 * not be kept. Of two names with one hash, which nobody will see, both would have the older time.
 */
#include "state/since.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "state/rundir.h"

/* The first line of the file. */
#define HEAD "grapnel-since 1\n"

struct entry {
    uint64_t name; /* hash of it */
    uint64_t hash; /* of the set */
    struct gr_since_of of;
};

struct gr_since {
    atomic_uint references;
    size_t n;
    struct entry entries[]; /* sorted */
};

static struct gr_since *make(size_t n)
{
    struct gr_since *since;
    size_t bytes;

    if (gr_mul_overflows(n, sizeof(struct entry), &bytes) ||
        gr_add_overflows(bytes, sizeof(*since), &bytes))
        return NULL;
    since = calloc(1, bytes);
    if (since) {
        atomic_init(&since->references, 1);
        since->n = n;
    }
    return since;
}

struct gr_since *gr_since_ref(struct gr_since *since)
{
    (void)atomic_fetch_add(&since->references, 1);
    return since;
}

void gr_since_unref(struct gr_since *since)
{
    if (since && atomic_fetch_sub(&since->references, 1) == 1)
        free(since);
}

static int by_hashes(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void sort(struct gr_since *since)
{
    if (since->n > 1)
        qsort(since->entries, since->n, sizeof(since->entries[0]), by_hashes);
}

static const struct entry *find(const struct gr_since *since, const struct entry *key)
{
    if (!since || since->n == 0)
        return NULL;
    return bsearch(key, since->entries, since->n, sizeof(*key), by_hashes);
}

bool gr_since_find(const struct gr_since *since, const struct gr_hookset *set,
                   struct gr_since_of *out_of)
{
    const struct entry key = {.name = gr_hash(set->name), .hash = set->hash};
    const struct entry *entry = find(since, &key);

    if (entry)
        *out_of = entry->of;
    return entry != NULL;
}

/* ---- a load ---- */

bool gr_since_is_in_force(const struct gr_hookset *set)
{
    return !set->other_node && set->blocked.n == 0 && set->mode == GR_MODE_ENFORCE;
}

int gr_since_follow(const struct gr_since *before, const struct gr_ruleset *ruleset, int64_t now_s,
                    struct gr_since **out_since, bool *out_changed)
{
    size_t all = gr_ruleset_count(ruleset);
    struct gr_since *since;
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < all; i++)
        n += gr_since_is_in_force(gr_ruleset_at(ruleset, i));
    since = make(n);
    if (!since)
        return -ENOMEM;
    n = 0;
    for (size_t i = 0; i < all; i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);
        struct entry *entry = &since->entries[n];
        const struct entry *old;

        if (!gr_since_is_in_force(set))
            continue;
        n++;
        *entry =
            (struct entry){.name = gr_hash(set->name), .hash = set->hash, .of = {.since_s = now_s}};
        old = find(before, entry);
        if (!old || old->of.since_s > now_s)
            continue;
        entry->of = old->of;
        kept++;
    }
    sort(since);
    *out_changed = kept != n || (before ? before->n : 0) != n;
    *out_since = since;
    return 0;
}

/* ---- the file ---- */

bool gr_since_is_there(int dir)
{
    struct stat st;

    return fstatat(dir, GR_SINCE_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int gr_since_write(const struct gr_since *since, const struct gr_ruleset *ruleset, int dir)
{
    struct gr_buf text;
    int r;

    gr_buf_init(&text, GR_SINCE_FILE_MAX_BYTES);
    (void)gr_buf_text(&text, HEAD);
    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);
        struct gr_since_of of;

        if (!gr_since_is_in_force(set) || !gr_since_find(since, set, &of))
            continue;
        (void)gr_buf_printf(&text, "%lld %016llx %.*s\n", (long long)of.since_s,
                            (unsigned long long)set->hash, GR_STR_FMT(set->name));
    }
    r = text.broken ? text.broken : gr_rundir_write(dir, GR_SINCE_FILE, gr_buf_view(&text));
    gr_buf_fini(&text);
    return r;
}

/* The text up to the next end character, which is dropped; false when there is none. */
static bool take(struct gr_str *text, char end, struct gr_str *out)
{
    size_t at = gr_str_find(*text, end);

    if (at == text->n)
        return false;
    *out = gr_str_first(*text, at);
    *text = gr_str_skip(*text, at + 1);
    return true;
}

static bool read_line(struct gr_str line, struct entry *out_entry)
{
    struct gr_str seconds, digits;
    uint64_t since_s;

    *out_entry = (struct entry){.of = {.before_start = true}};
    if (!take(&line, ' ', &seconds) || !take(&line, ' ', &digits) || line.n == 0 ||
        gr_str_to_u64(seconds, &since_s) != 0 || since_s > INT64_MAX || digits.n != GR_HEX_DIGITS ||
        gr_str_hex_to_u64(digits, &out_entry->hash) != 0)
        return false;
    out_entry->name = gr_hash(line);
    out_entry->of.since_s = (int64_t)since_s;
    return true;
}

static size_t count_lines(struct gr_str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* Returns 0; -EBADMSG; -ENOMEM. */
static int read_text(struct gr_str text, struct gr_since **out_since)
{
    struct gr_since *since;
    struct gr_str line;

    if (!gr_str_has_prefix(text, GR_STR(HEAD)) || text.p[text.n - 1] != '\n')
        return -EBADMSG;
    text = gr_str_skip(text, sizeof(HEAD) - 1);
    since = make(count_lines(text));
    if (!since)
        return -ENOMEM;
    for (size_t i = 0; take(&text, '\n', &line); i++) {
        if (!read_line(line, &since->entries[i])) {
            gr_since_unref(since);
            return -EBADMSG;
        }
    }
    sort(since);
    *out_since = since;
    return 0;
}

int gr_since_read(int dir, struct gr_since **out_since, struct gr_err *err)
{
    struct gr_since *since = NULL;
    struct gr_buf text;
    int r;

    gr_buf_init(&text, GR_SINCE_FILE_MAX_BYTES);
    r = gr_rundir_read(dir, GR_SINCE_FILE, GR_SINCE_FILE_MAX_BYTES, &text);
    if (r == 0)
        r = read_text(gr_buf_view(&text), &since);
    gr_buf_fini(&text);
    if (r == -ENOENT)
        r = 0;
    if (r == 0 || r == -ENOMEM) {
        *out_since = since;
        return r;
    }
    *out_since = NULL;
    return gr_fail(err, r, "since-not-read",
                   "expected the file " GR_SINCE_FILE " of the run directory as Grapnel writes it, "
                   "found another (%s); every set counts as in force since now",
                   r == -EBADMSG ? "a line that is none of it" : strerror(-r));
}
