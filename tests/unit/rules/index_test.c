/* SPDX-License-Identifier: Apache-2.0 */
/* What the index is for: that sets which cannot match are not looked at. */
#include "making.h"

#include "rules/match/match.h"

enum shape {
    SHAPE_IMAGES,       /* one image each */
    SHAPE_TAGS,         /* one tag of the same image each */
    SHAPE_SUFFIXES,     /* the end of the image's name */
    SHAPE_NAMESPACED,   /* one namespace for all, one image each */
    SHAPE_ANNOTATIONS,  /* one key for all, one value each */
    SHAPE_SCOPED,       /* "annotations", one key each */
    SHAPE_PREFIXES,     /* one key for all, one prefix each */
    SHAPE_ALTERNATIVES, /* any of an image and a label */
    SHAPE_GUARDED,      /* not kube-system, and one image each */
    SHAPE_ARGS,         /* one element each */
    SHAPE_ENV,          /* the beginning of an element */
    SHAPE_INNER,        /* a text inside an element */
    SHAPE_INNER_LABEL,  /* a text inside the value of one key */
    SHAPE_REQUESTED,    /* the set's name each */
    SHAPE_MOUNT,        /* one source each, one type for all */
    SHAPE_MOUNT_INNER,  /* a text inside the destination */
    SHAPE_ANY_KEY,      /* any annotation: one key each */
    SHAPE_ANY_VALUE,    /* one key for all, one value each */
    SHAPE_ANY_INNER,    /* a text inside the key */
    SHAPE_REGEX_EXACTS, /* one of two texts */
    SHAPE_REGEX_SEARCH, /* a text inside an element */
    SHAPE_REGEX_KEY,    /* the beginning of an annotation's key */
};

struct shape_row {
    const char *name;
    enum shape shape;
};

static const char *numbered(struct gr_arena *arena, const char *before, unsigned int i,
                            const char *behind)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s%u%s", before, i, behind);
    return make_text(arena, text).p;
}

static struct gr_cond image_leaf(struct gr_arena *arena, const char *pattern)
{
    return make_leaf(arena, GR_FIELD_IMAGE, NULL, make_image(arena, pattern));
}

/* Images, and what stands beside them. */
static struct gr_cond shaped_image(struct gr_arena *arena, enum shape shape, unsigned int i)
{
    const char *app = numbered(arena, "team/app-", i, "");
    struct gr_test system = make_exact("kube-system");
    struct gr_cond children[2] = {image_leaf(arena, app)};

    if (shape == SHAPE_TAGS)
        return image_leaf(arena, numbered(arena, "nginx:1.", i, ""));
    if (shape == SHAPE_SUFFIXES)
        return image_leaf(arena, numbered(arena, "r.io/*/app-", i, "-x"));
    if (shape == SHAPE_NAMESPACED)
        children[1] = make_leaf(arena, GR_FIELD_NAMESPACE, NULL, make_exact("prod"));
    else if (shape == SHAPE_GUARDED)
        children[1] =
            make_leaf(arena, GR_FIELD_NAMESPACE, NULL, make_set(arena, false, &system, 1));
    else if (shape == SHAPE_ALTERNATIVES)
        children[1] = make_leaf(arena, GR_FIELD_POD_LABELS, "app", make_exact(app));
    else
        return children[0];
    return make_node(arena, shape == SHAPE_ALTERNATIVES ? GR_COND_ANY : GR_COND_ALL, children, 2);
}

/* Elements with parts. */
static struct gr_cond shaped_parts(struct gr_arena *arena, enum shape shape, unsigned int i)
{
    struct gr_test app = make_exact(numbered(arena, "team/app-", i, ""));
    struct gr_test inner = make_glob(numbered(arena, "*/app-", i, "-x*"));
    struct gr_test source = make_exact(numbered(arena, "/srv/app-", i, ""));
    struct gr_test shared = make_exact(shape == SHAPE_MOUNT ? "bind" : "x.io/hook");
    const struct gr_test *const parts[GR_PARTS_MAX] = {
        [GR_MOUNT_SOURCE] = shape == SHAPE_MOUNT ? &source : NULL,
        [GR_MOUNT_DESTINATION] = shape == SHAPE_MOUNT ? NULL : &inner,
        [GR_MOUNT_TYPE] = shape == SHAPE_MOUNT ? &shared : NULL,
    };

