/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a container that somebody packed: what is read is within its ranges, packs again,
 * and is then the same; reading needs little memory whatever it is.
 */
#include <errno.h>

#include "fuzz.h"

#include "base/utf8.h"
#include "oci/packed.h"
#include "rules/adjust.h"

/* A mount without texts has 32 bytes packed and 80 in memory; nothing grows more. */
#define MEMORY_PER_BYTE 8
#define MEMORY_MIN (16U << 10)

static void see(struct gr_str text, struct gr_str within)
{
    FUZZ_CHECK(gr_utf8_is_clean(text));
    FUZZ_CHECK(text.n == 0 || (text.p >= within.p && text.p + text.n <= within.p + within.n));
}

static void see_list(struct gr_strs list, struct gr_str within)
{
    for (size_t i = 0; i < list.n; i++)
        see(list.items[i], within);
}

static void see_map(struct gr_kvs map, struct gr_str within)
{
    for (size_t i = 0; i < map.n; i++) {
        see(map.items[i].key, within);
        see(map.items[i].value, within);
    }
}

static void see_subject(const struct gr_subject *s, struct gr_str within)
{
    const struct gr_str single[] = {
        s->id,      s->name,       s->pod_name,    s->pod_namespace, s->pod_uid, s->runtime_handler,
        s->runtime, s->image.name, s->image.digest};

    see_list((struct gr_strs){single, GR_ARRAY_LEN(single)}, within);
    see_map(s->pod_labels, within);
    see_map(s->container_labels, within);
    see_map(s->pod_annotations, within);
    see_map(s->container_annotations, within);
    see_list(s->args, within);
    see_list(s->env, within);
    FUZZ_CHECK(s->unknown_fields < 1U << GR_FIELD_COUNT);
    for (size_t i = 0; i < s->mounts_n; i++)
        see_list(s->mounts[i].options, within);
    for (size_t i = 0; i < s->hooks_n; i++) {
        FUZZ_CHECK(s->hooks[i].stage < GR_STAGE_COUNT);
        see(s->hooks[i].path, within);
    }
    for (size_t i = 0; i < s->present_n; i++) {
        FUZZ_CHECK(s->present[i].kind < GR_ADJUST_KIND_COUNT);
        FUZZ_CHECK(s->present[i].resource < GR_RESOURCE_COUNT);
        (void)gr_adjust_is_present(&s->present[i], s);
    }
}

static void pack(const struct gr_subject *subject, size_t size, struct gr_buf *out)
{
    gr_buf_init(out, size);
    FUZZ_CHECK(gr_packed_write(subject, out) == 0 && out->len <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_exact((struct gr_str){.p = (const char *)data, .n = size});
    const struct gr_str bytes = {.p = copy, .n = size};
    struct gr_subject subject, again;
    struct gr_buf first, second;
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 1024, MEMORY_MIN + size * MEMORY_PER_BYTE);
    r = gr_packed_read(&arena, bytes, &subject);
    FUZZ_CHECK(r == 0 || r == GR_PACKED_DAMAGED || r == GR_PACKED_OTHER_FORM);
    if (r == 0) {
        see_subject(&subject, bytes);
        pack(&subject, size, &first);
        FUZZ_CHECK(gr_packed_read(&arena, gr_buf_view(&first), &again) == 0);
        pack(&again, size, &second);
        FUZZ_CHECK(gr_str_eq(gr_buf_view(&first), gr_buf_view(&second)));
        gr_buf_fini(&first);
        gr_buf_fini(&second);
    }
    gr_arena_fini(&arena);
    free(copy);
    return 0;
}
