/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml_build: from the events of one document to its nodes.
 *
 * Layer: rules, not for others: what yaml.c and yaml_build.c share.
 */
#ifndef GR_RULES_YAML_BUILD_H
#define GR_RULES_YAML_BUILD_H

#include "rules/limits.h"
#include "rules/read/yaml.h"

#include <yaml.h>

/* Of the builder: the file ends here, after a finding. */
#define GR_YAML_STOP 1

/* A place in the source, counted in characters (as libyaml does) and in bytes. */
struct gr_yaml_cursor {
    struct gr_str text;
    size_t chars, bytes;
};

/* The byte offset of a mark. Marks come in order, so that the cursor only moves forward. */
size_t gr_yaml_offset(struct gr_yaml_cursor *cursor, yaml_mark_t mark);

struct gr_place gr_yaml_place(yaml_mark_t mark);

/* An open list or mapping. */
struct gr_yaml_frame {
    struct gr_yaml_node *node;
    struct gr_yaml_node *last;
    bool has_key; /* mapping: a key was read, its value comes next */
    bool drop;    /* … and was refused, so the value is passed over */
    struct gr_str key;
    bool key_plain;
    struct gr_place key_at;
};

/* One document while it is read. */
struct gr_yaml_build {
    struct gr_arena *arena;
    struct gr_findings *findings;
    struct gr_yaml_cursor *cursor;
    struct gr_yaml_frame frames[GR_YAML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    struct gr_yaml_node *root;
    bool full; /* too many nodes: reported, and nothing more is kept */
    bool bad;
};

/* Reports a finding about what is being read. */
void gr_yaml_build_refuse(struct gr_yaml_build *b, yaml_mark_t mark, const char *code,
                          const char *format, ...) GR_PRINTF(4, 5);

/* Takes the next event. Returns 0; GR_YAML_STOP; -ENOMEM. */
GR_CHECKED int gr_yaml_build_event(struct gr_yaml_build *b, const yaml_event_t *event);

#endif