    if (shape == SHAPE_ANY_KEY)
        return make_any_annotation(arena, &app, NULL);
    if (shape == SHAPE_ANY_VALUE)
        return make_any_annotation(arena, &shared, &app);
    if (shape == SHAPE_ANY_INNER)
        return make_any_annotation(arena, &inner, NULL);
    return make_pattern_leaf(arena, GR_FIELD_MOUNTS, parts);
}

static struct gr_cond shaped_regex(struct gr_arena *arena, enum shape shape, unsigned int i)
{
    struct gr_test key;

    if (shape == SHAPE_REGEX_EXACTS)
        return make_leaf(arena, GR_FIELD_ARGS, NULL,
                         make_regex(arena, numbered(arena, "(none|team)/app-", i, ""), false));
    if (shape == SHAPE_REGEX_SEARCH)
        return make_leaf(arena, GR_FIELD_ARGS, NULL,
                         make_regex(arena, numbered(arena, "/app-", i, "-x"), true));
    key = make_regex(arena, numbered(arena, "^team/app-", i, "-x\\."), true);
    return make_any_annotation(arena, &key, NULL);
}

static struct gr_cond shaped(struct gr_arena *arena, enum shape shape, unsigned int i)
{
    const char *app = numbered(arena, "team/app-", i, "");
    const char *inner = numbered(arena, "*/app-", i, "-x*");

    switch (shape) {
    case SHAPE_IMAGES:
    case SHAPE_TAGS:
    case SHAPE_SUFFIXES:
    case SHAPE_NAMESPACED:
    case SHAPE_ALTERNATIVES:
    case SHAPE_GUARDED:
        return shaped_image(arena, shape, i);
    case SHAPE_ANNOTATIONS:
        return make_leaf(arena, GR_FIELD_POD_ANNOTATIONS, "x.io/hook", make_exact(app));
    case SHAPE_SCOPED:
        return make_leaf(arena, GR_FIELD_ANNOTATIONS, app + sizeof("team/") - 1, make_exact("on"));
    case SHAPE_PREFIXES:
        return make_leaf(arena, GR_FIELD_POD_LABELS, "app", make_prefix(app));
    case SHAPE_ARGS:
        return make_leaf(arena, GR_FIELD_ARGS, NULL, make_exact(app));
    case SHAPE_ENV:
        return make_leaf(arena, GR_FIELD_ENV, NULL, make_prefix(numbered(arena, "APP_", i, "=")));
    case SHAPE_INNER:
        return make_leaf(arena, GR_FIELD_ARGS, NULL, make_glob(inner));
    case SHAPE_INNER_LABEL:
        return make_leaf(arena, GR_FIELD_POD_LABELS, "path", make_glob(inner));
    case SHAPE_REQUESTED:
        return make_leaf(arena, GR_FIELD_REQUESTED, NULL,
                         make_exact(numbered(arena, "set-", i, "")));
    case SHAPE_MOUNT:
    case SHAPE_MOUNT_INNER:
    case SHAPE_ANY_KEY:
    case SHAPE_ANY_VALUE:
    case SHAPE_ANY_INNER:
        return shaped_parts(arena, shape, i);
    case SHAPE_REGEX_EXACTS:
    case SHAPE_REGEX_SEARCH:
    case SHAPE_REGEX_KEY:
        return shaped_regex(arena, shape, i);
    }
    return make_always(true);
}

#define SHAPED_SETS 1000

