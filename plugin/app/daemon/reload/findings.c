/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/findings.h"

#include "base/hash.h"

void gr_finding_list_init(struct gr_finding_list *list)
{
    *list = (struct gr_finding_list){.hash = GR_HASH_START};
}

void gr_finding_list_fini(struct gr_finding_list *list)
{
    free(list->items);
    gr_finding_list_init(list);
}

static bool make_room(struct gr_finding_list *list)
{
    size_t cap = list->cap ? list->cap * 2 : 8;
    struct gr_finding *items;

    if (list->n >= GR_FINDINGS_KEPT_MAX)
        return false;
    if (list->n < list->cap)
        return true;
    items = realloc(list->items, cap * sizeof(*items));
    if (!items)
        return false;
    list->items = items;
    list->cap = cap;
    return true;
}

static void add(void *user, enum gr_level level, const struct gr_err *err)
{
    struct gr_finding_list *list = user;
    const uint32_t position[] = {(uint32_t)level, err->line, err->column};

    list->hash = gr_hash_more(list->hash, gr_str_from(err->file));
    list->hash = gr_hash_more(list->hash, gr_str_from(err->text));
    list->hash = gr_hash_more(list->hash,
                              (struct gr_str){.p = (const char *)position, .n = sizeof(position)});
    if (!make_room(list)) {
        list->dropped++;
        return;
    }
    list->items[list->n++] = (struct gr_finding){.level = level, .err = *err};
}

struct gr_reporter gr_finding_list_reporter(struct gr_finding_list *list)
{
    return (struct gr_reporter){.report = add, .user = list};
}

void gr_finding_list_log(const struct gr_finding_list *list, const struct gr_log *log)
{
    for (size_t i = 0; i < list->n; i++)
        gr_log_finding(log, list->items[i].level, &list->items[i].err);
    if (list->dropped > 0)
        GR_LOG(log, GR_LEVEL_ERROR, "there are more findings than are shown",
               GR_LOG_INT("more", list->dropped));
}
