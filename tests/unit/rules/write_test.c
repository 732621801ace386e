/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: how a document looks, and that reading what was written gives the set again, for
 * random sets (GRAPNEL_SEED repeats a run).
 */
#include "making.h"
#include "same.h"

#include <errno.h>

#include "rules/read/decode.h"
#include "rules/write/write.h"

#define ROUNDS 4000

static const char *last_error(const struct gr_err *err)
{
    static char text[GR_ERR_TEXT_BYTES + 64];

    (void)snprintf(text, sizeof(text), "%u:%u: %s", err->line, err->column, err->text);
    return text;
}

static void keep_error(void *user, enum gr_level level, const struct gr_err *err)
{
    if (level == GR_LEVEL_ERROR)
        *(struct gr_err *)user = *err;
}

/* The one set of a text; NULL when it is refused, with the reason in err. */
static const struct gr_hookset *read_set(struct gr_arena *arena, struct gr_str text,
                                         struct gr_err *err)
{
    const struct gr_reporter reporter = {.report = keep_error, .user = err};
    const struct gr_source source = {.text = text, .file = "w.yaml", .stem = GR_STR("w")};
    struct gr_hooksets sets = {0};

    assert_int_equal(gr_hooksets_decode(arena, &source, &reporter, &sets), 0);
    return sets.n == 1 && sets.rejected == 0 ? &sets.items[0] : NULL;
}

/* ---- how it looks ---- */

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: a}\nspec:\n"
#define HOOKS "  hooks:\n    poststop:\n      - path: /x\n"

/* Texts that the writer gives back as they are. */
static const struct layout_row {
    const char *name;
    const char *text;
} layout_rows[] = {
    {"the least", HEAD "  match: {always: true}\n" HOOKS},
    {"everything beside",
     HEAD "  mode: Observe\n  nodes: {names: {glob: 'gpu-*'}, percent: 5}\n  order: 7\n"
          "  match: {always: true}\n  failurePolicy: Ignore\n  onUnknown: Inject\n" HOOKS},
    {"a breaker", HEAD "  match: {always: true}\n" HOOKS "  breaker: {failures: 5, window: 60}\n"},
    {"values",
     HEAD "  match:\n    image: ['docker.io/library/nginx:1.*', {notIn: [a/b]}]\n"
          "    namespace: {notIn: [kube-system]}\n    podName: {exists: false}\n"
          "    containerName: {exact: 'a*'}\n    podAnnotations: {network.example.com/type: a}\n"
          "    not: {runtimeHandler: {glob: 'kata*'}}\n" HOOKS},
    {"keys of one map", HEAD "  match:\n    podLabels: {a: b, c: {prefix: d}}\n" HOOKS},
    {"one key twice",
     HEAD "  match:\n    all:\n      - podLabels: {a: b}\n      - podLabels: {a: c}\n" HOOKS},
    {"two maps of one field",
     HEAD "  match:\n    all:\n      - podLabels: {a: b}\n      - podLabels: {c: d}\n"
          "    podLabels: {a: b}\n" HOOKS},
    {"any", HEAD "  match:\n    any:\n      - namespace: a\n        podName: b\n"
                 "      - not: {namespace: c}\n" HOOKS},
    {"hooks",
     HEAD "  match: {always: true}\n  hooks:\n    prestart:\n      - path: /a\n        args: [a, "
          "--b, -c]\n        env: [A=b]\n        timeout: 30\n      - path: /b\n    poststop:\n"
          "      - path: /x\n"},
    {"a script",
     HEAD "  match: {always: true}\n  hooks:\n    poststop:\n      - path: /bin/sh\n        args:\n"
          "          - sh\n          - -c\n          - |\n            set -e\n\n"
          "              echo \"it's\"\n          - |-\n            a\n            b\n"},
    {"quotes",
     HEAD "  match:\n    namespace: ['', 'yes', '5', '1.2', '2001-12-14', '0x1x', 10-net]\n"
          "    podName: ['10-0x', '~', 'null', '-', '--', --a, 'a b', 'a:', 'a: b', a:b]\n"
          "    containerName: ['@a', a@b, 'a,b', 'it''s', '{', '[', '#', '%a', a=b, '=', .5m]\n"
          "    runtime: ['.5', '...', \"\\t\", '1:30', '<<', '!a', '&a', '|', '>']\n" HOOKS},
    {"a long list",
     HEAD "  match:\n    namespace:\n      - "
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
          "      - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n" HOOKS},
    {"escapes", HEAD "  match:\n    podName: [\"a\\tb\", \"\\n\", \" \\n\", \"\\u202E\\\\\\\"\", "
                     "\"\\uFEFF\"]\n" HOOKS},
};

