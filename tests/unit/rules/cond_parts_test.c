/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on entries that have several parts: mounts, and any annotation. */
#include "evaluating.h"

/* ---- mounts ---- */

struct mount_row {
    const char *name;
    struct gr_test source, destination, type; /* text NULL: not asked for */
    enum gr_truth truth;
};

#define ASK(form, literal)                            \
    {                                                 \
        .kind = GR_TEST_##form, .text = TEXT(literal) \
    }
#define ASK_EXISTS(yes)                                           \
    {                                                             \
        .kind = GR_TEST_EXISTS, .text = TEXT(""), .exists = (yes) \
    }

static const struct mount_row mount_rows[] = {
    {.name = "source", .source = ASK(EXACT, "/srv/data"), .truth = GR_TRUE},
    {.name = "source, none", .source = ASK(EXACT, "/srv"), .truth = GR_FALSE},
    {.name = "destination", .destination = ASK(PREFIX, "/da"), .truth = GR_TRUE},
    {.name = "destination as it stands", .destination = ASK(EXACT, "/tmp/"), .truth = GR_TRUE},
    {.name = "type", .type = ASK(GLOB, "tmp*"), .truth = GR_TRUE},
    {.name = "two of one mount",
     .source = ASK(GLOB, "/srv/*"),
     .type = ASK(EXACT, "bind"),
     .truth = GR_TRUE},
    {.name = "two of two mounts",
     .source = ASK(GLOB, "/srv/*"),
     .type = ASK(EXACT, "tmpfs"),
     .truth = GR_FALSE},
    {.name = "all three",
     .source = ASK(PREFIX, "/srv"),
     .destination = ASK(EXACT, "/data"),
     .type = ASK(EXACT, "bind"),
     .truth = GR_TRUE},
    {.name = "one of three differs",
     .source = ASK(PREFIX, "/srv"),
     .destination = ASK(EXACT, "/date"),
     .type = ASK(EXACT, "bind"),
     .truth = GR_FALSE},
    {.name = "standard mounts do not count",
     .destination = ASK(EXACT, "/etc/hosts"),
     .truth = GR_FALSE},
    {.name = "nor their sources", .source = ASK(EXACT, "/var/lib/hosts"), .truth = GR_FALSE},
    {.name = "no source",
     .source = ASK_EXISTS(false),
     .type = ASK(EXACT, "tmpfs"),
     .truth = GR_TRUE},
    {.name = "some source",
     .source = ASK_EXISTS(true),
     .type = ASK(EXACT, "tmpfs"),
     .truth = GR_FALSE},
    {.name = "absent source fits nothing",
     .source = ASK(GLOB, "*"),
     .type = ASK(EXACT, "tmpfs"),
     .truth = GR_FALSE},
};

static void about_mounts(void **state)
{
    const struct mount_row *row = *state;
    const struct gr_test *const parts[GR_PARTS_MAX] = {
        [GR_MOUNT_SOURCE] = row->source.text.p ? &row->source : NULL,
        [GR_MOUNT_DESTINATION] = row->destination.text.p ? &row->destination : NULL,
        [GR_MOUNT_TYPE] = row->type.text.p ? &row->type : NULL,
    };
    struct gr_cond leaf = make_pattern_leaf(&arena, GR_FIELD_MOUNTS, parts);
    struct gr_subject subject = known();

    assert_string_equal(gr_truth_name(eval(leaf, &subject)), gr_truth_name(row->truth));
    subject.mounts_n = 0;
    assert_int_equal(eval(leaf, &subject), GR_FALSE);
    subject.unknown_fields = 1U << GR_FIELD_MOUNTS;
    assert_int_equal(eval(leaf, &subject), GR_UNKNOWN);
}