static void few_candidates(void **test_state)
{
    const struct shape_row *row = *test_state;
    static struct gr_hookset sets[SHAPED_SETS];
    static const struct gr_kv labels[] = {{TEXT("app"), TEXT("team/app-7x")},
                                          {TEXT("path"), TEXT("/srv/app-7-x/")}};
    static const struct gr_kv annotations[] = {
        {TEXT("x.io/hook"), TEXT("team/app-7")},    {TEXT("app-7/container.c"), TEXT("on")},
        {TEXT("team/app-7"), TEXT("on")},           {TEXT("team/app-7-x.io"), TEXT("on")},
        {TEXT("x.io/other"), TEXT("team/app-8")},   {TEXT("x.io/third"), TEXT("team/app-9")},
        {TEXT("x.io/fourth"), TEXT("team/app-10")},
    };
    static const struct gr_str args[] = {TEXT("run"), TEXT("team/app-7"), TEXT("in=/app-7-x,y")};
    static const struct gr_str env[] = {TEXT("HOME=/"), TEXT("APP_7=b")};
    static const struct gr_str requests[] = {TEXT("set-7")};
    static const struct gr_mount mounts[] = {
        {.destination = TEXT("/opt/app-7-x/lib"),
         .source = TEXT("/srv/app-7"),
         .type = TEXT("bind")},
        {.destination = TEXT("/dev/app-8-x/"), .source = TEXT("/srv/app-8"), .type = TEXT("bind")},
    };
    struct gr_subject subject = {
        .name = GR_STR("c"),
        .pod_namespace = GR_STR("prod"),
        .pod_labels = {labels, GR_ARRAY_LEN(labels)},
        .pod_annotations = {annotations, GR_ARRAY_LEN(annotations)},
        .args = {args, GR_ARRAY_LEN(args)},
        .env = {env, GR_ARRAY_LEN(env)},
        .requests = {requests, GR_ARRAY_LEN(requests)},
        .mounts = mounts,
        .mounts_n = GR_ARRAY_LEN(mounts),
    };
    const char *image = row->shape == SHAPE_TAGS       ? "nginx:1.7"
                        : row->shape == SHAPE_SUFFIXES ? "r.io/any/app-7-x"
                                                       : "team/app-7";
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n;

    gr_arena_init(&arena, 65536, 0);
    for (unsigned int i = 0; i < SHAPED_SETS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "set-%u", i);
        sets[i] = make_hookset(&arena, name, shaped(&arena, row->shape, i));
        sets[i].document = i;
    }
    rules = make_ruleset(&arena, sets, SHAPED_SETS);
    gr_arena_init(&arena, 65536, 0);
    assert_int_equal(gr_image_parse(gr_str_from(image), &subject.image), 0);
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    assert_int_equal(n, 1);
    assert_str(matches[0].set->name, "set-7");
    assert_int_equal(matches[0].truth, GR_TRUE);
    assert_int_equal(gr_ruleset_candidates(rules, &subject, &arena, &n), 0);
    assert_in_range(n, 1, 2);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

