/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/testsuite.h"

#include <errno.h>

#include "rules/limits.h"
#include "rules/read/testsuite_parts.h"

#define SCRATCH_BLOCK_BYTES (64U << 10)

int gr_suite_check_list(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max)
{
    if (node->kind == GR_YAML_LIST && node->n == 0)
        return 0;
    return gr_decode_check_list(d, node, max);
}

int gr_suite_texts(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max,
                   struct gr_strs *out_texts)
{
    struct gr_str *texts;
    size_t n = 0;
    int r = gr_suite_check_list(d, node, max);

    if (r)
        return r;
    texts = gr_arena_array(d->arena, node->n, sizeof(*texts));
    if (!texts)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        size_t before = gr_field_path_index(&d->path, n);
        int one = gr_decode_text_copy(d, item, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &texts[n]);

        gr_field_path_cut(&d->path, before);
        if (one < 0)
            return one;
        r = one ? one : r;
        n++;
    }
    if (r == 0)
        *out_texts = (struct gr_strs){.items = texts, .n = n};
    return r;
}

static int decode_case_name(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_PATTERN_MAX_BYTES, &c->name);

    if (r == 0 && c->name.n == 0)
        return gr_decode_refuse(d, node->at, "empty", "an empty name means nothing; fill it in");
    return r;
}

static int decode_from(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_case *c = target;
    int r = gr_decode_check_list(d, node, GR_SUITE_FILES_MAX);

    return r ? r : gr_suite_texts(d, node, GR_SUITE_FILES_MAX, &c->from);
}

static int decode_case(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_case *c)
{
    static const struct gr_key keys[] = {
        {"name", decode_case_name, GR_KEY_REQUIRED, "name: and what the case shows"},
        {"container", gr_suite_container, 0, NULL},
        {"from", decode_from, 0, NULL},
        {"expect", gr_suite_expect, GR_KEY_REQUIRED, "expect: {sets: [NAME]}"},
        {"sets", NULL, GR_KEY_ELSEWHERE, "expect"},
        {"hooks", NULL, GR_KEY_ELSEWHERE, "expect"},
        {"image", NULL, GR_KEY_ELSEWHERE, "container"},
        {"namespace", NULL, GR_KEY_ELSEWHERE, "container"},
    };
    int r;

    c->at = node->at;
    r = gr_decode_mapping(d, node, GR_KEYS(keys), c);
    if (r)
        return r;
    if (!gr_yaml_get(node, "container") && !gr_yaml_get(node, "from"))
        return gr_decode_refuse(d, node->at, "missing-key",
                                "the key \"container\" is missing; write container: {image: …}, or "
                                "from: [FILE]");
    return 0;
}

static int check_case_name(struct gr_decoder *d, const struct gr_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (cases[n].name.n > 0 && gr_str_eq(cases[i].name, cases[n].name))
            return gr_decode_refuse(d, cases[n].at, "duplicate-name",
                                    "the name \"%s\" was given already to the case at line %u; "
                                    "give each case its own",
                                    gr_show(cases[n].name).text, cases[i].at.line);
    }
    return 0;
}

static int decode_cases(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_suite *suite = target;
    struct gr_case *cases;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_SUITE_CASES_MAX);

    if (r)
        return r;
    cases = gr_arena_array(d->arena, node->n, sizeof(*cases));
    if (!cases)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = decode_case(d, item, &cases[n]);
        if (r >= 0)
            r = check_case_name(d, cases, n);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    suite->cases = cases;
    suite->cases_n = n;
    return 0;
}

static int decode_rules(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_suite *suite = target;
    int r = gr_decode_check_list(d, node, GR_SUITE_FILES_MAX);

    return r ? r : gr_suite_texts(d, node, GR_SUITE_FILES_MAX, &suite->rules);
}

static int decode_dns_name(struct gr_decoder *d, const struct gr_yaml_node *node,
                           struct gr_str *out_name)
{
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_NAME_MAX_BYTES, out_name);

    if (r == 0 && !gr_is_dns_subdomain(*out_name))
        return gr_decode_refuse(d, node->at, "bad-name",
                                "expected a name of lower-case letters, digits, - and ., found "
                                "\"%s\"",
                                gr_show(*out_name).text);
    return r;
}

static int decode_node(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_suite *suite = target;

    return decode_dns_name(d, node, &suite->node);
}

static int decode_environment(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_suite *suite = target;

    return decode_dns_name(d, node, &suite->environment);
}

