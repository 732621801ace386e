/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/convert/write: sets as documents on stdout, or as files.
 *
 * Layer: app. A file appears whole or not at all, and none that is there is replaced unasked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/convert/convert.h"
#include "app/exit.h"
#include "base/fd.h"
#include "base/utf8.h"
#include "rules/write/write.h"

#define DOCUMENT_MAX_BYTES (16U << 20)

/* Room for a directory, a name of the file system and what a temporary name adds. */
#define PATH_BYTES 4608

static const char *format_name(const struct gr_hookset *set)
{
    return set->format == GR_FORMAT_OCI_HOOKS ? "oci-hooks(5)" : "OCI hooks";
}

/* A path on the one line of a comment, whatever is in it. */
static void add_path(const char *file, struct gr_buf *out)
{
    char shown[PATH_BYTES];

    (void)snprintf(shown, sizeof(shown), "%s", file);
    gr_utf8_make_printable(shown);
    (void)gr_buf_text(out, shown);
}

/* What it came from, and the set. */
static int make_document(const struct gr_convert *c, const struct gr_hookset *set,
                         struct gr_buf *out)
{
    const char *before = "";

    (void)gr_buf_text(out, "# From ");
    if (set->format == GR_FORMAT_OCI_HOOKS)
        add_path(set->file.p, out);
    for (size_t i = 0; i < c->inputs_n && set->format == GR_FORMAT_HOOK_SPEC; i++) {
        if (c->inputs[i].kind != GR_FOREIGN_HOOK_SPEC)
            continue;
        (void)gr_buf_text(out, before);
        add_path(c->inputs[i].source.file, out);
        before = ", then ";
    }
    (void)gr_buf_printf(out, " (%s)\n", format_name(set));
    return gr_hookset_write(set, out);
}

int gr_convert_print(const struct gr_convert *c)
{
    struct gr_buf text;
    int r = 0;

    gr_buf_init(&text, DOCUMENT_MAX_BYTES);
    for (size_t i = 0; i < c->sets_n && r == 0; i++) {
        gr_buf_reset(&text, DOCUMENT_MAX_BYTES);
        if (i > 0)
            (void)gr_buf_text(&text, "---\n");
        r = make_document(c, &c->sets[i], &text);
        if (r == 0 && fwrite(text.data, 1, text.len, stdout) != text.len)
            r = -errno;
    }
    gr_buf_fini(&text);
    if (r == 0 && fflush(stdout) != 0)
        r = -errno;
    if (r == 0)
        return GR_EXIT_OK;
    (void)fprintf(stderr, "grapnel convert: stdout: %s\n", strerror(-r));
    return GR_EXIT_FAILED;
}

static int cannot_write(const char *path, const char *why)
{
    (void)fprintf(stderr, "grapnel convert: %s: %s\n", path, why);
    return GR_EXIT_HOST;
}

/* DIR/stem.yaml: the name of the source keeps its order; bare hooks have their set's name. */
static void target_of(const struct gr_convert *c, const struct gr_hookset *set, char *out)
{
    struct gr_str stem = set->name;

    if (set->format == GR_FORMAT_OCI_HOOKS && !c->name)
        stem = gr_str_first(set->file_name, gr_str_rfind(set->file_name, '.'));
    (void)snprintf(out, PATH_BYTES, "%s/%.*s.yaml", c->out_dir, GR_STR_FMT(stem));
}

/* Files run in the order of their names, which end differently now. */
static void check_order(const struct gr_convert *c)
{
    char before[PATH_BYTES], after[PATH_BYTES];

    for (size_t i = 1; i < c->sets_n; i++) {
        if (c->sets[i].format != GR_FORMAT_OCI_HOOKS)
            continue;
        target_of(c, &c->sets[i - 1], before);
        target_of(c, &c->sets[i], after);
        if (strcmp(before, after) > 0)
            (void)fprintf(stderr,
                          "%s: warning: this set ran behind that of %s and now runs before it; "
                          "rename the file, or set spec.order\n",
                          after, before);
    }
}

static int check_free(const struct gr_convert *c)
{
    for (size_t i = 0; i < c->sets_n && !c->force; i++) {
        char path[PATH_BYTES];
        struct stat st;

        target_of(c, &c->sets[i], path);
        if (lstat(path, &st) == 0) {
            (void)fprintf(stderr,
                          "grapnel convert: %s is there already; use --force to replace "
                          "it\n",
                          path);
            return GR_EXIT_FAILED;
        }
    }
    return GR_EXIT_OK;
}

/* Under a name that no reader takes for a rule, until it is whole. */
static int write_file(const struct gr_convert *c, const char *path, struct gr_str text)
{
    char aside[PATH_BYTES];
    int r = 0;
    int fd;

    (void)snprintf(aside, sizeof(aside), "%s/.convert-XXXXXX", c->out_dir);
    fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return cannot_write(aside, strerror(errno));
    r = gr_fd_write_all(fd, text);
    if (r == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
        r = -errno;
    if (close(fd) != 0 && r == 0)
        r = -errno;
    if (r == 0 && (c->force ? rename(aside, path) : link(aside, path)) != 0)
        r = -errno;
    if (r != 0 || !c->force)
        (void)unlink(aside);
    return r == 0 ? GR_EXIT_OK : cannot_write(path, strerror(-r));
}

static int write_set(const struct gr_convert *c, const struct gr_hookset *set)
{
    char path[PATH_BYTES];
    struct gr_buf text;
    int r;

    target_of(c, set, path);
    gr_buf_init(&text, DOCUMENT_MAX_BYTES);
    if (make_document(c, set, &text) != 0)
        r = gr_convert_no_memory();
    else
        r = write_file(c, path, gr_buf_view(&text));
    if (r == GR_EXIT_OK)
        (void)fprintf(stderr, "wrote %s\n", path);
    gr_buf_fini(&text);
    return r;
}

int gr_convert_write(const struct gr_convert *c)
{
    int r;

    if (strlen(c->out_dir) > PATH_BYTES - 512)
        return gr_usage("convert", "--out with a path of at most 4096 bytes", c->out_dir);
    r = check_free(c);
    if (r == GR_EXIT_OK)
        check_order(c);
    for (size_t i = 0; i < c->sets_n && r == GR_EXIT_OK; i++)
        r = write_set(c, &c->sets[i]);
    return r;
}
