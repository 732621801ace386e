/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml_build: one frame per open list or mapping in a fixed array, so that neither the
 * stack nor the heap grows with nesting. Field paths of findings are made from the frames when they
 * are needed.
 *
 * Layer: rules.
 */
#include "rules/read/yaml_build.h"

#include <errno.h>

struct gr_place gr_yaml_place(yaml_mark_t mark)
{
    return (struct gr_place){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

size_t gr_yaml_offset(struct gr_yaml_cursor *cursor, yaml_mark_t mark)
{
    const char *p = cursor->text.p;

    if (mark.index < cursor->chars)
        cursor->chars = cursor->bytes = 0;
    while (cursor->chars < mark.index && cursor->bytes < cursor->text.n) {
        do {
            cursor->bytes++;
        } while (cursor->bytes < cursor->text.n &&
                 ((unsigned char)p[cursor->bytes] & 0xC0U) == 0x80U);
        cursor->chars++;
    }
    return cursor->bytes;
}

static struct gr_field_path path_of(const struct gr_yaml_build *b)
{
    struct gr_field_path path = {0};

    for (size_t i = 0; i < b->depth && !b->full; i++) {
        const struct gr_yaml_frame *frame = &b->frames[i];

        if (frame->node->kind == GR_YAML_LIST)
            gr_field_path_index(&path, frame->node->n);
        else if (frame->has_key && frame->key.n > 0)
            gr_field_path_key(&path, frame->key);
    }
    return path;
}

void gr_yaml_build_refuse(struct gr_yaml_build *b, yaml_mark_t mark, const char *code,
                          const char *format, ...)
{
    struct gr_field_path path = path_of(b);
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, code, format, args);
    va_end(args);
    gr_findings_add(b->findings, &path, gr_yaml_place(mark), &err);
    b->bad = true;
}

static void refuse_anchor(struct gr_yaml_build *b, const yaml_event_t *event,
                          const yaml_char_t *anchor)
{
    struct gr_shown shown = gr_show(gr_str_from((const char *)anchor));

    gr_yaml_build_refuse(
        b, event->start_mark, "anchor",
        "anchors are not supported, found \"&%s\"; remove it and write the value out wherever "
        "it is needed (a text that begins with & must be quoted)",
        shown.text);
}

static void refuse_alias(struct gr_yaml_build *b, const yaml_event_t *event)
{
    struct gr_shown shown = gr_show(gr_str_from((const char *)event->data.alias.anchor));

    gr_yaml_build_refuse(
        b, event->start_mark, "alias",
        "aliases are not supported, found \"*%s\"; write the value out here (a text that "
        "begins with * must be quoted)",
        shown.text);
}

static void refuse_tag(struct gr_yaml_build *b, const yaml_event_t *event, const yaml_char_t *tag)
{
    struct gr_shown shown = gr_show(gr_str_from(tag ? (const char *)tag : "!"));

    gr_yaml_build_refuse(
        b, event->start_mark, "tag",
        "tags are not supported, found \"%s\"; remove it (a text that begins with ! must be "
        "quoted)",
        shown.text);
}

/* Anchors and tags of a node. True when there was none. libyaml forgets the tag "!" by itself, so
 * the source is looked at for it. */
static bool check_properties(struct gr_yaml_build *b, const yaml_event_t *event,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    bool good = true;

    if (anchor) {
        refuse_anchor(b, event, anchor);
        good = false;
    }
    if (!tag && !anchor && event->end_mark.index > event->start_mark.index) {
        size_t at = gr_yaml_offset(b->cursor, event->start_mark);

        good = at >= b->cursor->text.n || b->cursor->text.p[at] != '!';
    }
    if (tag || (!anchor && !good)) {
        refuse_tag(b, event, tag);
        good = false;
    }
    return good;
}

static bool awaits_key(const struct gr_yaml_build *b)
{
    const struct gr_yaml_frame *top = b->depth > 0 ? &b->frames[b->depth - 1] : NULL;

    return top && top->node->kind == GR_YAML_MAPPING && !top->has_key;
}

/* The next value of the mapping on top has no key that could be used. */
static void drop_next_value(struct gr_yaml_build *b)
{
    struct gr_yaml_frame *top = &b->frames[b->depth - 1];

    top->has_key = true;
    top->drop = true;
    top->key = GR_STR_NONE;
}

/* Counts a node. False, once with a finding, when there are too many. */
static bool count_node(struct gr_yaml_build *b, yaml_mark_t mark)
{
    if (b->full)
        return false;
    if (b->nodes < GR_YAML_NODES_MAX) {
        b->nodes++;
        return true;
    }
    gr_yaml_build_refuse(
        b, mark, "too-many-nodes",
        "this document has more than %d keys and values; split it into several documents",
        GR_YAML_NODES_MAX);
    b->full = true;
    return false;
}

/* Hangs a value into whatever is open. */
static void attach(struct gr_yaml_build *b, struct gr_yaml_node *node)
{
    struct gr_yaml_frame *top;

    if (b->depth == 0) {
        b->root = node;
        return;
    }
    top = &b->frames[b->depth - 1];
    if (top->node->kind == GR_YAML_MAPPING) {
        bool drop = top->drop;

        node->key = top->key;
        node->key_plain = top->key_plain;
        node->key_at = top->key_at;
        top->has_key = false;
        top->drop = false;
        if (drop)
            return;
    }
    if (top->last)
        top->last->next = node;
    else
        top->node->first = node;
    top->last = node;
    top->node->n++;
}

static struct gr_yaml_node *new_node(struct gr_yaml_build *b, enum gr_yaml_kind kind,
                                     yaml_mark_t mark)
{
    struct gr_yaml_node *node = gr_arena_alloc(b->arena, sizeof(*node));

    if (node) {
        node->kind = kind;
        node->at = gr_yaml_place(mark);
    }
    return node;
}

static bool check_scalar_text(struct gr_yaml_build *b, const yaml_event_t *event,
                              struct gr_str text)
{
    if (text.n > GR_YAML_SCALAR_MAX_BYTES) {
        gr_yaml_build_refuse(b, event->start_mark, "too-long",
                             "this text has %zu bytes; at most %d are allowed", text.n,
                             GR_YAML_SCALAR_MAX_BYTES);
        return false;
    }
    if (gr_str_find(text, '\0') < text.n) {
        gr_yaml_build_refuse(b, event->start_mark, "control-character",
                             "this text holds a NUL byte (\\0), which no hook can be given; "
                             "remove it");
        return false;
    }
    return true;
}

static int take_key(struct gr_yaml_build *b, const yaml_event_t *event, struct gr_str text,
                    bool good)
{
    struct gr_yaml_frame *top = &b->frames[b->depth - 1];

    if (good && gr_str_is(text, "<<") && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        gr_yaml_build_refuse(b, event->start_mark, "merge-key",
                             "merge keys (<<) are not supported; write the keys out here");
        good = false;
    }
    if (!good) {
        drop_next_value(b);
        return 0;
    }
    if (!gr_arena_str(b->arena, text, &top->key))
        return -ENOMEM;
    top->has_key = true;
    top->key_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    top->key_at = gr_yaml_place(event->start_mark);
    return 0;
}

static int on_scalar(struct gr_yaml_build *b, const yaml_event_t *event)
{
    struct gr_str text = {.p = (const char *)event->data.scalar.value,
                          .n = event->data.scalar.length};
    struct gr_yaml_node *node;
    bool good;

    if (!count_node(b, event->start_mark))
        return 0;
    good = check_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag);
    good = check_scalar_text(b, event, text) && good;
    if (awaits_key(b))
        return take_key(b, event, text, good);
    node = new_node(b, good ? GR_YAML_SCALAR : GR_YAML_BAD, event->start_mark);
    if (!node || (good && !gr_arena_str(b->arena, text, &node->text)))
        return -ENOMEM;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE)
        node->quote = '\'';
    if (event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        node->quote = '"';
    attach(b, node);
    return 0;
}

