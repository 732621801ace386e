/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/input: what each kind of document tells and what it leaves open, and how documents are
 * joined. Of the documents in tests/fuzz/corpus/input those with a version were printed by crictl
 * 1.36, with other paths put in; the others are made in their shape, with more in them.
 */
#include "inputs.h"

#include "rules/adjust.h"

/* ---- a subject as a text ---- */

static void put(struct gr_buf *out, const char *name, bool known, struct gr_str value)
{
    if (known && value.n)
        (void)gr_buf_printf(out, " %s=%.*s", name, GR_STR_FMT(value));
    else if (!known)
        (void)gr_buf_printf(out, " %s?", name);
}

static void put_number(struct gr_buf *out, const char *name, bool known, size_t n)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%zu", n);
    put(out, name, known, n ? gr_str_from(text) : GR_STR_NONE);
}

static void put_subject(struct gr_buf *out, const struct gr_subject *s)
{
    (void)gr_buf_text(out, out->len ? "\n" : "");
    (void)gr_buf_printf(out, "%.4s", s->id.n ? s->id.p : "-");
    put(out, "name", gr_subject_knows(s, GR_FIELD_CONTAINER_NAME), s->name);
    put(out, "pod", gr_subject_knows(s, GR_FIELD_POD_NAME), s->pod_name);
    put(out, "ns", gr_subject_knows(s, GR_FIELD_NAMESPACE), s->pod_namespace);
    put(out, "uid", true, gr_str_first(s->pod_uid, 4));
    put(out, "image", gr_subject_knows(s, GR_FIELD_IMAGE), s->image.name);
    put(out, "handler", gr_subject_knows(s, GR_FIELD_RUNTIME_HANDLER), s->runtime_handler);
    put(out, "runtime", gr_subject_knows(s, GR_FIELD_RUNTIME), s->runtime);
    put(out, "command", gr_subject_knows(s, GR_FIELD_COMMAND),
        s->args.n ? s->args.items[0] : GR_STR_NONE);
    put_number(out, "args", gr_subject_knows(s, GR_FIELD_ARGS), s->args.n);
    put_number(out, "env", gr_subject_knows(s, GR_FIELD_ENV), s->env.n);
    put_number(out, "mounts", gr_subject_knows(s, GR_FIELD_MOUNTS), s->mounts_n);
    put_number(out, "plabels", gr_subject_knows(s, GR_FIELD_POD_LABELS), s->pod_labels.n);
    put_number(out, "clabels", gr_subject_knows(s, GR_FIELD_CONTAINER_LABELS),
               s->container_labels.n);
    put_number(out, "pann", gr_subject_knows(s, GR_FIELD_POD_ANNOTATIONS), s->pod_annotations.n);
    put_number(out, "cann", gr_subject_knows(s, GR_FIELD_CONTAINER_ANNOTATIONS),
               s->container_annotations.n);
    put_number(out, "hooks", true, s->hooks_n);
    put_number(out, "present", true, s->present_n);
}

struct row {
    const char *name;
    const char *texts[TEXTS_MAX + 1];
    const char *runtime;
    const char *expected;
    size_t warnings;
};

#define WEB "registry.example.com/shop/web:1.4.2"
#define SPEC " command=/usr/bin/web args=3 env=4 mounts=11"
#define PRESENT " present=14"
#define NO_POD "kind: Pod\nmetadata: {name: w}\nspec:\n  containers:\n  - {name: a, image: b"
#define BUNDLE "{\"ociVersion\":\"1.0.2\",\"annotations\":{"
#define INSPECT "{\"status\":{\"id\":\"abcd\",\"metadata\":{\"name\":\"a\"}"
#define POD_LABELS "\"io.kubernetes.pod.name\":\"w\",\"io.kubernetes.pod.namespace\":\"n\""

