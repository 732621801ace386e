/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/json: a bounded reader of JSON that remembers where everything stands.
 *
 * Layer: base. RFC 8259, strictly: UTF-8, no comments, no closing commas, no NaN. Nothing is copied
 * and no number is turned into one of ours, so that an edit can leave alone what it does not mean.
 * No recursion: nesting costs an entry of a fixed stack. Of a key that stands twice the last
 * counts, as in Go's encoding/json.
 */
#ifndef GR_BASE_JSON_H
#define GR_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

enum gr_json_kind {
    GR_JSON_NULL,
    GR_JSON_BOOLEAN,
    GR_JSON_NUMBER,
    GR_JSON_STRING,
    GR_JSON_LIST,
    GR_JSON_OBJECT,
};

/* A value; in a list or object also a link of its chain. Offsets count in the text that was read.
 */
struct gr_json_node {
    enum gr_json_kind kind;
    uint32_t start, end;         /* of the value, with its quotes or brackets */
    uint32_t key_start, key_end; /* of the key with its quotes; both 0 in a list */
    struct gr_json_node *first;  /* elements or members, in the order written */
    struct gr_json_node *next;
};

/* How far a text was read, that may hold several values; zero at first. */
struct gr_json_progress {
    size_t at;    /* behind the last value and white space */
    size_t nodes; /* so far */
};

/*
 * Reads the next value of a text of less than 4 GiB; at most nodes_max values in the whole text.
 * Returns 0; -EINVAL no JSON (err has line and column); -E2BIG nested deeper than
 * GR_JSON_DEPTH_MAX or more than nodes_max values; -ENOMEM.
 * Codes in err: json-syntax, bad-utf8, too-deep, too-many-nodes, no-memory.
 */
GR_CHECKED int gr_json_read(struct gr_arena *arena, struct gr_str text, size_t nodes_max,
                            struct gr_json_progress *progress, const struct gr_json_node **out_node,
                            struct gr_err *err);

/* The same for a text that holds one value and nothing else. */
GR_CHECKED int gr_json_read_all(struct gr_arena *arena, struct gr_str text, size_t nodes_max,
                                const struct gr_json_node **out_node, struct gr_err *err);

/* "an object", "a list", "a text", "a number", "true or false", "null". */
const char *gr_json_kind_name(enum gr_json_kind kind);

/* What stands between start and end, as it is written. */
static inline struct gr_str gr_json_raw(struct gr_str text, const struct gr_json_node *node)
{
    return (struct gr_str){.p = text.p + node->start, .n = node->end - node->start};
}

static inline struct gr_str gr_json_raw_key(struct gr_str text, const struct gr_json_node *node)
{
    return (struct gr_str){.p = text.p + node->key_start, .n = node->key_end - node->key_start};
}

/*
 * The content of a text that is written with quotes, as gr_json_read accepted it: borrowed where
 * nothing in it is escaped, else in arena. Halves of surrogate pairs become U+FFFD, as in Go. False
 * without memory.
 */
GR_CHECKED bool gr_json_text(struct gr_arena *arena, struct gr_str quoted, struct gr_str *out_text);

/*
 * Puts what JSON's escapes stand for in their place, anywhere in a text that may be any bytes: what
 * is no escape stays. For searching a document for a text without taking it apart. Returns how long
 * it is now.
 */
size_t gr_json_unescape(char *text, size_t n);

enum gr_json_match {
    GR_JSON_DIFFERENT,
    GR_JSON_SAME,
    GR_JSON_OTHER_CASE, /* Go's encoding/json would take it for the name */
};

/* Compares a key as it is written, with its quotes, with a name of ASCII letters. */
enum gr_json_match gr_json_match_key(struct gr_str quoted, struct gr_str name);

/* Appends text with quotes. Returns 0 or out->broken; -EINVAL when it is no UTF-8. */
GR_CHECKED int gr_json_quote(struct gr_buf *out, struct gr_str text);

/*
 * Line and column (from 1, in characters) go on from those of *offset to those of to. Lines end as
 * in YAML: with a line feed, a carriage return or both.
 */
void gr_json_count(struct gr_str text, size_t *offset, size_t to, uint32_t *line, uint32_t *column);

/* Line and column of an offset. */
void gr_json_place(struct gr_str text, size_t offset, uint32_t *out_line, uint32_t *out_column);

#endif
