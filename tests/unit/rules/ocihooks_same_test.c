/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read in place or converted: the same decision for random files and containers (GRAPNEL_SEED
 * repeats a run).
 */
#include "foreign.h"
#include "making.h"
#include "same.h"

#define ROUNDS 1500
#define CONTAINERS 6

static uint64_t random_state;

static uint32_t draw(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

static const char *pick(const char *const *words, size_t n)
{
    return words[draw((uint32_t)n)];
}

#define PICK(words) pick(words, GR_ARRAY_LEN(words))

static const char *const expressions[] = {"", "a", "^a$", "b|c", "x.*", "[ab]$", "sh$", "(a)"};
static const char *const values[] = {"", "a", "b", "ab", "xa", "/bin/sh", "c"};

static void add_expressions(struct gr_buf *text, bool keyed)
{
    uint32_t n = draw(3);

    for (uint32_t i = 0; i < n; i++) {
        (void)gr_buf_printf(text, "%s\"%s\"", i ? "," : "", PICK(expressions));
        if (keyed)
            (void)gr_buf_printf(text, ":\"%s\"", PICK(expressions));
    }
}

static void add_when(struct gr_buf *text)
{
    static const char *const words[] = {"true", "true", "false", "null"};
    const char *comma = "";

    if (draw(3) == 0) {
        (void)gr_buf_printf(text, "\"always\":%s", PICK(words));
        comma = ",";
    }
    if (draw(3) == 0) {
        (void)gr_buf_printf(text, "%s\"hasBindMounts\":%s", comma, PICK(words));
        comma = ",";
    }
    if (draw(2) == 0) {
        (void)gr_buf_printf(text, "%s\"annotations\":{", comma);
        add_expressions(text, true);
        (void)gr_buf_text(text, "}");
        comma = ",";
    }
    if (draw(2) == 0) {
        (void)gr_buf_printf(text, "%s\"commands\":[", comma);
        add_expressions(text, false);
        (void)gr_buf_text(text, "]");
    }
}

static void add_old_when(struct gr_buf *text)
{
    if (draw(3) == 0)
        (void)gr_buf_printf(text, ",\"hasbindmounts\":%s", draw(2) ? "true" : "false");
    if (draw(2) == 0) {
        (void)gr_buf_text(text, ",\"annotations\":[");
        add_expressions(text, false);
        (void)gr_buf_text(text, "]");
    }
    if (draw(2) == 0) {
        (void)gr_buf_text(text, ",\"cmds\":[");
        add_expressions(text, false);
        (void)gr_buf_text(text, "]");
    }
}

static void random_file(struct gr_buf *text)
{
    static const char *const stages[] = {"prestart",       "createRuntime", "createContainer",
                                         "startContainer", "poststart",     "poststop"};
    static const char *const args[] = {"{{.ID}}", "a b", "yes", "it's", "a\\nb", "5", "-x"};

    if (draw(3) == 0) {
        (void)gr_buf_printf(text, "{\"hook\":\"/bin/x\",\"arguments\":[\"%s\"],\"stage\":[\"%s\"]",
                            PICK(args), PICK(stages));
        add_old_when(text);
        (void)gr_buf_text(text, "}");
        return;
    }
    (void)gr_buf_printf(text,
                        "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/bin/x\",\"args\":[\"x\","
                        "\"%s\"],\"env\":[\"A=%s\"]},\"stages\":[\"%s\",\"%s\"],\"when\":{",
                        PICK(args), PICK(args), PICK(stages), PICK(stages));
    add_when(text);
    (void)gr_buf_text(text, "}}");
}

static struct gr_ruleset *rules_of(struct gr_arena *arena, const struct gr_hookset *set)
{
    return make_ruleset(arena, set, 1);
}

/* The set that its own YAML gives. */
static struct gr_ruleset *convert(const struct gr_hookset *set, struct gr_arena *arena)
{
    struct gr_source source = {.file = "c.yaml", .stem = GR_STR("c")};
    struct gr_hooksets sets = {0};
    struct gr_buf text;

    gr_arena_init(arena, 4096, 0);
    gr_buf_init(&text, 1U << 20);
    assert_int_equal(gr_hookset_write(set, &text), 0);
    source.text = gr_buf_view(&text);
    assert_int_equal(gr_hooksets_decode(arena, &source, NULL, &sets), 0);
    if (sets.n != 1)
        fail_msg("not read again:\n%.*s", GR_STR_FMT(source.text));
    assert_null(set_difference(set, &sets.items[0]));
    gr_buf_fini(&text);
    return rules_of(arena, &sets.items[0]);
}

struct room {
    struct gr_str args[1];
    struct gr_kv annotations[2][3];
    struct gr_mount mounts[2];
};

static struct gr_subject random_container(struct room *room)
{
    static const char *const keys[] = {"a", "b", "x", "ab"};
    struct gr_subject subject = {.id = GR_STR("id"),
                                 .name = GR_STR("main"),
                                 .pod_name = GR_STR("pod"),
                                 .pod_namespace = GR_STR("default"),
                                 .mounts = room->mounts};
    size_t n[2] = {draw(4), draw(4)};

    room->args[0] = gr_str_from(PICK(values));
    subject.args = (struct gr_strs){.items = room->args, .n = draw(8) > 0};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < n[i]; k++)
            room->annotations[i][k] =
                (struct gr_kv){.key = gr_str_from(PICK(keys)), .value = gr_str_from(PICK(values))};
    }
    subject.pod_annotations = (struct gr_kvs){.items = room->annotations[0], .n = n[0]};
    subject.container_annotations = (struct gr_kvs){.items = room->annotations[1], .n = n[1]};
    room->mounts[0] =
        (struct gr_mount){.destination = GR_STR("/etc/hosts"), .type = GR_STR("bind")};
    room->mounts[1] = (struct gr_mount){.destination = GR_STR("/data"), .type = GR_STR("bind")};
    subject.mounts_n = draw(3);
    if (draw(10) == 0)
        subject.unknown_fields = 1U << (draw(2) ? GR_FIELD_COMMAND : GR_FIELD_POD_ANNOTATIONS);
    return subject;
}

