/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks_parts: what the readers of foreign formats share.
 *
 * Layer: rules, not for others. A JSON text becomes the nodes that the reader of YAML makes,
 * with every entry of an object as it was written, equal keys included: Go's encoding/json lets a
 * later entry write over an earlier one value by value, and so do the functions here. Results as in
 * rules/strict.h.
 */
#ifndef GR_RULES_OCIHOOKS_PARTS_H
#define GR_RULES_OCIHOOKS_PARTS_H

#include "rules/hookset.h"
#include "rules/read/ocihooks.h"
#include "rules/read/strict.h"

/* What the readers write into keeps its nodes: they have the places. */
struct gr_oci_text {
    bool given;
    struct gr_str text;
    struct gr_place at;
};

struct gr_oci_bool {
    bool given, value;
    struct gr_place at;
};

struct gr_oci_texts {
    bool given;
    struct gr_yaml_node *items; /* scalars that are not plain; in the arena nodes */
    size_t n;
    size_t slots; /* items of an earlier, longer list of the same key stand behind n */
    struct gr_place at;
};

struct gr_oci_pairs {
    struct gr_yaml_node *items; /* scalars with their keys, each key once */
    size_t n, room;
    struct gr_place at;
};

/* A hook object of the OCI runtime-spec. */
struct gr_oci_raw_hook {
    struct gr_oci_text path;
    struct gr_oci_texts args, env;
    struct gr_oci_text timeout; /* the number as it was written */
    struct gr_place at;
};

struct gr_oci_reader {
    struct gr_decoder d;
    struct gr_arena nodes;
    size_t no_timeout; /* hooks that give none */
};

/* ---- ocihooks_bind.c: values as encoding/json takes them ---- */

/*
 * The whole text as one JSON value, as rules/read/yaml_json has it. Nodes live in r->nodes and
 * borrow from text. Limits: those of YAML for the file and its nodes.
 */
GR_CHECKED int gr_ocihooks_json(struct gr_oci_reader *r, struct gr_str text,
                                const struct gr_yaml_node **out_root);

typedef int gr_oci_take_fn(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);

struct gr_oci_field {
    const char *name;
    gr_oci_take_fn *take;
    size_t offset; /* of what take fills, in the object's target */
};

/* The entries of an object that fields name, without regard to case, in the order written; others
 * are passed over. null changes nothing. */
GR_CHECKED int gr_oci_take_object(struct gr_oci_reader *r, const struct gr_yaml_node *node,
                                  const struct gr_oci_field *fields, size_t n, void *target);

/* Each takes the type of its name. null: as if the key were not there (texts of a list and of a
 * map: the empty text). */
int gr_oci_take_text(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);
int gr_oci_take_optional(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);
int gr_oci_take_bool(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);
int gr_oci_take_texts(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);
int gr_oci_take_pairs(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);
int gr_oci_take_hook(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target);

bool gr_oci_is_null(const struct gr_yaml_node *node);

/* Whether Go takes key for the field of this name; name is in lower case or camel case. */
bool gr_oci_key_is(struct gr_str key, const char *name);

/* ---- ocihooks_match.c: conditions as a HookSet says them ---- */

struct gr_oci_when {
    struct gr_oci_bool always, has_bind_mounts;
    struct gr_oci_pairs annotations;
    struct gr_oci_texts commands;
    bool any; /* version 0.1.0: one condition suffices */
    struct gr_place at;
};

/* What an expression that is empty, and so fits everything, is written as. */
#define GR_OCI_ANYTHING ".*"

/* Fills set->match. 0 (look at r->d.bad); -ENOMEM. */
GR_CHECKED int gr_oci_match_build(struct gr_oci_reader *r, const struct gr_oci_when *when,
                                  struct gr_hookset *set);

/* ---- ocihooks_hook.c: hooks as a HookSet says them ---- */

/*
 * n > 0 hooks of one stage. What a HookSet cannot say is refused, with the reason; *out_hooks lives
 * in the decoder's arena. 0 (look at r->d.bad), -ENOMEM.
 */
GR_CHECKED int gr_oci_hooks_build(struct gr_oci_reader *r, const struct gr_oci_raw_hook *raw,
                                  size_t n, enum gr_stage stage, struct gr_hook_list *out_hooks);

/* A finding that refuses nothing. */
void gr_oci_say(const struct gr_oci_reader *r, enum gr_level level, struct gr_place at,
                const char *code, const char *format, ...) GR_PRINTF(5, 6);

/* Says it once for a file, when some hook has no timeout. */
void gr_oci_say_no_timeout(const struct gr_oci_reader *r, struct gr_place at);

/* What all sets made here share; names and match are the caller's. */
struct gr_hookset gr_oci_new_set(enum gr_set_format format, uint32_t line, uint64_t hash);

void gr_oci_reader_init(struct gr_oci_reader *r, struct gr_arena *arena,
                        struct gr_findings *findings);
void gr_oci_reader_fini(struct gr_oci_reader *r);

/* Gives one set, or none, or says that the file was refused. 0, -ENOMEM. */
GR_CHECKED int gr_oci_give(struct gr_arena *arena, const struct gr_hookset *set, bool refused,
                           struct gr_hooksets *out_sets);

#endif
