/* SPDX-License-Identifier: Apache-2.0 */
#include "load/onefile.h"

#include <errno.h>
#include <stdio.h>

#include "load/source.h"

/* Large: on the heap. */
struct reading {
    struct gr_source_reader reader;
    struct gr_walk dir;
    struct gr_trust_way way;
    char path[GR_LOAD_PATH_BYTES]; /* absolute */
    char parent[GR_LOAD_PATH_BYTES];
};

int gr_onefile_path(const struct gr_fs *fs, const char *path, char out[GR_LOAD_PATH_BYTES],
                    struct gr_err *err)
{
    char cwd[GR_LOAD_PATH_BYTES] = "";
    int rc = path[0] == '/' ? 0 : fs->cwd(fs->user, cwd, sizeof(cwd));
    int n;

    if (rc != 0) {
        (void)gr_fail_errno(err, rc, "unreadable-file",
                            "expected an absolute path, since the working directory is not known");
        return GR_SOURCE_REFUSED;
    }
    n = snprintf(out, GR_LOAD_PATH_BYTES, "%s%s%s", cwd, cwd[0] ? "/" : "", path);
    if (n < 0 || n >= GR_LOAD_PATH_BYTES)
        return gr_fail(err, GR_SOURCE_REFUSED, "bad-path",
                       "expected a path of at most %d bytes, found a longer one",
                       GR_LOAD_PATH_BYTES - 1);
    return 0;
}

/* Opens the directory of the file, every directory above it checked. */
static int enter_parent(struct reading *r, const struct gr_fs *fs, size_t slash, struct gr_err *err)
{
    int rc;

    memcpy(r->parent, r->path, slash);
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
    struct gr_rule_file file = {0};
    size_t slash;
    int rc = gr_onefile_path(fs, path, r->path, err);

    if (rc != 0)
        return rc;
    file.path = gr_str_from(r->path);
    slash = gr_str_rfind(file.path, '/');
    file.name = gr_str_skip(file.path, slash + 1);
    rc = enter_parent(r, fs, slash, err);
    if (rc == 0)
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
