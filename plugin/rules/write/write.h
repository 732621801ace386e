/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/write/write: a HookSet as YAML.
 *
 * Layer: rules. Reading what was written gives a set that matches, orders and renders the same:
 * gr_hooksets_decode(gr_hookset_write(set)) is set, but for places and hash, as long as the text is
 * within the limits of a file.
 */
#ifndef GR_RULES_WRITE_H
#define GR_RULES_WRITE_H

#include "base/buf.h"
#include "rules/hookset.h"

/*
 * Appends one document with its head and without "---".
 * Returns 0; -EINVAL: the set is blocked or for a later version, so that not all of it is known;
 * -ENOMEM; -EMSGSIZE (out's).
 */
GR_CHECKED int gr_hookset_write(const struct gr_hookset *set, struct gr_buf *out);

#endif
