/* SPDX-License-Identifier: Apache-2.0 */
/* nri/translate: what of a CreateContainerRequest is read only where rules need it. */
#include "subjecting.h"

#include <errno.h>

#include "nri/limits.h"
#include "wire/field.h"

static void expect_present(const struct gr_subject *subject, const struct gr_adjust_entry *wanted,
                           size_t n)
{
    assert_int_equal(subject->present_n, n);
    for (size_t i = 0; i < n; i++) {
        if (!gr_adjust_same_key(&subject->present[i], &wanted[i]) ||
            !gr_adjust_same_value(&subject->present[i], &wanted[i]))
            fail_msg("entry %zu (%s) is another one", i, gr_adjust_kind_name(wanted[i].kind));
    }
}

static void test_present(void **state)
{
#define NUMBER(which, value)                                               \
    {                                                                      \
        .kind = GR_ADJUST_RESOURCE, .resource = (which), .number = (value) \
    }
    const struct gr_adjust_entry wanted[] = {
        {.kind = GR_ADJUST_DEVICE,
         .key = GR_STR("/dev/x"),
         .device = {'c', 1, -1, .has_mode = true, .mode = 0640, .has_uid = true, .uid = 7}},
        {.kind = GR_ADJUST_DEVICE, .key = GR_STR("/dev/y")},
        NUMBER(GR_RESOURCE_MEMORY_LIMIT, -1),
        NUMBER(GR_RESOURCE_MEMORY_SWAP, 50000),
        NUMBER(GR_RESOURCE_CPU_SHARES, INT64_MAX),
        NUMBER(GR_RESOURCE_CPU_QUOTA, 50000),
        NUMBER(GR_RESOURCE_CPU_PERIOD, 100000),
        {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_CPU_CPUS, .text = GR_STR("0-1")},
        NUMBER(GR_RESOURCE_PIDS_LIMIT, 100),
        {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_BLOCKIO_CLASS, .text = GR_STR("slow")},
        {.kind = GR_ADJUST_HUGEPAGES, .key = GR_STR("2MB"), .number = 1 << 21},
        {.kind = GR_ADJUST_UNIFIED, .key = GR_STR("memory.high"), .text = GR_STR("max")},
        {.kind = GR_ADJUST_RLIMIT, .key = GR_STR("RLIMIT_NOFILE"), .rlimit = {5, UINT64_MAX}},
        {.kind = GR_ADJUST_CDI_DEVICE, .key = GR_STR("v.com/c=n")},
    };
#undef NUMBER
    struct parts parts;
    struct fixture f;

    (void)state;
    init(&f);
    add_parts(&f, &parts);
    assert_int_equal(convert(&f), 0);
    expect_present(&f.subject, wanted, GR_ARRAY_LEN(wanted));
    assert_int_equal(f.subject.unknown_fields, 0);
    assert_int_equal(f.subject.env.n, 2);
    assert_str(f.subject.env.items[1], "B=");
    assert_int_equal(f.subject.mounts_n, 1);
    assert_str(f.subject.mounts[0].destination, "/data");
    assert_str(f.subject.mounts[0].source, "/s");
    assert_str(f.subject.mounts[0].type, "bind");
    assert_int_equal(f.subject.mounts[0].options.n, 2);
    assert_str(f.subject.mounts[0].options.items[1], "rbind");
    fini(&f);
}

/* What no rule needs is not read, and then unknown: not absent. */
static void test_not_wanted(void **state)
{
    static const struct {
        uint32_t fields;
        bool env, mounts;
    } rows[] = {
        {0, false, false},
        {1U << GR_FIELD_ENV, true, false},
        {1U << GR_FIELD_MOUNTS, false, true},
        {1U << GR_FIELD_ENV | 1U << GR_FIELD_MOUNTS | 1U << GR_FIELD_IMAGE, true, true},
        {1U << GR_FIELD_IMAGE | 1U << GR_FIELD_ARGS, false, false},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct parts parts;
        struct fixture f;

        init(&f);
        f.origin.adjusts = false;
        f.origin.fields = rows[i].fields;
        add_parts(&f, &parts);
        assert_int_equal(convert(&f), 0);
        assert_int_equal(f.subject.env.n, rows[i].env ? 2 : 0);
        assert_int_equal(f.subject.mounts_n, rows[i].mounts ? 1 : 0);
        assert_int_equal(gr_subject_knows(&f.subject, GR_FIELD_ENV), rows[i].env);
        assert_int_equal(gr_subject_knows(&f.subject, GR_FIELD_MOUNTS), rows[i].mounts);
        assert_int_equal(f.subject.present_n, 0);
        fini(&f);
    }
}

/* The limit is over all lists: of one mount's options, of the environment, of rlimits. */
static void test_parts_limit(void **state)
{
    static const struct {
        const char *item; /* two bytes each */
        bool in_mount;
        size_t beside; /* entries that come with them */
    } rows[] = {
        {"\x42", false, 0}, /* env */
        {"\x6a", false, 0}, /* rlimits */
        {"\x22", true, 1},  /* options of a mount */
    };
    size_t n = GR_NRI_ENTRIES_MAX + 1;
    uint8_t *payload = malloc(12 + 2 * n);

    (void)state;
    assert_non_null(payload);
    for (size_t i = 0; i < GR_ARRAY_LEN(rows) * 2; i++) {
        size_t entries = n - i % 2 - rows[i / 2].beside;
        size_t inner = 2 * entries;
        size_t outer = inner + (rows[i / 2].in_mount ? 4 : 0);
        uint8_t *at = payload;
        struct fixture f;

        init(&f);
        gr_arena_fini(&f.arena);
        gr_arena_init(&f.arena, 4096, 0);
        memcpy(at, "\x0a\x00\x12", 3); /* an empty pod, a container of that many bytes */
        at = gr_varint_put(at + 3, outer);
        if (rows[i / 2].in_mount) {
            *at = 0x4a;
            at = gr_varint_put(at + 1, inner);
        }
        for (size_t k = 0; k < entries; k++, at += 2) {
            at[0] = (uint8_t)rows[i / 2].item[0];
            at[1] = 0;
        }
        assert_int_equal(gr_nri_subject((struct gr_str){(char *)payload, (size_t)(at - payload)},
                                        &f.origin, &f.arena, &f.subject, &f.err),
                         i % 2 ? 0 : -E2BIG);
        if (i % 2 == 0)
            assert_string_equal(f.err.code, "message-too-large");
        fini(&f);
    }
    free(payload);
}

int main(void)
{
    test_add("what may be adjusted", test_present);
    test_add("what no rule needs", test_not_wanted);
    test_add("entries of the parts", test_parts_limit);
    return test_run("subject_parts");
}
