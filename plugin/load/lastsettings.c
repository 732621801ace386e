/* SPDX-License-Identifier: Apache-2.0 */
#include "load/lastsettings.h"

#include <errno.h>

#include "load/limits.h"
#include "load/onefile.h"

#define NS_PER_S UINT64_C(1000000000)

/* Large: on the heap. */
struct keeping {
    struct gr_lastgood lastgood;
    struct gr_arena scratch;
    char path[GR_LOAD_PATH_BYTES]; /* absolute */
};

static int begin(const struct gr_lastsettings *where, struct gr_lastgood_place place,
                 const struct gr_reporter *reporter, struct keeping *k)
{
    struct gr_err err = {0};

    place.fs = where->fs;
    place.kind = GR_LASTGOOD_SETTINGS;
    /* Who cannot tell its own path has read no file of it. */
    place.dir = gr_onefile_path(where->fs, where->path, k->path, &err) == 0 ? where->dir : NULL;
    gr_arena_init(&k->scratch, 4096, 0);
    return gr_lastgood_open(&k->lastgood, &place, &k->scratch, reporter);
}

static void end(struct keeping *k)
{
    gr_lastgood_close(&k->lastgood);
    gr_arena_fini(&k->scratch);
    free(k);
}

int gr_lastsettings_read(const struct gr_lastsettings *where, const struct gr_reporter *reporter,
                         struct gr_buf *out, int64_t *out_kept_s)
{
    struct keeping *k = calloc(1, sizeof(*k));
    const struct gr_lastgood_entry *entry;
    int rc;

    if (!k)
        return -ENOMEM;
    rc = begin(where, (struct gr_lastgood_place){.reads_only = true}, reporter, k);
    if (rc == 0)
        rc = gr_lastgood_read(&k->lastgood, gr_str_from(k->path), out);
    entry = gr_lastgood_entry(&k->lastgood, gr_str_from(k->path));
    if (rc == 0 && entry)
        *out_kept_s = (int64_t)(entry->modified / NS_PER_S);
    end(k);
    return rc;
}

int gr_lastsettings_keep(const struct gr_lastsettings *where, struct gr_str text,
                         const struct gr_reporter *reporter)
{
    const struct gr_reporter nobody = {0}; /* a directory that cannot be used keeps nothing */
    struct keeping *k = calloc(1, sizeof(*k));
    struct gr_str path;
    int rc;

    if (!k)
        return -ENOMEM;
    rc = begin(where, (struct gr_lastgood_place){.makes_dir = text.n > 0},
               where->dir_is_told || text.n == 0 ? &nobody : reporter, k);
    k->lastgood.reporter = reporter;
    path = gr_str_from(k->path);
    /* Those of other instances stay, which have settings files of their own. */
    for (size_t i = 0; i < k->lastgood.all_n; i++)
        k->lastgood.all[i]->wanted = !gr_str_eq(k->lastgood.all[i]->path, path);
    if (rc == 0 && text.n > 0)
        rc = gr_lastgood_keep(&k->lastgood, path, text);
    if (rc == 0)
        gr_lastgood_finish(&k->lastgood);
    if (rc == 0 && k->lastgood.place.dir && text.n > 0 &&
        (!k->lastgood.usable || k->lastgood.unkept > 0))
        rc = GR_LASTSETTINGS_UNKEPT;
    end(k);
    return rc;
}
