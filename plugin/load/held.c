/* SPDX-License-Identifier: Apache-2.0 */
#include "load/held.h"

#include <stdlib.h>
#include <string.h>

#include "load/limits.h"

static size_t bytes_of(const struct gr_held_text *text)
{
    return text ? text->path.n + text->text.n : 0;
}

struct gr_held_text *gr_held_put(struct gr_held *held, struct gr_held_text *before,
                                 struct gr_str path, struct gr_str text)
{
    struct gr_held_text *new = NULL;
    char *bytes;

    if (held->bytes - bytes_of(before) + path.n + text.n <= GR_LOAD_TEXT_MAX_BYTES)
        new = malloc(sizeof(*new) + path.n + text.n);
    if (!new)
        return NULL;
    bytes = (char *)(new + 1);
    memcpy(bytes, path.p, path.n);
    memcpy(bytes + path.n, text.p, text.n);
    *new = (struct gr_held_text){.path = {.p = bytes, .n = path.n},
                                 .text = {.p = bytes + path.n, .n = text.n}};
    if (before)
        gr_held_drop(held, before);
    new->next = held->first;
    if (new->next)
        new->next->previous = new;
    held->first = new;
    held->bytes += bytes_of(new);
    return new;
}

void gr_held_drop(struct gr_held *held, struct gr_held_text *text)
{
    if (text->previous)
        text->previous->next = text->next;
    else
        held->first = text->next;
    if (text->next)
        text->next->previous = text->previous;
    held->bytes -= bytes_of(text);
    free(text);
}

void gr_held_fini(struct gr_held *held)
{
    while (held->first)
        gr_held_drop(held, held->first);
}
