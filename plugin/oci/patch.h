/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/patch: changes of a JSON text that leave every other byte alone.
 *
 * Layer: oci; internal to it. A patch is a tree of what shall be there; it is laid over the tree of
 * the text, and what is missing or different becomes a splice. What is new gets the indentation of
 * the element before it and is compact within.
 *
 * Keys of objects that the specification defines must be unambiguous: runc takes the last of
 * several equal keys and one in other letters (HOOKS) as well, crun takes the first and only the
 * exact one. So a second such key is an error, and never a place where a hook gets lost.
 */
#ifndef GR_OCI_PATCH_H
#define GR_OCI_PATCH_H

#include "base/json.h"

enum gr_patch_kind {
    GR_PATCH_VALUE,   /* json in place of whatever is there */
    GR_PATCH_OBJECT,  /* an object whose keys the specification defines: children */
    GR_PATCH_MEMBERS, /* an object with free keys: items, id being the key */
    GR_PATCH_LIST,    /* items; which element is which says identity */
};

enum gr_patch_identity {
    GR_PATCH_APPEND,   /* elements have no identity: items are appended */
    GR_PATCH_VARIABLE, /* NAME of NAME=value */
    GR_PATCH_MEMBER,   /* the text under the key id_member */
    GR_PATCH_PATH,     /* the same, a path: nothing may come behind what lies below it */
};

struct gr_patch_item {
    struct gr_str id;
    struct gr_str json;
    bool placed; /* for gr_patch_apply */
};

struct gr_patch {
    enum gr_patch_kind kind;
    enum gr_patch_identity identity;
    const char *key;       /* in the object above; NULL for the root */
    const char *id_member; /* GR_PATCH_MEMBER, GR_PATCH_PATH */
    bool needed;           /* it is an error when there is no such object to be changed */
    struct gr_str json;    /* GR_PATCH_VALUE */
    struct gr_patch_item *items;
    size_t items_n;
    struct gr_patch *first; /* children; those that are empty are passed over */
    struct gr_patch *next;
};

/*
 * Appends text with the patch laid over it to out; root is of kind GR_PATCH_OBJECT. Ids are unique
 * in their patch.
 * Returns 0; -EINVAL, -E2BIG, -ENOMEM as gr_oci_spec_apply; -EMSGSIZE (out's).
 */
GR_CHECKED int gr_patch_apply(struct gr_arena *arena, struct gr_str text, struct gr_patch *root,
                              struct gr_buf *out, struct gr_err *err);

#endif
