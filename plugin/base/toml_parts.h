/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/toml_parts: what the two files of base/toml share. Layer: base, not for others.
 */
#ifndef GR_BASE_TOML_PARTS_H
#define GR_BASE_TOML_PARTS_H

#include "base/toml.h"

struct gr_toml_reader {
    struct gr_arena *arena;
    struct gr_str text;
    size_t at; /* what comes next */
    size_t nodes;
    unsigned depth;
    /* The place of an offset that was asked for last; they only grow. */
    size_t counted;
    uint32_t line, column;
    struct gr_err *err;
};

/* '\0' at the end; no text that is read holds one. */
static inline char gr_toml_peek(const struct gr_toml_reader *t, size_t ahead)
{
    return t->at + ahead < t->text.n ? t->text.p[t->at + ahead] : '\0';
}

/* Fills err with what was expected at the place that comes next. Returns -EINVAL. */
GR_CHECKED int gr_toml_refuse(struct gr_toml_reader *t, const char *expected);

/* A text in quotes of any kind, which comes next; multi: three quotes begin one of several lines.
 * Returns 0; -EINVAL, -ENOMEM with err filled. */
GR_CHECKED int gr_toml_quoted(struct gr_toml_reader *t, bool multi, struct gr_str *out_text);

/* A number, a date, true or false. Returns 0; -EINVAL with err filled. */
GR_CHECKED int gr_toml_bare(struct gr_toml_reader *t, struct gr_toml_node *node);

#endif
