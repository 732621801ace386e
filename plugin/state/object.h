/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/object: the members of a JSON object, by a table of what is expected.
 *
 * Layer: state. For what other processes wrote: members that the table does not name are passed
 * over, so that a later version may add some; those that it names have the type that it says.
 */
#ifndef GR_STATE_OBJECT_H
#define GR_STATE_OBJECT_H

#include "base/json.h"

struct gr_member {
    const char *name;       /* ASCII letters */
    enum gr_json_kind kind; /* a text, a number (whole, from 0), a boolean or a list */
    bool required;
    uint64_t max; /* a text: bytes; a number: its value */
};

struct gr_member_value {
    const struct gr_json_node *node; /* NULL: it is not there */
    struct gr_str text;              /* valid UTF-8 without NUL; in the arena, or of the text */
    uint64_t number;
    bool truth;
};

/*
 * Reads the members of object, which was read from text, into values, one for each of members.
 * Returns 0; -EINVAL something is missing, there twice, of another type or too large; -ENOMEM.
 * Codes in err: wrong-type, missing-key, duplicate-key, bad-number, too-long, no-memory.
 */
GR_CHECKED int gr_object_read(struct gr_arena *arena, struct gr_str text,
                              const struct gr_json_node *object, const struct gr_member *members,
                              size_t n, struct gr_member_value *values, struct gr_err *err);

#endif
