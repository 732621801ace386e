/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup_holders: which containers name which hook programs.
 *
 * Layer: app. A hook that goes through NAME/current names what that stands for: rules may have
 * written the path out instead of program: NAME/FILE.
 */
#include <errno.h>
#include <stdio.h>

#include "app/setup/cleanup_parts.h"
#include "load/bundles.h"
#include "load/tree.h"
#include "nri/limits.h"
#include "rules/program.h"
#include "rules/read/findings.h"

#define ARENA_BLOCK_BYTES 4096
#define KNOWN_FIRST 64
#define CURRENT "/" GR_PROGRAM_CURRENT

/* The container that is read. */
struct reading {
    struct gr_holders *holders;
    const struct gr_subject *subject; /* NULL: only its id is known */
    const char *id;
    size_t number; /* from 1 */
};

const struct gr_holder *gr_holders_find(const struct gr_holders *holders, struct gr_str key)
{
    for (size_t i = 0; i < holders->n; i++) {
        if (gr_str_eq(holders->items[i].key, key))
            return &holders->items[i];
    }
    return NULL;
}

static bool counts(const struct gr_holders *h, struct gr_str key)
{
    for (size_t i = 0; i < h->known_n; i++) {
        if (gr_str_eq(h->known[i], key))
            return true;
    }
    return !h->known;
}

/* For people: "web/shop-0/shop (0123456789ab)". */
static bool put_who(const struct reading *r, struct gr_str *out_who)
{
    const struct gr_subject *s = r->subject;
    char text[GR_SHOWN_BYTES * 4 + 8];

    if (!s) {
        (void)snprintf(text, sizeof(text), "%.12s, which has ended or just begun", r->id);
        return gr_arena_str(&r->holders->arena, gr_str_from(text), out_who);
    }
    (void)snprintf(text, sizeof(text), "%s/%s/%s (%s)", gr_show(s->pod_namespace).text,
                   gr_show(s->pod_name).text, gr_show(s->name).text,
                   gr_show(gr_str_first(s->id, 12)).text);
    return gr_arena_str(&r->holders->arena, gr_str_from(text), out_who);
}

static int add(const struct reading *r, struct gr_str key)
{
    struct gr_holders *h = r->holders;
    struct gr_holder *holder = NULL;

    if (!counts(h, key))
        return 0;
    for (size_t i = 0; i < h->n && !holder; i++) {
        if (gr_str_eq(h->items[i].key, key))
            holder = &h->items[i];
    }
    if (!holder) {
        if (h->n == GR_HOLDERS_MAX)
            return -E2BIG;
        holder = &h->items[h->n];
        *holder = (struct gr_holder){0};
        if (!gr_arena_str(&h->arena, key, &holder->key) || !put_who(r, &holder->who))
            return -ENOMEM;
        h->n++;
    }
    if (!r->subject) {
        holder->n = GR_MAX(holder->n, (size_t)1);
        return 0;
    }
    holder->n += holder->last != r->number;
    holder->last = r->number;
    return 0;
}

/* NAME of every NAME/current in it. What comes before is looked at only where one ends: else a long
 * text without a slash would be walked back anew from each of its bytes. */
