/* SPDX-License-Identifier: Apache-2.0 */
#include "load/onefile.h"

#include <errno.h>

#include "load/source.h"

/* Large: on the heap. */
struct reading {
    struct gr_source_reader reader;
    struct gr_walk dir;
    struct gr_trust_way way;
    char parent[GR_LOAD_PATH_BYTES];
};

/* Opens the directory of the file, every directory above it checked. */
static int enter_parent(struct reading *r, const struct gr_fs *fs, const char *path, size_t slash,
                        struct gr_err *err)
{
    int rc;

    if (path[0] != '/' || slash >= sizeof(r->parent))
        return gr_fail(err, GR_SOURCE_REFUSED, "bad-path",
                       "expected an absolute path of a file, found %s", path);
    memcpy(r->parent, path, slash);
    if (slash == 0)
        r->parent[0] = '/';
    r->way.rules = gr_trust_rules(fs, true);
    rc = gr_walk_open(&r->dir, fs, "/");
    if (rc == 0)
        rc = gr_walk_to(&r->dir, r->parent, gr_trust_visit, &r->way);
    if (rc == 0)
        rc = gr_walk_enter(&r->dir);
    if (rc == 0)
        rc = gr_trust_end(&r->way, &r->dir, false);
    if (rc == -ENOENT && gr_trust_end(&r->way, &r->dir, true) != 0)
        rc = GR_TRUST_BROKEN;
    if (rc == GR_TRUST_BROKEN) {
        gr_trust_explain(err, &r->way.rules, r->way.fault, r->way.path, &r->way.meta);
        return GR_SOURCE_REFUSED;
    }
    if (rc == -ENOENT)
        return GR_ONEFILE_MISSING;
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    (void)gr_fail_errno(err, rc, "unreadable-file", "expected that %s is a directory to read",
                        r->parent);
    return GR_SOURCE_REFUSED;
}

static int read_text(struct reading *r, const struct gr_fs *fs, const char *path,
                     struct gr_buf *text, struct gr_err *err)
{
    size_t slash = gr_str_rfind(gr_str_from(path), '/');
    const struct gr_rule_file file = {.name = gr_str_skip(gr_str_from(path), slash + 1),
                                      .path = gr_str_from(path)};
    int rc = enter_parent(r, fs, path, slash, err);

    if (rc != 0)
        return rc;
    rc = gr_source_open(&r->reader, fs);
    if (rc != 0)
        return rc;
    rc = gr_source_read(&r->reader, &r->dir, &file, text, err);
    return rc == GR_SOURCE_GONE ? GR_ONEFILE_MISSING : rc;
}

int gr_onefile_read(const struct gr_fs *fs, const char *path, struct gr_buf *text,
                    struct gr_err *err)
{
    struct reading *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return -ENOMEM;
    gr_buf_reset(text, text->max);
    rc = read_text(r, fs, path, text, err);
    gr_source_close(&r->reader);
    gr_walk_close(&r->dir);
    free(r);
    return rc;
}
