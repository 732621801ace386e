/* SPDX-License-Identifier: Apache-2.0 */
/* From texts to facts: which kind of document each is, and who reads it. */
#include "oci/input.h"

#include <errno.h>

#include "oci/input_parts.h"
#include "oci/limits.h"
#include "oci/pod.h"
#include "rules/limits.h"
#include "rules/read/yaml_json.h"

const char *gr_input_kind_name(enum gr_input_kind kind)
{
    static const char *const names[] = {
        [GR_INPUT_MANIFEST] = "pod manifest",
        [GR_INPUT_CONTAINER] = "crictl inspect",
        [GR_INPUT_SANDBOX] = "crictl inspectp",
        [GR_INPUT_BUNDLE] = "config.json",
    };

    return names[kind];
}

int gr_facts_add(struct gr_input_reading *r, const struct gr_facts *facts)
{
    struct gr_facts *copy;

    if (r->n == GR_INPUT_CONTAINERS_MAX)
        return gr_decode_refuse(&r->d, facts->at, "too-many",
                                "expected at most %d containers in all documents, found more",
                                GR_INPUT_CONTAINERS_MAX);
    copy = gr_arena_alloc(r->d.arena, sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *facts;
    *r->tail = copy;
    r->tail = &copy->next;
    r->n++;
    return 0;
}

/* ---- one document ---- */

static int refuse_kind(struct gr_input_reading *r, const struct gr_yaml_node *node)
{
    return gr_decode_refuse(&r->d, node->at, "unknown-document",
                            "expected a pod manifest, the output of crictl inspect or crictl "
                            "inspectp, or a config.json, found %s",
                            node->kind == GR_YAML_MAPPING ? "an object that is none of them"
                                                          : gr_decode_describe(node).text);
}

static int read_kubernetes(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    if (gr_pod_is(object))
        return gr_facts_of_manifest(r, object);
    return refuse_kind(r, object);
}

struct listing {
    struct gr_input_reading *r;
    size_t pods;
};

/* Others than pods stand in many lists. */
static int read_item(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct listing *listing = user;

    (void)d;
    if (!gr_pod_is(node))
        return 0;
    listing->pods++;
    return gr_facts_of_manifest(listing->r, node);
}

static int read_list(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    struct listing listing = {.r = r};
    int result = gr_node_each(&r->d, object, "items", read_item, &listing);

    if (result == 0 && listing.pods == 0 && !r->d.bad)
        result = gr_decode_refuse(&r->d, object->at, "unknown-document",
                                  "expected a list with pods, found none in it");
    return result;
}

/* A sandbox has a namespace of its own; a container has it in its labels only. */
static bool is_sandbox(const struct gr_yaml_node *status)
{
    const struct gr_yaml_node *metadata = gr_node_get(status, "metadata");

    return gr_node_get(metadata, "namespace") || gr_node_get(metadata, "uid");
}

static int read_object(struct gr_input_reading *r, const struct gr_yaml_node *object)
{
    const struct gr_yaml_node *status = gr_node_get(object, "status");

    if (gr_node_get(object, "ociVersion"))
        return gr_facts_of_bundle(r, object);
    if (gr_node_get(object, "kind"))
        return gr_node_get(object, "items") ? read_list(r, object) : read_kubernetes(r, object);
    if (gr_node_get(status, "id") && is_sandbox(status))
        return gr_facts_of_sandbox(r, object);
    if (gr_node_get(status, "id"))
        return gr_facts_of_inspect(r, object);
    return refuse_kind(r, object);
}

/* crictl inspect of several containers prints a list. */
static int read_root(struct gr_input_reading *r, const struct gr_yaml_node *root)
{
    int result = 0;

    if (root->kind != GR_YAML_LIST)
        return read_object(r, root);
    for (root = root->first; root && result >= 0; root = root->next)
        result = read_object(r, root);
    return result;
}

/* ---- texts ---- */

static int refuse_err(struct gr_input_reading *r, struct gr_err *err)
{
    struct gr_place at = {.line = err->line ? err->line : 1,
                          .column = err->column ? err->column : 1};

    return gr_decode_refuse_err(&r->d, at, err);
}

/* Passes over lines "---", which divide documents of YAML also where they are written as JSON. */
static void pass_dividers(struct gr_str text, struct gr_json_progress *progress)
{
    for (;;) {
        struct gr_str rest = gr_str_skip(text, progress->at);
        struct gr_str line = gr_str_first(rest, gr_str_find(rest, '\n'));
        size_t n = line.n;

        while (n > 0 && line.p[n - 1] && strchr(" \t\r", line.p[n - 1]))
            n--;
        if (rest.n == 0 || (n > 0 && !gr_str_is(gr_str_first(line, n), "---")))
            return;
        progress->at += GR_MIN(line.n + 1, rest.n);
    }
}

/* One value behind the other, as jq and several runs of crictl give them. */
static int read_json(struct gr_input_reading *r, struct gr_str text)
{
    struct gr_json_progress progress = {0};
    struct gr_json_counted counted = {0};
    int result = 0;

    while (result == 0 && (progress.at == 0 || progress.at < text.n)) {
        const struct gr_json_node *json;
        struct gr_yaml_node *root;
        struct gr_err err = {0};

        pass_dividers(text, &progress);
        if (progress.at > 0 && progress.at == text.n)
            break;
        result = gr_json_read(r->d.arena, text, GR_JSON_NODES_MAX, &progress, &json, &err);
        if (result == -EINVAL || result == -E2BIG)
            return refuse_err(r, &err);
        if (result == 0)
            result = gr_yaml_from_json(r->d.arena, text, json, &counted, &root);
        if (result == 0)
            result = read_root(r, root);
    }
    return result;
}

static int read_yaml(struct gr_input_reading *r, struct gr_str text)
{
    struct gr_yaml *yaml = NULL;
    struct gr_yaml_document document;
    size_t documents = 0;
    int result = gr_yaml_new(text, r->d.findings, &yaml);

    while (result >= 0 && (result = gr_yaml_next(yaml, r->d.arena, &document)) == 0) {
        if (!document.root || document.bad)
            continue;
        documents++;
        r->d.bad = false;
        result = read_root(r, document.root);
    }
    gr_yaml_free(yaml);
    if (result >= 0 && documents == 0 && r->d.findings->count == 0)
        return gr_decode_refuse(&r->d, (struct gr_place){1, 1}, "unknown-document",
                                "expected a document about a container, found an empty text");
    return result;
}

/* JSON begins with a brace and a quote; a mapping of YAML in braces hardly does. */
static bool is_json(struct gr_str text)
{
    size_t at = 0;

    while (at < text.n && strchr(" \t\r\n", text.p[at]) && text.p[at])
        at++;
    if (at == text.n || (text.p[at] != '{' && text.p[at] != '['))
        return false;
    for (at++; at < text.n && strchr(" \t\r\n[{", text.p[at]) && text.p[at];)
        at++;
    return at == text.n || text.p[at] == '"' || text.p[at] == '}' || text.p[at] == ']';
}

static int read_text(struct gr_input_reading *r, const struct gr_input_text *input)
{
    struct gr_str text;

    if (input->text.n > GR_INPUT_MAX_BYTES)
        return gr_decode_refuse(&r->d, (struct gr_place){1, 1}, "file-too-big",
                                "expected a document of at most %u bytes", GR_INPUT_MAX_BYTES);
    if (!is_json(input->text))
        return read_yaml(r, input->text);
    if (!gr_arena_str(r->d.arena, input->text, &text)) /* what is found borrows from it */
        return -ENOMEM;
    return read_json(r, text);
}

int gr_inputs_read(struct gr_arena *arena, const struct gr_input_text *texts, size_t n,
                   struct gr_str runtime, const struct gr_reporter *reporter,
                   struct gr_inputs *out_inputs)
{
    struct gr_input_reading r = {.runtime = runtime};
    size_t refused = 0;
    int result = 0;

    r.tail = &r.first;
    for (size_t i = 0; i < n && result >= 0; i++) {
        struct gr_findings findings = {.reporter = reporter, .file = texts[i].name};
        struct gr_str name;

        if (!gr_arena_str(arena, gr_str_from(texts[i].name), &name))
            return -ENOMEM;
        r.file = name.p;
        r.d = (struct gr_decoder){.arena = arena, .findings = &findings};
        result = read_text(&r, &texts[i]);
        refused += findings.count;
    }
    if (result < 0)
        return result;
    return refused ? GR_INPUT_REFUSED : gr_facts_join(&r, reporter, out_inputs);
}
