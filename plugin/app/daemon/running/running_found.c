/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/running/running_found.h"

#include "base/utf8.h"

#define BLOCK_BYTES 16384

struct gr_found_node {
    struct gr_found_node *next;
    struct gr_running_item item;
};

void gr_found_init(struct gr_found *found)
{
    *found = (struct gr_found){0};
    gr_arena_init(&found->arena, BLOCK_BYTES, 0);
}

void gr_found_fini(struct gr_found *found)
{
    gr_arena_fini(&found->arena);
}

static size_t limit_of(enum gr_running_class class)
{
    return class == GR_RUNNING_MISSED ? GR_RUNNING_MISSED_MAX : GR_RUNNING_OTHERS_MAX;
}

/* A copy that is cut at a character's edge. */
static bool keep_name(struct gr_found *found, struct gr_str name, struct gr_str *out)
{
    struct gr_str first = gr_str_first(name, GR_RUNNING_NAME_MAX_BYTES);

    return gr_arena_str(&found->arena, gr_str_first(first, gr_utf8_valid_prefix(first)), out);
}

void gr_found_add(struct gr_found *found, const struct gr_subject *subject, struct gr_str set,
                  enum gr_running_class class)
{
    struct gr_found_list *list = &found->lists[class];
    struct gr_found_node *node = NULL;

    if (list->n < limit_of(class))
        node = gr_arena_alloc(&found->arena, sizeof(*node));
    if (!node || !keep_name(found, subject->id, &node->item.id) ||
        !keep_name(found, subject->pod_namespace, &node->item.namespace_) ||
        !keep_name(found, subject->pod_name, &node->item.pod) ||
        !keep_name(found, subject->name, &node->item.container) ||
        !keep_name(found, set, &node->item.set)) {
        list->more = true;
        return;
    }
    node->item.class = class;
    if (!list->last)
        list->last = &list->first;
    *list->last = node;
    list->last = &node->next;
    list->n++;
}

void gr_found_count(struct gr_found *found, enum gr_running_class gravest)
{
    found->missed += gravest == GR_RUNNING_MISSED;
    found->unreadable += gravest == GR_RUNNING_UNREADABLE;
    found->outdated += gravest == GR_RUNNING_OUTDATED;
    found->preexisting += gravest == GR_RUNNING_PREEXISTING;
}

void gr_found_finish(struct gr_found *found)
{
    size_t all = 0, n = 0;
    struct gr_running_item *items;

    for (size_t class = 0; class < GR_ARRAY_LEN(found->lists); class ++)
        all += found->lists[class].n;
    items = gr_arena_array(&found->arena, all, sizeof(*items));
    for (size_t class = GR_RUNNING_MISSED; class > GR_RUNNING_FINE && items; class --) {
        const struct gr_found_node *node = found->lists[class].first;

        for (; node; node = node->next)
            items[n++] = node->item;
    }
    found->items = items;
    found->items_n = n;
}

const struct gr_found_node *gr_found_of(const struct gr_found *found, struct gr_str id)
{
    const struct gr_found_node *node = found->lists[GR_RUNNING_MISSED].first;

    while (node && !gr_str_eq(node->item.id, id))
        node = node->next;
    return node;
}

/* Those of one container stand together: it was looked at once. */
bool gr_found_missed(const struct gr_found_node *of, struct gr_str set)
{
    const struct gr_found_node *node = of;

    for (; node && gr_str_eq(node->item.id, of->item.id); node = node->next) {
        if (gr_str_eq(node->item.set, set))
            return true;
    }
    return false;
}

bool gr_found_names_all_missed(const struct gr_found *found)
{
    return !found->lists[GR_RUNNING_MISSED].more && found->unreadable == 0;
}