static void looks(void **state)
{
    const struct layout_row *row = *state;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf text, again;
    const struct gr_hookset *set;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 1U << 16);
    gr_buf_init(&again, 1U << 16);
    assert_int_equal(gr_buf_text(&text, row->text), 0);
    set = read_set(&arena, gr_buf_view(&text), &err);
    if (!set)
        fail_msg("%s", last_error(&err));
    assert_int_equal(gr_hookset_write(set, &again), 0);
    assert_str(gr_buf_view(&again), row->text);
    gr_buf_fini(&text);
    gr_buf_fini(&again);
    gr_arena_fini(&arena);
}

/* ---- random sets ---- */

static uint64_t random_state;

static uint32_t draw(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % n;
}

static struct gr_str random_text(struct gr_arena *arena, const char *const *pieces, uint32_t n,
                                 uint32_t max)
{
    uint32_t count = draw(max + 1);
    char text[512] = "";

    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[draw(n)];

        if (strlen(text) + strlen(piece) < sizeof(text))
            (void)strcat(text, piece);
    }
    return make_text(arena, text);
}

#define PIECES(list) (list), (uint32_t)(sizeof(list) / sizeof((list)[0]))

/* What breaks writers of YAML, without line breaks. */
static const char *const line_pieces[] = {
    "a",
    "b",
    "yes",
    "no",
    "null",
    "~",
    "1",
    "0x1f",
    ".5",
    "1e3",
    "-",
    "--",
    "?",
    ":",
    ": ",
    " #",
    "#",
    "'",
    "''",
    "\"",
    "\\",
    "\\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&",
    "*a",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    " ",
    "  ",
    "\xc3\xa9",
    "\xf0\x9f\x90\xb3",
    "\xe2\x80\xae",
    "\xef\xbb\xbf",
    "\xef\xbf\xbf",
    "---",
    "...",
    "<<",
    "=",
    "true",
    "Off",
    "\xc2\xa0",
    "a:b",
    "http://x/",
    "2001-01-01",
};

static const char *const block_pieces[] = {
    "a",  "\n", "\n",       "\t",  " ",   "  ",   "- ",  ": ",           "#",   "|", "'",
    "\"", "\\", "\xc3\xa9", "---", "...", "\n\n", "\n ", "\xe2\x80\xae", "yes", "{", "]",
};

static struct gr_str random_line(struct gr_arena *arena)
{
    return random_text(arena, PIECES(line_pieces), 6);
}

static struct gr_str random_value(struct gr_arena *arena)
{
    return draw(3) ? random_line(arena) : random_text(arena, PIECES(block_pieces), 10);
}

static struct gr_str random_some(struct gr_arena *arena)
{
    struct gr_str text = random_line(arena);

    return text.n > 0 ? text : GR_STR("x");
}

static struct gr_str without_stars(struct gr_arena *arena, struct gr_str text)
{
    char *copy = gr_arena_copy(arena, text);

    assert_non_null(copy);
    for (size_t i = 0; i < text.n; i++)
        copy[i] = copy[i] == '*' || copy[i] == '?' ? '_' : copy[i];
    return (struct gr_str){.p = copy, .n = text.n};
}

static struct gr_test random_regex(struct gr_arena *arena)
{
    static const char *const pieces[] = {"a",   "^",     "$",   ".*", "[a-z]",
                                         "\\.", "(?:b)", "c|d", "'",  ": "};
    struct gr_test test = {.kind = GR_TEST_REGEX, .text = random_text(arena, PIECES(pieces), 4)};
    struct gr_err err = {0};

    if (test.text.n == 0 ||
        gr_regex_compile(arena, test.text, draw(2) == 0, &test.regex, &err) != 0) {
        test.text = GR_STR("a");
        assert_int_equal(gr_regex_compile(arena, test.text, true, &test.regex, &err), 0);
    }
    return test;
}

static struct gr_test random_image(struct gr_arena *arena)
{
    static const char *const images[] = {"nginx", "nginx:1.*", "registry.example.com/team/**",
                                         "**/x:latest",
                                         "a/b@sha256:"
                                         "0123456789012345678901234567"
                                         "890123456789012345678901234567890123"};

    return make_image(arena, images[draw(5)]);
}

