/* SPDX-License-Identifier: Apache-2.0 */
#include "load/configfile.h"

#include <errno.h>

#include "load/source.h"
#include "rules/limits.h"

/* Large: on the heap. */
struct reading {
    struct gr_source_reader reader;
    struct gr_walk dir;
    struct gr_trust_way way;
    struct gr_buf text;
    char parent[GR_LOAD_PATH_BYTES];
};

static int refuse(const struct gr_reporter *reporter, const char *path, struct gr_err *err)
{
    gr_err_at(err, path, 0, 0);
    gr_report(reporter, GR_LEVEL_ERROR, err);
    return GR_CONFIG_REFUSED;
}

/* Opens the directory of the file, every directory above it checked. */
static int enter_parent(struct reading *r, const struct gr_fs *fs, const char *path,
                        struct gr_err *err)
{
    size_t slash = gr_str_rfind(gr_str_from(path), '/');
    int rc;

    if (path[0] != '/' || slash >= sizeof(r->parent))
        return gr_fail(err, GR_CONFIG_REFUSED, "bad-path",
                       "expected an absolute path of a settings file, found %s", path);
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
        return GR_CONFIG_REFUSED;
    }
    if (rc == -ENOENT)
        return GR_CONFIGFILE_MISSING;
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    (void)gr_fail_errno(err, rc, "unreadable-file", "expected that %s is a directory to read",
                        r->parent);
    return GR_CONFIG_REFUSED;
}

static int read_text(struct reading *r, const struct gr_fs *fs, const char *path,
                     struct gr_err *err)
{
    size_t slash = gr_str_rfind(gr_str_from(path), '/');
    const struct gr_rule_file file = {.name = gr_str_from(path + slash + 1),
                                      .path = gr_str_from(path)};
    int rc = enter_parent(r, fs, path, err);

    if (rc != 0)
        return rc;
    rc = gr_source_open(&r->reader, fs);
    if (rc != 0)
        return rc;
    rc = gr_source_read(&r->reader, &r->dir, &file, &r->text, err);
    if (rc == GR_SOURCE_GONE)
        return GR_CONFIGFILE_MISSING;
    return rc == GR_SOURCE_REFUSED ? GR_CONFIG_REFUSED : rc;
}

int gr_configfile_read(const struct gr_fs *fs, const char *path, struct gr_arena *arena,
                       const struct gr_reporter *reporter, struct gr_config *out_config)
{
    struct reading *r = calloc(1, sizeof(*r));
    struct gr_config_text text = {.name = path, .source = GR_CONFIG_FILE};
    struct gr_err err = {0};
    int rc;

    if (!r)
        return -ENOMEM;
    gr_buf_init(&r->text, GR_YAML_FILE_MAX_BYTES);
    rc = read_text(r, fs, path, &err);
    if (rc == GR_CONFIG_REFUSED)
        rc = refuse(reporter, path, &err);
    /* A file that is empty or disabled sets nothing. */
    if (rc == 0 || rc == GR_SOURCE_DISABLED) {
        text.text = rc == 0 ? gr_buf_view(&r->text) : GR_STR_NONE;
        rc = gr_config_decode(arena, &text, reporter, out_config);
    }
    gr_source_close(&r->reader);
    gr_walk_close(&r->dir);
    gr_buf_fini(&r->text);
    free(r);
    return rc;
}
