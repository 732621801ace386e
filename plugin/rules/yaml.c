/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/yaml: from libyaml's events to a tree of nodes.
 *
 * Layer: rules. The builder keeps one frame per open list or mapping in a fixed array, so neither
 * the stack nor the heap grows with nesting. Field paths of findings are made from the frames when
 * they are needed. libyaml counts positions in characters; the cursor turns them into bytes.
 */
#include "rules/yaml.h"

#include <errno.h>

#include <yaml.h>

#include "rules/limits.h"

/* Of the builder: the file ends here, after a finding. */
#define STOP 1

struct gr_yaml {
    yaml_parser_t parser;
    struct gr_str text;
    struct gr_findings *findings;
    bool started; /* parser is initialised and the stream's start is behind us */
    bool ended;
    bool has_event; /* event was read ahead */
    yaml_event_t event;
    uint32_t documents;
    size_t cursor_chars, cursor_bytes; /* the same place, counted both ways */
};

/* An open list or mapping. */
struct frame {
    struct gr_yaml_node *node;
    struct gr_yaml_node *last;
    bool has_key; /* mapping: a key was read, its value comes next */
    bool drop;    /* … and was refused, so the value is passed over */
    struct gr_str key;
    bool key_plain;
    struct gr_place key_at;
};

struct build {
    struct gr_yaml *yaml;
    struct gr_arena *arena;
    struct frame frames[GR_YAML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    struct gr_yaml_node *root;
    bool full; /* too many nodes: reported, and nothing more is kept */
    bool bad;
};

static struct gr_place place_of(yaml_mark_t mark)
{
    return (struct gr_place){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* The byte offset of a mark. Marks come nearly in order, so the cursor moves little. */
static size_t offset_of(struct gr_yaml *yaml, yaml_mark_t mark)
{
    size_t chars = yaml->cursor_chars;
    size_t at = yaml->cursor_bytes;
    const char *p = yaml->text.p;

    while (chars < mark.index && at < yaml->text.n) {
        do {
            at++;
        } while (at < yaml->text.n && ((unsigned char)p[at] & 0xC0U) == 0x80U);
        chars++;
    }
    while (chars > mark.index && at > 0) {
        do {
            at--;
        } while (at > 0 && ((unsigned char)p[at] & 0xC0U) == 0x80U);
        chars--;
    }
    yaml->cursor_chars = chars;
    yaml->cursor_bytes = at;
    return at;
}

static struct gr_field_path path_of(const struct build *b)
{
    struct gr_field_path path = {0};

    for (size_t i = 0; i < b->depth && !b->full; i++) {
        const struct frame *frame = &b->frames[i];

        if (frame->node->kind == GR_YAML_LIST)
            gr_field_path_index(&path, frame->node->n);
        else if (frame->has_key && frame->key.n > 0)
            gr_field_path_key(&path, frame->key);
    }
    return path;
}

/* A finding about the node that is being read; the message is made by the caller. */
static void refuse(struct build *b, yaml_mark_t mark, struct gr_err *err)
{
    struct gr_field_path path = path_of(b);

    gr_findings_add(b->yaml->findings, &path, place_of(mark), err);
    b->bad = true;
}

static void refuse_anchor(struct build *b, const yaml_event_t *event, const yaml_char_t *anchor)
{
    struct gr_shown shown = gr_show(gr_str_from((const char *)anchor));
    struct gr_err err = {0};

    gr_fail(&err, 0, "anchor",
            "anchors are not supported, found \"&%s\"; remove it and write the value out wherever "
            "it is needed (a text that begins with & must be quoted)",
            shown.text);
    refuse(b, event->start_mark, &err);
}

static void refuse_alias(struct build *b, const yaml_event_t *event)
{
    struct gr_shown shown = gr_show(gr_str_from((const char *)event->data.alias.anchor));
    struct gr_err err = {0};

    gr_fail(&err, 0, "alias",
            "aliases are not supported, found \"*%s\"; write the value out here (a text that "
            "begins with * must be quoted)",
            shown.text);
    refuse(b, event->start_mark, &err);
}

static void refuse_tag(struct build *b, const yaml_event_t *event, const yaml_char_t *tag)
{
    struct gr_shown shown = gr_show(gr_str_from(tag ? (const char *)tag : "!"));
    struct gr_err err = {0};

    gr_fail(&err, 0, "tag",
            "tags are not supported, found \"%s\"; remove it (a text that begins with ! must be "
            "quoted)",
            shown.text);
    refuse(b, event->start_mark, &err);
}

/* Anchors and tags of a node. True when there was none. libyaml forgets the tag "!" by itself, so
 * the source is looked at for it. */
static bool check_properties(struct build *b, const yaml_event_t *event, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    bool good = true;

    if (anchor) {
        refuse_anchor(b, event, anchor);
        good = false;
    }
    if (!tag && !anchor && event->end_mark.index > event->start_mark.index) {
        size_t at = offset_of(b->yaml, event->start_mark);

        good = at >= b->yaml->text.n || b->yaml->text.p[at] != '!';
    }
    if (tag || (!anchor && !good)) {
        refuse_tag(b, event, tag);
        good = false;
    }
    return good;
}

static bool awaits_key(const struct build *b)
{
    const struct frame *top = b->depth > 0 ? &b->frames[b->depth - 1] : NULL;

    return top && top->node->kind == GR_YAML_MAPPING && !top->has_key;
}

/* The next value of the mapping on top has no key that could be used. */
static void drop_next_value(struct build *b)
{
    struct frame *top = &b->frames[b->depth - 1];

    top->has_key = true;
    top->drop = true;
    top->key = GR_STR_NONE;
}

/* Counts a node. False, once with a finding, when there are too many. */
static bool count_node(struct build *b, yaml_mark_t mark)
{
    struct gr_err err = {0};

    if (b->full)
        return false;
    if (b->nodes < GR_YAML_NODES_MAX) {
        b->nodes++;
        return true;
    }
    gr_fail(&err, 0, "too-many-nodes",
            "this document has more than %d keys and values; split it into several documents",
            GR_YAML_NODES_MAX);
    refuse(b, mark, &err);
    b->full = true;
    return false;
}

/* Hangs a value into whatever is open. */
static void attach(struct build *b, struct gr_yaml_node *node)
{
    struct frame *top;

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

static struct gr_yaml_node *new_node(struct build *b, enum gr_yaml_kind kind, yaml_mark_t mark)
{
    struct gr_yaml_node *node = gr_arena_alloc(b->arena, sizeof(*node));

    if (node) {
        node->kind = kind;
        node->at = place_of(mark);
    }
    return node;
}

static bool check_scalar_text(struct build *b, const yaml_event_t *event, struct gr_str text)
{
    struct gr_err err = {0};

    if (text.n > GR_YAML_SCALAR_MAX_BYTES)
        gr_fail(&err, 0, "too-long", "this text has %zu bytes; at most %d are allowed", text.n,
                GR_YAML_SCALAR_MAX_BYTES);
    else if (gr_str_find(text, '\0') < text.n)
        gr_fail(&err, 0, "control-character",
                "this text holds a NUL byte (\\0), which no hook can be given; remove it");
    else
        return true;
    refuse(b, event->start_mark, &err);
    return false;
}

static int take_key(struct build *b, const yaml_event_t *event, struct gr_str text, bool good)
{
    struct frame *top = &b->frames[b->depth - 1];
    struct gr_err err = {0};

    if (good && gr_str_is(text, "<<") && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        gr_fail(&err, 0, "merge-key", "merge keys (<<) are not supported; write the keys out here");
        refuse(b, event->start_mark, &err);
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
    top->key_at = place_of(event->start_mark);
    return 0;
}

static int on_scalar(struct build *b, const yaml_event_t *event)
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
    attach(b, node);
    return 0;
}

static int on_alias(struct build *b, const yaml_event_t *event)
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

static int refuse_depth(struct build *b, const yaml_event_t *event)
{
    struct gr_err err = {0};

    gr_fail(&err, 0, "too-deep",
            "lists and mappings are nested more than %d deep here; the rest of the file is not "
            "read",
            GR_YAML_DEPTH_MAX);
    refuse(b, event->start_mark, &err);
    return STOP;
}

static int on_open(struct build *b, const yaml_event_t *event, enum gr_yaml_kind kind,
                   const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct gr_yaml_node *node = NULL;
    struct gr_err err = {0};

    if (b->depth == GR_YAML_DEPTH_MAX)
        return refuse_depth(b, event);
    if (count_node(b, event->start_mark)) {
        (void)check_properties(b, event, anchor, tag);
        node = new_node(b, kind, event->start_mark);
        if (!node)
            return -ENOMEM;
        if (awaits_key(b)) {
            gr_fail(&err, 0, "bad-key", "a key must be a plain text, found a %s",
                    kind == GR_YAML_LIST ? "list" : "mapping");
            refuse(b, event->start_mark, &err);
            /* The frame's own has_key is set when this container is closed. */
        }
    }
    b->frames[b->depth++] = (struct frame){.node = node};
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
static int check_duplicates(struct build *b, struct gr_yaml_node *mapping)
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
        gr_findings_addf(b->yaml->findings, &path, sorted[i]->key_at, "duplicate-key",
                         "the key \"%s\" stands here a second time, first at line %u; keep one of "
                         "the two",
                         gr_show(sorted[i]->key).text, sorted[i - 1]->key_at.line);
        sorted[i]->kind = GR_YAML_BAD;
        b->bad = true;
    }
    return 0;
}

static int on_close(struct build *b)
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

static int on_event(struct build *b, const yaml_event_t *event)
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

/* Where a thing began says more than where libyaml noticed, if it never ends. */
static bool began_says_more(const yaml_parser_t *parser)
{
    static const char *const problems[] = {
        "could not find expected ':'",
        "found unexpected end of stream",
        "did not find expected alphabetic or numeric character",
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(problems); i++) {
        if (parser->context && parser->problem && strcmp(parser->problem, problems[i]) == 0)
            return true;
    }
    return false;
}

/* Reports libyaml's complaint: STOP, or -ENOMEM when it only lacks memory. */
static int report_parser_error(struct gr_yaml *yaml)
{
    const yaml_parser_t *parser = &yaml->parser;
    yaml_mark_t mark = parser->problem_mark;
    const char *text;

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (parser->error == YAML_READER_ERROR)
        mark = parser->mark;
    else if (began_says_more(parser))
        mark = parser->context_mark;
    text = gr_yaml_explain(parser->problem, parser->context,
                           gr_str_skip(yaml->text, offset_of(yaml, mark)));
    if (parser->context && parser->context_mark.line < mark.line)
        gr_findings_addf(yaml->findings, NULL, place_of(mark), "yaml-syntax",
                         "%s; what is broken here began at line %zu", text,
                         parser->context_mark.line + 1);
    else
        gr_findings_addf(yaml->findings, NULL, place_of(mark), "yaml-syntax", "%s", text);
    return STOP;
}

/* The next event into yaml->event; the one before is deleted. 0, STOP, -ENOMEM. */
static int read_event(struct gr_yaml *yaml)
{
    if (yaml->has_event)
        yaml_event_delete(&yaml->event);
    yaml->has_event = false;
    if (!yaml_parser_parse(&yaml->parser, &yaml->event))
        return report_parser_error(yaml);
    yaml->has_event = true;
    return 0;
}

/* Initialises the parser and reads up to the first document's start or the stream's end. */
static int start(struct gr_yaml *yaml)
{
    int r;

    if (!gr_yaml_check_text(yaml->text, yaml->findings))
        return STOP;
    if (!yaml_parser_initialize(&yaml->parser))
        return -ENOMEM;
    yaml->started = true;
    yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
    /* libyaml wants a pointer even to nothing. */
    yaml_parser_set_input_string(
        &yaml->parser, (const unsigned char *)(yaml->text.p ? yaml->text.p : ""), yaml->text.n);
    r = read_event(yaml);
    return r ? r : read_event(yaml);
}

static int check_document_start(struct gr_yaml *yaml, struct build *b)
{
    const yaml_event_t *event = &yaml->event;
    struct gr_err err = {0};

    if (yaml->documents > GR_YAML_DOCUMENTS_MAX) {
        gr_fail(&err, 0, "too-many-documents",
                "this file has more than %d documents; the rest of it is not read",
                GR_YAML_DOCUMENTS_MAX);
        refuse(b, event->start_mark, &err);
        return STOP;
    }
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end) {
        gr_fail(&err, 0, "tag", "tags are not supported; remove the %%TAG line");
        refuse(b, event->start_mark, &err);
    }
    return 0;
}

/* Reads from the document's start (the present event) to behind its end. 0, STOP, -ENOMEM. */
static int read_document(struct gr_yaml *yaml, struct build *b, struct gr_yaml_document *document)
{
    size_t begin = offset_of(yaml, yaml->event.start_mark);
    size_t end;
    bool implicit;
    int r;

    document->at = place_of(yaml->event.start_mark);
    r = check_document_start(yaml, b);
    while (r == 0) {
        r = read_event(yaml);
        if (r == 0 && yaml->event.type == YAML_DOCUMENT_END_EVENT)
            break;
        if (r == 0)
            r = on_event(b, &yaml->event);
    }
    if (r != 0)
        return r;
    end = offset_of(yaml, yaml->event.end_mark);
    document->text = gr_str_first(gr_str_skip(yaml->text, begin), end - begin);
    /* Without "..." or "---" between, what cannot be read behind a document is part of it. */
    implicit = yaml->event.data.document_end.implicit != 0;
    return implicit ? read_event(yaml) : 0;
}

int gr_yaml_new(struct gr_str text, struct gr_findings *findings, struct gr_yaml **out_yaml)
{
    struct gr_yaml *yaml = calloc(1, sizeof(*yaml));

    if (!yaml)
        return -ENOMEM;
    yaml->text = text;
    yaml->findings = findings;
    *out_yaml = yaml;
    return 0;
}

void gr_yaml_free(struct gr_yaml *yaml)
{
    if (!yaml)
        return;
    if (yaml->has_event)
        yaml_event_delete(&yaml->event);
    if (yaml->started)
        yaml_parser_delete(&yaml->parser);
    free(yaml);
}

/* A document that consists of nothing but an empty line or a comment. */
static bool is_empty(const struct gr_yaml_node *root)
{
    return root && root->kind == GR_YAML_SCALAR && root->plain && root->text.n == 0;
}

int gr_yaml_next(struct gr_yaml *yaml, struct gr_arena *arena,
                 struct gr_yaml_document *out_document)
{
    struct build b = {.yaml = yaml, .arena = arena};
    struct gr_yaml_document document = {.at = {.line = 1, .column = 1}};
    int r = 0;

    if (yaml->ended)
        return GR_YAML_END;
    if (!yaml->started)
        r = start(yaml);
    if (r == 0 && yaml->event.type == YAML_DOCUMENT_END_EVENT)
        r = read_event(yaml);
    if (r == 0 && yaml->event.type == YAML_STREAM_END_EVENT) {
        yaml->ended = true;
        return GR_YAML_END;
    }
    document.number = yaml->documents++;
    if (r == 0)
        r = read_document(yaml, &b, &document);
    if (r < 0)
        return r;
    if (r == STOP) {
        yaml->ended = true;
        b.bad = true;
        b.root = NULL;
    }
    document.bad = b.bad;
    document.root = is_empty(b.root) ? NULL : b.root;
    *out_document = document;
    return 0;
}
