/* SPDX-License-Identifier: Apache-2.0 */
/* A subject packed and read back is the same one; whatever else the bytes are is refused. */
#include "testing.h"

#include <errno.h>

#include "oci/packed.h"
#include "rules/adjust.h"

#define MEMORY_MAX (1U << 20)

/* Of a static one. */
#define S(text)                            \
    {                                      \
        .p = (text), .n = sizeof(text) - 1 \
    }

static const struct gr_kv labels[] = {{S("app"), S("web")}, {S("empty"), S("")}};
static const struct gr_kv annotations[] = {{S("team"), S("\xc3\xa4\n")}};
static const struct gr_str args[] = {S("nginx"), S(""), S("-g")};
static const struct gr_str env[] = {S("A=b")};
static const struct gr_str mount_options[] = {S("ro"), S("rbind")};
static const struct gr_mount mounts[] = {
    {S("/data"), S("/srv"), S("bind"), {mount_options, 2}},
    {S("/tmp"), S(""), S("tmpfs"), {0}},
};
static const struct gr_oci_hook hooks[] = {
    {.stage = GR_STAGE_POSTSTOP,
     .path = S("/bin/x"),
     .args = {args, 3},
     .env = {env, 1},
     .has_timeout = true,
     .timeout_s = -3},
    {.stage = GR_STAGE_PRESTART, .path = S("/bin/y")},
};
static const struct gr_adjust_entry present[] = {
    {.kind = GR_ADJUST_DEVICE,
     .key = S("/dev/x"),
     .device = {.type = 'c',
                .major = 1,
                .minor = -1,
                .has_mode = true,
                .has_gid = true,
                .mode = UINT32_MAX,
                .gid = 7}},
    {.kind = GR_ADJUST_RLIMIT, .key = S("RLIMIT_NOFILE"), .rlimit = {1, UINT64_MAX}},
    {.kind = GR_ADJUST_RESOURCE,
     .resource = GR_RESOURCE_RDT_CLASS,
     .text = S("gold"),
     .number = INT64_MIN},
};

static struct gr_subject everything(void)
{
    struct gr_subject s = {
        .id = GR_STR("5f0e"),
        .name = GR_STR("front"),
        .pod_name = GR_STR("shop"),
        .pod_namespace = GR_STR("web"),
        .pod_uid = GR_STR("u-1"),
        .runtime_handler = GR_STR("kata"),
        .runtime = GR_STR("cri-o"),
        .pod_labels = {labels, 2},
        .container_labels = {labels, 1},
        .pod_annotations = {annotations, 1},
        .args = {args, 3},
        .env = {env, 1},
        .mounts = mounts,
        .mounts_n = 2,
        .unknown_fields = 1U << GR_FIELD_CONTAINER_ANNOTATIONS | 1U << GR_FIELD_ENV,
        .recorded = true,
        .hooks = hooks,
        .hooks_n = 2,
        .present = present,
        .present_n = 3,
    };

    assert_int_equal(gr_image_parse(GR_STR("nginx:1.27"), &s.image), 0);
    s.image.digest = GR_STR("sha256:ab");
    return s;
}

static struct gr_buf packed(const struct gr_subject *subject)
{
    struct gr_buf out;

    gr_buf_init(&out, MEMORY_MAX);
    assert_int_equal(gr_packed_write(subject, &out), 0);
    return out;
}

/* From bytes of just that size, so that a read past their end is seen. */
static int read_exact(struct gr_arena *arena, struct gr_str bytes, struct gr_subject *out)
{
    struct gr_str exact;

    gr_arena_init(arena, 1024, MEMORY_MAX);
    exact = (struct gr_str){.p = gr_arena_alloc(arena, bytes.n), .n = bytes.n};
    assert_non_null(exact.p);
    if (bytes.n > 0)
        memcpy((char *)exact.p, bytes.p, bytes.n);
    return gr_packed_read(arena, exact, out);
}

static void assert_text(struct gr_str a, struct gr_str b)
{
    assert_true(gr_str_eq(a, b));
}

