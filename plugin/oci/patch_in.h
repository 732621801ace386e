/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/patch_in: what the files of oci/patch share.
 *
 * Layer: oci; internal to oci/patch.
 */
#ifndef GR_OCI_PATCH_IN_H
#define GR_OCI_PATCH_IN_H

#include "oci/patch.h"

/* A change: the bytes from at to end go away, insert comes in their place. */
struct gr_splice {
    size_t at, end;
    struct gr_str insert;
    size_t number; /* in which order they were found */
};

struct gr_merge {
    struct gr_arena *arena;
    struct gr_str text;
    struct gr_splice *splices;
    size_t n, cap;
    struct gr_buf scratch;
    struct gr_err *err;
};

int gr_merge_no_memory(struct gr_merge *m);

/* -EINVAL with the place of an offset. */
int gr_merge_fail(struct gr_merge *m, size_t offset, const char *code, const char *format, ...)
    GR_PRINTF(4, 5);

/* insert is borrowed. Returns 0; -ENOMEM. */
GR_CHECKED int gr_merge_splice(struct gr_merge *m, size_t at, size_t end, struct gr_str insert);

/* Takes what stands in scratch. Returns 0; -ENOMEM. */
GR_CHECKED int gr_merge_scratch(struct gr_merge *m, struct gr_str *out);

/* The white space before an element or member of a list or object, or nothing where it is long. */
struct gr_str gr_merge_space(const struct gr_merge *m, const struct gr_json_node *node);

/* Writes "," and the white space that new elements behind last get; nothing when there is none
 * before them (last is NULL and first is true). */
void gr_merge_separate(struct gr_merge *m, const struct gr_json_node *last, bool first);

/* "key": into scratch, spaced as in the member last (NULL: compact). Returns 0; -EINVAL. */
GR_CHECKED int gr_merge_key(struct gr_merge *m, const struct gr_json_node *last, struct gr_str key);

/* Where what is appended to a list or object goes. */
size_t gr_merge_end(const struct gr_json_node *node, const struct gr_json_node *last);

/*
 * The member under a key that the specification defines; NULL when it is absent. Returns 0; -EINVAL
 * when it is ambiguous.
 */
GR_CHECKED int gr_merge_find(struct gr_merge *m, const struct gr_json_node *object, const char *key,
                             const struct gr_json_node **out_member);

/* A patch of kind GR_PATCH_MEMBERS or GR_PATCH_LIST over its object or list. Returns 0; -EINVAL;
 * -ENOMEM. */
GR_CHECKED int gr_merge_items(struct gr_merge *m, const struct gr_json_node *node,
                              struct gr_patch *patch);

#endif
