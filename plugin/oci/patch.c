/* SPDX-License-Identifier: Apache-2.0 */
/* Recursion goes as deep as the patch, which our own code builds: four levels. */
#include "oci/patch.h"

#include <errno.h>

#include "oci/limits.h"
#include "oci/patch_in.h"

/* White space of an element that is repeated for a new one; more is nobody's indentation. */
#define SPACE_MAX_BYTES 128

/* ---- helpers ---- */

int gr_merge_no_memory(struct gr_merge *m)
{
    return gr_fail(m->err, -ENOMEM, "no-memory", "no memory to change the document");
}

int gr_merge_fail(struct gr_merge *m, size_t offset, const char *code, const char *format, ...)
{
    uint32_t line, column;
    va_list args;

    if (!m->err)
        return -EINVAL;
    gr_json_place(m->text, offset, &line, &column);
    gr_err_at(m->err, NULL, line, column);
    va_start(args, format);
    gr_err_fill(m->err, code, format, args);
    va_end(args);
    return -EINVAL;
}

int gr_merge_splice(struct gr_merge *m, size_t at, size_t end, struct gr_str insert)
{
    if (m->n == m->cap) {
        size_t cap = GR_MAX(m->cap * 2, (size_t)32);
        struct gr_splice *more = gr_arena_array(m->arena, cap, sizeof(*more));

        if (!more)
            return gr_merge_no_memory(m);
        if (m->n)
            memcpy(more, m->splices, m->n * sizeof(*more));
        m->splices = more;
        m->cap = cap;
    }
    m->splices[m->n] = (struct gr_splice){.at = at, .end = end, .insert = insert, .number = m->n};
    m->n++;
    return 0;
}