/* What is not known must not look as if it were absent. */
static void unknown_takes_all(void **test_state)
{
    struct gr_subject subject = {.pod_namespace = GR_STR("prod")};
    struct gr_hookset sets[2];
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n;

    (void)test_state;
    gr_arena_init(&arena, 4096, 0);
    sets[0] = make_hookset(
        &arena, "a", make_leaf(&arena, GR_FIELD_IMAGE, NULL, make_image(&arena, "nginx:1.25")));
    sets[1] =
        make_hookset(&arena, "b", make_leaf(&arena, GR_FIELD_POD_LABELS, "app", make_exact("web")));
    sets[1].document = 1;
    rules = make_ruleset(&arena, sets, 2);
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(matches[0].truth, GR_UNKNOWN);
    subject.unknown_fields = 1U << GR_FIELD_POD_LABELS;
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(matches[1].truth, GR_UNKNOWN);
    /* The repository fits, the tag is not known. */
    subject.unknown_fields = 0;
    assert_int_equal(
        gr_image_parse(GR_STR("nginx@sha256:"
                              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
                       &subject.image),
        0);
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(matches[0].truth, GR_UNKNOWN);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

/* A set that cannot be read is an error, unless another child of an "all" decides. */
static void unreadable_sets(void **test_state)
{
    struct gr_cond children[2] = {{.kind = GR_COND_UNREADABLE}};
    struct gr_subject subject = {.pod_namespace = GR_STR("prod")};
    struct gr_hookset sets[3];
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n;

    (void)test_state;
    gr_arena_init(&arena, 4096, 0);
    sets[0] = make_hookset(&arena, "a", children[0]);
    children[1] = make_leaf(&arena, GR_FIELD_NAMESPACE, NULL, make_exact("dev"));
    sets[1] = make_hookset(&arena, "b", make_node(&arena, GR_COND_ALL, children, 2));
    children[1] = make_leaf(&arena, GR_FIELD_NAMESPACE, NULL, make_exact("prod"));
    sets[2] = make_hookset(&arena, "c", make_node(&arena, GR_COND_ALL, children, 2));
    for (uint32_t i = 0; i < 3; i++)
        sets[i].document = i;
    rules = make_ruleset(&arena, sets, 3);
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    assert_int_equal(n, 2);
    assert_str(matches[0].set->name, "a");
    assert_int_equal(matches[0].truth, GR_ERROR);
    assert_str(matches[1].set->name, "c");
    assert_int_equal(matches[1].truth, GR_ERROR);
    assert_int_equal(gr_ruleset_candidates(rules, &subject, &arena, &n), 0);
    assert_int_equal(n, 2);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

/* A few keys are combined with the value, more are not; all of them are found. */
static void many_keys(void **test_state)
{
    struct gr_test keys[17];
    struct gr_arena texts;

    (void)test_state;
    gr_arena_init(&texts, 4096, 0);
    for (unsigned int i = 0; i < GR_ARRAY_LEN(keys); i++)
        keys[i] = make_exact(numbered(&texts, "key-", i, ""));
    for (size_t n = 15; n <= GR_ARRAY_LEN(keys); n++) {
        struct gr_kv entry = {keys[n - 1].text, GR_STR("value")};
        struct gr_subject subject = {.pod_annotations = {&entry, 1}};
        struct gr_test value = make_exact("value");
        const struct gr_match *matches;
        struct gr_ruleset *rules;
        struct gr_hookset set;
        struct gr_arena arena;
        struct gr_test any;
        size_t found;

        gr_arena_init(&arena, 4096, 0);
        any = make_set(&arena, true, keys, n);
        set = make_hookset(&arena, "a", make_any_annotation(&arena, &any, &value));
        rules = make_ruleset(&arena, &set, 1);
        gr_arena_init(&arena, 4096, 0);
        assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &found), 0);
        assert_int_equal(found, 1);
        assert_int_equal(matches[0].truth, GR_TRUE);
        entry.key = GR_STR("key-x");
        assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &found), 0);
        assert_int_equal(found, 0);
        gr_arena_fini(&arena);
        gr_ruleset_unref(rules);
    }
    gr_arena_fini(&texts);
}

/* ---- hostile containers ---- */

#define HOSTILE_ENTRIES 65536

/* Rules that ask for any annotation with this pattern, against as many annotations. */
static size_t hostile(const struct gr_test *key, const struct gr_test *value, bool same_keys,
                      size_t *out_candidates)
{
    static struct gr_hookset sets[SHAPED_SETS];
    struct gr_kv *entries = calloc(HOSTILE_ENTRIES, sizeof(*entries));
    struct gr_subject subject = {.pod_annotations = {entries, HOSTILE_ENTRIES}};
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n;

    assert_non_null(entries);
    gr_arena_init(&arena, 65536, 0);
    for (unsigned int i = 0; i < SHAPED_SETS; i++) {
        sets[i] = make_hookset(&arena, numbered(&arena, "set-", i, ""),
                               make_any_annotation(&arena, key, value));
        sets[i].document = i;
    }
    rules = make_ruleset(&arena, sets, SHAPED_SETS);
    gr_arena_init(&arena, 65536, 0);
    for (unsigned int i = 0; i < HOSTILE_ENTRIES; i++) {
        entries[i].key = gr_str_from(same_keys ? "same" : numbered(&arena, "key-", i, "-y"));
        entries[i].value = i + 1 < HOSTILE_ENTRIES ? GR_STR("value") : GR_STR("other");
    }
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(matches[i].truth, GR_ERROR);
    assert_int_equal(gr_ruleset_candidates(rules, &subject, &arena, out_candidates), 0);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
    free(entries);
    return n;
}