static const struct row rows[] = {
    {"a pod",
     {"pod.yaml"},
     "",
     "- name=first pod=web ns=shop uid=0b5f image=alpine handler? runtime? command=sh args? env? "
     "mounts? plabels=1 clabels=4 pann=1\n"
     "- name=app pod=web ns=shop uid=0b5f image=" WEB " handler? runtime? command=/usr/bin/web "
     "args=3 env? mounts? plabels=1 clabels=4 pann=1\n"
     "- name=side pod=web ns=shop uid=0b5f image=busybox handler? runtime? command? args? env? "
     "mounts? plabels=1 clabels=4 pann=1\n"
     "- name=debug pod=web ns=shop uid=0b5f image=busybox handler? runtime? command? args? env? "
     "mounts? plabels=1 clabels=4 pann=1",
     0},
    {"templates",
     {"deployment.yaml"},
     "containerd",
     "- name=app pod? ns=default image=" WEB " runtime=containerd command? args? env? mounts? "
     "plabels=1 clabels?\n"
     "- name=job pod? ns=shop image=busybox runtime=containerd command? args? env? mounts? "
     "clabels?",
     0},
    {"a list with others in it",
     {"list.json"},
     "",
     "- name=c pod=a ns=default image=busybox runtime? command? args? env? mounts? clabels?",
     0},
    {"an image that is none",
     {NO_POD "/B}\n"},
     "",
     "- name=a pod=w ns=default image? runtime? command? args? env? mounts? clabels?",
     0},
    {"a variable in the command",
     {NO_POD ", command: [\"$(A)\"]}\n"},
     "",
     "- name=a pod=w ns=default image=b runtime? command? args? env? mounts? clabels?",
     0},
    {"a runtime class that is null",
     {NO_POD "}\n  runtimeClassName: null\n"},
     "v2",
     "- name=a pod=w ns=default image=b runtime=containerd command? args? env? mounts? clabels?",
     0},

    {"containerd's container",
     {"containerd-inspect.json"},
     "",
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler? runtime=containerd" SPEC " plabels? clabels=4 pann? cann=12 hooks=2" PRESENT,
     0},
    {"containerd's sandbox",
     {"containerd-inspectp.json"},
     "",
     "- name? pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image? handler=kata-qemu runtime=containerd "
     "command? args? env? mounts? plabels=4 clabels? pann=3 cann?",
     0},
    {"containerd's bundle",
     {"containerd-config.json"},
     "",
     "- name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler? runtime=containerd" SPEC " plabels? clabels? pann? cann=7" PRESENT,
     0},
    {"CRI-O's container",
     {"crio-inspect.json"},
     "",
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=quay.io/shop/web:2 handler? "
     "runtime=cri-o" SPEC " plabels? clabels=4 pann? cann=26 hooks=2" PRESENT,
     0},
    {"CRI-O's bundle, with a forged annotation",
     {"crio-config.json"},
     "",
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=quay.io/shop/web:2 handler? "
     "runtime=cri-o" SPEC " plabels? clabels? pann? cann=21" PRESENT,
     0},
    {"Podman's bundle",
     {"podman-config.json"},
     "",
     "- name? image? handler? runtime=podman" SPEC " plabels? clabels? cann=4" PRESENT,
     0},
    {"Docker's bundle",
     {"docker-config.json"},
     "",
     "- name? image? handler? runtime?" SPEC " plabels? clabels? hooks=1" PRESENT,
     0},
    {"Docker's bundle, told so",
     {"docker-config.json"},
     "docker",
     "- name? image? handler? runtime=docker" SPEC " plabels? clabels? hooks=1" PRESENT,
     0},
    {"annotations that two runtimes could have written",
     {BUNDLE "\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-"
             "namespace\":\"x\",\"io.container.manager\":\"cri-o\",\"io.kubernetes.cri-o."
             "ContainerID\":\"container\",\"io.kubernetes.cri-o.ImageName\":\"evil\"}}"},
     "",
     "- name? pod? ns? image? handler? runtime? command? args? env? plabels? clabels? pann? cann=5",
     0},
    {"a container of CRI-O that would be one of Podman",
     {BUNDLE "\"io.container.manager\":\"libpod\",\"io.kubernetes.cri-o.ContainerID\":\"x\"}}"},
     "",
     "- name? pod? ns? image? handler? runtime? command? args? env? plabels? clabels? pann? cann=2",
     0},
    {"the same, told which",
     {BUNDLE "\"io.kubernetes.cri.container-type\":\"container\","
             "\"io.kubernetes.cri.sandbox-namespace\":\"x\"}}"},
     "docker",
     "- name? image? handler? runtime=docker command? args? env? plabels? clabels? cann=2",
     0},
    {"an inspection without the runtime's own part",
     {INSPECT ",\"labels\":{" POD_LABELS
              "},\"annotations\":{},\"image\":{\"image\":\"busybox\"}}}"},
     "",
     "abcd name=a pod=w ns=n image=busybox handler? runtime? command? args? env? mounts? plabels? "
     "clabels=2 pann? cann?",
     0},
    {"an inspection with an image's id",
     {INSPECT ",\"image\":{\"image\":\"sha256:0123\"}},\"info\":{\"runtimeType\":\"x\"}}"},
     "",
     "abcd name=a pod? ns? image? handler? runtime? command? args? env? mounts? plabels? clabels? "
     "pann? cann?",
     0},

    {"containerd 1.7.27 as crictl shows it",
     {"containerd-1.7.27-inspect.json"},
     "",
     "a8fb name=main pod=pod-1 ns=default uid=pod- image=localhost/plain:test handler? "
     "runtime=containerd command=/bin/busybox args=3 env=2 mounts=11 plabels? pann? cann=7",
     0},
    {"containerd 2.3.4 as crictl shows it",
     {"containerd-2.3.4-inspectp.json", "containerd-2.3.4-inspect.json"},
     "",
     "5414 name=main pod=pod-1 ns=default uid=pod- image=localhost/plain:test runtime=containerd "
     "command=/bin/busybox args=3 env=2 mounts=11 cann=7",
     0},
    {"CRI-O 1.34.0 as crictl shows it",
     {"crio-1.34.0-inspect.json"},
     "",
     "4f16 name=main pod? ns? image=localhost/plain:test handler? runtime=cri-o "
     "command=/bin/busybox args=3 env=4 mounts=12 plabels? pann? cann=22 present=1",
     0},
    {"container and sandbox",
     {"containerd-inspect.json", "containerd-inspectp.json"},
     "",
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler=kata-qemu runtime=containerd" SPEC
     " plabels=4 clabels=4 pann=3 cann=12 hooks=2" PRESENT,
     0},
    {"container and bundle",
     {"containerd-config.json", "containerd-inspect.json", "containerd-inspectp.json"},
     "",
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler=kata-qemu runtime=containerd" SPEC " plabels=4 clabels=4 pann=3 cann=19" PRESENT,
     0},
    {"a template and a pod of it",
     {"deployment.yaml", "containerd-inspect.json"},
     "",
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB " runtime=containerd" SPEC
     " plabels=1 clabels=4 cann=12 hooks=2" PRESENT
     "\n- name=job pod? ns=shop image=busybox runtime? command? args? env? mounts? clabels?",
     0},
    {"a template and a pod that only begins as its own",
     {"kind: Job\nmetadata: {name: we}\nspec: {template: {spec: {containers: [{name: app, image: "
      "b}]}}}\n",
      "containerd-inspect.json"},
     "",
     "- name=app pod? ns=default image=b runtime? command? args? env? mounts? clabels?\n"
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler? runtime=containerd" SPEC " plabels? clabels=4 pann? cann=12 hooks=2" PRESENT,
     0},
    {"a pod and the bundle of another",
     {NO_POD "}\n", "containerd-config.json"},
     "",
     "- name=a pod=w ns=default image=b runtime? command? args? env? mounts? clabels?\n"
     "- name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler? runtime=containerd" SPEC " plabels? clabels? pann? cann=7" PRESENT,
     0},
    {"a pod and the container of another",
     {NO_POD "}\n", "containerd-inspect.json"},
     "",
     "- name=a pod=w ns=default image=b runtime? command? args? env? mounts? clabels?\n"
     "8f4c name=app pod=web-5d4f7c-x2x9z ns=shop uid=0b5f image=" WEB
     " handler? runtime=containerd" SPEC " plabels? clabels=4 pann? cann=12 hooks=2" PRESENT,
     0},
    {"two images",
     {NO_POD "}\n", INSPECT ",\"labels\":{" POD_LABELS "},\"image\":{\"image\":\"c:1\"}}}"},
     "",
     "abcd name=a pod=w ns=n image=c:1 runtime? command? args? env? mounts? clabels=2",
     1},
    {"annotations of an inspection without the runtime's own part",
     {NO_POD "}\n", INSPECT ",\"labels\":{" POD_LABELS "},\"annotations\":{\"x\":\"y\"}}}"},
     "",
     "abcd name=a pod=w ns=n image=b runtime? command? args? env? mounts? clabels=2 cann=1",
     0},
    {"one image in two words",
     {NO_POD "}\n", INSPECT ",\"labels\":{" POD_LABELS
                            "},\"image\":{\"image\":\"docker.io/library/b:latest\"}}}"},
     "",
     "abcd name=a pod=w ns=n image=docker.io/library/b:latest runtime? command? args? env? mounts? "
     "clabels=2",
     0},
    {"a bundle without names, beside one container",
     {"docker-config.json", NO_POD "}\n"},
     "",
     "- name=a pod=w ns=default image=b runtime?" SPEC " clabels? hooks=1" PRESENT,
     0},
    {"inspections one behind the other",
     {INSPECT "}}\n" INSPECT "}} [" INSPECT "}}]"},
     "",
     "abcd name=a pod? ns? image? handler? runtime? command? args? env? mounts? plabels? clabels? "
     "pann? cann?\n"
     "abcd name=a pod? ns? image? handler? runtime? command? args? env? mounts? plabels? clabels? "
     "pann? cann?\n"
     "abcd name=a pod? ns? image? handler? runtime? command? args? env? mounts? plabels? clabels? "
     "pann? cann?",
     0},
    {"an inspection as YAML",
     {"status:\n  id: abcd\n  metadata: {name: a}\n"},
     "",
     "abcd name=a pod? ns? image? handler? runtime? command? args? env? mounts? plabels? clabels? "
     "pann? cann?",
     0},
    {"keys that stand twice: the last counts",
     {"{\"ociVersion\":\"1\",\"process\":{\"args\":[\"a\"]},\"process\":{\"args\":[\"b\",\"c\"]}}"},
     "",
     "- name? image? handler? runtime? command=b args=2 plabels? clabels?",
     0},
    {"hooks below process are none, which is worth a word",
     {"{\"ociVersion\":\"1\",\"process\":{\"args\":[\"a\"],\"hooks\":{\"poststop\":[{\"path\":\"/"
      "x\"}]}}}"},
     "",
     "- name? image? handler? runtime? command=a args=1 plabels? clabels?",
     1},
    {"nothing but nulls",
     {"{\"ociVersion\":\"1\",\"process\":null,\"hooks\":null,\"mounts\":[null],\"linux\":null,"
      "\"annotations\":null}"},
     "",
     "- name? image? handler? runtime? command? args? env? plabels? clabels?",
     0},
};