static int on_alias(struct gr_yaml_build *b, const yaml_event_t *event)
{
    struct gr_yaml_node *node;

    if (!count_node(b, event->start_mark))
        return 0;
    refuse_alias(b, event);
    if (awaits_key(b)) {
        drop_next_value(b);
        return 0;
    }
    node = new_node(b, GR_YAML_BAD, event->start_mark);
    if (!node)
        return -ENOMEM;
    attach(b, node);
    return 0;
}

static int refuse_depth(struct gr_yaml_build *b, const yaml_event_t *event)
{
    gr_yaml_build_refuse(
        b, event->start_mark, "too-deep",
        "lists and mappings are nested more than %d deep here; the rest of the file is not "
        "read",
        GR_YAML_DEPTH_MAX);
    return GR_YAML_STOP;
}

static int on_open(struct gr_yaml_build *b, const yaml_event_t *event, enum gr_yaml_kind kind,
                   const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct gr_yaml_node *node = NULL;

    if (b->depth == GR_YAML_DEPTH_MAX)
        return refuse_depth(b, event);
    if (count_node(b, event->start_mark)) {
        (void)check_properties(b, event, anchor, tag);
        node = new_node(b, kind, event->start_mark);
        if (!node)
            return -ENOMEM;
        if (awaits_key(b)) {
            gr_yaml_build_refuse(b, event->start_mark, "bad-key",
                                 "a key must be a plain text, found a %s",
                                 kind == GR_YAML_LIST ? "list" : "mapping");
            /* The frame's own has_key is set when this container is closed. */
        }
    }
    b->frames[b->depth++] = (struct gr_yaml_frame){.node = node};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct gr_yaml_node *x = *(struct gr_yaml_node *const *)a;
    const struct gr_yaml_node *y = *(struct gr_yaml_node *const *)b;
    int order = gr_str_cmp(x->key, y->key);

    if (order != 0)
        return order;
    if (x->key_at.line != y->key_at.line)
        return x->key_at.line < y->key_at.line ? -1 : 1;
    return (x->key_at.column > y->key_at.column) - (x->key_at.column < y->key_at.column);
}

