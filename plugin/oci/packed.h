/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/packed: a subject as bytes, for another process of this program.
 *
 * Layer: oci. Whatever document a container was read from, the plugin process sees it as the one
 * who asks does: what is known of it and what is not. Numbers have 8 bytes, the least first; texts
 * and lists begin with their length. The first number says which form it is, since the two
 * processes may be of different versions. What a decision fills in (requests) is not packed.
 */
#ifndef GR_OCI_PACKED_H
#define GR_OCI_PACKED_H

#include "base/arena.h"
#include "base/buf.h"
#include "rules/subject.h"

/* To be counted up with each change of the form. */
#define GR_PACKED_FORM 1

#define GR_PACKED_DAMAGED 1
#define GR_PACKED_OTHER_FORM 2

/*
 * Appends it to out. Returns 0; GR_PACKED_DAMAGED: a text is no UTF-8, or has a NUL byte; -ENOMEM,
 * -EMSGSIZE (out's).
 */
GR_CHECKED int gr_packed_write(const struct gr_subject *subject, struct gr_buf *out);

/*
 * Reads one back. Texts are borrowed from bytes, lists live in arena. Whoever wrote them: each text
 * is UTF-8 without a NUL byte, each number within its range, and nothing stands behind.
 * Returns 0; GR_PACKED_DAMAGED; GR_PACKED_OTHER_FORM; -ENOMEM.
 */
GR_CHECKED int gr_packed_read(struct gr_arena *arena, struct gr_str bytes,
                              struct gr_subject *out_subject);

#endif