/* notIn of a part is about that part of one mount, not about all mounts. */
static void mounts_of_other_types(void **state)
{
    struct gr_test other = make_form(GR_FIELD_MOUNTS, NOT_IN, "bind");
    struct gr_test none = make_form(GR_FIELD_MOUNTS, NOT_IN, "/x");
    const struct gr_test *const types[GR_PARTS_MAX] = {[GR_MOUNT_TYPE] = &other};
    const struct gr_test *const sources[GR_PARTS_MAX] = {
        [GR_MOUNT_SOURCE] = &none, [GR_MOUNT_TYPE] = &other};
    struct gr_subject subject = known();

    (void)state;
    assert_int_equal(eval(make_pattern_leaf(&arena, GR_FIELD_MOUNTS, types), &subject), GR_TRUE);
    /* The tmpfs has no source, and what is absent is in no list. */
    assert_int_equal(eval(make_pattern_leaf(&arena, GR_FIELD_MOUNTS, sources), &subject), GR_TRUE);
    subject.mounts_n = 2;
    assert_int_equal(eval(make_pattern_leaf(&arena, GR_FIELD_MOUNTS, types), &subject), GR_FALSE);
}

/* ---- any annotation ---- */

struct entry_row {
    const char *name;
    const char *key;    /* glob; NULL: not asked for */
    const char *value;  /* the same */
    const char *pod[7]; /* key, value, …, NULL */
    const char *own[7];
    enum gr_truth truth;
};

static const struct entry_row entry_rows[] = {
    {"no annotations", "*", NULL, {NULL}, {NULL}, GR_FALSE},
    {"the pod's", "a*", NULL, {"ab", "1"}, {NULL}, GR_TRUE},
    {"the container's", "a*", NULL, {NULL}, {"ab", "1"}, GR_TRUE},
    {"another key", "a*", NULL, {"b", "1"}, {"ba", "1"}, GR_FALSE},
    {"by value", NULL, "1*", {"b", "2"}, {"c", "12"}, GR_TRUE},
    {"key and value", "a*", "1", {"ab", "1"}, {NULL}, GR_TRUE},
    {"key and value of two", "a*", "1", {"ab", "2", "c", "1"}, {"b", "1"}, GR_FALSE},
    {"empty value", "a", "", {"a", ""}, {NULL}, GR_TRUE},
    {"empty key", "", NULL, {"", "1"}, {NULL}, GR_TRUE},
    {"the pod's value counts", "a", "1", {"a", "1"}, {"a", "2"}, GR_TRUE},
    {"the container's does not", "a", "2", {"a", "1"}, {"a", "2"}, GR_FALSE},
    {"nor by value alone", NULL, "2", {"a", "1"}, {"a", "2"}, GR_FALSE},
    {"another one of the container does", NULL, "2", {"a", "1"}, {"a", "2", "b", "2"}, GR_TRUE},
    {"the last of the pod's", "a", "2", {"a", "1", "a", "2"}, {NULL}, GR_TRUE},
    {"not the first", "a", "1", {"a", "1", "b", "1", "a", "2"}, {NULL}, GR_FALSE},
    {"the last of the container's", "a", "2", {NULL}, {"a", "1", "a", "2"}, GR_TRUE},
    {"not the first of those", "a", "1", {NULL}, {"a", "1", "a", "2"}, GR_FALSE},
    {"no scopes", "a", NULL, {"a/pod", "1"}, {NULL}, GR_FALSE},
};

static struct gr_kvs make_map(const char *const *texts)
{
    struct gr_kv *items = make_room(&arena, 4, sizeof(*items));
    size_t n = 0;

    for (; texts[2 * n]; n++)
        items[n] = (struct gr_kv){gr_str_from(texts[2 * n]), gr_str_from(texts[2 * n + 1])};
    return (struct gr_kvs){.items = items, .n = n};
}