static void reads(void **state)
{
    const struct row *row = *state;
    struct reports reports = {0};
    struct gr_inputs inputs = {0};
    struct gr_arena arena;
    struct gr_buf out;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&out, 1U << 16);
    if (read_inputs(&arena, row->texts, row->runtime, &reports, &inputs))
        fail_msg("refused: %s at %u:%u", reports.code, reports.line, reports.column);
    for (size_t i = 0; i < inputs.n; i++)
        put_subject(&out, &inputs.subjects[i]);
    assert_str(gr_buf_view(&out), row->expected);
    assert_int_equal(reports.errors, 0);
    assert_int_equal(reports.warnings, row->warnings);
    if (row->warnings > 0)
        assert_string_equal(reports.code, row->texts[1] ? "image-conflict" : "misplaced-key");
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

struct bad_row {
    const char *name;
    const char *text;
    const char *code;
    uint32_t line, column;
};

static const struct bad_row bad_rows[] = {
    {"nothing", "", "unknown-document", 1, 1},
    {"an object of nobody", "{\"a\":1}", "unknown-document", 1, 1},
    {"another kind", "kind: Service\n", "unknown-document", 1, 1},
    {"a list without pods", "{\"kind\":\"List\",\"items\":[]}", "unknown-document", 1, 1},
    {"a text", "x: {y: z}", "unknown-document", 1, 1},
    {"a list of lists", "[[{\"a\":1}]]", "unknown-document", 1, 2},
    {"broken JSON", "{\"ociVersion\":\"1\",\n}", "json-syntax", 2, 1},
    {"broken YAML", "kind: [\n", "yaml-syntax", 2, 1},
    {"broken behind the first", INSPECT "}}\n{\"x", "json-syntax", 2, 2},
    {"a pod without containers", "kind: Pod\nmetadata: {name: a}\nspec: {}\n", "missing-key", 3, 7},
    {"a template without a pod", "kind: Job\nmetadata: {name: a}\n", "missing-key", 1, 1},
    {"a pod without a name", "kind: Pod\nmetadata: {}\n", "missing-key", 2, 11},
    {"a label that is a number",
     "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"labels\":{\"b\":5}}}", "not-a-text", 1, 52},
    {"args that are no list", "{\"ociVersion\":\"1\",\"process\":{\"args\":\"a\"}}", "wrong-type",
     1, 37},
    {"an argument that is a number", "{\"ociVersion\":\"1\",\n\"process\":{\"args\":[\"a\",1]}}",
     "not-a-text", 2, 24},
    {"a NUL byte", "{\"ociVersion\":\"1\",\"process\":{\"args\":[\"a\\u0000\"]}}",
     "control-character", 1, 38},
    {"a NUL byte in a key", "{\"ociVersion\":\"1\",\"annotations\":{\"\\u0000\":\"a\"}}",
     "control-character", 1, 34},
    {"a timeout that is a text",
     "{\"ociVersion\":\"1\",\"hooks\":{\"poststop\":[{\"timeout\":\"1\"}]}}", "wrong-type", 1, 51},
    {"hooks that are a list", "{\"ociVersion\":\"1\",\"hooks\":[]}", "wrong-type", 1, 27},
    {"a limit that is broken",
     "{\"ociVersion\":\"1\",\"linux\":{\"resources\":{\"memory\":{\"limit\":1.5}}}}", "wrong-type",
     1, 59},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    const char *texts[] = {row->text, NULL};
    struct reports reports = {0};
    struct gr_inputs inputs = {.n = 77};
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(read_inputs(&arena, texts, "", &reports, &inputs), GR_INPUT_REFUSED);
    assert_string_equal(reports.code, row->code);
    assert_int_equal(reports.line, row->line);
    assert_int_equal(reports.column, row->column);
    assert_int_equal(inputs.n, 77);
    gr_arena_fini(&arena);
}

