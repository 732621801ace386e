/* SPDX-License-Identifier: Apache-2.0 */
/* nri/translate: a CreateContainerRequest to a subject. */
#include "testing.h"

#include <errno.h>

#include "nri/translate.h"

#define COUNT 2 /* of entries in each list below */

struct fixture {
    Nri__CreateContainerRequest request;
    Nri__PodSandbox pod;
    Nri__Container container;
    struct gr_nri_origin origin;
    struct gr_arena arena;
    struct gr_subject subject;
    struct gr_err err;
};

static void init(struct fixture *f)
{
    *f = (struct fixture){
        .origin = {.runtime_name = GR_STR("containerd"), .runtime_version = GR_STR("v2.1.4")}};
    nri__create_container_request__init(&f->request);
    nri__pod_sandbox__init(&f->pod);
    nri__container__init(&f->container);
    f->request.pod = &f->pod;
    f->request.container = &f->container;
    gr_arena_init(&f->arena, 4096, 1U << 20);
}

static int convert(struct fixture *f)
{
    return gr_nri_subject(&f->request, &f->origin, &f->arena, &f->subject, &f->err);
}

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
                         f.subject.args.n + f.subject.hooks_n,
                     0);
    assert_false(f.subject.image.known);
    assert_int_equal(f.subject.unknown_fields, 0);
    gr_arena_fini(&f.arena);
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
    gr_arena_fini(&f.arena);
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
    gr_arena_fini(&f.arena);
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
    gr_arena_fini(&f.arena);
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
    gr_arena_fini(&f.arena);
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
    gr_arena_fini(&f.arena);
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
    gr_arena_fini(&f.arena);
}

static void test_no_memory(void **state)
{
    char arg[] = "x", *args[] = {arg};
    Nri__Hook hook, *list[] = {&hook};
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    Nri__Container__LabelsEntry label, *labels[] = {&label};
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
    for (size_t limit = 1; r == -ENOMEM && limit < 8192; limit += 16) {
        init(&f);
        f.container.n_args = f.container.n_labels = 1;
        f.container.args = args;
        f.container.labels = labels;
        f.container.hooks = &hooks;
        gr_arena_fini(&f.arena);
        gr_arena_init(&f.arena, 16, limit);
        r = convert(&f);
        failed += r == -ENOMEM;
        gr_arena_fini(&f.arena);
    }
    assert_int_equal(r, 0);
    assert_true(failed > 5);
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
    return test_run("subject");
}
