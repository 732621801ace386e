/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks_bind: JSON values into typed ones, as Go's encoding/json binds them to the
 * structs of the hooks library and of the runtime-spec.
 *
 * Layer: rules. Keys are compared without regard to case, unknown ones are passed over, a later
 * entry writes over an earlier one: an object adds to what is there, a list replaces it, null
 * empties lists, maps and what may be absent and leaves texts and objects alone. What has another
 * type refuses the file.
 */
#include <errno.h>

#include "rules/limits.h"
#include "rules/read/ocihooks_parts.h"
#include "rules/read/yaml_json.h"

/* Go folds these two onto letters of ASCII; no other character. */
#define LONG_S "\xc5\xbf"
#define KELVIN "\xe2\x84\xaa"

/* jansson would not do: of equal keys it keeps one, at the place of the first, so that "the last
 * one wins" cannot be told for {"Hook": 1, "hook": 2, "Hook": 3}; a value has no line; and one
 * number of config.json beyond 64 bits makes it refuse the file. */
int gr_ocihooks_json(struct gr_oci_reader *r, struct gr_str text,
                     const struct gr_yaml_node **out_root)
{
    const struct gr_json_node *json;
    struct gr_json_counted counted = {0};
    struct gr_yaml_node *root;
    struct gr_err err = {0};
    int result;

    if (!gr_yaml_check_text(text, r->d.findings)) {
        r->d.bad = true;
        return GR_DECODE_REFUSED;
    }
    result = gr_json_read_all(&r->nodes, text, GR_YAML_NODES_MAX, &json, &err);
    if (result == -EINVAL || result == -E2BIG)
        return gr_decode_refuse_err(
            &r->d, (struct gr_place){.line = err.line, .column = err.column}, &err);
    if (result == 0)
        result = gr_yaml_from_json(&r->nodes, text, json, &counted, &root);
    if (result == 0)
        *out_root = root;
    return result;
}