static struct gr_test random_test(struct gr_arena *arena, bool is_image)
{
    struct gr_test items[3];
    uint32_t n = 1 + draw(3);
    uint32_t form = draw(is_image ? 3 : 7);

    for (uint32_t i = 0; i < n; i++) {
        items[i] = is_image ? random_image(arena) : make_exact("");
        if (!is_image)
            items[i].text = without_stars(arena, random_value(arena));
    }
    switch (form) {
    case 0:
        return items[0];
    case 1:
    case 2:
        return make_set(arena, form == 1, items, n);
    case 3:
        return make_exists(draw(2) == 0);
    case 4:
        items[0] = make_exact("");
        items[0].text = random_value(arena);
        return items[0];
    case 5:
        items[0] = draw(2) ? make_glob("") : make_prefix("");
        items[0].text = random_some(arena);
        return items[0];
    default:
        return random_regex(arena);
    }
}

static struct gr_tests random_tests(struct gr_arena *arena, bool is_image)
{
    size_t n = 1 + draw(3);
    struct gr_test *tests = make_room(arena, n, sizeof(*tests));

    for (size_t i = 0; i < n; i++)
        tests[i] = random_test(arena, is_image);
    return (struct gr_tests){.items = tests, .n = n};
}

static void random_patterns(struct gr_arena *arena, struct gr_cond *cond)
{
    size_t n = 1 + draw(2);
    struct gr_pattern *patterns = make_room(arena, n, sizeof(*patterns));
    uint32_t parts = cond->field == GR_FIELD_MOUNTS ? 3 : 2;

    for (size_t i = 0; i < n; i++) {
        uint32_t chosen = 1 + draw((1U << parts) - 1);

        for (uint32_t part = 0; part < parts; part++) {
            if (chosen & 1U << part)
                patterns[i].parts[part] = random_tests(arena, false);
        }
    }
    cond->patterns = patterns;
    cond->patterns_n = n;
}

static struct gr_cond random_leaf(struct gr_arena *arena, struct gr_str name)
{
    struct gr_cond cond = {.kind = GR_COND_LEAF, .field = (enum gr_field)draw(GR_FIELD_COUNT)};

    if (gr_field_is_map(cond.field))
        cond.key = draw(3) ? random_some(arena) : GR_STR("k");
    if (cond.field == GR_FIELD_REQUESTED) {
        struct gr_test *test = make_room(arena, 1, sizeof(*test));

        *test = (struct gr_test){.kind = GR_TEST_EXACT, .text = name};
        cond.tests = (struct gr_tests){.items = test, .n = 1};
    } else if (gr_field_has_parts(cond.field)) {
        random_patterns(arena, &cond);
    } else {
        cond.tests = random_tests(arena, cond.field == GR_FIELD_IMAGE);
    }
    return cond;
}

static struct gr_cond random_cond(struct gr_arena *arena, struct gr_str name, uint32_t depth)
{
    uint32_t kind = draw(depth == 0 ? 5 : 10);
    struct gr_cond children[4];
    size_t n = 1 + draw(4);

    if (kind == 0)
        return make_always(draw(2) == 0);
    if (kind < 5)
        return random_leaf(arena, name);
    for (size_t i = 0; i < n; i++)
        children[i] = random_cond(arena, name, depth - 1);
    if (kind == 5)
        return make_node(arena, GR_COND_NOT, children, 1);
    return make_node(arena, kind < 8 ? GR_COND_ALL : GR_COND_ANY, children, n);
}

static struct gr_hook_text random_hook_text(struct gr_arena *arena, const char *before)
{
    static const char *const fields[] = {"{{.ID}}", "{{\"{{\"}}", "{{annotation \"a\\\"\" \"'\"}}",
                                         "{{.Stage}}", "{{label \"x\"}}"};
    const char *field = draw(3) ? "" : fields[draw(GR_ARRAY_LEN(fields))];
    struct gr_str value = field[0] ? random_line(arena) : random_value(arena);
    char text[640];

    (void)snprintf(text, sizeof(text), "%s%s", before, value.p);
    for (char *p = text; *p; p++) {
        if (*p == '{')
            *p = '('; /* no field comes of the pieces by chance */
    }
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", field);
    return make_hook_text(arena, text);
}

