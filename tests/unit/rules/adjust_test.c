/* SPDX-License-Identifier: Apache-2.0 */
/* rules/adjust: keys, values, and what a container has already. */
#include "making.h"

static const struct gr_str ro_bind[] = {TEXT("ro"), TEXT("rbind")};
static const struct gr_str bind_ro[] = {TEXT("rbind"), TEXT("ro")};

#define MOUNT(src, kind_of, list, count)                          \
    {                                                             \
        .kind = GR_ADJUST_MOUNT, .key = TEXT("/data"), .mount = { \
            .destination = TEXT("/data"),                         \
            .source = TEXT(src),                                  \
            .type = TEXT(kind_of),                                \
            .options = {(list), (count)},                         \
        }                                                         \
    }
#define DEVICE(...)                                                                \
    {                                                                              \
        .kind = GR_ADJUST_DEVICE, .key = TEXT("/dev/x"), .device = { __VA_ARGS__ } \
    }
#define NUMBER(which, n)                                               \
    {                                                                  \
        .kind = GR_ADJUST_RESOURCE, .resource = (which), .number = (n) \
    }

struct value_row {
    const char *name;
    struct gr_adjust_entry a, b;
    bool same;
};

static const struct value_row value_rows[] = {
    {"env",
     {.kind = GR_ADJUST_ENV, .key = TEXT("A"), .text = TEXT("1")},
     {.kind = GR_ADJUST_ENV, .key = TEXT("A"), .text = TEXT("1")},
     true},
    {"env: other text",
     {.kind = GR_ADJUST_ENV, .key = TEXT("A"), .text = TEXT("1")},
     {.kind = GR_ADJUST_ENV, .key = TEXT("A"), .text = TEXT("")},
     false},
    {"annotation: other text",
     {.kind = GR_ADJUST_ANNOTATION, .text = TEXT("1")},
     {.kind = GR_ADJUST_ANNOTATION, .text = TEXT("2")},
     false},
    {"mount", MOUNT("/s", "bind", ro_bind, 2), MOUNT("/s", "bind", ro_bind, 2), true},
    {"mount: source", MOUNT("/s", "bind", ro_bind, 2), MOUNT("/t", "bind", ro_bind, 2), false},
    {"mount: type", MOUNT("/s", "bind", ro_bind, 2), MOUNT("/s", "", ro_bind, 2), false},
    {"mount: options in another order", MOUNT("/s", "bind", ro_bind, 2),
     MOUNT("/s", "bind", bind_ro, 2), false},
    {"mount: fewer options", MOUNT("/s", "bind", ro_bind, 2), MOUNT("/s", "bind", ro_bind, 1),
     false},
    {"device", DEVICE('c', 1, 3), DEVICE('c', 1, 3), true},
    {"device: type", DEVICE('c', 1, 3), DEVICE('b', 1, 3), false},
    {"device: major", DEVICE('c', 1, 3), DEVICE('c', 2, 3), false},
    {"device: minor", DEVICE('c', 1, 3), DEVICE('c', 1, 4), false},
    {"device: mode", DEVICE('c', 1, 3, .has_mode = true, .mode = 0600),
     DEVICE('c', 1, 3, .has_mode = true, .mode = 0666), false},
    {"device: mode given once", DEVICE('c', 1, 3, .has_mode = true, .mode = 0), DEVICE('c', 1, 3),
     false},
    {"device: mode not given, whatever stands there", DEVICE('c', 1, 3, .mode = 7),
     DEVICE('c', 1, 3), true},
    {"device: uid", DEVICE('c', 1, 3, .has_uid = true, .uid = 1),
     DEVICE('c', 1, 3, .has_uid = true), false},
    {"device: gid", DEVICE('c', 1, 3, .has_gid = true, .gid = 1), DEVICE('c', 1, 3), false},
    {"CDI device", {.kind = GR_ADJUST_CDI_DEVICE}, {.kind = GR_ADJUST_CDI_DEVICE}, true},
    {"rlimit",
     {.kind = GR_ADJUST_RLIMIT, .rlimit = {1, UINT64_MAX}},
     {.kind = GR_ADJUST_RLIMIT, .rlimit = {1, UINT64_MAX}},
     true},
    {"rlimit: soft",
     {.kind = GR_ADJUST_RLIMIT, .rlimit = {1, 2}},
     {.kind = GR_ADJUST_RLIMIT, .rlimit = {2, 2}},
     false},
    {"rlimit: hard",
     {.kind = GR_ADJUST_RLIMIT, .rlimit = {1, 2}},
     {.kind = GR_ADJUST_RLIMIT, .rlimit = {1, 3}},
     false},
    {"resource: number", NUMBER(GR_RESOURCE_CPU_SHARES, 5), NUMBER(GR_RESOURCE_CPU_SHARES, 5),
     true},
    {"resource: other number", NUMBER(GR_RESOURCE_CPU_SHARES, 5), NUMBER(GR_RESOURCE_CPU_SHARES, 6),
     false},
    {"resource: text",
     {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_CPU_CPUS, .text = TEXT("0-1")},
     {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_CPU_CPUS, .text = TEXT("0-2")},
     false},
    {"huge pages",
     {.kind = GR_ADJUST_HUGEPAGES, .key = TEXT("2MB"), .number = 1},
     {.kind = GR_ADJUST_HUGEPAGES, .key = TEXT("2MB"), .number = 2},
     false},
    {"unified",
     {.kind = GR_ADJUST_UNIFIED, .key = TEXT("memory.high"), .text = TEXT("1")},
     {.kind = GR_ADJUST_UNIFIED, .key = TEXT("memory.high"), .text = TEXT("max")},
     false},
};