/* A text that is looked at; no program can be given a NUL byte. */
static int check_bytes(struct gr_oci_reader *r, struct gr_place at, struct gr_str text)
{
    if (gr_str_find(text, '\0') == text.n)
        return 0;
    return gr_decode_refuse(&r->d, at, "control-character",
                            "this text holds a NUL byte (\\u0000), which no hook can be given; "
                            "remove it");
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool gr_oci_key_is(struct gr_str key, const char *name)
{
    for (; *name; name++) {
        char c;

        if (key.n == 0)
            return false;
        c = lower(key.p[0]);
        if (gr_str_has_prefix(key, GR_STR(LONG_S))) {
            c = 's';
            key = gr_str_skip(key, sizeof(LONG_S) - 2);
        } else if (gr_str_has_prefix(key, GR_STR(KELVIN))) {
            c = 'k';
            key = gr_str_skip(key, sizeof(KELVIN) - 2);
        }
        if (c != lower(*name))
            return false;
        key = gr_str_skip(key, 1);
    }
    return key.n == 0;
}

bool gr_oci_is_null(const struct gr_yaml_node *node)
{
    return node->kind == GR_YAML_SCALAR && node->plain && gr_str_is(node->text, "null");
}

static int refuse_type(struct gr_oci_reader *r, const struct gr_yaml_node *node,
                       const char *expected)
{
    return gr_decode_refuse(&r->d, node->at, "wrong-type", "expected %s, found %s", expected,
                            node->kind == GR_YAML_MAPPING ? "an object"
                                                          : gr_decode_describe(node).text);
}

static bool is_text(const struct gr_yaml_node *node)
{
    return node->kind == GR_YAML_SCALAR && !node->plain;
}

static const struct gr_oci_field *find_field(const struct gr_oci_field *fields, size_t n,
                                             struct gr_str key)
{
    for (size_t i = 0; i < n; i++) {
        if (gr_oci_key_is(key, fields[i].name))
            return &fields[i];
    }
    return NULL;
}

int gr_oci_take_object(struct gr_oci_reader *r, const struct gr_yaml_node *node,
                       const struct gr_oci_field *fields, size_t n, void *target)
{
    if (gr_oci_is_null(node))
        return 0;
    if (node->kind != GR_YAML_MAPPING)
        return refuse_type(r, node, "an object {…}");
    for (const struct gr_yaml_node *entry = node->first; entry; entry = entry->next) {
        const struct gr_oci_field *field = find_field(fields, n, entry->key);
        size_t before;
        int result;

        if (!field)
            continue;
        before = gr_field_path_key(&r->d.path, gr_str_from(field->name));
        result = field->take(r, entry, (char *)target + field->offset);
        gr_field_path_cut(&r->d.path, before);
        if (result < 0)
            return result;
    }
    return 0;
}

int gr_oci_take_text(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    if (gr_oci_is_null(node))
        return 0;
    return gr_oci_take_optional(r, node, target);
}

int gr_oci_take_optional(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    struct gr_oci_text *text = target;

    if (gr_oci_is_null(node)) {
        *text = (struct gr_oci_text){0};
        return 0;
    }
    if (!is_text(node))
        return refuse_type(r, node, "a text in double quotes");
    if (check_bytes(r, node->at, node->text))
        return GR_DECODE_REFUSED;
    *text = (struct gr_oci_text){.given = true, .text = node->text, .at = node->at};
    return 0;
}

int gr_oci_take_bool(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    struct gr_oci_bool *value = target;
    bool is_true = node->kind == GR_YAML_SCALAR && gr_str_is(node->text, "true");

    if (gr_oci_is_null(node)) {
        *value = (struct gr_oci_bool){0};
        return 0;
    }
    if (node->kind != GR_YAML_SCALAR || !node->plain ||
        (!is_true && !gr_str_is(node->text, "false")))
        return refuse_type(r, node, "true or false");
    *value = (struct gr_oci_bool){.given = true, .value = is_true, .at = node->at};
    return 0;
}

/* A whole number, kept as it was written. */
static int take_number(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    struct gr_oci_text *number = target;
    struct gr_str digits;
    uint64_t value = 0;

    if (gr_oci_is_null(node)) {
        *number = (struct gr_oci_text){0};
        return 0;
    }
    digits = gr_str_skip(node->text, node->text.n > 0 && node->text.p[0] == '-');
    if (node->kind != GR_YAML_SCALAR || !node->plain || gr_str_to_u64(digits, &value) == -EINVAL)
        return refuse_type(r, node, "a whole number");
    *number = (struct gr_oci_text){.given = true, .text = node->text, .at = node->at};
    return 0;
}

/* Go decodes into the elements that are there, and null leaves such an element as it was. */
static int take_element(struct gr_oci_reader *r, const struct gr_yaml_node *node,
                        struct gr_yaml_node *slot)
{
    if (gr_oci_is_null(node)) {
        if (slot->text.p)
            return 0;
        *slot = (struct gr_yaml_node){.kind = GR_YAML_SCALAR, .text = GR_STR(""), .at = node->at};
        return 0;
    }
    if (!is_text(node))
        return refuse_type(r, node, "a text in double quotes");
    if (check_bytes(r, node->at, node->text))
        return GR_DECODE_REFUSED;
    *slot = (struct gr_yaml_node){.kind = GR_YAML_SCALAR, .text = node->text, .at = node->at};
    return 0;
}

/* Room for n elements before what is there. A key that comes again and again writes into the room
 * that it has: new room for a short list behind a long one would take the product of both. */
static int reserve_slots(struct gr_oci_reader *r, struct gr_oci_texts *list, size_t n)
{
    struct gr_yaml_node *items;

    if (n <= list->slots)
        return 0;
    items = gr_arena_array(&r->nodes, n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    if (list->slots > 0)
        memcpy(items, list->items, list->slots * sizeof(*items));
    list->items = items;
    list->slots = n;
    return 0;
}

int gr_oci_take_texts(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    struct gr_oci_texts *list = target;
    size_t n = 0;

    if (gr_oci_is_null(node)) {
        *list = (struct gr_oci_texts){0};
        return 0;
    }
    if (node->kind != GR_YAML_LIST)
        return refuse_type(r, node, "a list […] of texts");
    if (node->n == 0) {
        *list = (struct gr_oci_texts){.given = true, .at = node->at};
        return 0;
    }
    if (reserve_slots(r, list, node->n))
        return -ENOMEM;
    for (const struct gr_yaml_node *element = node->first; element; element = element->next) {
        size_t before = gr_field_path_index(&r->d.path, n);

        (void)take_element(r, element, &list->items[n++]);
        gr_field_path_cut(&r->d.path, before);
    }
    list->given = true;
    list->n = n;
    list->at = node->at;
    return 0;
}

static struct gr_yaml_node *find_pair(const struct gr_oci_pairs *pairs, struct gr_str key)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (gr_str_eq(pairs->items[i].key, key))
            return &pairs->items[i];
    }
    return NULL;
}