static void random_hooks(struct gr_arena *arena, struct gr_hookset *set)
{
    size_t n = 1 + draw(3);

    for (size_t i = 0; i < n; i++) {
        enum gr_stage stage = (enum gr_stage)draw(GR_STAGE_COUNT);
        struct gr_hook *hook;
        struct gr_hook_text *texts = make_room(arena, 8, sizeof(*texts));

        make_hook(arena, set, stage, draw(2) ? "/opt/hooks/a" : "/opt/a b'\"\xc3\xa9", NULL, NULL);
        hook = make_room(arena, set->hooks[stage].n, sizeof(*hook));
        memcpy(hook, set->hooks[stage].items, set->hooks[stage].n * sizeof(*hook));
        set->hooks[stage].items = hook;
        hook += set->hooks[stage].n - 1;
        hook->args = texts;
        hook->args_n = draw(5);
        if (hook->args_n > 0)
            texts[0] = make_hook_text(arena, "x");
        for (size_t k = 1; k < hook->args_n; k++)
            texts[k] = random_hook_text(arena, "");
        hook->env = texts + hook->args_n;
        hook->env_n = draw(3);
        for (size_t k = 0; k < hook->env_n; k++)
            texts[hook->args_n + k] = random_hook_text(arena, k ? "B=" : "A_1=");
        hook->timeout_given = draw(2) == 0;
        if (hook->timeout_given)
            hook->timeout_s = 1 + draw(120);
    }
}

static void random_environments(struct gr_arena *arena, struct gr_hookset *set)
{
    struct gr_environment *environments = make_room(arena, 2, sizeof(*environments));

    set->environments = environments;
    set->environments_n = draw(3);
    for (size_t i = 0; i < set->environments_n; i++) {
        struct gr_hook_text *env = make_room(arena, 1, sizeof(*env));

        *env = random_hook_text(arena, "C=");
        environments[i] = (struct gr_environment){
            .name = i ? GR_STR("production") : GR_STR("on"), .env = env, .env_n = 1};
    }
}

/* Nothing is filled in there, and so "{{" is refused. */
static struct gr_str without_braces(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '{')
            text.n = i;
    }
    return text;
}

/* One of each kind, most of the time. */
static void random_adjust(struct gr_arena *arena, struct gr_hookset *set)
{
    static const struct gr_str options[] = {TEXT("rbind"), TEXT("ro")};
    const struct gr_adjust_entry all[] = {
        {.kind = GR_ADJUST_ENV, .key = GR_STR("A"), .text = without_braces(random_value(arena))},
        {.kind = GR_ADJUST_ENV, .key = GR_STR("on"), .text = without_braces(random_line(arena))},
        {.kind = GR_ADJUST_ANNOTATION,
         .key = GR_STR("a.example/b"),
         .text = without_braces(random_value(arena))},
        {.kind = GR_ADJUST_DEVICE,
         .key = GR_STR("/dev/fuse"),
         .device = {.type = 'c', .major = 10, .minor = 229, .has_mode = true, .mode = 0660}},
        {.kind = GR_ADJUST_DEVICE,
         .key = GR_STR("/dev/p"),
         .device = {.type = 'p', .has_uid = true, .uid = 5, .has_gid = true}},
        {.kind = GR_ADJUST_MOUNT,
         .key = GR_STR("/mnt"),
         .mount = {.destination = GR_STR("/mnt"),
                   .source = GR_STR("/srv/data"),
                   .type = GR_STR("bind"),
                   .options = {.items = options, .n = 2}}},
        {.kind = GR_ADJUST_CDI_DEVICE, .key = GR_STR("vendor.example.com/gpu=0")},
        {.kind = GR_ADJUST_RLIMIT,
         .key = GR_STR("RLIMIT_NOFILE"),
         .rlimit = {.soft = draw(1000), .hard = UINT64_MAX}},
        {.kind = GR_ADJUST_RESOURCE,
         .resource = GR_RESOURCE_MEMORY_LIMIT,
         .key = GR_STR("memory.limit"),
         .number = draw(2) ? -1 : INT64_MAX},
        {.kind = GR_ADJUST_RESOURCE,
         .resource = GR_RESOURCE_CPU_CPUS,
         .key = GR_STR("cpu.cpus"),
         .text = draw(2) ? GR_STR("0-3,7") : GR_STR("3")},
        {.kind = GR_ADJUST_RESOURCE,
         .resource = GR_RESOURCE_CPU_SHARES,
         .key = GR_STR("cpu.shares"),
         .number = 1024},
        {.kind = GR_ADJUST_RESOURCE,
         .resource = GR_RESOURCE_BLOCKIO_CLASS,
         .key = GR_STR("blockioClass"),
         .text = GR_STR("no")},
        {.kind = GR_ADJUST_RESOURCE,
         .resource = GR_RESOURCE_PIDS_LIMIT,
         .key = GR_STR("pids.limit"),
         .number = 5},
        {.kind = GR_ADJUST_HUGEPAGES, .key = GR_STR("2MB"), .number = 4 << 20},
        {.kind = GR_ADJUST_UNIFIED, .key = GR_STR("memory.high"), .text = GR_STR("5")},
    };
    struct gr_adjust_entry *entries = make_room(arena, GR_ARRAY_LEN(all), sizeof(*entries));
    size_t n = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(all); i++) {
        if (draw(2))
            entries[n++] = all[i];
    }
    set->adjust = entries;
    set->adjust_n = n;
}

