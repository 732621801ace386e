/* SPDX-License-Identifier: Apache-2.0 */
/* nri/translate: a CreateContainerRequest to a subject. */
#include "subjecting.h"

#include <errno.h>

#include "nri/limits.h"
#include "wire/pbcheck.h"

#define COUNT 2 /* of entries in each list below */

/* Everything absent: empty texts and lists, nothing known of the image, no field unknown. */
static void test_empty(void **state)
{
    struct fixture f;

    (void)state;
    init(&f);
    assert_int_equal(convert(&f), 0);
    assert_int_equal(f.subject.id.n + f.subject.name.n + f.subject.pod_name.n +
                         f.subject.pod_namespace.n + f.subject.pod_uid.n +
                         f.subject.runtime_handler.n,
                     0);
    assert_str(f.subject.runtime, "containerd");
    assert_int_equal(f.subject.pod_labels.n + f.subject.container_labels.n +
                         f.subject.pod_annotations.n + f.subject.container_annotations.n +
                         f.subject.args.n + f.subject.hooks_n + f.subject.env.n +
                         f.subject.mounts_n + f.subject.present_n,
                     0);
    assert_false(f.subject.image.known);
    assert_int_equal(f.subject.unknown_fields, 0);
    fini(&f);
}

static void test_missing(void **state)
{
    struct fixture f;

    (void)state;
    init(&f);
    f.request.pod = NULL;
    assert_int_equal(convert(&f), -EBADMSG);
    assert_string_equal(f.err.text, "the CreateContainer request has no pod");
    f.request.container = NULL;
    assert_int_equal(convert(&f), -EBADMSG);
    assert_string_equal(f.err.text, "the CreateContainer request has no pod");
    f.request.pod = &f.pod;
    assert_int_equal(convert(&f), -EBADMSG);
    assert_string_equal(f.err.text, "the CreateContainer request has no container");
    fini(&f);
}

static void test_texts(void **state)
{
    char id[] = "id", name[] = "name", pod_name[] = "pod", ns[] = "ns", uid[] = "uid",
         handler[] = "kata", arg0[] = "/bin/sh", arg1[] = "", *args[] = {arg0, arg1};
    struct fixture f;

    (void)state;
    init(&f);
    f.container.id = id;
    f.container.name = name;
    f.container.n_args = COUNT;
    f.container.args = args;
    f.pod.name = pod_name;
    f.pod.namespace_ = ns;
    f.pod.uid = uid;
    f.pod.runtime_handler = handler;
    assert_int_equal(convert(&f), 0);
    assert_str(f.subject.id, "id");
    assert_str(f.subject.name, "name");
    assert_str(f.subject.pod_name, "pod");
    assert_str(f.subject.pod_namespace, "ns");
    assert_str(f.subject.pod_uid, "uid");
    assert_str(f.subject.runtime_handler, "kata");
    assert_int_equal(f.subject.args.n, COUNT);
    assert_str(f.subject.args.items[0], "/bin/sh");
    assert_str(f.subject.args.items[1], "");
    fini(&f);
}