/* Of two equal keys the second one is refused. The mapping's frame has been left already. */
static int check_duplicates(struct gr_yaml_build *b, struct gr_yaml_node *mapping)
{
    struct gr_yaml_node **sorted =
        gr_arena_array(b->arena, mapping->n, sizeof(struct gr_yaml_node *));
    struct gr_yaml_node *node = mapping->first;

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < mapping->n; i++) {
        sorted[i] = node;
        node = node->next;
    }
    qsort(sorted, mapping->n, sizeof(struct gr_yaml_node *), compare_keys);
    for (size_t i = 1; i < mapping->n; i++) {
        struct gr_field_path path;

        if (!gr_str_eq(sorted[i]->key, sorted[i - 1]->key))
            continue;
        path = path_of(b);
        gr_field_path_key(&path, sorted[i]->key);
        gr_findings_addf(b->findings, &path, sorted[i]->key_at, "duplicate-key",
                         "the key \"%s\" stands here a second time, first at line %u; keep one of "
                         "the two",
                         gr_show(sorted[i]->key).text, sorted[i - 1]->key_at.line);
        sorted[i]->kind = GR_YAML_BAD;
        b->bad = true;
    }
    return 0;
}

static int on_close(struct gr_yaml_build *b)
{
    struct gr_yaml_node *node = b->frames[--b->depth].node;
    int r;

    if (b->full)
        return 0;
    if (node->kind == GR_YAML_MAPPING && node->n > 1) {
        r = check_duplicates(b, node);
        if (r < 0)
            return r;
    }
    if (awaits_key(b))
        drop_next_value(b);
    else
        attach(b, node);
    return 0;
}

int gr_yaml_build_event(struct gr_yaml_build *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, event, GR_YAML_LIST, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, event, GR_YAML_MAPPING, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(b);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return 0;
}