static struct gr_hookset random_set(struct gr_arena *arena)
{
    static const char *const names[] = {"a", "10-net", "1.5", "on", "a.b-c", "null"};
    struct gr_hookset set = make_hookset(arena, names[draw(6)], make_always(true));

    set.match = make_match(arena, random_cond(arena, set.name, 4));
    set.order = draw(2) ? GR_ORDER_DEFAULT : draw(101);
    set.mode = (enum gr_mode)draw(2);
    set.failure_policy = (enum gr_failure_policy)draw(2);
    set.on_unknown = (enum gr_on_unknown)draw(3);
    set.requestable = true; /* what asks for requests must be */
    set.nodes.has_names = draw(4) == 0;
    if (set.nodes.has_names)
        set.nodes.names = random_tests(arena, false);
    set.nodes.has_percent = draw(4) == 0;
    if (set.nodes.has_percent)
        set.nodes.percent = draw(101);
    random_hooks(arena, &set);
    random_environments(arena, &set);
    if (draw(3) == 0)
        set.breaker =
            (struct gr_breaker_spec){.failures = 1 + draw(1000), .window_s = 1 + draw(86400)};
    if (draw(2))
        random_adjust(arena, &set);
    return set;
}

/* ALL of one child is read as the child: the reader never makes such a node of a mapping. */
static void test_random(void **state)
{
    const char *given = getenv("GRAPNEL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : UINT64_C(20260822);
    size_t written = 0;

    (void)state;
    print_message("# seed %llu\n", (unsigned long long)seed);
    random_state = seed;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct gr_arena arena;
        struct gr_err err = {0};
        struct gr_hookset set;
        const struct gr_hookset *again;
        const char *difference;
        struct gr_buf text;

        gr_arena_init(&arena, 16384, 0);
        gr_buf_init(&text, 1U << 20);
        set = random_set(&arena);
        assert_int_equal(gr_hookset_write(&set, &text), 0);
        again = read_set(&arena, gr_buf_view(&text), &err);
        difference = again ? set_difference(&set, again) : last_error(&err);
        if (difference)
            fail_msg("round %zu: %s:\n%.*s", i, difference, GR_STR_FMT(gr_buf_view(&text)));
        written += text.len;
        gr_buf_fini(&text);
        gr_arena_fini(&arena);
    }
    assert_true(written > ROUNDS * (size_t)100);
}

/* ---- what cannot be written ---- */

static void test_unreadable(void **state)
{
    struct gr_cond unreadable = {.kind = GR_COND_UNREADABLE};
    struct gr_hookset set;
    struct gr_arena arena;
    struct gr_buf text;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 1U << 16);
    set = make_hookset(&arena, "a", make_node(&arena, GR_COND_NOT, &unreadable, 1));
    assert_int_equal(gr_hookset_write(&set, &text), -EINVAL);
    set = make_hookset(&arena, "a", make_always(true));
    set.blocked = GR_STR("too new");
    assert_int_equal(gr_hookset_write(&set, &text), -EINVAL);
    assert_int_equal(text.len, 0);
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
}

static void test_too_small(void **state)
{
    struct gr_hookset set;
    struct gr_arena arena;
    struct gr_buf text;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 40);
    set = make_hookset(&arena, "a", make_always(true));
    assert_int_equal(gr_hookset_write(&set, &text), -EMSGSIZE);
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
}

int main(void)
{
    TEST_ADD_ROWS(looks, layout_rows);
    test_add("random sets are read again", test_random);
    test_add("what was not read whole", test_unreadable);
    test_add("a buffer that is full", test_too_small);
    return test_run("write");
}
