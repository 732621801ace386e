/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts that belong together become one subject. The more specific a document is, the later it is
 * laid over the others: manifest, sandbox, container, bundle (the order of enum kinds below).
 */
#include <errno.h>

#include "oci/input_parts.h"
#include "rules/pattern/imagesource.h"

/* From general to specific. */
static const enum gr_input_kind order[] = {GR_INPUT_MANIFEST, GR_INPUT_SANDBOX, GR_INPUT_CONTAINER,
                                           GR_INPUT_BUNDLE};
#define KINDS 4

/* What is known of one container: at most one document of each kind. */
struct entry {
    const struct gr_facts *facts[KINDS]; /* by enum gr_input_kind */
};

struct joining {
    struct gr_arena *arena;
    const struct gr_reporter *reporter;
    struct gr_str runtime;
    struct entry *entries;
    size_t n;
};

/* ---- what belongs together ---- */

enum same {
    SAME_NO,
    SAME_MAYBE,
    SAME_YES,
};

static bool tells(const struct gr_facts *facts, enum gr_field field)
{
    return facts->known & 1U << field;
}

static enum same both(bool a_has, struct gr_str a, bool b_has, struct gr_str b)
{
    if (!a_has || !b_has)
        return SAME_MAYBE;
    return gr_str_eq(a, b) ? SAME_YES : SAME_NO;
}

static enum same same_ids(struct gr_str a, struct gr_str b)
{
    return both(a.n > 0, a, b.n > 0, b);
}

/* A pod that a template made: web-5d4f-x of web. */
static bool is_made_by(const struct gr_facts *facts, struct gr_str maker)
{
    struct gr_str name = facts->subject.pod_name;

    return maker.n > 0 && tells(facts, GR_FIELD_POD_NAME) && gr_str_has_prefix(name, maker) &&
           name.n > maker.n && name.p[maker.n] == '-';
}

static enum same same_pod(const struct gr_facts *a, const struct gr_facts *b)
{
    enum same uid = same_ids(a->subject.pod_uid, b->subject.pod_uid);
    enum same sandbox = same_ids(a->sandbox_id, b->sandbox_id);
    enum same name = both(tells(a, GR_FIELD_POD_NAME), a->subject.pod_name,
                          tells(b, GR_FIELD_POD_NAME), b->subject.pod_name);
    enum same space = both(tells(a, GR_FIELD_NAMESPACE), a->subject.pod_namespace,
                           tells(b, GR_FIELD_NAMESPACE), b->subject.pod_namespace);

    if (space == SAME_NO && (a->namespace_implied || b->namespace_implied))
        space = SAME_YES;
    if (is_made_by(a, b->made_by) || is_made_by(b, a->made_by))
        name = SAME_YES;
    else if (a->made_by.n || b->made_by.n)
        return SAME_NO;
    if (uid == SAME_NO || sandbox == SAME_NO || name == SAME_NO || space == SAME_NO)
        return SAME_NO;
    if (uid == SAME_YES || sandbox == SAME_YES || (name == SAME_YES && space == SAME_YES))
        return SAME_YES;
    return SAME_MAYBE;
}

static enum same same_container(const struct gr_facts *a, const struct gr_facts *b)
{
    enum same id = same_ids(a->subject.id, b->subject.id);
    enum same name = both(tells(a, GR_FIELD_CONTAINER_NAME), a->subject.name,
                          tells(b, GR_FIELD_CONTAINER_NAME), b->subject.name);
    enum same pod = same_pod(a, b);

    if (id != SAME_MAYBE)
        return id;
    if (name == SAME_NO || pod == SAME_NO)
        return SAME_NO;
    return name == SAME_YES && pod == SAME_YES ? SAME_YES : SAME_MAYBE;
}

typedef enum same same_fn(const struct gr_facts *a, const struct gr_facts *b);