/* What a config.json has of what a set may adjust, and its hooks, as they were written. */
static void tells_what_is_present(void **state)
{
    const char *texts[] = {"containerd-inspect.json", NULL};
    struct reports reports = {0};
    struct gr_inputs inputs;
    struct gr_arena arena;
    const struct gr_subject *s;
    size_t kinds[GR_ADJUST_KIND_COUNT] = {0};

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(read_inputs(&arena, texts, "", &reports, &inputs), 0);
    s = &inputs.subjects[0];
    for (size_t i = 0; i < s->present_n; i++) {
        const struct gr_adjust_entry *e = &s->present[i];

        kinds[e->kind]++;
        if (e->kind == GR_ADJUST_DEVICE) {
            assert_str(e->key, "/dev/fuse");
            assert_int_equal(e->device.type, 'c');
            assert_int_equal(e->device.minor, 229);
            assert_true(e->device.has_mode && e->device.mode == 438 && e->device.has_gid);
        } else if (e->kind == GR_ADJUST_RLIMIT && gr_str_is(e->key, "RLIMIT_CORE")) {
            assert_true(e->rlimit.hard == UINT64_MAX && e->rlimit.soft == UINT64_MAX);
        } else if (e->kind == GR_ADJUST_RESOURCE && e->resource == GR_RESOURCE_CPU_CPUS) {
            assert_str(e->text, "0-3");
        } else if (e->kind == GR_ADJUST_RESOURCE && e->resource == GR_RESOURCE_MEMORY_SWAP) {
            assert_int_equal(e->number, 134217728);
        } else if (e->kind == GR_ADJUST_RESOURCE && e->resource == GR_RESOURCE_RDT_CLASS) {
            assert_str(e->text, "guaranteed");
        }
    }
    assert_int_equal(kinds[GR_ADJUST_DEVICE], 1);
    assert_int_equal(kinds[GR_ADJUST_RLIMIT], 2);
    assert_int_equal(kinds[GR_ADJUST_RESOURCE], 8);
    assert_int_equal(kinds[GR_ADJUST_HUGEPAGES], 1);
    assert_int_equal(kinds[GR_ADJUST_UNIFIED], 2);
    assert_int_equal(s->hooks[0].stage, GR_STAGE_CREATE_RUNTIME);
    assert_str(s->hooks[0].env.items[0], "GRAPNEL_HOOKSET=tap-network@00000000deadbeef");
    assert_true(s->hooks[0].has_timeout && s->hooks[0].timeout_s == 30);
    assert_int_equal(s->hooks[1].stage, GR_STAGE_POSTSTOP);
    assert_false(s->hooks[1].has_timeout);
    assert_str(s->env.items[3], "PS1=\x1b[1m$ ");
    assert_str(s->mounts[9].destination, "/data");
    assert_str(s->mounts[9].source, "/srv/shop");
    assert_str(s->mounts[9].options.items[2], "ro");
    gr_arena_fini(&arena);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(gr_input_kind_name(GR_INPUT_MANIFEST), "pod manifest");
    assert_string_equal(gr_input_kind_name(GR_INPUT_CONTAINER), "crictl inspect");
    assert_string_equal(gr_input_kind_name(GR_INPUT_SANDBOX), "crictl inspectp");
    assert_string_equal(gr_input_kind_name(GR_INPUT_BUNDLE), "config.json");
}

int main(void)
{
    TEST_ADD_ROWS(reads, rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("what is present", tells_what_is_present);
    test_add("names of kinds", kinds_have_names);
    return test_run("input");
}