static void test_everything(void **state)
{
    struct gr_subject s = everything(), back;
    struct gr_buf bytes = packed(&s), again;
    struct gr_arena arena;

    (void)state;
    assert_int_equal(read_exact(&arena, gr_buf_view(&bytes), &back), 0);
    again = packed(&back);
    assert_true(gr_str_eq(gr_buf_view(&bytes), gr_buf_view(&again)));
    assert_text(back.id, s.id);
    assert_text(back.runtime, s.runtime);
    assert_true(back.image.known);
    assert_text(back.image.repository, s.image.repository);
    assert_text(back.image.tag, GR_STR("1.27"));
    assert_text(back.image.digest, s.image.digest);
    assert_int_equal(back.pod_labels.n, 2);
    assert_text(back.pod_labels.items[1].key, GR_STR("empty"));
    assert_int_equal(back.container_annotations.n, 0);
    assert_int_equal(back.unknown_fields, s.unknown_fields);
    assert_true(back.recorded);
    assert_text(back.mounts[0].options.items[1], GR_STR("rbind"));
    assert_int_equal(back.hooks[0].stage, GR_STAGE_POSTSTOP);
    assert_int_equal(back.hooks[0].timeout_s, -3);
    assert_text(back.hooks[0].args.items[2], GR_STR("-g"));
    assert_true(gr_adjust_same_value(&back.present[0], &present[0]));
    assert_true(back.present[1].rlimit.hard == UINT64_MAX);
    assert_true(back.present[2].number == INT64_MIN);
    gr_arena_fini(&arena);
    gr_buf_fini(&bytes);
    gr_buf_fini(&again);
}

/* What is not believed of an image stays so. */
static void test_images(void **state)
{
    static const char *const names[] = {"", "nginx:1.27", "No Name"};
    struct gr_subject s = {0}, back;
    struct gr_arena arena;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        struct gr_buf bytes;

        s.image = (struct gr_image){.name = gr_str_from(names[i])};
        bytes = packed(&s);
        assert_int_equal(read_exact(&arena, gr_buf_view(&bytes), &back), 0);
        assert_false(back.image.known);
        assert_text(back.image.name, s.image.name);
        gr_arena_fini(&arena);
        gr_buf_fini(&bytes);
    }
}

static void test_not_packed(void **state)
{
    struct gr_subject s = everything();
    struct gr_buf out;

    (void)state;
    s.pod_name = GR_STR("a\xff");
    gr_buf_init(&out, MEMORY_MAX);
    assert_int_equal(gr_packed_write(&s, &out), GR_PACKED_DAMAGED);
    gr_buf_fini(&out);
    s.pod_name = (struct gr_str){.p = "a\0b", .n = 3};
    assert_int_equal(gr_packed_write(&s, &out), GR_PACKED_DAMAGED);
    gr_buf_fini(&out);
    s = everything();
    gr_buf_init(&out, 100);
    assert_int_equal(gr_packed_write(&s, &out), -EMSGSIZE);
    gr_buf_fini(&out);
}

/* Cut anywhere, with something behind it, of another form. */
static void test_damaged(void **state)
{
    struct gr_subject s = everything(), back;
    struct gr_buf bytes = packed(&s);
    struct gr_arena arena;

    (void)state;
    for (size_t n = 0; n < bytes.len; n++) {
        assert_int_equal(read_exact(&arena, gr_str_first(gr_buf_view(&bytes), n), &back),
                         GR_PACKED_DAMAGED);
        gr_arena_fini(&arena);
    }
    assert_int_equal(gr_buf_byte(&bytes, 0), 0);
    assert_int_equal(read_exact(&arena, gr_buf_view(&bytes), &back), GR_PACKED_DAMAGED);
    gr_arena_fini(&arena);
    bytes.data[0]++;
    assert_int_equal(read_exact(&arena, gr_buf_view(&bytes), &back), GR_PACKED_OTHER_FORM);
    gr_arena_fini(&arena);
    gr_buf_fini(&bytes);
}