/* The four maps do not get mixed up. */
static void test_maps(void **state)
{
    char key[] = "k", pl[] = "pod label", pa[] = "pod annotation", cl[] = "container label",
         ca[] = "container annotation", other[] = "io.kubernetes.cri.image-name", image[] = "nginx";
    Nri__PodSandbox__LabelsEntry pod_label;
    Nri__PodSandbox__AnnotationsEntry pod_annotation;
    Nri__Container__LabelsEntry label;
    Nri__Container__AnnotationsEntry annotation[COUNT];
    Nri__PodSandbox__LabelsEntry *pod_labels[] = {&pod_label};
    Nri__PodSandbox__AnnotationsEntry *pod_annotations[] = {&pod_annotation};
    Nri__Container__LabelsEntry *labels[] = {&label};
    Nri__Container__AnnotationsEntry *annotations[] = {&annotation[0], &annotation[1]};
    struct gr_str value;
    struct fixture f;

    (void)state;
    init(&f);
    nri__pod_sandbox__labels_entry__init(&pod_label);
    nri__pod_sandbox__annotations_entry__init(&pod_annotation);
    nri__container__labels_entry__init(&label);
    nri__container__annotations_entry__init(&annotation[0]);
    nri__container__annotations_entry__init(&annotation[1]);
    pod_label.key = pod_annotation.key = label.key = annotation[0].key = key;
    annotation[1].key = other;
    pod_label.value = pl;
    pod_annotation.value = pa;
    label.value = cl;
    annotation[0].value = ca;
    annotation[1].value = image;
    f.pod.n_labels = f.pod.n_annotations = f.container.n_labels = 1;
    f.pod.labels = pod_labels;
    f.pod.annotations = pod_annotations;
    f.container.labels = labels;
    f.container.n_annotations = COUNT;
    f.container.annotations = annotations;
    assert_int_equal(convert(&f), 0);
#define ASSERT_MAP(map, n_entries, text)                          \
    do {                                                          \
        assert_int_equal((map).n, (n_entries));                   \
        assert_true(gr_kvs_get((map), gr_str_from("k"), &value)); \
        assert_str(value, (text));                                \
    } while (0)
    ASSERT_MAP(f.subject.pod_labels, 1, "pod label");
    ASSERT_MAP(f.subject.pod_annotations, 1, "pod annotation");
    ASSERT_MAP(f.subject.container_labels, 1, "container label");
    ASSERT_MAP(f.subject.container_annotations, COUNT, "container annotation");
#undef ASSERT_MAP
    assert_true(f.subject.image.known);
    assert_str(f.subject.image.repository, "nginx");
    fini(&f);
}

/* containerd 2.0.0 to 2.0.3 call themselves v2: rules see one name. */
static void test_runtime_name(void **state)
{
    struct fixture f;

    (void)state;
    init(&f);
    f.origin.runtime_name = GR_STR("v2");
    assert_int_equal(convert(&f), 0);
    assert_str(f.subject.runtime, "containerd");
    f.origin.runtime_name = GR_STR("cri-o");
    assert_int_equal(convert(&f), 0);
    assert_str(f.subject.runtime, "cri-o");
    fini(&f);
}

/* Hooks that are there already, of all stages. */
static void test_hooks(void **state)
{
    char path[GR_STAGE_COUNT][3], arg[] = "x", env[] = "A=1", *args[] = {arg}, *envs[] = {env};
    Nri__OptionalInt timeout = NRI__OPTIONAL_INT__INIT;
    Nri__Hook hook[GR_STAGE_COUNT], *list[GR_STAGE_COUNT][COUNT];
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    struct fixture f;

    (void)state;
    init(&f);
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        nri__hook__init(&hook[i]);
        (void)snprintf(path[i], sizeof(path[i]), "/%zu", i);
        hook[i].path = path[i];
        list[i][0] = list[i][1] = &hook[i];
    }
    hook[GR_STAGE_CREATE_RUNTIME].n_args = hook[GR_STAGE_CREATE_RUNTIME].n_env = 1;
    hook[GR_STAGE_CREATE_RUNTIME].args = args;
    hook[GR_STAGE_CREATE_RUNTIME].env = envs;
    hook[GR_STAGE_CREATE_RUNTIME].timeout = &timeout;
    timeout.value = -3;
    hooks.n_prestart = hooks.n_create_runtime = hooks.n_create_container = hooks.n_start_container =
        hooks.n_poststart = hooks.n_poststop = COUNT;
    hooks.prestart = list[GR_STAGE_PRESTART];
    hooks.create_runtime = list[GR_STAGE_CREATE_RUNTIME];
    hooks.create_container = list[GR_STAGE_CREATE_CONTAINER];
    hooks.start_container = list[GR_STAGE_START_CONTAINER];
    hooks.poststart = list[GR_STAGE_POSTSTART];
    hooks.poststop = list[GR_STAGE_POSTSTOP];
    f.container.hooks = &hooks;
    assert_int_equal(convert(&f), 0);
    assert_int_equal(f.subject.hooks_n, 2 * GR_STAGE_COUNT);
    for (size_t i = 0; i < f.subject.hooks_n; i++) {
        const struct gr_oci_hook *found = &f.subject.hooks[i];
        bool full = i / 2 == GR_STAGE_CREATE_RUNTIME;

        assert_int_equal(found->stage, i / 2);
        assert_str(found->path, path[i / 2]);
        assert_int_equal(found->args.n, full ? 1 : 0);
        assert_int_equal(found->env.n, full ? 1 : 0);
        assert_int_equal(found->has_timeout, full);
        assert_int_equal(found->timeout_s, full ? -3 : 0);
    }
    fini(&f);
}

