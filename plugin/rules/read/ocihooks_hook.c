/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks_hook: hooks of the OCI runtime-spec as a HookSet says them.
 *
 * Layer: rules. A hook is handed to the reader of HookSets as the nodes that it would be read from,
 * so that exactly what can be written as YAML and read again is accepted. Text has no templates
 * here: each "{{" is made a literal one.
 */
#include <errno.h>
#include <stdio.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"
#include "rules/read/ocihooks_parts.h"

#define SCRATCH_BLOCK_BYTES (16U << 10)

#define NO_TIMEOUT_CODE "no-timeout"

/* A literal "{{" in a template. */
#define LITERAL_BRACES "{{\"{{\"}}"

void gr_oci_say(const struct gr_oci_reader *r, enum gr_level level, struct gr_place at,
                const char *code, const char *format, ...)
{
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, code, format, args);
    va_end(args);
    gr_err_at(&err, r->d.findings->file, at.line, at.column);
    memcpy(err.field, r->d.path.text, r->d.path.n + 1);
    gr_report(r->d.findings->reporter, level, &err);
}

void gr_oci_say_no_timeout(const struct gr_oci_reader *r, struct gr_place at)
{
    if (r->no_timeout == 0)
        return;
    gr_oci_say(r, GR_LEVEL_INFO, at, NO_TIMEOUT_CODE,
               "%zu %s no timeout and may run for ever elsewhere; here the longest stands in, %d "
               "seconds",
               r->no_timeout, r->no_timeout == 1 ? "hook has" : "hooks have",
               GR_OCI_HOOKS_TIMEOUT_S);
}

static size_t count_braces(struct gr_str text)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == '{' && text.p[i + 1] == '{') {
            n++;
            i++;
        }
    }
    return n;
}

/* The template that stands for a literal text. */
static int escape(struct gr_oci_reader *r, struct gr_str text, struct gr_str *out)
{
    size_t braces = count_braces(text);
    char *copy;
    size_t n = 0;

    *out = text;
    if (braces == 0)
        return 0;
    copy = gr_arena_alloc(&r->nodes, text.n + braces * sizeof(LITERAL_BRACES));
    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < text.n; i++) {
        if (i + 1 < text.n && text.p[i] == '{' && text.p[i + 1] == '{') {
            memcpy(copy + n, LITERAL_BRACES, sizeof(LITERAL_BRACES) - 1);
            n += sizeof(LITERAL_BRACES) - 1;
            i++;
        } else {
            copy[n++] = text.p[i];
        }
    }
    *out = (struct gr_str){.p = copy, .n = n};
    return 0;
}

static struct gr_yaml_node *add_entry(struct gr_oci_reader *r, struct gr_yaml_node *mapping,
                                      const char *key, struct gr_place at)
{
    struct gr_yaml_node *entry = gr_arena_alloc(&r->nodes, sizeof(*entry));
    struct gr_yaml_node **last = &mapping->first;

    if (!entry)
        return NULL;
    while (*last)
        last = &(*last)->next;
    *entry = (struct gr_yaml_node){
        .kind = GR_YAML_SCALAR, .at = at, .key = gr_str_from(key), .key_plain = true, .key_at = at};
    *last = entry;
    mapping->n++;
    return entry;
}

/* What is in one YAML scalar has a limit that JSON has not. */
static int check_length(struct gr_oci_reader *r, const struct gr_yaml_node *node)
{
    if (node->text.n <= GR_YAML_SCALAR_MAX_BYTES)
        return 0;
    return gr_decode_refuse(&r->d, node->at, "too-long",
                            "this text has %zu bytes (each {{ counts as 8); at most %d are allowed",
                            node->text.n, GR_YAML_SCALAR_MAX_BYTES);
}

static int add_texts(struct gr_oci_reader *r, struct gr_yaml_node *hook, const char *key,
                     const struct gr_oci_texts *texts)
{
    struct gr_yaml_node *items;
    struct gr_yaml_node *list;

    if (texts->n == 0)
        return 0;
    list = add_entry(r, hook, key, texts->at);
    items = gr_arena_array(&r->nodes, texts->n, sizeof(*items));
    if (!list || !items)
        return -ENOMEM;
    for (size_t i = 0; i < texts->n; i++) {
        items[i] = texts->items[i];
        items[i].next = i + 1 < texts->n ? &items[i + 1] : NULL;
        if (escape(r, texts->items[i].text, &items[i].text))
            return -ENOMEM;
        if (check_length(r, &items[i]))
            items[i].kind = GR_YAML_BAD;
    }
    list->kind = GR_YAML_LIST;
    list->first = items;
    list->n = texts->n;
    return 0;
}