/* Each byte changed in several ways: what is read then is a subject all the same. */
static void test_any_byte(void **state)
{
    static const uint8_t flips[] = {0x01, 0x20, 0x80, 0xff};
    struct gr_subject s = everything(), back;
    struct gr_buf bytes = packed(&s);
    size_t good = 0, bad = 0;

    (void)state;
    for (size_t i = 8; i < bytes.len; i++) {
        for (size_t k = 0; k < GR_ARRAY_LEN(flips); k++) {
            struct gr_arena arena;
            int r;

            bytes.data[i] ^= flips[k];
            r = read_exact(&arena, gr_buf_view(&bytes), &back);
            bytes.data[i] ^= flips[k];
            good += r == 0;
            bad += r == GR_PACKED_DAMAGED;
            if (r == 0) {
                struct gr_buf again = packed(&back);

                gr_buf_fini(&again);
            }
            gr_arena_fini(&arena);
        }
    }
    assert_int_equal(good + bad, (bytes.len - 8) * GR_ARRAY_LEN(flips));
    assert_true(good > 0 && bad > good);
    gr_buf_fini(&bytes);
}

/* Numbers behind the form: which one is out of its range, and how far the others come. */
struct range_row {
    const char *name;
    uint32_t unknown_fields;
    enum gr_stage stage;
    enum gr_adjust_kind kind;
    enum gr_resource resource;
    char device;
    int expected;
};

static const struct range_row ranges[] = {
    {"at their edges", (1U << GR_FIELD_COUNT) - 1, GR_STAGE_COUNT - 1, GR_ADJUST_KIND_COUNT - 1,
     GR_RESOURCE_COUNT - 1, 'p', 0},
    {"fields", 1U << GR_FIELD_COUNT, 0, 0, 0, 'b', GR_PACKED_DAMAGED},
    {"stage", 0, GR_STAGE_COUNT, 0, 0, 'u', GR_PACKED_DAMAGED},
    {"kind", 0, 0, GR_ADJUST_KIND_COUNT, 0, 0, GR_PACKED_DAMAGED},
    {"resource", 0, 0, 0, GR_RESOURCE_COUNT, 0, GR_PACKED_DAMAGED},
    {"device", 0, 0, 0, 0, 'x', GR_PACKED_DAMAGED},
};

static void range(void **state)
{
    const struct range_row *row = *state;
    const struct gr_oci_hook hook = {.stage = row->stage};
    const struct gr_adjust_entry entry = {
        .kind = row->kind, .resource = row->resource, .device = {.type = row->device}};
    const struct gr_subject s = {.unknown_fields = row->unknown_fields,
                                 .hooks = &hook,
                                 .hooks_n = 1,
                                 .present = &entry,
                                 .present_n = 1};
    struct gr_buf out;

    gr_buf_init(&out, MEMORY_MAX);
    assert_int_equal(gr_packed_write(&s, &out), row->expected);
    gr_buf_fini(&out);
}

/* A list that claims more elements than there are bytes takes no memory for them. */
static void test_long_lists(void **state)
{
    struct gr_subject s = {0}, back;
    struct gr_buf bytes = packed(&s);
    struct gr_arena arena;

    (void)state;
    for (size_t i = 8; i + 8 <= bytes.len; i += 8) {
        uint8_t kept[8];

        memcpy(kept, bytes.data + i, 8);
        memset(bytes.data + i, 0xff, 8);
        assert_int_equal(read_exact(&arena, gr_buf_view(&bytes), &back), GR_PACKED_DAMAGED);
        assert_true(arena.taken_bytes < 16384);
        memcpy(bytes.data + i, kept, 8);
        gr_arena_fini(&arena);
    }
    gr_buf_fini(&bytes);
}

int main(void)
{
    test_add("everything", test_everything);
    test_add("images", test_images);
    test_add("not packed", test_not_packed);
    test_add("damaged", test_damaged);
    test_add("any byte", test_any_byte);
    TEST_ADD_ROWS(range, ranges);
    test_add("long lists", test_long_lists);
    return test_run("packed");
}