static int reserve_pair(struct gr_oci_reader *r, struct gr_oci_pairs *pairs)
{
    size_t room = pairs->room ? 2 * pairs->room : 4;
    struct gr_yaml_node *items;

    if (pairs->n < pairs->room)
        return 0;
    items = gr_arena_array(&r->nodes, room, sizeof(*items));
    if (!items)
        return -ENOMEM;
    if (pairs->n > 0)
        memcpy(items, pairs->items, pairs->n * sizeof(*items));
    pairs->items = items;
    pairs->room = room;
    return 0;
}

static int take_pair(struct gr_oci_reader *r, const struct gr_yaml_node *entry,
                     struct gr_oci_pairs *pairs)
{
    struct gr_yaml_node *pair = find_pair(pairs, entry->key);
    int result;

    if (!gr_oci_is_null(entry) && !is_text(entry))
        return refuse_type(r, entry, "a text in double quotes");
    if (check_bytes(r, entry->key_at, entry->key) || check_bytes(r, entry->at, entry->text))
        return GR_DECODE_REFUSED;
    if (!pair && pairs->n == GR_VALUES_MAX)
        return gr_decode_refuse(&r->d, entry->key_at, "too-many",
                                "this object has more than %d entries", GR_VALUES_MAX);
    if (!pair) {
        result = reserve_pair(r, pairs);
        if (result)
            return result;
        pair = &pairs->items[pairs->n++];
    }
    *pair = (struct gr_yaml_node){.kind = GR_YAML_SCALAR,
                                  .text = gr_oci_is_null(entry) ? GR_STR("") : entry->text,
                                  .at = entry->at,
                                  .key = entry->key,
                                  .key_at = entry->key_at};
    return 0;
}

int gr_oci_take_pairs(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    struct gr_oci_pairs *pairs = target;

    if (gr_oci_is_null(node)) {
        *pairs = (struct gr_oci_pairs){0};
        return 0;
    }
    if (node->kind != GR_YAML_MAPPING)
        return refuse_type(r, node, "an object {…} of texts");
    pairs->at = node->at;
    for (const struct gr_yaml_node *entry = node->first; entry; entry = entry->next) {
        size_t before = gr_field_path_key(&r->d.path, entry->key);
        int result = take_pair(r, entry, pairs);

        gr_field_path_cut(&r->d.path, before);
        if (result)
            return result;
    }
    return 0;
}

int gr_oci_take_hook(struct gr_oci_reader *r, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_oci_field fields[] = {
        {"path", gr_oci_take_text, offsetof(struct gr_oci_raw_hook, path)},
        {"args", gr_oci_take_texts, offsetof(struct gr_oci_raw_hook, args)},
        {"env", gr_oci_take_texts, offsetof(struct gr_oci_raw_hook, env)},
        {"timeout", take_number, offsetof(struct gr_oci_raw_hook, timeout)},
    };
    struct gr_oci_raw_hook *hook = target;

    if (!gr_oci_is_null(node))
        hook->at = node->at;
    return gr_oci_take_object(r, node, fields, GR_ARRAY_LEN(fields), hook);
}
