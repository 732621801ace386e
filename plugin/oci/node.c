/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/node.h"

#include <errno.h>

static bool is_null(const struct gr_yaml_node *node)
{
    return node->kind == GR_YAML_SCALAR && node->plain &&
           gr_yaml_plain_type(node->text) == GR_YAML_NULL;
}

const struct gr_yaml_node *gr_node_get(const struct gr_yaml_node *node, const char *key)
{
    const struct gr_yaml_node *found = NULL;

    if (!node || node->kind != GR_YAML_MAPPING)
        return NULL;
    for (node = node->first; node; node = node->next) {
        if (gr_str_is(node->key, key))
            found = node;
    }
    return found && !is_null(found) ? found : NULL;
}

size_t gr_node_count(const struct gr_yaml_node *mapping, const char *key)
{
    const struct gr_yaml_node *node = gr_node_get(mapping, key);

    return node ? node->n : 0;
}

int gr_node_collection(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                       enum gr_yaml_kind kind, const struct gr_yaml_node **out_node)
{
    const struct gr_yaml_node *node = gr_node_get(mapping, key);

    *out_node = node && node->kind == kind ? node : NULL;
    if (!node || *out_node || node->kind == GR_YAML_BAD)
        return 0;
    return gr_decode_refuse(d, node->at, "wrong-type", "expected %s as \"%s\", found %s",
                            kind == GR_YAML_LIST ? "a list" : "a mapping", key,
                            gr_decode_describe(node).text);
}

static int check_bytes(struct gr_decoder *d, struct gr_place at, struct gr_str text)
{
    if (gr_str_find(text, '\0') == text.n)
        return 0;
    return gr_decode_refuse(d, at, "control-character",
                            "this text holds a NUL byte, which no runtime can hand over");
}

int gr_node_text(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_str *out)
{
    int result;

    if (node->kind != GR_YAML_SCALAR || node->plain)
        return gr_decode_text(d, node, GR_TEXT_BLOCK, out);
    result = check_bytes(d, node->at, node->text);
    if (result == 0)
        *out = node->text;
    return result;
}

int gr_node_text_at(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                    struct gr_str *out)
{
    const struct gr_yaml_node *node = gr_node_get(mapping, key);
    size_t before;
    int result;

    if (!node)
        return 0;
    before = gr_field_path_key(&d->path, gr_str_from(key));
    result = gr_node_text(d, node, out);
    gr_field_path_cut(&d->path, before);
    return result;
}

static int refuse_number(struct gr_decoder *d, const struct gr_yaml_node *node, const char *key)
{
    size_t before = gr_field_path_key(&d->path, gr_str_from(key));
    int result =
        gr_decode_refuse(d, node->at, "wrong-type", "expected a whole number as \"%s\", found %s",
                         key, gr_decode_describe(node).text);

    gr_field_path_cut(&d->path, before);
    return result;
}

int gr_node_unsigned_at(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                        uint64_t *out, bool *out_has)
{
    const struct gr_yaml_node *node = gr_node_get(mapping, key);

    *out_has = false;
    if (!node)
        return 0;
    if (node->kind != GR_YAML_SCALAR || !node->plain || gr_str_to_u64(node->text, out))
        return refuse_number(d, node, key);
    *out_has = true;
    return 0;
}

int gr_node_number_at(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                      int64_t *out, bool *out_has)
{
    const struct gr_yaml_node *node = gr_node_get(mapping, key);
    bool negative;
    uint64_t value;

    *out_has = false;
    if (!node)
        return 0;
    negative = gr_str_has_prefix(node->text, GR_STR("-"));
    if (node->kind != GR_YAML_SCALAR || !node->plain ||
        gr_str_to_u64(gr_str_skip(node->text, negative), &value) || value > INT64_MAX)
        return refuse_number(d, node, key);
    *out = negative ? -(int64_t)value : (int64_t)value;
    *out_has = true;
    return 0;
}

int gr_node_map_at(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                   struct gr_kvs *out)
{
    const struct gr_yaml_node *node;
    size_t before = gr_field_path_key(&d->path, gr_str_from(key));
    int result = gr_node_collection(d, mapping, key, GR_YAML_MAPPING, &node);
    struct gr_kv *items = gr_arena_array(d->arena, node ? node->n : 0, sizeof(*items));
    size_t n = 0;

    if (!items)
        result = -ENOMEM;
    for (node = node ? node->first : NULL; node && result == 0; node = node->next) {
        items[n].key = node->key;
        result = check_bytes(d, node->key_at, node->key);
        if (result == 0)
            result = gr_node_text(d, node, &items[n++].value);
    }
    if (result == 0)
        *out = (struct gr_kvs){.items = items, .n = n};
    gr_field_path_cut(&d->path, before);
    return result;
}

int gr_node_each(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                 gr_node_read_fn *read, void *user)
{
    const struct gr_yaml_node *node;
    size_t before = gr_field_path_key(&d->path, gr_str_from(key));
    int result = gr_node_collection(d, mapping, key, GR_YAML_LIST, &node);
    size_t index = 0;

    for (node = node ? node->first : NULL; node && result >= 0; node = node->next) {
        size_t at = gr_field_path_index(&d->path, index++);

        if (!is_null(node) && node->kind != GR_YAML_BAD)
            result = read(d, node, user);
        gr_field_path_cut(&d->path, at);
    }
    gr_field_path_cut(&d->path, before);
    return result < 0 ? result : 0;
}

struct texts {
    struct gr_str *items;
    size_t n;
};

static int add_text(struct gr_decoder *d, const struct gr_yaml_node *node, void *user)
{
    struct texts *texts = user;

    return gr_node_text(d, node, &texts->items[texts->n++]);
}

int gr_node_texts_at(struct gr_decoder *d, const struct gr_yaml_node *mapping, const char *key,
                     struct gr_strs *out)
{
    struct texts texts = {0};
    int result;

    texts.items = gr_arena_array(d->arena, gr_node_count(mapping, key), sizeof(*texts.items));
    if (!texts.items)
        return -ENOMEM;
    result = gr_node_each(d, mapping, key, add_text, &texts);
    if (result == 0)
        *out = (struct gr_strs){.items = texts.items, .n = texts.n};
    return result;
}
