/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml: a bounded, strict reader of YAML (and so of JSON).
 *
 * Layer: rules. One document at a time becomes a tree of nodes in an arena. Built on the events of
 * libyaml; what libyaml does not limit is limited here (rules/limits.h): its nesting costs
 * quadratic time and its duplicate keys are accepted. Refused beside broken YAML: anchors, aliases,
 * tags, merge keys, duplicate keys, keys that are no scalar, NUL and control characters, byte order
 * marks and anything that is not UTF-8. What a plain scalar means is decided by whoever reads the
 * tree.
 *
 * A finding makes its document bad and reading goes on; only broken syntax, too deep nesting and
 * too many documents end the file.
 */
#ifndef GR_RULES_YAML_H
#define GR_RULES_YAML_H

#include "base/arena.h"
#include "rules/read/findings.h"

enum gr_yaml_kind {
    GR_YAML_SCALAR,
    GR_YAML_LIST,
    GR_YAML_MAPPING,
    GR_YAML_BAD, /* stands for something that was refused: reported already, to be passed over */
};

/* A node; in a list or mapping also a link of its chain. Everything lives in the arena. */
struct gr_yaml_node {
    enum gr_yaml_kind kind;
    bool plain;         /* scalar without quotes (and not a | or > block) */
    char quote;         /* scalar in quotes: ' or "; else 0 */
    struct gr_str text; /* scalar, also NUL-terminated */
    struct gr_place at;

    struct gr_yaml_node *first; /* list: elements; mapping: values, in the order written */
    size_t n;

    struct gr_yaml_node *next;
    struct gr_str key; /* in a mapping, also NUL-terminated */
    bool key_plain;
    struct gr_place key_at;
};

struct gr_yaml_document {
    const struct gr_yaml_node *root; /* NULL: the document is empty or could not be read */
    struct gr_str text;              /* borrowed: where it stands in the source */
    struct gr_place at;
    uint32_t number; /* in the file, from 0 */
    bool bad;        /* something in it was refused and reported */
};

struct gr_yaml;

/* gr_yaml_next: no further document. */
#define GR_YAML_END 1

/*
 * Begins to read text, which is borrowed until gr_yaml_free; so is findings.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_yaml_new(struct gr_str text, struct gr_findings *findings,
                           struct gr_yaml **out_yaml);

/*
 * The next document; its nodes live in arena, which may be reset before the following call.
 * Returns 0; GR_YAML_END; -ENOMEM.
 */
GR_CHECKED int gr_yaml_next(struct gr_yaml *yaml, struct gr_arena *arena,
                            struct gr_yaml_document *out_document);

void gr_yaml_free(struct gr_yaml *yaml); /* NULL is fine */

/* The value of a key; NULL when it is absent or node is no mapping. */
const struct gr_yaml_node *gr_yaml_get(const struct gr_yaml_node *node, const char *key);

/* How readers of YAML 1.1 and 1.2 take a scalar that is written without quotes. */
enum gr_yaml_type {
    GR_YAML_TEXT,
    GR_YAML_NULL,    /* ~, null, nothing at all */
    GR_YAML_BOOLEAN, /* true, false, yes, no, on, off, y, n */
    GR_YAML_NUMBER,
};

/* The type of a plain scalar's text. */
enum gr_yaml_type gr_yaml_plain_type(struct gr_str text);

/* "text", "null", "boolean", "number". */
const char *gr_yaml_type_name(enum gr_yaml_type type);

/*
 * What a parser's complaint means, in plain words with the way to mend it. problem and context are
 * libyaml's own texts; either may be NULL. found is the source at the position.
 */
const char *gr_yaml_explain(const char *problem, const char *context, struct gr_str found);

/*
 * Looks the whole text over before it is parsed: size, byte order marks, UTF-8, control characters.
 * False after reporting what is wrong.
 */
bool gr_yaml_check_text(struct gr_str text, struct gr_findings *findings);

#endif
