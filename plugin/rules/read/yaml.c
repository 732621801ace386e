/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml: a file as a row of documents, and libyaml's complaints as findings.
 *
 * Layer: rules. The trees are made in yaml_build.c. One event is read ahead, so that it is known
 * whether what follows a document can be read.
 */
#include "rules/read/yaml_build.h"

#include <errno.h>

struct gr_yaml {
    yaml_parser_t parser;
    struct gr_findings *findings;
    bool started; /* parser is initialised and the stream's start is behind us */
    bool ended;
    bool has_event; /* event was read ahead */
    yaml_event_t event;
    uint32_t documents;
    struct gr_yaml_cursor cursor;
};

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

/* Reports libyaml's complaint: GR_YAML_STOP, or -ENOMEM when it only lacks memory. */
static int report_parser_error(struct gr_yaml *yaml)
{
    const yaml_parser_t *parser = &yaml->parser;
    yaml_mark_t mark = parser->problem_mark;
    const char *text;

    /* Reading a tag, libyaml 0.2.5 forgets to say that memory was all that it lacked. */
    if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
        return -ENOMEM;
    if (parser->error == YAML_READER_ERROR)
        mark = parser->mark;
    else if (began_says_more(parser))
        mark = parser->context_mark;
    text = gr_yaml_explain(parser->problem, parser->context,
                           gr_str_skip(yaml->cursor.text, gr_yaml_offset(&yaml->cursor, mark)));
    if (parser->context && parser->context_mark.line < mark.line)
        gr_findings_addf(yaml->findings, NULL, gr_yaml_place(mark), "yaml-syntax",
                         "%s; what is broken here began at line %zu", text,
                         parser->context_mark.line + 1);
    else
        gr_findings_addf(yaml->findings, NULL, gr_yaml_place(mark), "yaml-syntax", "%s", text);
    return GR_YAML_STOP;
}

/* The next event into yaml->event; the one before is deleted. 0, GR_YAML_STOP, -ENOMEM. */
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

    if (!gr_yaml_check_text(yaml->cursor.text, yaml->findings))
        return GR_YAML_STOP;
    if (!yaml_parser_initialize(&yaml->parser))
        return -ENOMEM;
    yaml->started = true;
    yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
    /* libyaml wants a pointer even to nothing. */
    yaml_parser_set_input_string(
        &yaml->parser, (const unsigned char *)(yaml->cursor.text.p ? yaml->cursor.text.p : ""),
        yaml->cursor.text.n);
    r = read_event(yaml);
    return r ? r : read_event(yaml);
}

static int check_document_start(struct gr_yaml *yaml, struct gr_yaml_build *b)
{
    const yaml_event_t *event = &yaml->event;

    if (yaml->documents > GR_YAML_DOCUMENTS_MAX) {
        gr_yaml_build_refuse(b, event->start_mark, "too-many-documents",
                             "this file has more than %d documents; the rest of it is not read",
                             GR_YAML_DOCUMENTS_MAX);
        return GR_YAML_STOP;
    }
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end)
        gr_yaml_build_refuse(b, event->start_mark, "tag",
                             "tags are not supported; remove the %%TAG line");
    return 0;
}

/* Reads from the document's start, the present event, to behind its end. Returns as the builder. */
static int read_document(struct gr_yaml *yaml, struct gr_yaml_build *b,
                         struct gr_yaml_document *document)
{
    size_t begin = gr_yaml_offset(&yaml->cursor, yaml->event.start_mark);
    size_t end;
    bool implicit;
    int r;

    document->at = gr_yaml_place(yaml->event.start_mark);
    r = check_document_start(yaml, b);
    while (r == 0) {
        r = read_event(yaml);
        if (r == 0 && yaml->event.type == YAML_DOCUMENT_END_EVENT)
            break;
        if (r == 0)
            r = gr_yaml_build_event(b, &yaml->event);
    }
    if (r != 0)
        return r;
    end = gr_yaml_offset(&yaml->cursor, yaml->event.end_mark);
    document->text = gr_str_first(gr_str_skip(yaml->cursor.text, begin), end - begin);
    /* Without "..." or "---" between, what cannot be read behind a document is part of it. */
    implicit = yaml->event.data.document_end.implicit != 0;
    return implicit ? read_event(yaml) : 0;
}

int gr_yaml_new(struct gr_str text, struct gr_findings *findings, struct gr_yaml **out_yaml)
{
    struct gr_yaml *yaml = calloc(1, sizeof(*yaml));

    if (!yaml)
        return -ENOMEM;
    yaml->cursor.text = text;
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
    struct gr_yaml_build b = {.arena = arena, .findings = yaml->findings, .cursor = &yaml->cursor};
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
    if (r == GR_YAML_STOP) {
        yaml->ended = true;
        b.bad = true;
        b.root = NULL;
    }
    document.bad = b.bad;
    document.root = is_empty(b.root) ? NULL : b.root;
    *out_document = document;
    return 0;
}
