/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode: YAML text to HookSets, strictly.
 *
 * Layer: rules. Every finding has file, line, column, what was expected, what was found and how to
 * mend it. Format: specs/hookset.md and specs/hookset.schema.json; errors: specs/errors.md.
 */
#ifndef GR_RULES_DECODE_H
#define GR_RULES_DECODE_H

#include "rules/hookset.h"

struct gr_source {
    struct gr_str text; /* borrowed for the call */
    const char *file;   /* path for messages */
    struct gr_str stem; /* file name without its suffix: the default of metadata.name */
    /* Of the program, "1.2.3", for spec.minVersion. n == 0: not known; then every set that gives a
     * minVersion is for a later version, since nobody can say that it is not. */
    struct gr_str version;
};

struct gr_hooksets {
    struct gr_hookset *items; /* in arena, in the order of the documents */
    size_t n;
    size_t rejected; /* documents that were refused, each with at least one error reported */
};

/*
 * Decodes every document of a file. A document with an error is refused whole and the next one is
 * read; a YAML syntax error ends the file there (the documents before it stand). An empty file is
 * fine and gives nothing. A set for a later version (spec.minVersion) is given as far as it can be
 * read, with blocked saying why, and is reported as a warning.
 * Everything in *out_sets lives in arena; nothing borrows from source.
 * Returns 0 (look at rejected); -ENOMEM.
 */
GR_CHECKED int gr_hooksets_decode(struct gr_arena *arena, const struct gr_source *source,
                                  const struct gr_reporter *reporter, struct gr_hooksets *out_sets);

#endif