static bool fits(const struct entry *entry, const struct gr_facts *facts, same_fn *same)
{
    bool yes = false;

    if (entry->facts[facts->kind])
        return false;
    for (size_t i = 0; i < KINDS; i++) {
        enum same answer = entry->facts[i] ? same(entry->facts[i], facts) : SAME_MAYBE;

        if (answer == SAME_NO)
            return false;
        yes |= answer == SAME_YES;
    }
    return yes;
}

/* A bundle that says nothing of itself. */
static bool is_nameless(const struct gr_facts *facts)
{
    return facts->subject.id.n == 0 && facts->sandbox_id.n == 0 &&
           !tells(facts, GR_FIELD_CONTAINER_NAME) && !tells(facts, GR_FIELD_POD_NAME);
}

static void place(struct joining *j, const struct gr_facts *facts)
{
    bool sandbox = facts->kind == GR_INPUT_SANDBOX;
    bool placed = false;

    for (size_t i = 0; i < j->n && !(placed && !sandbox); i++) {
        if (!fits(&j->entries[i], facts, sandbox ? same_pod : same_container))
            continue;
        j->entries[i].facts[facts->kind] = facts;
        placed = true;
    }
    if (!placed && j->n == 1 && !j->entries[0].facts[facts->kind] && is_nameless(facts)) {
        j->entries[0].facts[facts->kind] = facts; /* there is nothing else that it can belong to */
        placed = true;
    }
    if (!placed)
        j->entries[j->n++].facts[facts->kind] = facts;
}

/* ---- one over the other ---- */

static bool differ(struct gr_str a, struct gr_str b)
{
    return a.n > 0 && b.n > 0 && !gr_str_eq(a, b);
}

static void check_images(struct joining *j, const struct gr_subject *to,
                         const struct gr_facts *facts)
{
    const struct gr_image *a = &to->image, *b = &facts->subject.image;
    struct gr_err err = {0};

    if (gr_image_same_repository(a, b) && !differ(a->tag, b->tag) && !differ(a->digest, b->digest))
        return;
    gr_err_at(&err, facts->file, facts->at.line, facts->at.column);
    (void)gr_fail(&err, 0, "image-conflict",
                  "expected one image for a container in all documents, found \"%.*s\" here and "
                  "\"%.*s\" in another; this one is taken, since a %s knows more",
                  GR_STR_FMT(b->name), GR_STR_FMT(a->name), gr_input_kind_name(facts->kind));
    gr_report(j->reporter, GR_LEVEL_WARNING, &err);
}

static void lay_image(struct joining *j, const struct gr_facts *facts, struct gr_subject *to)
{
    const struct gr_image *image = &facts->subject.image;

    if (!image->known) {
        if (!to->image.known && image->name.n)
            to->image = *image; /* for messages */
        return;
    }
    if (to->image.known)
        check_images(j, to, facts);
    to->image = *image;
}

/* Everything of both, the later one wins. */
static int lay_map(struct joining *j, struct gr_kvs from, struct gr_kvs *to)
{
    struct gr_kv *items = gr_arena_array(j->arena, to->n + from.n, sizeof(*items));

    if (!items)
        return -ENOMEM;
    if (to->n)
        memcpy(items, to->items, to->n * sizeof(*items));
    if (from.n)
        memcpy(items + to->n, from.items, from.n * sizeof(*items));
    *to = (struct gr_kvs){.items = items, .n = to->n + from.n};
    return 0;
}

