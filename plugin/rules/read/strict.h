/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/strict: from nodes to typed values, without guessing.
 *
 * Layer: rules. One table per mapping of the format drives everything: what a key is called, who
 * reads its value, whether it is required, and whether it belongs below another key. Every refusal
 * is a finding with its place and the document is then bad; decoding goes on, so that all errors of
 * a document are seen at once.
 *
 * Results of all functions: 0; GR_DECODE_REFUSED (reported, the output is untouched; the caller
 * goes on with what is next); -ENOMEM.
 */
#ifndef GR_RULES_STRICT_H
#define GR_RULES_STRICT_H

#include "rules/read/yaml.h"

#define GR_API_VERSION "grapnel/v1beta1"

#define GR_DECODE_REFUSED 1

struct gr_decoder {
    struct gr_arena *arena;       /* takes what is decoded; the nodes are in another one */
    struct gr_findings *findings; /* borrowed */
    struct gr_field_path path;    /* of the value that is being read */
    bool bad;                     /* something of this document was refused */
    bool lenient; /* a document for a later version: what is refused is neither reported nor does it
                     make the document bad */
    bool unread;  /* lenient: something was refused since whoever asks cleared this */
};

/* Reads the value of one key into target, which the table's user gives. */
typedef int gr_decode_fn(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

#define GR_KEY_REQUIRED 1U
#define GR_KEY_ELSEWHERE 2U /* known, but below another key; decode, if any, says which */

struct gr_key {
    const char *name;
    gr_decode_fn *decode; /* NULL for keys that are not read here */
    unsigned flags;
    const char *example; /* required: what to write; elsewhere: the key above */
};

struct gr_keys {
    const struct gr_key *items;
    size_t n;
};
#define GR_KEYS(table) ((struct gr_keys){.items = (table), .n = GR_ARRAY_LEN(table)})

/* Reports a finding at a place under the present path, unless the decoder is lenient. Always
 * GR_DECODE_REFUSED. */
int gr_decode_refuse(struct gr_decoder *d, struct gr_place at, const char *code, const char *format,
                     ...) GR_PRINTF(4, 5);

/* The same with a text and code that another module made. */
int gr_decode_refuse_err(struct gr_decoder *d, struct gr_place at, struct gr_err *err);

/* What a node is, for "found …" in messages: a list, a mapping, the number 5, the text "x", … */
struct gr_described {
    char text[GR_SHOWN_BYTES + 24];
};
struct gr_described gr_decode_describe(const struct gr_yaml_node *node);

/* A mapping by its table. An empty one is refused, with what is required in it if anything is. */
GR_CHECKED int gr_decode_mapping(struct gr_decoder *d, const struct gr_yaml_node *node,
                                 struct gr_keys keys, void *target);

/* Refuses what is no list, an empty list and one of more than max elements. */
GR_CHECKED int gr_decode_check_list(struct gr_decoder *d, const struct gr_yaml_node *node,
                                    size_t max);

/*
 * A list that gr_decode_check_list takes: read fills one element after the other, each of size
 * bytes and zero at first. A refused element keeps its place; the document is then bad.
 */
GR_CHECKED int gr_decode_list(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max,
                              size_t size, gr_decode_fn *read, void **out_items, size_t *out_n);

/* apiVersion and kind of a document, as far as they are there; when one of them is another one than
 * expected there is no sense in looking further. */
GR_CHECKED int gr_decode_check_kind(struct gr_decoder *d, const struct gr_yaml_node *root,
                                    const char *kind);

/* For the tables' rows apiVersion and kind, which gr_decode_check_kind has seen to. */
int gr_decode_seen(struct gr_decoder *d, const struct gr_yaml_node *node, void *target);

/* Which characters a text may hold. */
enum gr_text_class {
    GR_TEXT_LINE,  /* no control characters */
    GR_TEXT_BLOCK, /* tabs and line feeds as well */
};

/* The text of a scalar; what other readers would not take as text must be quoted. Borrowed from the
 * node. */
GR_CHECKED int gr_decode_text(struct gr_decoder *d, const struct gr_yaml_node *node,
                              enum gr_text_class allowed, struct gr_str *out_text);

/* The same, at most max bytes, copied into the decoder's arena (and NUL-terminated). */
GR_CHECKED int gr_decode_text_copy(struct gr_decoder *d, const struct gr_yaml_node *node,
                                   enum gr_text_class allowed, size_t max, struct gr_str *out_text);

/* The key of a map such as labels: quoted unless it is plainly a text, not empty, copied. */
GR_CHECKED int gr_decode_map_key(struct gr_decoder *d, const struct gr_yaml_node *node,
                                 struct gr_str *out_key);

GR_CHECKED int gr_decode_bool(struct gr_decoder *d, const struct gr_yaml_node *node, bool *out);

/* A whole number without quotes. */
GR_CHECKED int gr_decode_number(struct gr_decoder *d, const struct gr_yaml_node *node, uint32_t min,
                                uint32_t max, uint32_t *out);

/* 30, or "30s". */
GR_CHECKED int gr_decode_seconds(struct gr_decoder *d, const struct gr_yaml_node *node,
                                 uint32_t min, uint32_t max, uint32_t *out_s);

/* One of n words; *out_index is its number. */
GR_CHECKED int gr_decode_word(struct gr_decoder *d, const struct gr_yaml_node *node,
                              const char *const *words, size_t n, size_t *out_index);

/* What was meant by a word that is none of the known ones; NULL when nothing is near. */
const char *gr_nearest(struct gr_str word, const char *const *known, size_t n);

/* An absolute path without . and .. and double or closing slashes. Refuses what is none. */
GR_CHECKED int gr_decode_check_path(struct gr_decoder *d, struct gr_place at, struct gr_str path,
                                    size_t max);

/* As Kubernetes names objects: lower-case letters, digits, - and ., at most 253 bytes; - and .
 * stand between letters or digits. */
bool gr_is_dns_subdomain(struct gr_str name);

#endif