static int decode_policy(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_suite *suite = target;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &suite->policy);

    if (r == 0 && suite->policy.n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty path means nothing; write policy: policy.yaml");
    return r;
}

static int decode_suite_name(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_suite *suite = target;

    return decode_dns_name(d, node, &suite->name);
}

static int decode_spec(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"rules", decode_rules, GR_KEY_REQUIRED, "rules: [hooks.d]"},
        {"node", decode_node, 0, NULL},
        {"environment", decode_environment, 0, NULL},
        {"policy", decode_policy, 0, NULL},
        {"cases", decode_cases, GR_KEY_REQUIRED,
         "cases: [{name: …, container: {image: …}, expect: {sets: [NAME]}}]"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_metadata(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"name", decode_suite_name, 0, NULL},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

static int decode_suite(struct gr_decoder *d, const struct gr_yaml_node *root,
                        struct gr_suite *suite)
{
    static const struct gr_key keys[] = {
        {"apiVersion", gr_decode_seen, GR_KEY_REQUIRED, "apiVersion: " GR_API_VERSION},
        {"kind", gr_decode_seen, GR_KEY_REQUIRED, "kind: TestSuite"},
        {"metadata", decode_metadata, 0, NULL},
        {"spec", decode_spec, GR_KEY_REQUIRED, "spec: with rules and cases in it"},
        {"rules", NULL, GR_KEY_ELSEWHERE, "spec"},
        {"cases", NULL, GR_KEY_ELSEWHERE, "spec"},
    };
    int r = 0;

    suite->at = root->at;
    if (root->kind == GR_YAML_MAPPING)
        r = gr_decode_check_kind(d, root, "TestSuite");
    if (r == 0)
        r = gr_decode_mapping(d, root, GR_KEYS(keys), suite);
    return r < 0 ? r : 0;
}

/* A chain, turned into an array when its length is known. */
struct link {
    struct link *next;
    struct gr_suite suite;
};

struct reading {
    struct gr_decoder d;
    struct gr_suite base; /* what all of the file share */
    struct link *first, **end;
    size_t n, rejected;
};

static int add_document(struct reading *r, const struct gr_yaml_document *document)
{
    struct link *link = gr_arena_alloc(r->d.arena, sizeof(*link));
    int rc;

    if (!link)
        return -ENOMEM;
    r->d.bad = document->bad;
    r->d.path = (struct gr_field_path){0};
    link->suite = r->base;
    if (document->root) {
        rc = decode_suite(&r->d, document->root, &link->suite);
        if (rc)
            return rc;
    }
    r->rejected += r->d.bad;
    if (r->d.bad || !document->root)
        return 0;
    *r->end = link;
    r->end = &link->next;
    r->n++;
    return 0;
}

static int read_all(struct reading *r, struct gr_str text, struct gr_arena *scratch)
{
    struct gr_yaml *yaml = NULL;
    int rc = gr_yaml_new(text, r->d.findings, &yaml);

    while (rc == 0) {
        struct gr_yaml_document document;

        gr_arena_reset(scratch);
        rc = gr_yaml_next(yaml, scratch, &document);
        if (rc == 0)
            rc = add_document(r, &document);
    }
    gr_yaml_free(yaml);
    return rc == GR_YAML_END ? 0 : rc;
}

static int give(const struct reading *r, struct gr_suites *out_suites)
{
    struct gr_suite *items = gr_arena_array(r->d.arena, r->n, sizeof(*items));
    size_t n = 0;

    if (!items)
        return -ENOMEM;
    for (const struct link *link = r->first; link; link = link->next)
        items[n++] = link->suite;
    *out_suites = (struct gr_suites){.items = items, .n = n, .rejected = r->rejected};
    return 0;
}

int gr_suites_decode(struct gr_arena *arena, const struct gr_source *source,
                     const struct gr_reporter *reporter, struct gr_suites *out_suites)
{
    struct gr_findings findings = {.reporter = reporter, .file = source->file};
    struct reading r = {.d = {.arena = arena, .findings = &findings}};
    struct gr_arena scratch;
    int rc = -ENOMEM;

    r.end = &r.first;
    gr_arena_init(&scratch, SCRATCH_BLOCK_BYTES, 0);
    if (gr_arena_str(arena, gr_str_from(source->file), &r.base.file) &&
        gr_arena_str(arena, source->stem, &r.base.name))
        rc = read_all(&r, source->text, &scratch);
    if (rc == 0)
        rc = give(&r, out_suites);
    gr_arena_fini(&scratch);
    return rc;
}