int gr_merge_scratch(struct gr_merge *m, struct gr_str *out)
{
    if (m->scratch.broken || !gr_arena_str(m->arena, gr_buf_view(&m->scratch), out))
        return gr_merge_no_memory(m);
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct gr_str gr_merge_space(const struct gr_merge *m, const struct gr_json_node *node)
{
    size_t end = node->key_end ? node->key_start : node->start;
    size_t start = end;

    while (start > 0 && is_space(m->text.p[start - 1]) && end - start <= SPACE_MAX_BYTES)
        start--;
    if (end - start > SPACE_MAX_BYTES)
        return GR_STR_NONE;
    return (struct gr_str){.p = m->text.p + start, .n = end - start};
}

void gr_merge_separate(struct gr_merge *m, const struct gr_json_node *last, bool first)
{
    if (last || !first)
        (void)gr_buf_byte(&m->scratch, ',');
    if (last)
        (void)gr_buf_str(&m->scratch, gr_merge_space(m, last));
}

int gr_merge_key(struct gr_merge *m, const struct gr_json_node *last, struct gr_str key)
{
    struct gr_str between = GR_STR(":");
    int result = gr_json_quote(&m->scratch, key);

    if (last && last->start - last->key_end <= SPACE_MAX_BYTES)
        between = (struct gr_str){.p = m->text.p + last->key_end, .n = last->start - last->key_end};
    (void)gr_buf_str(&m->scratch, between);
    return result == -EINVAL ? gr_merge_fail(m, 0, "bad-utf8", "expected UTF-8 in a new key") : 0;
}

size_t gr_merge_end(const struct gr_json_node *node, const struct gr_json_node *last)
{
    return last ? last->end : node->start + 1;
}

/* ---- objects that the specification defines ---- */

int gr_merge_find(struct gr_merge *m, const struct gr_json_node *object, const char *key,
                  const struct gr_json_node **out_member)
{
    *out_member = NULL;
    for (const struct gr_json_node *member = object->first; member; member = member->next) {
        enum gr_json_match match =
            gr_json_match_key(gr_json_raw_key(m->text, member), gr_str_from(key));

        if (match == GR_JSON_DIFFERENT)
            continue;
        if (match == GR_JSON_OTHER_CASE)
            return gr_merge_fail(m, member->key_start, "ambiguous-key",
                                 "expected the key \"%s\", found it in other letters; some "
                                 "runtimes would take it and some not",
                                 key);
        if (*out_member)
            return gr_merge_fail(m, member->key_start, "ambiguous-key",
                                 "the key \"%s\" stands here a second time; some runtimes would "
                                 "take the first and some the last",
                                 key);
        *out_member = member;
    }
    return 0;
}

static bool is_empty(const struct gr_patch *patch)
{
    if (patch->kind == GR_PATCH_VALUE)
        return false;
    for (const struct gr_patch *child = patch->first; child; child = child->next) {
        if (!is_empty(child))
            return false;
    }
    return patch->items_n == 0;
}

/* What a patch is where there is nothing yet. */
static int render(struct gr_merge *m, const struct gr_patch *patch)
{
    bool list = patch->kind == GR_PATCH_LIST;
    bool first = true;
    int result = 0;

    if (patch->kind == GR_PATCH_VALUE) {
        (void)gr_buf_str(&m->scratch, patch->json);
        return 0;
    }
    (void)gr_buf_byte(&m->scratch, list ? '[' : '{');
    for (const struct gr_patch *child = patch->first; child && result == 0; child = child->next) {
        if (is_empty(child))
            continue;
        gr_merge_separate(m, NULL, first);
        first = false;
        result = gr_merge_key(m, NULL, gr_str_from(child->key));
        if (result == 0)
            result = render(m, child);
    }
    for (size_t i = 0; i < patch->items_n && result == 0; i++) {
        gr_merge_separate(m, NULL, first);
        first = false;
        if (!list)
            result = gr_merge_key(m, NULL, patch->items[i].id);
        (void)gr_buf_str(&m->scratch, patch->items[i].json);
    }
    (void)gr_buf_byte(&m->scratch, list ? ']' : '}');
    return result;
}

static int replace(struct gr_merge *m, const struct gr_json_node *node,
                   const struct gr_patch *patch)
{
    struct gr_str json;
    int result;

    gr_buf_reset(&m->scratch, SIZE_MAX);
    result = render(m, patch);
    if (result == 0)
        result = gr_merge_scratch(m, &json);
    return result ? result : gr_merge_splice(m, node->start, node->end, json);
}

static int merge(struct gr_merge *m, const struct gr_json_node *node, struct gr_patch *patch);

static int merge_children(struct gr_merge *m, const struct gr_json_node *node,
                          struct gr_patch *patch, struct gr_patch **missing, size_t *out_n)
{
    for (struct gr_patch *child = patch->first; child; child = child->next) {
        const struct gr_json_node *member;
        int result;

        if (is_empty(child))
            continue;
        result = gr_merge_find(m, node, child->key, &member);
        if (result)
            return result;
        if (child->needed && (!member || member->kind == GR_JSON_NULL))
            return gr_merge_fail(m, node->start, "missing-key",
                                 "expected the object \"%s\", which shall be changed", child->key);
        if (!member) {
            missing[(*out_n)++] = child;
            continue;
        }
        result = merge(m, member, child);
        if (result)
            return result;
    }
    return 0;
}

static int merge_object(struct gr_merge *m, const struct gr_json_node *node, struct gr_patch *patch)
{
    const struct gr_json_node *last = node->first;
    struct gr_patch **missing;
    struct gr_str json;
    size_t n = 0, children = 0;
    int result;

    for (const struct gr_patch *child = patch->first; child; child = child->next)
        children++;
    missing = gr_arena_array(m->arena, children, sizeof(struct gr_patch *));
    if (!missing)
        return gr_merge_no_memory(m);
    result = merge_children(m, node, patch, missing, &n);
    if (result || n == 0)
        return result;
    while (last && last->next)
        last = last->next;
    gr_buf_reset(&m->scratch, SIZE_MAX);
    for (size_t i = 0; i < n && result == 0; i++) {
        gr_merge_separate(m, last, i == 0);
        result = gr_merge_key(m, last, gr_str_from(missing[i]->key));
        if (result == 0)
            result = render(m, missing[i]);
    }
    if (result == 0)
        result = gr_merge_scratch(m, &json);
    if (result)
        return result;
    return gr_merge_splice(m, gr_merge_end(node, last), gr_merge_end(node, last), json);
}

static int merge(struct gr_merge *m, const struct gr_json_node *node, struct gr_patch *patch)
{
    enum gr_json_kind expected = patch->kind == GR_PATCH_LIST ? GR_JSON_LIST : GR_JSON_OBJECT;

    if (patch->kind == GR_PATCH_VALUE || node->kind == GR_JSON_NULL)
        return replace(m, node, patch);
    if (node->kind != expected)
        return gr_merge_fail(m, node->start, "wrong-type", "expected %s as \"%s\", found %s",
                             gr_json_kind_name(expected), patch->key,
                             gr_json_kind_name(node->kind));
    if (patch->kind == GR_PATCH_OBJECT)
        return merge_object(m, node, patch);
    return gr_merge_items(m, node, patch);
}

/* ---- all of it ---- */

static int compare_splices(const void *a, const void *b)
{
    const struct gr_splice *x = a, *y = b;
    bool x_inserts = x->at == x->end, y_inserts = y->at == y->end;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x_inserts != y_inserts) /* what comes before an element, and the element's replacement */
        return x_inserts ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static int write_out(const struct gr_merge *m, struct gr_buf *out)
{
    size_t done = 0;

    for (size_t i = 0; i < m->n; i++) {
        const struct gr_splice *splice = &m->splices[i];

        (void)gr_buf_add(out, m->text.p + done, splice->at - done);
        (void)gr_buf_str(out, splice->insert);
        done = splice->end;
    }
    return gr_buf_str(out, gr_str_skip(m->text, done));
}

int gr_patch_apply(struct gr_arena *arena, struct gr_str text, struct gr_patch *root,
                   struct gr_buf *out, struct gr_err *err)
{
    struct gr_merge m = {.arena = arena, .text = text, .err = err};
    const struct gr_json_node *node;
    int result = gr_json_read_all(arena, text, GR_JSON_NODES_MAX, &node, err);

    if (result)
        return result;
    if (node->kind != GR_JSON_OBJECT)
        return gr_merge_fail(&m, node->start, "wrong-type", "expected an object, found %s",
                             gr_json_kind_name(node->kind));
    gr_buf_init(&m.scratch, SIZE_MAX / 2);
    result = is_empty(root) ? 0 : merge_object(&m, node, root);
    gr_buf_fini(&m.scratch);
    if (result)
        return result;
    if (m.n)
        qsort(m.splices, m.n, sizeof(*m.splices), compare_splices);
    return write_out(&m, out);
}