static void any_annotation(void **state)
{
    const struct entry_row *row = *state;
    struct gr_test key = make_glob(row->key);
    struct gr_test value = make_glob(row->value);
    struct gr_cond leaf =
        make_any_annotation(&arena, row->key ? &key : NULL, row->value ? &value : NULL);
    struct gr_subject subject = known();

    subject.pod_annotations = make_map(row->pod);
    subject.container_annotations = make_map(row->own);
    assert_string_equal(gr_truth_name(eval(leaf, &subject)), gr_truth_name(row->truth));
    subject.unknown_fields = 1U << GR_FIELD_CONTAINER_ANNOTATIONS;
    assert_int_equal(eval(leaf, &subject), GR_UNKNOWN);
    subject.unknown_fields = 1U << GR_FIELD_POD_ANNOTATIONS;
    assert_int_equal(eval(leaf, &subject), GR_UNKNOWN);
    subject.unknown_fields = 1U << GR_FIELD_ANY_ANNOTATION;
    assert_int_equal(eval(leaf, &subject), GR_UNKNOWN);
}

/* Any of several patterns, for any element. */
static void any_of_several_patterns(void **state)
{
    struct gr_test key = make_exact("none");
    struct gr_test value = make_exact("custom");
    struct gr_cond first = make_any_annotation(&arena, &key, NULL);
    struct gr_cond second = make_any_annotation(&arena, NULL, &value);
    struct gr_pattern patterns[] = {first.patterns[0], second.patterns[0]};
    struct gr_subject subject = known();

    (void)state;
    first.patterns = patterns;
    assert_int_equal(eval(first, &subject), GR_FALSE);
    first.patterns_n = 2;
    assert_int_equal(eval(first, &subject), GR_TRUE);
}

/* Elements are errors, never false, from the step on that was one too many. */
static void patterns_without_budget(void **state)
{
    struct gr_test key = make_glob("ow*");
    struct gr_test type = make_glob("tm*s");
    const struct gr_test *const parts[GR_PARTS_MAX] = {[GR_MOUNT_TYPE] = &type};
    struct gr_cond leaves[] = {make_any_annotation(&arena, &key, NULL),
                               make_pattern_leaf(&arena, GR_FIELD_MOUNTS, parts)};
    struct gr_subject subject = known();

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(leaves); i++) {
        uint64_t steps = PLENTY;
        uint64_t used;

        assert_int_equal(gr_cond_eval(&leaves[i], &subject, &steps), GR_TRUE);
        used = PLENTY - steps;
        for (uint64_t budget = 0; budget <= used; budget++) {
            steps = budget;
            assert_int_equal(gr_cond_eval(&leaves[i], &subject, &steps),
                             budget < used ? GR_ERROR : GR_TRUE);
        }
    }
}

/* ---- errors ---- */

/* What one entry gives an error for, another one may decide: a part that is false decides, and so
 * does an entry that is true. */
static void errors_of_parts(void **state)
{
    static const struct gr_kv entries[] = {{TEXT("a"), TEXT("\xFF")}, {TEXT("b"), TEXT("needle")}};
    struct gr_test regex = make_regex(&arena, "needle", true);
    struct gr_test key = make_exact("b");
    struct gr_cond any = make_any_annotation(&arena, NULL, &regex);
    struct gr_cond both = make_any_annotation(&arena, &key, &regex);
    struct gr_subject subject = known();

    (void)state;
    subject.pod_annotations = (struct gr_kvs){entries, 2};
    assert_int_equal(eval(any, &subject), GR_TRUE);
    assert_int_equal(eval(both, &subject), GR_TRUE);
    subject.pod_annotations.n = 1;
    assert_int_equal(eval(any, &subject), GR_ERROR);
    assert_int_equal(eval(both, &subject), GR_FALSE);
}

int main(void)
{
    int failed;

    gr_arena_init(&arena, 65536, 0);
    test_add("errors of parts", errors_of_parts);
    TEST_ADD_ROWS(about_mounts, mount_rows);
    test_add("mounts of other types", mounts_of_other_types);
    TEST_ADD_ROWS(any_annotation, entry_rows);
    test_add("any of several patterns", any_of_several_patterns);
    test_add("patterns without budget", patterns_without_budget);
    failed = test_run("cond_parts");
    gr_arena_fini(&arena);
    return failed;
}