static void lay_fields(const struct gr_facts *facts, struct gr_subject *to)
{
    const struct gr_subject *from = &facts->subject;

    if (tells(facts, GR_FIELD_NAMESPACE))
        to->pod_namespace = from->pod_namespace;
    if (tells(facts, GR_FIELD_POD_NAME))
        to->pod_name = from->pod_name;
    if (tells(facts, GR_FIELD_CONTAINER_NAME))
        to->name = from->name;
    if (tells(facts, GR_FIELD_RUNTIME_HANDLER))
        to->runtime_handler = from->runtime_handler;
    if (tells(facts, GR_FIELD_RUNTIME))
        to->runtime = from->runtime;
    if (tells(facts, GR_FIELD_COMMAND))
        to->args = from->args;
    if (tells(facts, GR_FIELD_ENV))
        to->env = from->env;
    if (tells(facts, GR_FIELD_MOUNTS)) {
        to->mounts = from->mounts;
        to->mounts_n = from->mounts_n;
    }
    if (tells(facts, GR_FIELD_POD_LABELS))
        to->pod_labels = from->pod_labels;
    if (tells(facts, GR_FIELD_CONTAINER_LABELS))
        to->container_labels = from->container_labels;
    if (tells(facts, GR_FIELD_POD_ANNOTATIONS))
        to->pod_annotations = from->pod_annotations;
    if (from->id.n)
        to->id = from->id;
    if (from->pod_uid.n)
        to->pod_uid = from->pod_uid;
    if (facts->has_spec) {
        to->hooks = from->hooks;
        to->hooks_n = from->hooks_n;
        to->present = from->present;
        to->present_n = from->present_n;
    }
}

/* A bundle that no runtime of Kubernetes made, and no other document about it: there is no pod. */
static bool is_alone(const struct entry *entry)
{
    const struct gr_facts *bundle = entry->facts[GR_INPUT_BUNDLE];

    return bundle && !bundle->of_cri && !entry->facts[GR_INPUT_MANIFEST] &&
           !entry->facts[GR_INPUT_SANDBOX] && !entry->facts[GR_INPUT_CONTAINER];
}

static int make_subject(struct joining *j, const struct entry *entry, struct gr_subject *out)
{
    const uint32_t all = (1U << GR_FIELD_COUNT) - 1;
    /* The image has a state of its own, requests are made by deciding, and these two follow from
     * both maps. */
    uint32_t known = 1U << GR_FIELD_IMAGE | 1U << GR_FIELD_REQUESTED | 1U << GR_FIELD_ANNOTATIONS |
                     1U << GR_FIELD_ANY_ANNOTATION;

    for (size_t i = 0; i < KINDS; i++) {
        const struct gr_facts *facts = entry->facts[order[i]];

        if (!facts)
            continue;
        lay_fields(facts, out);
        lay_image(j, facts, out);
        if (facts->subject.container_annotations.n > 0 &&
            lay_map(j, facts->subject.container_annotations, &out->container_annotations))
            return -ENOMEM;
        known |= facts->known;
    }
    if (is_alone(entry))
        known |=
            1U << GR_FIELD_NAMESPACE | 1U << GR_FIELD_POD_NAME | 1U << GR_FIELD_POD_ANNOTATIONS;
    if (j->runtime.n) {
        out->runtime = gr_runtime_is_containerd(j->runtime) ? GR_STR("containerd") : j->runtime;
        known |= 1U << GR_FIELD_RUNTIME;
    }
    out->unknown_fields = all & ~known;
    return 0;
}

int gr_facts_join(struct gr_input_reading *r, const struct gr_reporter *reporter,
                  struct gr_inputs *out_inputs)
{
    static const enum gr_input_kind steps[] = {GR_INPUT_MANIFEST, GR_INPUT_CONTAINER,
                                               GR_INPUT_BUNDLE, GR_INPUT_SANDBOX};
    struct joining j = {.arena = r->d.arena, .reporter = reporter, .runtime = r->runtime};
    struct gr_subject *subjects = gr_arena_array(j.arena, r->n, sizeof(*subjects));

    j.entries = gr_arena_array(j.arena, r->n, sizeof(*j.entries));
    if (!subjects || !j.entries)
        return -ENOMEM;
    for (size_t i = 0; i < GR_ARRAY_LEN(steps); i++) {
        for (const struct gr_facts *facts = r->first; facts; facts = facts->next) {
            if (facts->kind == steps[i])
                place(&j, facts);
        }
    }
    for (size_t i = 0; i < j.n; i++) {
        if (make_subject(&j, &j.entries[i], &subjects[i]))
            return -ENOMEM;
    }
    *out_inputs = (struct gr_inputs){.subjects = subjects, .n = j.n};
    return 0;
}
