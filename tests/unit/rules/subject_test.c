/* SPDX-License-Identifier: Apache-2.0 */
#include "making.h"

#include "rules/match/scope.h"

#define TEN "abcdefghij"
#define NAME53 TEN TEN TEN TEN TEN "abc"
#define NAME54 NAME53 "d"

/* What the look-up gives; NULL ends the lists. */
struct look_row {
    const char *name;
    const char *container;
    const char *key;
    const char *pod[8]; /* key, value, … */
    const char *own[8];
    const char *expected; /* NULL: absent */
};

static const struct look_row look_rows[] = {
    {"absent", "c", "k", {NULL}, {NULL}, NULL},
    {"plain", "c", "k", {"k", "1"}, {NULL}, "1"},
    {"other key", "c", "k", {"kk", "1"}, {NULL}, NULL},
    {"shorter key", "c", "kk", {"k", "1"}, {NULL}, NULL},
    {"pod scope", "c", "k", {"k/pod", "1"}, {NULL}, "1"},
    {"pod before plain", "c", "k", {"k", "0", "k/pod", "1"}, {NULL}, "1"},
    {"in any order", "c", "k", {"k/pod", "1", "k", "0"}, {NULL}, "1"},
    {"container scope", "c", "k", {"k/container.c", "1"}, {NULL}, "1"},
    {"container before all", "c", "k", {"k/pod", "0", "k/container.c", "1", "k", "0"}, {NULL}, "1"},
    {"another container", "c", "k", {"k/container.d", "1", "k", "2"}, {NULL}, "2"},
    {"beginning of the name", "c", "k", {"k/container.cc", "1"}, {NULL}, NULL},
    {"shorter name", "cc", "k", {"k/container.c", "1"}, {NULL}, NULL},
    {"no name", "", "k", {"k/container.", "1"}, {NULL}, NULL},
    {"other scope", "c", "k", {"k/node", "1", "k/pods", "2", "k/po", "3"}, {NULL}, NULL},
    {"own", "c", "k", {NULL}, {"k", "1"}, "1"},
    {"own scopes", "c", "k", {NULL}, {"k", "0", "k/container.c", "1"}, "1"},
    {"pod's before own", "c", "k", {"k", "1"}, {"k", "0"}, "1"},
    {"all of the pod's before own", "c", "k", {"k", "1"}, {"k/container.c", "0"}, "1"},
    {"own when the pod's do not fit", "c", "k", {"k/container.d", "0"}, {"k/pod", "1"}, "1"},
    {"last of equal keys", "c", "k", {"k", "0", "k", "1"}, {NULL}, "1"},
    {"last of equal scopes", "c", "k", {"k/pod", "0", "k/pod", "1", "k", "2"}, {NULL}, "1"},
    {"empty value", "c", "k", {"k", ""}, {"k", "0"}, ""},
    {"key with /", "c", "x.io/k", {"x.io/k", "1"}, {NULL}, "1"},
    {"key with / has no pod scope", "c", "x.io/k", {"x.io/k/pod", "1"}, {NULL}, NULL},
    {"key with / has no container", "c", "x.io/k", {"x.io/k/container.c", "1"}, {NULL}, NULL},
    {"a scope asked for plainly", "c", "k/pod", {"k/pod", "1"}, {NULL}, "1"},
    {"53 bytes", NAME53, "k", {"k/container." NAME53, "1", "k", "0"}, {NULL}, "1"},
    {"54 bytes", NAME54, "k", {"k/container." NAME54, "0", "k/pod", "1"}, {NULL}, "1"},
};

static struct gr_kvs make_map(const char *const texts[8], struct gr_kv items[4])
{
    size_t n = 0;

    while (n < 4 && texts[2 * n]) {
        items[n] = (struct gr_kv){gr_str_from(texts[2 * n]), gr_str_from(texts[2 * n + 1])};
        n++;
    }
    return (struct gr_kvs){.items = items, .n = n};
}

static void looks_up(void **state)
{
    const struct look_row *row = *state;
    struct gr_kv pod[4];
    struct gr_kv own[4];
    struct gr_subject subject = {
        .name = gr_str_from(row->container),
        .pod_annotations = make_map(row->pod, pod),
        .container_annotations = make_map(row->own, own),
    };
    struct gr_str value = GR_STR("untouched");

    assert_int_equal(gr_subject_annotation(&subject, gr_str_from(row->key), &value),
                     row->expected != NULL);
    assert_str(value, row->expected ? row->expected : "untouched");
}

/* Where the container's name would decide and is not known, nothing is claimed. */
static void unknown_name(void **state)
{
    struct gr_kv entries[] = {{GR_STR("k/container.c"), GR_STR("1")},
                              {GR_STR("k"), GR_STR("2")},
                              {GR_STR("j"), GR_STR("3")}};
    struct gr_subject subject = {.name = GR_STR("c"),
                                 .pod_annotations = {entries, 3},
                                 .unknown_fields = 1U << GR_FIELD_CONTAINER_NAME};
    struct gr_str value = GR_STR("untouched");

    (void)state;
    assert_int_equal(gr_subject_find_annotation(&subject, GR_STR("k"), &value), GR_UNKNOWN);
    assert_false(gr_subject_annotation(&subject, GR_STR("k"), &value));
    assert_str(value, "untouched");
    assert_int_equal(gr_subject_find_annotation(&subject, GR_STR("j"), &value), GR_TRUE);
    assert_str(value, "3");
    assert_int_equal(gr_subject_find_annotation(&subject, GR_STR("l"), &value), GR_FALSE);
    /* The pod has an answer, so that the container's annotations do not matter. */
    subject.pod_annotations = (struct gr_kvs){entries + 1, 1};
    subject.container_annotations = (struct gr_kvs){entries, 1};
    assert_int_equal(gr_subject_find_annotation(&subject, GR_STR("k"), &value), GR_TRUE);
    assert_str(value, "2");
}

static void knows(void **state)
{
    struct gr_subject subject = {0};

    (void)state;
    assert_false(gr_subject_knows(&subject, GR_FIELD_IMAGE));
    subject.image.known = true;
    subject.unknown_fields = 1U << GR_FIELD_IMAGE;
    assert_true(gr_subject_knows(&subject, GR_FIELD_IMAGE));
    for (size_t field = 1; field < GR_FIELD_COUNT; field++) {
        subject.unknown_fields = 1U << field;
        assert_false(gr_subject_knows(&subject, (enum gr_field)field));
        assert_int_equal(gr_subject_knows(&subject, GR_FIELD_ANNOTATIONS),
                         field != GR_FIELD_ANNOTATIONS && field != GR_FIELD_POD_ANNOTATIONS &&
                             field != GR_FIELD_CONTAINER_ANNOTATIONS);
        subject.unknown_fields = 0;
        assert_true(gr_subject_knows(&subject, (enum gr_field)field));
    }
}

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < GR_FIELD_COUNT; i++) {
        assert_non_null(gr_field_name((enum gr_field)i));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(gr_field_name((enum gr_field)i),
                                    gr_field_name((enum gr_field)j));
    }
    assert_string_equal(gr_field_name(GR_FIELD_ANNOTATIONS), "annotations");
    assert_string_equal(gr_field_name(GR_FIELD_POD_LABELS), "podLabels");
}

int main(void)
{
    TEST_ADD_ROWS(looks_up, look_rows);
    test_add("unknown name", unknown_name);
    test_add("knows", knows);
    test_add("names", names);
    return test_run("subject");
}
