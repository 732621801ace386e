/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks: files of other formats to HookSets.
 *
 * Layer: rules. oci-hooks(5) JSON 1.0.0 and 0.1.0 with that format's own semantics (Go's
 * encoding/json: keys without regard to case, unknown ones ignored, the last of equal ones wins;
 * conditions unanchored; prestart is createRuntime), and bare OCI hooks: docker and iSulad
 * --hook-spec files, hooks.json. What a HookSet cannot say is refused with the reason.
 * Spec: specs/oci-hooks.md.
 */
#ifndef GR_RULES_OCIHOOKS_H
#define GR_RULES_OCIHOOKS_H

#include "rules/read/decode.h"
#include "rules/limits.h"

/* An oci-hooks(5) file without a timeout has none; the longest that a HookSet can say stands in. */
#define GR_OCI_HOOKS_TIMEOUT_S GR_HOOK_TIMEOUT_MAX_S

/*
 * One oci-hooks(5) file. source->stem gives the set's name, made into a DNS name; the set's
 * file_name is in lower case, since that format orders its files so.
 * As gr_hooksets_decode: 0 (look at rejected: at most one set); -ENOMEM. Beside errors it reports,
 * as warnings, what makes a file inject nothing (such a file without stages gives no set and is not
 * rejected) and, as an information, that a timeout stands in.
 */
GR_CHECKED int gr_ocihooks_decode(struct gr_arena *arena, const struct gr_source *source,
                                  const struct gr_reporter *reporter, struct gr_hooksets *out_sets);

/*
 * The name of a set that a file's stem gives: in lower case; a dot between letters or digits and
 * hyphens stay, other characters between them become one hyphen, the rest goes away. The result
 * lives in the arena.
 * Returns 0; positive: nothing of the stem can stand in a name, or it is too long; -ENOMEM.
 */
GR_CHECKED int gr_ocihooks_name(struct gr_arena *arena, struct gr_str stem,
                                struct gr_str *out_name);

enum gr_foreign {
    GR_FOREIGN_UNKNOWN,   /* a JSON text that is neither */
    GR_FOREIGN_OCI_HOOKS, /* oci-hooks(5) */
    GR_FOREIGN_HOOK_SPEC, /* bare OCI hooks, or a mapping with "hooks" in it */
};

/*
 * What a text is, by the keys of its object. What is no JSON is reported.
 * Returns 0; positive: no JSON; -ENOMEM.
 */
GR_CHECKED int gr_foreign_detect(const struct gr_source *source, const struct gr_reporter *reporter,
                                 enum gr_foreign *out_kind);

/*
 * Files that hold a bare OCI hooks object, or a mapping with "hooks" in it, merged in the order
 * given: the hooks of each stage one behind the other. The set matches always. skip_marker: leave
 * out prestart hooks whose program is called container-hooks (the marker of the Container Hooks
 * Toolkit), with a warning.
 * Returns 0 (look at rejected; no set when there is no hook, which is a warning); -ENOMEM.
 */
GR_CHECKED int gr_hookspecs_decode(struct gr_arena *arena, const struct gr_source *sources,
                                   size_t sources_n, struct gr_str name, bool skip_marker,
                                   const struct gr_reporter *reporter,
                                   struct gr_hooksets *out_sets);

#endif