static int add_currents(const struct reading *r, struct gr_str text)
{
    char key[80];

    for (size_t i = 0; i + sizeof(CURRENT) - 1 <= text.n; i++) {
        struct gr_str name = gr_str_first(text, i);
        int rc;

        if (!gr_str_has_prefix(gr_str_skip(text, i), GR_STR(CURRENT)))
            continue;
        name = gr_str_skip(name, gr_str_rfind(name, '/') < i ? gr_str_rfind(name, '/') + 1 : 0);
        if (!gr_is_program_package(name))
            continue;
        (void)snprintf(key, sizeof(key), "%.*s" CURRENT, GR_STR_FMT(name));
        rc = add(r, gr_str_from(key));
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int add_text(const struct reading *r, struct gr_str text)
{
    int rc = add_currents(r, text);
    struct gr_str digest;

    while (rc == 0 && gr_tree_digest_next(&text, &digest))
        rc = add(r, digest);
    return rc;
}

static int add_texts(const struct reading *r, struct gr_strs texts)
{
    int rc = 0;

    for (size_t i = 0; i < texts.n && rc == 0; i++)
        rc = add_text(r, texts.items[i]);
    return rc;
}

static int begin(struct gr_holders *h)
{
    if (h->items)
        return 0;
    gr_arena_init(&h->arena, ARENA_BLOCK_BYTES, 0);
    h->items = gr_arena_array(&h->arena, GR_HOLDERS_MAX, sizeof(*h->items));
    return h->items ? 0 : -ENOMEM;
}

int gr_holders_know(struct gr_holders *h, struct gr_str key)
{
    int rc = begin(h);

    if (rc == 0 && h->known_n == h->known_cap) {
        size_t cap = h->known_cap ? h->known_cap * 2 : KNOWN_FIRST;
        struct gr_str *known = gr_arena_array(&h->arena, cap, sizeof(*known));

        if (!known)
            return -ENOMEM;
        if (h->known_n > 0)
            memcpy(known, h->known, h->known_n * sizeof(*known));
        h->known = known;
        h->known_cap = cap;
    }
    if (rc == 0 && !gr_arena_str(&h->arena, key, &h->known[h->known_n]))
        rc = -ENOMEM;
    h->known_n += rc == 0;
    return rc;
}

int gr_holders_add(struct gr_holders *holders, const struct gr_subject *subject, size_t number)
{
    const struct reading r = {.holders = holders, .subject = subject, .number = number};
    int rc = begin(holders);

    for (size_t i = 0; i < subject->hooks_n && rc == 0; i++) {
        const struct gr_oci_hook *hook = &subject->hooks[i];

        rc = add_text(&r, hook->path);
        if (rc == 0)
            rc = add_texts(&r, hook->args);
        if (rc == 0)
            rc = add_texts(&r, hook->env);
    }
    return rc;
}

/* A container that the runtime has told is better known: what it names is not told again. */
int gr_holders_add_text(struct gr_holders *holders, struct gr_str text, const char *id)
{
    const struct reading r = {.holders = holders, .id = id};
    int rc = begin(holders);

    return rc == 0 ? add_text(&r, text) : rc;
}

static int explain(int rc, struct gr_err *err)
{
    if (rc == -E2BIG)
        return gr_fail(err, rc, "cleanup-containers",
                       "expected containers that name at most %d digests, found more; nothing of "
                       "the program store was removed",
                       GR_HOLDERS_MAX);
    return gr_fail(err, rc, "no-memory", "no memory to see which programs containers name");
}

static int read_one(struct gr_holders *holders, const struct gr_nri_running *running, size_t i,
                    struct gr_arena *arena, struct gr_err *err)
{
    struct gr_nri_container container;
    struct gr_err why = {0};
    int rc = gr_nri_running_at(running, i, arena, &container, &why);

    if (rc == 0) {
        rc = gr_holders_add(holders, &container.subject, i + 1);
        return rc == 0 ? 0 : explain(rc, err);
    }
    if (rc == -ENOMEM)
        return explain(rc, err);
    return gr_fail(err, -EBADMSG, "cleanup-containers",
                   "expected to see which programs every container names, found that the "
                   "container %s cannot be read (%s); nothing of the program store was removed: "
                   "remove the container and run it again",
                   gr_show(gr_nri_running_id(running, i)).text, why.text);
}

int gr_holders_read(struct gr_holders *holders, const struct gr_nri_running *running,
                    struct gr_err *err)
{
    struct gr_arena arena;
    int rc = 0;

    if (gr_nri_running_state(running) != GR_NRI_RUNNING_WHOLE)
        return gr_fail(err, -E2BIG, "cleanup-containers",
                       "expected to see every container, found that the runtime tells of more than "
                       "can be kept; nothing of the program store was removed");
    gr_arena_init(&arena, GR_NRI_ARENA_BLOCK_BYTES, GR_NRI_ARENA_MAX_BYTES);
    for (size_t i = 0; i < gr_nri_running_count(running) && rc == 0; i++) {
        gr_arena_reset(&arena);
        rc = read_one(holders, running, i, &arena, err);
    }
    gr_arena_fini(&arena);
    return rc;
}

static int see_bundle(void *user, const char *id, struct gr_str text)
{
    return gr_holders_add_text(user, text, id);
}

int gr_holders_read_bundles(struct gr_holders *holders, const struct gr_cleanup *cleanup,
                            const struct gr_nri_running *running, struct gr_err *err)
{
    struct gr_bundles bundles = {.fs = cleanup->fs,
                                 .root = cleanup->config->host_root,
                                 .dir = cleanup->config->crio_dir,
                                 .each = see_bundle,
                                 .user = holders};
    int rc = begin(holders);

    if (rc == 0 && !gr_nri_running_ids(running, &holders->arena, &bundles.running))
        rc = -ENOMEM;
    if (rc == 0)
        rc = gr_bundles_read(&bundles, err);
    return rc == 0 || err->code ? rc : explain(rc, err);
}

void gr_holders_fini(struct gr_holders *holders)
{
    gr_arena_fini(&holders->arena);
    *holders = (struct gr_holders){0};
}