/* A hooks message with six empty lists, as containerd sends it. */
static void test_no_hooks(void **state)
{
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    struct fixture f;

    (void)state;
    init(&f);
    f.container.hooks = &hooks;
    assert_int_equal(convert(&f), 0);
    assert_int_equal(f.subject.hooks_n, 0);
    fini(&f);
}

static void test_no_memory(void **state)
{
    char arg[] = "x", *args[] = {arg};
    Nri__Hook hook, *list[] = {&hook};
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    Nri__Container__LabelsEntry label, *labels[] = {&label};
    struct parts parts;
    struct fixture f;
    int r = -ENOMEM;
    int failed = 0;

    (void)state;
    nri__hook__init(&hook);
    nri__container__labels_entry__init(&label);
    hook.n_args = hook.n_env = 1;
    hook.args = hook.env = args;
    hooks.n_poststop = 1;
    hooks.poststop = list;
    for (size_t limit = 1; r == -ENOMEM && limit < 16384; limit += 16) {
        init(&f);
        add_parts(&f, &parts);
        f.container.n_args = f.container.n_labels = 1;
        f.container.args = args;
        f.container.labels = labels;
        f.container.hooks = &hooks;
        gr_arena_fini(&f.arena);
        gr_arena_init(&f.arena, 16, limit);
        r = convert(&f);
        failed += r == -ENOMEM;
        fini(&f);
    }
    assert_int_equal(r, 0);
    assert_true(failed > 5);
}

/* ---- the reading of our own beside protobuf-c's ---- */

#define ROUNDS 20000
#define LIST_MAX 5

static uint64_t seed;

static uint32_t random_below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(seed >> 33) % n;
}

/* One of a few texts, the empty one among them; never freed or changed. */
static char *random_text(void)
{
    static char texts[][12] = {"", "a", "key", "a/b.c", "\xc3\xa9t\xc3\xa9", "nginx:1.27"};

    return texts[random_below((uint32_t)GR_ARRAY_LEN(texts))];
}

/* A request of random content; all of it lives in arena. Maps of all kinds have one shape. */
static void *random_map(struct gr_arena *arena, size_t *out_n)
{
    Nri__PodSandbox__LabelsEntry **list = gr_arena_array(arena, LIST_MAX, sizeof(*list));

    *out_n = random_below(LIST_MAX + 1);
    for (size_t i = 0; i < *out_n; i++) {
        list[i] = gr_arena_alloc(arena, sizeof(**list));
        nri__pod_sandbox__labels_entry__init(list[i]);
        list[i]->key = random_text();
        list[i]->value = random_text();
    }
    return list;
}

static char **random_list(struct gr_arena *arena, size_t *out_n)
{
    char **list = gr_arena_array(arena, LIST_MAX, sizeof(*list));

    *out_n = random_below(LIST_MAX + 1);
    for (size_t i = 0; i < *out_n; i++)
        list[i] = random_text();
    return list;
}