static void expect_same_env(struct gr_strs a, struct gr_strs b)
{
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++) {
        if (!gr_str_has_prefix(a.items[i], GR_STR(GR_MARK_NAME "="))) /* the hash is the text's */
            assert_true(gr_str_eq(a.items[i], b.items[i]));
    }
}

static void expect_same(const struct gr_decision *a, const struct gr_decision *b)
{
    assert_int_equal(a->refuse, b->refuse);
    assert_int_equal(a->hooks_n, b->hooks_n);
    assert_int_equal(a->results_n, b->results_n);
    for (size_t i = 0; i < a->results_n; i++)
        assert_int_equal(a->results[i].verdict, b->results[i].verdict);
    for (size_t i = 0; i < a->hooks_n; i++) {
        const struct gr_oci_hook *x = &a->hooks[i];
        const struct gr_oci_hook *y = &b->hooks[i];

        assert_int_equal(x->stage, y->stage);
        assert_true(gr_str_eq(x->path, y->path));
        assert_int_equal(x->timeout_s, y->timeout_s);
        assert_int_equal(x->args.n, y->args.n);
        for (size_t k = 0; k < x->args.n; k++)
            assert_true(gr_str_eq(x->args.items[k], y->args.items[k]));
        expect_same_env(x->env, y->env);
    }
}

/* Returns how many hooks the containers get. */
static size_t compare(const struct gr_ruleset *place, const struct gr_ruleset *converted)
{
    const struct gr_decide_options options = {.node_name = GR_STR("node")};
    size_t hooks = 0;

    for (size_t i = 0; i < CONTAINERS; i++) {
        struct room room = {0};
        struct gr_subject subject = random_container(&room);
        struct gr_decision a = {0};
        struct gr_decision b = {0};
        struct gr_arena arena;

        gr_arena_init(&arena, 4096, 0);
        assert_int_equal(gr_decide(place, &subject, &options, &arena, &a), 0);
        assert_int_equal(gr_decide(converted, &subject, &options, &arena, &b), 0);
        expect_same(&a, &b);
        hooks += a.hooks_n;
        gr_arena_fini(&arena);
    }
    return hooks;
}

static void test_same_decisions(void **state)
{
    const char *given = getenv("GRAPNEL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : UINT64_C(20260822);
    size_t hooks = 0;

    (void)state;
    print_message("# seed %llu\n", (unsigned long long)seed);
    random_state = seed;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct gr_ruleset *place, *converted;
        struct gr_arena arena;
        struct foreign *f;
        struct gr_buf text;

        gr_buf_init(&text, 1U << 16);
        random_file(&text);
        f = foreign_read("/d/a.json", "a", gr_buf_view(&text));
        if (f->errors > 0)
            fail_msg("round %zu: %s: %.*s", i, f->said[0].text, GR_STR_FMT(gr_buf_view(&text)));
        converted = convert(&f->sets.items[0], &arena);
        place = rules_of(&f->arena, &f->sets.items[0]);
        hooks += compare(place, converted);
        gr_ruleset_unref(place);
        gr_ruleset_unref(converted);
        gr_buf_fini(&text);
        foreign_free(f);
    }
    assert_true(hooks > ROUNDS);
}

int main(void)
{
    test_add("in place and converted", test_same_decisions);
    return test_run("ocihooks_same");
}