static void values(void **state)
{
    const struct value_row *row = *state;

    assert_int_equal(gr_adjust_same_value(&row->a, &row->b), row->same);
    assert_int_equal(gr_adjust_same_value(&row->b, &row->a), row->same);
    assert_true(gr_adjust_same_value(&row->a, &row->a));
}

static void keys(void **state)
{
    const struct gr_adjust_entry sorted[] = {
        {.kind = GR_ADJUST_ENV, .key = TEXT("A")},
        {.kind = GR_ADJUST_ENV, .key = TEXT("AB")},
        {.kind = GR_ADJUST_ANNOTATION, .key = TEXT("A")},
        NUMBER(GR_RESOURCE_MEMORY_LIMIT, 9),
        NUMBER(GR_RESOURCE_CPU_SHARES, 1),
        {.kind = GR_ADJUST_UNIFIED, .key = TEXT("A")},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(sorted); i++) {
        for (size_t j = 0; j < GR_ARRAY_LEN(sorted); j++) {
            int order = gr_adjust_cmp_key(&sorted[i], &sorted[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(gr_adjust_same_key(&sorted[i], &sorted[j]), i == j);
        }
    }
}

static void names(void **state)
{
    const struct gr_adjust_entry env = {.kind = GR_ADJUST_ENV, .key = GR_STR("A")};
    const struct gr_adjust_entry quota = NUMBER(GR_RESOURCE_CPU_QUOTA, 1);

    (void)state;
    assert_str(gr_adjust_entry_key(&env), "A");
    assert_str(gr_adjust_entry_key(&quota), "cpu.quota");
    for (int i = 0; i < GR_ADJUST_KIND_COUNT; i++)
        assert_true(strlen(gr_adjust_kind_name((enum gr_adjust_kind)i)) > 2);
    for (int i = 0; i < GR_RESOURCE_COUNT; i++)
        assert_true(strlen(gr_resource_name((enum gr_resource)i)) > 7);
    assert_string_equal(gr_adjust_kind_name(GR_ADJUST_HUGEPAGES), "resources.hugepageLimits");
    assert_string_equal(gr_resource_name(GR_RESOURCE_PIDS_LIMIT), "pids.limit");
    assert_true(gr_resource_is_text(GR_RESOURCE_RDT_CLASS));
    assert_false(gr_resource_is_text(GR_RESOURCE_PIDS_LIMIT));
}

/* ---- what is there ---- */

static const struct gr_str container_env[] = {TEXT("A=1"), TEXT("B=x=y"), TEXT("A=2"), TEXT("C"),
                                              TEXT("=D")};
static const struct gr_kv container_annotations[] = {{TEXT("k"), TEXT("old")},
                                                     {TEXT("k"), TEXT("v")}};
static const struct gr_mount container_mounts[] = {
    {.destination = TEXT("/data"), .source = TEXT("/t"), .type = TEXT("bind")},
    {.destination = TEXT("/data"),
     .source = TEXT("/s"),
     .type = TEXT("bind"),
     .options = {ro_bind, 2}},
};
static const struct gr_adjust_entry container_present[] = {
    DEVICE('c', 1, 3),
    {.kind = GR_ADJUST_CDI_DEVICE, .key = TEXT("v.com/c=n")},
    {.kind = GR_ADJUST_RLIMIT, .key = TEXT("RLIMIT_NOFILE"), .rlimit = {1, 2}},
    NUMBER(GR_RESOURCE_PIDS_LIMIT, -1),
};

static struct gr_subject container(void)
{
    return (struct gr_subject){
        .env = {container_env, GR_ARRAY_LEN(container_env)},
        .mounts = container_mounts,
        .mounts_n = GR_ARRAY_LEN(container_mounts),
        .container_annotations = {container_annotations, GR_ARRAY_LEN(container_annotations)},
        .pod_annotations = {container_annotations, 1},
        .present = container_present,
        .present_n = GR_ARRAY_LEN(container_present),
    };
}

struct present_row {
    const char *name;
    struct gr_adjust_entry entry;
    bool present;
};

#define ENV(k, v)                                              \
    {                                                          \
        .kind = GR_ADJUST_ENV, .key = TEXT(k), .text = TEXT(v) \
    }

static const struct present_row present_rows[] = {
    {"env: the last one counts", ENV("A", "2"), true},
    {"env: not the first one", ENV("A", "1"), false},
    {"env: the first = divides", ENV("B", "x=y"), true},
    {"env: part of the value", ENV("B", "x"), false},
    {"env: no value is an empty one", ENV("C", ""), true},
    {"env: absent", ENV("X", ""), false},
    {"annotation", {.kind = GR_ADJUST_ANNOTATION, .key = TEXT("k"), .text = TEXT("v")}, true},
    {"annotation: the container's, not the pod's",
     {.kind = GR_ADJUST_ANNOTATION, .key = TEXT("k"), .text = TEXT("old")},
     false},
    {"mount: the last one counts", MOUNT("/s", "bind", ro_bind, 2), true},
    {"mount: other source", MOUNT("/t", "bind", NULL, 0), false},
    {"device", DEVICE('c', 1, 3), true},
    {"device: other numbers", DEVICE('c', 1, 4), false},
    {"CDI device", {.kind = GR_ADJUST_CDI_DEVICE, .key = TEXT("v.com/c=n")}, true},
    {"CDI device: another one", {.kind = GR_ADJUST_CDI_DEVICE, .key = TEXT("v.com/c=m")}, false},
    {"rlimit", {.kind = GR_ADJUST_RLIMIT, .key = TEXT("RLIMIT_NOFILE"), .rlimit = {1, 2}}, true},
    {"resource", NUMBER(GR_RESOURCE_PIDS_LIMIT, -1), true},
    {"resource: another one", NUMBER(GR_RESOURCE_MEMORY_LIMIT, -1), false},
};

static void present(void **state)
{
    const struct present_row *row = *state;
    const struct gr_subject subject = container();

    assert_int_equal(gr_adjust_is_present(&row->entry, &subject), row->present);
}

/* What the source cannot tell is not there, even if something stands in the list. */
static void unknown(void **state)
{
    static const struct gr_adjust_entry env = ENV("A", "2"),
                                        mount = MOUNT("/s", "bind", ro_bind, 2),
                                        annotation = {.kind = GR_ADJUST_ANNOTATION,
                                                      .key = TEXT("k"),
                                                      .text = TEXT("v")};
    struct gr_subject subject = container();

    (void)state;
    subject.unknown_fields = 1U << GR_FIELD_ENV;
    assert_false(gr_adjust_is_present(&env, &subject));
    assert_true(gr_adjust_is_present(&mount, &subject));
    subject.unknown_fields = 1U << GR_FIELD_MOUNTS | 1U << GR_FIELD_POD_ANNOTATIONS;
    assert_true(gr_adjust_is_present(&env, &subject));
    assert_false(gr_adjust_is_present(&mount, &subject));
    assert_true(gr_adjust_is_present(&annotation, &subject));
    subject.unknown_fields = 1U << GR_FIELD_CONTAINER_ANNOTATIONS;
    assert_false(gr_adjust_is_present(&annotation, &subject));
}

int main(void)
{
    TEST_ADD_ROWS(values, value_rows);
    test_add("keys", keys);
    test_add("names", names);
    TEST_ADD_ROWS(present, present_rows);
    test_add("unknown fields", unknown);
    return test_run("adjust");
}