/* What keys can tell costs nothing; what they cannot ends with the budget, in errors. */
static void hostile_annotations(void **test_state)
{
    struct gr_test plain = make_exact("absent");
    struct gr_test inner = make_glob("*needle*");
    struct gr_test vague = make_glob("*x*");
    struct gr_test same = make_exact("same");
    struct gr_test value = make_exact("value");
    size_t candidates;

    (void)test_state;
    assert_int_equal(hostile(&plain, NULL, false, &candidates), 0);
    assert_int_equal(candidates, 0);
    assert_int_equal(hostile(&inner, &value, false, &candidates), 0);
    assert_int_equal(candidates, 0);
    /* Each rule looks at each entry: the first ones are false, all others could not be completed.
     */
    assert_in_range(hostile(&vague, NULL, false, &candidates), SHAPED_SETS * 9 / 10,
                    SHAPED_SETS - 1);
    assert_int_equal(candidates, SHAPED_SETS);
    /* Each entry fits and is hidden by the last one. */
    assert_int_equal(hostile(&same, &value, true, &candidates), SHAPED_SETS);
}

static void no_sets(void **test_state)
{
    struct gr_subject subject = {.name = GR_STR("c")};
    const struct gr_match *matches;
    struct gr_ruleset *rules;
    struct gr_arena arena;
    size_t n = 1;

    (void)test_state;
    gr_arena_init(&arena, 4096, 0);
    rules = make_ruleset(&arena, NULL, 0);
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_ruleset_match(rules, &subject, &arena, &matches, &n), 0);
    assert_int_equal(n, 0);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

int main(void)
{
    static const struct shape_row shapes[] = {
        {"image", SHAPE_IMAGES},
        {"tag of one image", SHAPE_TAGS},
        {"end of an image's name", SHAPE_SUFFIXES},
        {"shared namespace and image", SHAPE_NAMESPACED},
        {"value of one annotation", SHAPE_ANNOTATIONS},
        {"scoped annotation", SHAPE_SCOPED},
        {"prefix of one label", SHAPE_PREFIXES},
        {"any of two", SHAPE_ALTERNATIVES},
        {"notIn beside an image", SHAPE_GUARDED},
        {"element of args", SHAPE_ARGS},
        {"name in env", SHAPE_ENV},
        {"inside an element of args", SHAPE_INNER},
        {"inside a label", SHAPE_INNER_LABEL},
        {"requested", SHAPE_REQUESTED},
        {"source of a mount", SHAPE_MOUNT},
        {"inside the destination of a mount", SHAPE_MOUNT_INNER},
        {"key of any annotation", SHAPE_ANY_KEY},
        {"value of any annotation of one key", SHAPE_ANY_VALUE},
        {"inside the key of any annotation", SHAPE_ANY_INNER},
        {"expression of two texts", SHAPE_REGEX_EXACTS},
        {"expression inside an element", SHAPE_REGEX_SEARCH},
        {"expression for the key of any annotation", SHAPE_REGEX_KEY},
    };

    TEST_ADD_ROWS(few_candidates, shapes);
    test_add("unknown takes all", unknown_takes_all);
    test_add("unreadable sets", unreadable_sets);
    test_add("many keys", many_keys);
    test_add("hostile annotations", hostile_annotations);
    test_add("no sets", no_sets);
    return test_run("index");
}