static int add_path(struct gr_oci_reader *r, struct gr_yaml_node *hook,
                    const struct gr_oci_text *path)
{
    struct gr_yaml_node *entry;

    if (path->text.n == 0)
        return 0;
    entry = add_entry(r, hook, "path", path->at);
    if (!entry)
        return -ENOMEM;
    entry->text = path->text;
    return 0;
}

static int add_timeout(struct gr_oci_reader *r, struct gr_yaml_node *hook,
                       const struct gr_oci_text *timeout)
{
    struct gr_yaml_node *entry =
        add_entry(r, hook, "timeout", timeout->given ? timeout->at : hook->at);
    char digits[16];

    if (!entry)
        return -ENOMEM;
    entry->plain = true;
    entry->text = timeout->text;
    if (timeout->given)
        return 0;
    r->no_timeout++;
    (void)snprintf(digits, sizeof(digits), "%d", GR_OCI_HOOKS_TIMEOUT_S);
    return gr_arena_str(&r->nodes, gr_str_from(digits), &entry->text) ? 0 : -ENOMEM;
}

/* One hook as a mapping of a HookSet. */
static int make_hook(struct gr_oci_reader *r, const struct gr_oci_raw_hook *raw,
                     struct gr_yaml_node *hook)
{
    int result;

    *hook = (struct gr_yaml_node){.kind = GR_YAML_MAPPING, .at = raw->at};
    result = add_path(r, hook, &raw->path);
    if (result == 0)
        result = add_texts(r, hook, "args", &raw->args);
    if (result == 0)
        result = add_texts(r, hook, "env", &raw->env);
    return result ? result : add_timeout(r, hook, &raw->timeout);
}

int gr_oci_hooks_build(struct gr_oci_reader *r, const struct gr_oci_raw_hook *raw, size_t n,
                       enum gr_stage stage, struct gr_hook_list *out_hooks)
{
    struct gr_yaml_node stages = {.kind = GR_YAML_MAPPING};
    struct gr_yaml_node *items = gr_arena_array(&r->nodes, n, sizeof(*items));
    struct gr_yaml_node *list;
    struct gr_hookset set = {0};
    int result;

    list = add_entry(r, &stages, gr_stage_name(stage), raw[0].at);
    if (!items || !list)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (make_hook(r, &raw[i], &items[i]))
            return -ENOMEM;
        items[i].next = i + 1 < n ? &items[i + 1] : NULL;
    }
    list->kind = GR_YAML_LIST;
    list->first = items;
    list->n = n;
    result = gr_decode_hooks(&r->d, &stages, &set);
    *out_hooks = set.hooks[stage];
    return GR_MIN(result, 0);
}

struct gr_hookset gr_oci_new_set(enum gr_set_format format, uint32_t line, uint64_t hash)
{
    return (struct gr_hookset){.line = line,
                               .hash = hash,
                               .order = GR_ORDER_DEFAULT,
                               .failure_policy = GR_FAIL,
                               .on_unknown = GR_UNKNOWN_SKIP,
                               .format = format};
}

void gr_oci_reader_init(struct gr_oci_reader *r, struct gr_arena *arena,
                        struct gr_findings *findings)
{
    *r = (struct gr_oci_reader){.d = {.arena = arena, .findings = findings}};
    gr_arena_init(&r->nodes, SCRATCH_BLOCK_BYTES, 0);
}

void gr_oci_reader_fini(struct gr_oci_reader *r)
{
    gr_arena_fini(&r->nodes);
}

int gr_oci_give(struct gr_arena *arena, const struct gr_hookset *set, bool refused,
                struct gr_hooksets *out_sets)
{
    struct gr_hookset *copy = NULL;

    if (set && !refused) {
        copy = gr_arena_alloc(arena, sizeof(*copy));
        if (!copy)
            return -ENOMEM;
        *copy = *set;
    }
    *out_sets = (struct gr_hooksets){.items = copy, .n = copy != NULL, .rejected = refused};
    return 0;
}
