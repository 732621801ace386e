/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronize in parts of arbitrary bytes. Whatever comes:
 * - what is kept is of the size that was told, and each container can be asked about;
 * - a container is what CreateContainer makes of its bytes and its pod's, or it cannot be read;
 * - ids are clean UTF-8.
 * The input: a byte for the fields that rules need, then parts, each behind its length in two
 * bytes.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "nri/running.h"
#include "nri/sync.h"
#include "nri/translate.h"
#include "wire/field.h"

#define PARTS_MAX 32

static void check_text(struct gr_str a, struct gr_str b)
{
    FUZZ_CHECK(gr_utf8_is_clean(a));
    FUZZ_CHECK(gr_str_eq(a, b));
}

static void check_map(struct gr_kvs a, struct gr_kvs b)
{
    FUZZ_CHECK(a.n == b.n);
    for (size_t i = 0; i < a.n; i++) {
        check_text(a.items[i].key, b.items[i].key);
        check_text(a.items[i].value, b.items[i].value);
    }
}

static void check_texts(struct gr_strs a, struct gr_strs b)
{
    FUZZ_CHECK(a.n == b.n);
    for (size_t i = 0; i < a.n; i++)
        check_text(a.items[i], b.items[i]);
}

static void check_same(const struct gr_subject *a, const struct gr_subject *b)
{
    check_text(a->id, b->id);
    check_text(a->name, b->name);
    check_text(a->pod_name, b->pod_name);
    check_text(a->pod_namespace, b->pod_namespace);
    check_text(a->pod_uid, b->pod_uid);
    check_text(a->runtime_handler, b->runtime_handler);
    check_text(a->runtime, b->runtime);
    check_text(a->image.name, b->image.name);
    FUZZ_CHECK(a->image.known == b->image.known);
    check_map(a->pod_labels, b->pod_labels);
    check_map(a->pod_annotations, b->pod_annotations);
    check_map(a->container_labels, b->container_labels);
    check_map(a->container_annotations, b->container_annotations);
    check_texts(a->args, b->args);
    check_texts(a->env, b->env);
    FUZZ_CHECK(a->unknown_fields == b->unknown_fields);
    FUZZ_CHECK(a->mounts_n == b->mounts_n && a->present_n == b->present_n);
    FUZZ_CHECK(a->hooks_n == b->hooks_n);
    for (size_t i = 0; i < a->hooks_n; i++) {
        check_text(a->hooks[i].path, b->hooks[i].path);
        check_texts(a->hooks[i].args, b->hooks[i].args);
        check_texts(a->hooks[i].env, b->hooks[i].env);
    }
}

/* The n-th container of the parts, encoded. */
static struct gr_str find_container(const struct gr_str *parts, size_t parts_n, size_t n)
{
    for (size_t i = 0; i < parts_n; i++) {
        struct gr_str rest = parts[i];
        struct gr_wire_field field;

        while (gr_wire_field_next(&rest, &field) == GR_WIRE_FIELD) {
            if (field.number == 2 && field.type == GR_WIRE_BYTES && n-- == 0)
                return field.bytes;
        }
    }
    abort();
}

/* Some pod of the parts with which the container is read alike. */
static void check_container(const struct gr_str *parts, size_t parts_n, size_t n,
                            const struct gr_nri_origin *origin, const struct gr_subject *subject)
{
    struct gr_str container = find_container(parts, parts_n, n);
    struct gr_subject whole;
    struct gr_arena arena;
    struct gr_err err = {0};
    bool found = false;

    gr_arena_init(&arena, 4096, 64U << 20);
    for (size_t i = 0; i < parts_n && !found; i++) {
        struct gr_str rest = parts[i];
        struct gr_wire_field field;

        while (!found && gr_wire_field_next(&rest, &field) == GR_WIRE_FIELD) {
            if (field.number != 1 || field.type != GR_WIRE_BYTES)
                continue;
            if (gr_nri_subject_of(field.bytes, container, origin, &arena, &whole, &err) != 0)
                continue;
            found = gr_str_eq(whole.pod_name, subject->pod_name) &&
                    gr_str_eq(whole.pod_uid, subject->pod_uid) &&
                    gr_str_eq(whole.pod_namespace, subject->pod_namespace) &&
                    gr_str_eq(whole.runtime_handler, subject->runtime_handler) &&
                    whole.pod_labels.n == subject->pod_labels.n &&
                    whole.pod_annotations.n == subject->pod_annotations.n;
            if (found)
                check_same(subject, &whole);
            gr_arena_reset(&arena);
        }
    }
    FUZZ_CHECK(found);
    gr_arena_fini(&arena);
}

static void check_all(const struct gr_nri_running *running, const struct gr_str *parts,
                      size_t parts_n, const struct gr_nri_origin *origin)
{
    struct gr_nri_container container;
    struct gr_arena arena;
    struct gr_err err;

    gr_arena_init(&arena, 4096, 64U << 20);
    for (size_t i = 0; i < gr_nri_running_count(running); i++) {
        struct gr_str id = gr_nri_running_id(running, i);
        int r;

        err = (struct gr_err){0};
        r = gr_nri_running_at(running, i, &arena, &container, &err);
        FUZZ_CHECK(gr_utf8_is_clean(id));
        FUZZ_CHECK((r != 0) == (err.code != NULL));
        if (r == 0) {
            FUZZ_CHECK(gr_str_eq(container.subject.id, id) && container.created_s >= 0);
            check_container(parts, parts_n, i, origin, &container.subject);
        }
        gr_arena_reset(&arena);
    }
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    uint32_t flags = fuzz_take(&input, 1);
    const struct gr_nri_origin origin = {
        .runtime_name = flags & 1 ? GR_STR("containerd") : GR_STR("cri-o"),
        .fields = (flags & 2 ? 1U << GR_FIELD_ENV : 0) | (flags & 4 ? 1U << GR_FIELD_MOUNTS : 0),
        .adjusts = flags & 8,
    };
    struct gr_nri_running *running;
    struct gr_str parts[PARTS_MAX];
    size_t parts_n = 0, containers = 0;

    FUZZ_CHECK(gr_nri_running_new(&origin, &running) == 0);
    while (input.n > 0 && parts_n < PARTS_MAX) {
        size_t n = fuzz_take(&input, 2);
        struct gr_str part = gr_str_first(input, n);
        struct gr_nri_sync sync;
        char *exact;

        input = gr_str_skip(input, part.n);
        if (gr_nri_sync_scan(part, &sync) != 0)
            continue;
        exact = fuzz_exact(part);
        gr_nri_running_add(running, (struct gr_str){.p = exact, .n = part.n});
        free(exact);
        containers += sync.containers;
        parts[parts_n++] = part;
    }
    gr_nri_running_finish(running);
    FUZZ_CHECK(gr_nri_running_state(running) == GR_NRI_RUNNING_WHOLE ||
               gr_nri_running_count(running) == 0);
    if (gr_nri_running_state(running) == GR_NRI_RUNNING_WHOLE)
        FUZZ_CHECK(gr_nri_running_count(running) == containers);
    check_all(running, parts, parts_n, &origin);
    gr_nri_running_free(running);
    return 0;
}
