/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and maps: elements are gone through once, and each is looked up among the new ones, so that
 * the cost does not grow with the product of both.
 */
#include "oci/patch.h"

#include <errno.h>

#include "oci/patch_in.h"

/* What a list or map is changed with, ordered for look-ups. */
struct table {
    struct gr_patch_item **items;
    size_t n;
};

/* Shorter ones first, so that most comparisons look at no bytes. */
static int compare_ids(struct gr_str a, struct gr_str b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static int compare_items(const void *a, const void *b)
{
    const struct gr_patch_item *const *x = a, *const *y = b;

    return compare_ids((*x)->id, (*y)->id);
}

static int make_table(struct gr_merge *m, struct gr_patch *patch, struct table *out)
{
    out->items = gr_arena_array(m->arena, patch->items_n, sizeof(struct gr_patch_item *));
    if (!out->items)
        return gr_merge_no_memory(m);
    out->n = patch->items_n;
    for (size_t i = 0; i < patch->items_n; i++)
        out->items[i] = &patch->items[i];
    if (out->n)
        qsort(out->items, out->n, sizeof(struct gr_patch_item *), compare_items);
    return 0;
}

static struct gr_patch_item *look_up(const struct table *table, struct gr_str id)
{
    size_t low = 0, high = table->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_ids(id, table->items[middle]->id);

        if (order == 0)
            return table->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* A path's closing slashes do not count. */
static struct gr_str trim_path(struct gr_str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

static int read_text(struct gr_merge *m, const struct gr_json_node *node, const char *what,
                     struct gr_str *out)
{
    if (node->kind != GR_JSON_STRING)
        return gr_merge_fail(m, node->start, "wrong-type", "expected a text as %s, found %s", what,
                             gr_json_kind_name(node->kind));
    return gr_json_text(m->arena, gr_json_raw(m->text, node), out) ? 0 : gr_merge_no_memory(m);
}

/* What an element is called; n == 0: nothing, as for null. */
static int identify(struct gr_merge *m, const struct gr_json_node *node,
                    const struct gr_patch *patch, struct gr_str *out)
{
    const struct gr_json_node *member;
    int result;

    *out = GR_STR_NONE;
    if (patch->kind == GR_PATCH_MEMBERS)
        return gr_json_text(m->arena, gr_json_raw_key(m->text, node), out) ? 0
                                                                           : gr_merge_no_memory(m);
    if (node->kind == GR_JSON_NULL || patch->identity == GR_PATCH_APPEND)
        return 0;
    if (patch->identity == GR_PATCH_VARIABLE) {
        result = read_text(m, node, "a variable", out);
        *out = gr_str_first(*out, gr_str_find(*out, '='));
        return result;
    }
    if (node->kind != GR_JSON_OBJECT)
        return gr_merge_fail(m, node->start, "wrong-type", "expected an object in \"%s\", found %s",
                             patch->key, gr_json_kind_name(node->kind));
    result = gr_merge_find(m, node, patch->id_member, &member);
    if (result || !member || member->kind == GR_JSON_NULL)
        return result;
    result = read_text(m, member, patch->id_member, out);
    if (patch->identity == GR_PATCH_PATH)
        *out = trim_path(*out);
    return result;
}

/* Replaces what is there already; ids has room for every element. */
static int replace_known(struct gr_merge *m, const struct gr_json_node *node,
                         const struct gr_patch *patch, const struct table *table,
                         struct gr_str *ids)
{
    for (node = node->first; node; node = node->next, ids++) {
        struct gr_patch_item *item;
        int result = identify(m, node, patch, ids);

        if (result)
            return result;
        item = ids->n || patch->kind == GR_PATCH_MEMBERS ? look_up(table, *ids) : NULL;
        if (!item)
            continue;
        item->placed = true;
        result = gr_merge_splice(m, node->start, node->end, item->json);
        if (result)
            return result;
    }
    return 0;
}

static int insert_before(struct gr_merge *m, const struct gr_json_node *node,
                         struct gr_patch_item *item)
{
    struct gr_str json;
    int result;

    gr_buf_reset(&m->scratch, SIZE_MAX);
    (void)gr_buf_str(&m->scratch, item->json);
    gr_merge_separate(m, node, false);
    result = gr_merge_scratch(m, &json);
    item->placed = true;
    return result ? result : gr_merge_splice(m, node->start, node->start, json);
}

/* A mount that came behind one below it would hide that one. */
static int place_above(struct gr_merge *m, const struct gr_json_node *node,
                       const struct table *table, const struct gr_str *ids)
{
    for (node = node->first; node; node = node->next, ids++) {
        for (size_t i = 1; i < ids->n; i++) {
            struct gr_patch_item *item;
            int result = 0;

            if (ids->p[i] != '/')
                continue;
            item = look_up(table, gr_str_first(*ids, i));
            if (item && !item->placed)
                result = insert_before(m, node, item);
            if (result)
                return result;
        }
    }
    return 0;
}

/* In the order of the patch. */
static int append_rest(struct gr_merge *m, const struct gr_json_node *node,
                       const struct gr_patch *patch)
{
    const struct gr_json_node *last = node->first;
    struct gr_str json;
    bool first = true;
    int result;

    while (last && last->next)
        last = last->next;
    gr_buf_reset(&m->scratch, SIZE_MAX);
    for (size_t i = 0; i < patch->items_n; i++) {
        if (patch->items[i].placed)
            continue;
        gr_merge_separate(m, last, first);
        first = false;
        if (patch->kind == GR_PATCH_MEMBERS) {
            result = gr_merge_key(m, last, patch->items[i].id);
            if (result)
                return result;
        }
        (void)gr_buf_str(&m->scratch, patch->items[i].json);
    }
    if (first)
        return 0;
    result = gr_merge_scratch(m, &json);
    return result ? result
                  : gr_merge_splice(m, gr_merge_end(node, last), gr_merge_end(node, last), json);
}

int gr_merge_items(struct gr_merge *m, const struct gr_json_node *node, struct gr_patch *patch)
{
    struct table table = {0};
    struct gr_str *ids;
    size_t n = 0;
    int result = make_table(m, patch, &table);

    if (result)
        return result;
    for (const struct gr_json_node *element = node->first; element; element = element->next)
        n++;
    ids = gr_arena_array(m->arena, n, sizeof(*ids));
    if (!ids)
        return gr_merge_no_memory(m);
    result = replace_known(m, node, patch, &table, ids);
    if (result == 0 && patch->identity == GR_PATCH_PATH)
        result = place_above(m, node, &table, ids);
    return result ? result : append_rest(m, node, patch);
}
