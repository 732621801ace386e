/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_parts: the readers of the parts of a HookSet, shared by decode*.c.
 *
 * Layer: rules, not for others. Results as in rules/strict.h.
 */
#ifndef GR_RULES_DECODE_PARTS_H
#define GR_RULES_DECODE_PARTS_H

#include "rules/adjust.h"
#include "rules/hookset.h"
#include "rules/read/strict.h"

/* decode_match.c: spec.match into a struct gr_hookset. With d->lenient a condition that cannot be
 * read becomes GR_COND_UNREADABLE, and the rest stays what it is. */
int gr_decode_match(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* What of a match depends on the rest of its document, once that is read and has its name: the text
 * of the leaves "requested", and the order of a set that is asked for. */
void gr_decode_match_end(const struct gr_yaml_node *root, struct gr_hookset *set);

/* decode_value.c: the value of a leaf, or of spec.nodes.names: a scalar, a form, or a list. */
GR_CHECKED int gr_decode_tests(struct gr_decoder *d, const struct gr_yaml_node *node, bool is_image,
                               struct gr_tests *out_tests);

/* decode_spec.c: spec of a HookSet into a struct gr_hookset. */
int gr_decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* The same of a set for a later version, with d->lenient: mode, nodes, match, failurePolicy and
 * onUnknown. What cannot be read of them stays at its default. */
int gr_decode_later_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_version.c: a row of spec's table; checks that minVersion is a version. */
int gr_decode_min_version(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* Whether a document asks for a later version than this one; *out_needed is then what it asks for,
 * borrowed from the node. A minVersion that is no version asks for nothing: it is refused later. */
bool gr_needs_later_version(const struct gr_yaml_node *root, struct gr_str version,
                            struct gr_str *out_needed);

/* What of a hook, or of an environment, only a hook runner can do. */
struct gr_runner_needs {
    struct gr_place at; /* of the first */
    char names[256];    /* "retry, verify and {{.Pid}}" without the "and" */
    size_t n;           /* how many names there are */
};
void gr_runner_needs_add(struct gr_runner_needs *needs, struct gr_place at, const char *name);

/* Refuses (needs-runner) when there is something; else 0. */
GR_CHECKED int gr_runner_needs_check(struct gr_decoder *d, const struct gr_runner_needs *needs);

/* A hook while it is read. */
struct gr_hook_reading {
    struct gr_hook *hook;
    enum gr_stage stage;
    struct gr_runner_needs needs;
};

/* decode_hooks.c: spec.hooks into a struct gr_hookset. */
int gr_decode_hooks(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_text.c: the elements of args and of env of a hook, into a struct gr_hook_reading. */
int gr_decode_args(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);
int gr_decode_env(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* The list of an environment: as env of a hook. */
GR_CHECKED int gr_decode_env_list(struct gr_decoder *d, const struct gr_yaml_node *node,
                                  struct gr_runner_needs *needs,
                                  const struct gr_hook_text **out_items, size_t *out_n);

/* Whether the value of a variable of this name decides what code runs: PATH, LD_PRELOAD, … */
bool gr_is_env_code(struct gr_str name);

/* Whether a variable's name is Grapnel's own. */
bool gr_is_env_reserved(struct gr_str name);

/* decode_shell.c: refuses values that a pod controls where a shell or another interpreter takes
 * them for code. For a hook whose path and args were read without an error. */
GR_CHECKED int gr_decode_check_shell(struct gr_decoder *d, const struct gr_hook *hook);

/* decode_runner.c: a key of a hook that needs the runner, into a struct gr_hook_reading: checked in
 * full, noted as a need, not kept. */
int gr_decode_runner_key(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* spec.breaker into a struct gr_hookset. */
int gr_decode_breaker(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_verify.c: the key verify of a hook, for decode_runner.c. */
int gr_decode_verify(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_adjust.c: spec.adjust into a struct gr_hookset. */
int gr_decode_adjust(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* The entries of a set while they are read. */
struct gr_adjust_list {
    struct gr_adjust_entry *items; /* room for every entry that can be there */
    size_t n;
};

/* Appends an entry; refuses a second one of its kind and key. Results as everywhere. */
GR_CHECKED int gr_adjust_list_add(struct gr_decoder *d, struct gr_adjust_list *list,
                                  struct gr_place at, const struct gr_adjust_entry *entry);

/* Reads one element of a list into an entry. */
typedef int gr_adjust_element_fn(struct gr_decoder *d, const struct gr_yaml_node *node,
                                 struct gr_adjust_entry *entry);
/* Checks a key of a mapping. */
typedef int gr_adjust_key_fn(struct gr_decoder *d, struct gr_place at, struct gr_str key);

/* A list of entries, and a mapping of keys to texts. */
GR_CHECKED int gr_adjust_list_elements(struct gr_decoder *d, const struct gr_yaml_node *node,
                                       struct gr_adjust_list *list, enum gr_adjust_kind kind,
                                       gr_adjust_element_fn *read);
GR_CHECKED int gr_adjust_list_map(struct gr_decoder *d, const struct gr_yaml_node *node,
                                  struct gr_adjust_list *list, enum gr_adjust_kind kind,
                                  gr_adjust_key_fn *check);

/* Refuses a key that begins with -: NRI would take it for the order to remove that key. */
GR_CHECKED int gr_adjust_check_mark(struct gr_decoder *d, struct gr_place at, struct gr_str key);

/* A path for such a key: absolute, normalised, without templates. */
GR_CHECKED int gr_adjust_decode_path(struct gr_decoder *d, const struct gr_yaml_node *node,
                                     struct gr_str *out);

/* decode_mount.c: an element of mounts. */
int gr_decode_mount(struct gr_decoder *d, const struct gr_yaml_node *node,
                    struct gr_adjust_entry *entry);

/* decode_resources.c: the most entries that resources can hold. */
size_t gr_decode_resources_room(const struct gr_yaml_node *node);

/* spec.adjust.resources into a struct gr_adjust_list. */
int gr_decode_resources(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* decode_scalar.c: a text that nothing is filled into: "{{" is refused. */
GR_CHECKED int gr_decode_literal(struct gr_decoder *d, const struct gr_yaml_node *node,
                                 enum gr_text_class allowed, size_t max, struct gr_str *out_text);

/* A literal of letters, digits and what is in inside, that begins and ends with a letter or digit;
 * what: "the name of a class", for the message. */
GR_CHECKED int gr_decode_token(struct gr_decoder *d, const struct gr_yaml_node *node,
                               const char *inside, const char *what, struct gr_str *out_text);
bool gr_is_token(struct gr_str text, const char *inside);

/* A whole number with or without a sign, not in quotes. */
GR_CHECKED int gr_decode_integer(struct gr_decoder *d, const struct gr_yaml_node *node, int64_t min,
                                 int64_t max, int64_t *out);

/* What a quantity may be. */
struct gr_quantity_range {
    uint64_t min, max;
    bool unlimited; /* also "unlimited" or -1, which give UINT64_MAX */
};

/* 104857600, 100Mi (Ki, Mi, Gi, Ti, Pi, Ei) or 100M (k, M, G, T, P, E), with or without quotes
 * where there is a unit. */
GR_CHECKED int gr_decode_quantity(struct gr_decoder *d, const struct gr_yaml_node *node,
                                  const struct gr_quantity_range *range, uint64_t *out);

/* The rights of a file, three octal digits in quotes with or without a 0 before: "0660". */
GR_CHECKED int gr_decode_rights(struct gr_decoder *d, const struct gr_yaml_node *node,
                                uint32_t *out);

#endif
