/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/rundir: the run directory, /run/grapnel, and small files in it.
 *
 * Layer: state. What must outlive the process but not the node's start lies there. Files are
 * reached by the directory's descriptor, written whole to a temporary name and renamed. Several
 * instances may use one directory at once (an upgrade without a gap).
 */
#ifndef GR_STATE_RUNDIR_H
#define GR_STATE_RUNDIR_H

#include "base/buf.h"
#include "base/err.h"

/* Whether a file of this name in a run directory is ours: one of those that are kept there, what
 * one is called while it is written, or a socket, also one that is being made. */
bool gr_is_rundir_name(struct gr_str name);

/*
 * Opens the directory; one that is missing is made with mode 0755 (its parent must be there).
 * Returns a close-on-exec descriptor; negative errno after filling err: -EPERM it belongs to
 * another user than root and ourselves, or others may write to it.
 */
GR_CHECKED int gr_rundir_open(const char *path, struct gr_err *err);

/* Whether the path still leads to the directory of this descriptor: somebody may have removed or
 * moved it, and others have made it anew. */
bool gr_rundir_leads_to(const char *path, int dir);

/*
 * Replaces the file with this text, mode 0600. name: one component, borrowed for the call.
 * Returns 0; a negative errno: then the old file stands.
 */
GR_CHECKED int gr_rundir_write(int dir, const char *name, struct gr_str text);

/*
 * Appends the file's bytes to out. Returns 0; -ENOENT; -EFBIG more than max bytes; -EPERM it is no
 * regular file, or one that another user may write; another negative errno. out is unchanged on
 * failure.
 */
GR_CHECKED int gr_rundir_read(int dir, const char *name, size_t max, struct gr_buf *out);

/*
 * Opens a file with these flags of open(2); one that is made has mode 0600. Returns a close-on-exec
 * descriptor; -ENOENT; -EPERM as gr_rundir_read; another negative errno.
 */
GR_CHECKED int gr_rundir_file(int dir, const char *name, int flags);

/*
 * Opens a file to read it and to append to it, mode 0600 when it is made. fresh: it must not be
 * there. Returns a close-on-exec descriptor; -EPERM as gr_rundir_read; another negative errno.
 */
GR_CHECKED int gr_rundir_append(int dir, const char *name, bool fresh);

#endif
