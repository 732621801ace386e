/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/template: text with {{fields}}, cut up once and filled in many times.
 *
 * Layer: base. Knows the syntax, not the fields: a callback checks them when a template is parsed
 * and gives their values when it is expanded. Values are put at their place by element; the text of
 * a value is never searched for fields.
 *
 *     literal {{.Name}} literal {{annotation "key"}} {{label "key" "default"}}
 *
 * "{{" always opens a field; a literal "{{" is written {{"{{"}}.
 */
#ifndef GR_BASE_TEMPLATE_H
#define GR_BASE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define GR_TEMPLATE_PARTS_MAX 64

/* A literal (name.n == 0) or a field. */
struct gr_template_part {
    struct gr_str literal;
    struct gr_str name;     /* ".ID", "annotation": as written, with its dot */
    struct gr_str arg;      /* first string after the name; key */
    struct gr_str fallback; /* second string */
    bool has_arg, has_fallback;
    uint32_t offset; /* in the source, for error positions */
    int id;          /* what the checking callback answered */
};

struct gr_template {
    struct gr_str source;
    const struct gr_template_part *parts;
    size_t n;
    bool has_fields;
};

/*
 * Checks one field while parsing and gives it a number for expansion.
 * Returns >= 0: the number; -EINVAL after filling err.
 */
typedef int gr_template_check_fn(void *user, const struct gr_template_part *part,
                                 struct gr_err *err);

/*
 * Appends the value of a field.
 * Returns 0; positive: the caller's own condition (passed through); negative: fatal.
 */
typedef int gr_template_value_fn(void *user, const struct gr_template_part *part,
                                 struct gr_buf *out);

/*
 * The result lives in the arena and borrows source, which must live as long.
 * Returns 0; -EINVAL bad syntax or a field that check refused (err says which; err->column is the
 * offset in the source plus one); -E2BIG more than GR_TEMPLATE_PARTS_MAX parts; -ENOMEM.
 */
GR_CHECKED int gr_template_parse(struct gr_arena *arena, struct gr_str source,
                                 gr_template_check_fn *check, void *user,
                                 struct gr_template *out_template, struct gr_err *err);

/*
 * Appends the expansion to out.
 * Returns 0, what value returned, or out's failure (-ENOMEM, -EMSGSIZE).
 */
GR_CHECKED int gr_template_expand(const struct gr_template *t, gr_template_value_fn *value,
                                  void *user, struct gr_buf *out);

#endif