/* Also messages of the parts, each with some of its texts. */
static void add_random_parts(Nri__Container *c, struct gr_arena *arena)
{
    Nri__Mount **mounts = gr_arena_array(arena, LIST_MAX, sizeof(*mounts));
    Nri__Rlimit **rlimits = gr_arena_array(arena, LIST_MAX, sizeof(*rlimits));
    Nri__CdiDevice **devices = gr_arena_array(arena, LIST_MAX, sizeof(*devices));

    c->mounts = mounts;
    c->rlimits = rlimits;
    c->cdi_devices = devices;
    c->n_mounts = random_below(LIST_MAX + 1);
    c->n_rlimits = random_below(LIST_MAX + 1);
    c->n_cdi_devices = random_below(LIST_MAX + 1);
    for (size_t i = 0; i < LIST_MAX; i++) {
        mounts[i] = gr_arena_alloc(arena, sizeof(**mounts));
        rlimits[i] = gr_arena_alloc(arena, sizeof(**rlimits));
        devices[i] = gr_arena_alloc(arena, sizeof(**devices));
        nri__mount__init(mounts[i]);
        nri__rlimit__init(rlimits[i]);
        nri__cdi_device__init(devices[i]);
        mounts[i]->destination = random_text();
        mounts[i]->source = random_text();
        mounts[i]->options = random_list(arena, &mounts[i]->n_options);
        rlimits[i]->type = random_text();
        rlimits[i]->soft = random_below(3);
        devices[i]->name = random_text();
    }
}

static void fill_randomly(struct fixture *f, struct gr_arena *arena)
{
    Nri__Container *c = &f->container;
    Nri__PodSandbox *pod = &f->pod;

    pod->id = random_text();
    pod->name = random_text();
    pod->uid = random_text();
    pod->namespace_ = random_text();
    pod->runtime_handler = random_text();
    pod->labels = random_map(arena, &pod->n_labels);
    pod->annotations = random_map(arena, &pod->n_annotations);
    c->id = random_text();
    c->name = random_text();
    c->labels = random_map(arena, &c->n_labels);
    c->annotations = random_map(arena, &c->n_annotations);
    c->args = random_list(arena, &c->n_args);
    c->env = random_list(arena, &c->n_env);
    add_random_parts(c, arena);
    f->origin.adjusts = random_below(2);
    f->origin.fields = random_below(1U << GR_FIELD_COUNT);
}

static void same_map(struct gr_kvs found, const void *entries, size_t n)
{
    Nri__PodSandbox__LabelsEntry *const *expected = entries;

    assert_int_equal(found.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_str(found.items[i].key, expected[i]->key);
        assert_str(found.items[i].value, expected[i]->value);
    }
}

static void same_texts(struct gr_strs found, char *const *expected, size_t n)
{
    assert_int_equal(found.n, n);
    for (size_t i = 0; i < n; i++)
        assert_str(found.items[i], expected[i]);
}

/* Where it is read, it is the same. */
static void same_parts(const struct gr_subject *s, const Nri__Container *c,
                       const struct gr_nri_origin *origin)
{
    if (origin->adjusts || (origin->fields & 1U << GR_FIELD_ENV))
        same_texts(s->env, c->env, c->n_env);
    if (origin->adjusts || (origin->fields & 1U << GR_FIELD_MOUNTS)) {
        assert_int_equal(s->mounts_n, c->n_mounts);
        for (size_t i = 0; i < c->n_mounts; i++) {
            assert_str(s->mounts[i].destination, c->mounts[i]->destination);
            assert_str(s->mounts[i].source, c->mounts[i]->source);
            assert_str(s->mounts[i].type, c->mounts[i]->type);
            same_texts(s->mounts[i].options, c->mounts[i]->options, c->mounts[i]->n_options);
        }
    }
    if (!origin->adjusts)
        return;
    assert_int_equal(s->present_n, c->n_rlimits + c->n_cdi_devices);
    for (size_t i = 0; i < c->n_rlimits; i++) {
        assert_str(s->present[i].key, c->rlimits[i]->type);
        assert_int_equal(s->present[i].rlimit.soft, c->rlimits[i]->soft);
    }
    for (size_t i = 0; i < c->n_cdi_devices; i++)
        assert_str(s->present[c->n_rlimits + i].key, c->cdi_devices[i]->name);
}

static void same_subject(const struct gr_subject *s, const Nri__CreateContainerRequest *request)
{
    const Nri__Container *c = request->container;
    const Nri__PodSandbox *pod = request->pod;

    assert_str(s->id, c->id);
    assert_str(s->name, c->name);
    assert_str(s->pod_name, pod->name);
    assert_str(s->pod_uid, pod->uid);
    assert_str(s->pod_namespace, pod->namespace_);
    assert_str(s->runtime_handler, pod->runtime_handler);
    same_map(s->pod_labels, pod->labels, pod->n_labels);
    same_map(s->pod_annotations, pod->annotations, pod->n_annotations);
    same_map(s->container_labels, c->labels, c->n_labels);
    same_map(s->container_annotations, c->annotations, c->n_annotations);
    same_texts(s->args, c->args, c->n_args);
}

/* What protobuf-c takes, we take: with a byte changed here and there. */
static size_t compare_damaged(struct fixture *f, size_t n)
{
    const ProtobufCMessageDescriptor *type = &nri__create_container_request__descriptor;
    ProtobufCMessage *message = NULL;
    struct gr_str bytes = {.p = (const char *)f->packed, .n = n};
    const Nri__CreateContainerRequest *theirs;

    for (uint32_t i = random_below(3); n > 0 && i < 3; i++)
        f->packed[random_below((uint32_t)n)] = (uint8_t)random_below(256);
    if (gr_pb_unpack(type, bytes, &f->arena, &message, NULL) != 0)
        return 0;
    theirs = (const Nri__CreateContainerRequest *)message;
    if (!theirs->pod || !theirs->container)
        return 0;
    assert_int_equal(gr_nri_subject(bytes, &f->origin, &f->arena, &f->subject, &f->err), 0);
    return 1;
}

static void test_as_protobuf_c(void **state)
{
    size_t damaged = 0;

    (void)state;
    seed = test_seed();
    for (int i = 0; i < ROUNDS; i++) {
        struct gr_arena arena;
        struct fixture f;

        init(&f);
        gr_arena_init(&arena, 4096, 0);
        fill_randomly(&f, &arena);
        assert_int_equal(convert(&f), 0);
        same_subject(&f.subject, &f.request);
        same_parts(&f.subject, &f.container, &f.origin);
        damaged += compare_damaged(&f, nri__create_container_request__get_packed_size(&f.request));
        gr_arena_fini(&arena);
        fini(&f);
    }
    assert_true(damaged > ROUNDS / 20);
}

/* Labels with nothing in them: two bytes each. */
static void test_entries_limit(void **state)
{
    size_t n = GR_NRI_ENTRIES_MAX + 1;
    uint8_t *payload = malloc(5 + 2 * n + 2);
    struct fixture f;

    (void)state;
    assert_non_null(payload);
    for (size_t entries = n - 1; entries <= n; entries++) {
        struct gr_str bytes = {.p = (const char *)payload, .n = 4 + 2 * entries + 2};

        init(&f);
        gr_arena_fini(&f.arena);
        gr_arena_init(&f.arena, 4096, 0);
        payload[0] = 0x0a; /* the pod, its length as a varint of three bytes */
        payload[1] = (uint8_t)(2 * entries % 128 + 128);
        payload[2] = (uint8_t)(2 * entries / 128 % 128 + 128);
        payload[3] = (uint8_t)(2 * entries / 16384);
        for (size_t i = 0; i < entries; i++)
            memcpy(payload + 4 + 2 * i, "\x2a\x00", 2);
        memcpy(payload + 4 + 2 * entries, "\x12\x00", 2);
        assert_int_equal(gr_nri_subject(bytes, &f.origin, &f.arena, &f.subject, &f.err),
                         entries == n ? -E2BIG : 0);
        assert_int_equal(f.subject.pod_labels.n, entries == n ? 0 : entries);
        fini(&f);
    }
    free(payload);
}

int main(void)
{
    test_add("everything absent", test_empty);
    test_add("no pod, no container", test_missing);
    test_add("texts and args", test_texts);
    test_add("maps", test_maps);
    test_add("the runtime's name", test_runtime_name);
    test_add("hooks that are there", test_hooks);
    test_add("hooks without any", test_no_hooks);
    test_add("no memory", test_no_memory);
    test_add("the same as protobuf-c reads", test_as_protobuf_c);
    test_add("entries at the limit and one past", test_entries_limit);
    return test_run("subject");
}
