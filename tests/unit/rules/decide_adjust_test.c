/* SPDX-License-Identifier: Apache-2.0 */
/* rules/decide: what the sets adjust, merged, and nothing of it twice. */
#include "deciding.h"

static struct gr_adjust_entry env(const char *name, const char *value)
{
    return (struct gr_adjust_entry){
        .kind = GR_ADJUST_ENV, .key = gr_str_from(name), .text = gr_str_from(value)};
}

static struct gr_hookset *add(struct rig *rig, const char *name,
                              const struct gr_adjust_entry *entries, size_t n)
{
    struct gr_adjust_entry *copy = make_room(&rig->rules_arena, n, sizeof(*copy));
    struct gr_hookset *set = rig_add(rig, name, make_always(true));

    memcpy(copy, entries, n * sizeof(*copy));
    set->adjust = copy;
    set->adjust_n = n;
    return set;
}

static void add_env(struct rig *rig, const char *set, const char *value)
{
    const struct gr_adjust_entry entry = env("A", value);

    (void)add(rig, set, &entry, 1);
}

static void expect(const struct gr_adjusted *found, const char *text, const char *set,
                   const char *over)
{
    assert_str(found->entry->text, text);
    assert_str(found->set->name, set);
    if (over)
        assert_str(found->over->name, over);
    else
        assert_null(found->over);
}

static void merging(void **state)
{
    static const struct {
        const char *values[3];
        const char *text, *set, *over;
    } rows[] = {
        {{"1", "1", "1"}, "1", "c", NULL}, {{"1", "2", "3"}, "3", "c", "b"},
        {{"1", "2", "2"}, "2", "c", "a"},  {{"2", "1", "2"}, "2", "c", "b"},
        {{"1", "1", "2"}, "2", "c", "b"},  {{"1", "1", ""}, "", "c", "b"},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct rig rig;

        rig_init(&rig);
        add_env(&rig, "a", rows[i].values[0]);
        add_env(&rig, "b", rows[i].values[1]);
        add_env(&rig, "c", rows[i].values[2]);
        assert_int_equal(rig_decide(&rig)->adjust_n, 1);
        expect(&rig.decision.adjust[0], rows[i].text, rows[i].set, rows[i].over);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(rig.decision.results[k].verdict, GR_VERDICT_INJECTED);
        rig_fini(&rig);
    }
}

/* The total order counts, not the order in which sets were read. */
static void order_decides(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    add_env(&rig, "late", "1");
    add_env(&rig, "early", "2");
    rig.sets[0].order = 60;
    assert_int_equal(rig_decide(&rig)->adjust_n, 1);
    expect(&rig.decision.adjust[0], "1", "late", "early");
    rig_fini(&rig);
}

/* One key of several kinds is several keys. */
static void kinds_apart(void **state)
{
    const struct gr_adjust_entry entries[] = {
        {.kind = GR_ADJUST_UNIFIED, .key = GR_STR("k"), .text = GR_STR("u")},
        {.kind = GR_ADJUST_ANNOTATION, .key = GR_STR("k"), .text = GR_STR("a")},
        {.kind = GR_ADJUST_ENV, .key = GR_STR("k"), .text = GR_STR("e")},
    };
    struct rig rig;

    (void)state;
    rig_init(&rig);
    (void)add(&rig, "set", entries, 3);
    assert_int_equal(rig_decide(&rig)->adjust_n, 3);
    expect(&rig.decision.adjust[0], "e", "set", NULL);
    expect(&rig.decision.adjust[1], "a", "set", NULL);
    expect(&rig.decision.adjust[2], "u", "set", NULL);
    rig_fini(&rig);
}

/* ---- who contributes ---- */

static void only_injected_sets(void **state)
{
    const struct gr_adjust_entry entry = env("A", "1");
    struct gr_str mark = GR_STR("GRAPNEL_HOOKSET=marked@0");
    struct gr_oci_hook existing = {.path = GR_STR("/x"), .env = {&mark, 1}};
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    add(&rig, "observes", &entry, 1)->mode = GR_MODE_OBSERVE;
    set = add(&rig, "ignored", &entry, 1);
    set->failure_policy = GR_IGNORE;
    set->blocked = GR_STR("why");
    (void)add(&rig, "marked", &entry, 1);
    add(&rig, "false", &entry, 1)->match = make_match(&rig.rules_arena, make_always(false));
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->adjust_n, 0);
    assert_false(rig.decision.refuse);
    assert_int_equal(rig.decision.results_n, 3);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_OBSERVED);
    assert_int_equal(rig.decision.results[1].verdict, GR_VERDICT_IGNORED);
    assert_int_equal(rig.decision.results[2].verdict, GR_VERDICT_ALREADY);
    rig.subject.hooks_n = 0;
    assert_int_equal(rig_decide(&rig)->adjust_n, 1);
    rig_fini(&rig);
}

static void refused_adjusts_nothing(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    add_env(&rig, "good", "1");
    rig_add(&rig, "bad", make_always(true))->blocked = GR_STR("why");
    assert_true(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.adjust_n, 0);
    rig_fini(&rig);
}

/* What lost to a set that another instance has applied does not win because that set is done. */
static void done_sets_keep_their_keys(void **state)
{
    const struct gr_adjust_entry entry = env("A", "2");
    struct gr_str mark = GR_STR("GRAPNEL_HOOKSET=winner@0");
    struct gr_oci_hook existing = {.path = GR_STR("/x"), .env = {&mark, 1}};
    struct rig rig;

    (void)state;
    rig_init(&rig);
    add_env(&rig, "loser", "1");
    (void)add(&rig, "winner", &entry, 1);
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->adjust_n, 0);
    rig_fini(&rig);
}

/* Somebody else put the hooks there, and no instance of Grapnel: the rest is still to do. */
static void hooks_without_mark(void **state)
{
    const struct gr_adjust_entry entry = env("A", "1");
    struct gr_oci_hook existing = {.stage = GR_STAGE_POSTSTOP,
                                   .path = GR_STR("/opt/h"),
                                   .has_timeout = true,
                                   .timeout_s = GR_HOOK_TIMEOUT_DEFAULT_S};
    struct gr_str there = GR_STR("A=1");
    struct rig rig;

    (void)state;
    rig_init(&rig);
    make_hook(&rig.rules_arena, add(&rig, "tap", &entry, 1), GR_STAGE_POSTSTOP, "/opt/h", NULL,
              NULL);
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->adjust_n, 1);
    assert_int_equal(rig.decision.hooks_n, 0);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_INJECTED);
    assert_str(rig.decision.results[0].reason, "1 of its 1 hooks are on the container already");
    rig.subject.env = (struct gr_strs){&there, 1};
    assert_int_equal(rig_decide(&rig)->adjust_n, 0);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_ALREADY);
    assert_str(rig.decision.results[0].reason, "all that it asks for is on the container already");
    rig_fini(&rig);
}

/* A set without hooks leaves no mark: it is done when its values are there. */
static void without_hooks(void **state)
{
    const struct gr_adjust_entry both[] = {env("A", "1"), env("B", "2")};
    struct gr_str there[] = {GR_STR("A=1"), GR_STR("B=1")};
    struct rig rig;

    (void)state;
    rig_init(&rig);
    (void)add(&rig, "set", both, 2);
    rig.subject.id = GR_STR("with\nnewline"); /* no hook carries it */
    rig.subject.env = (struct gr_strs){there, 2};
    assert_int_equal(rig_decide(&rig)->adjust_n, 1);
    expect(&rig.decision.adjust[0], "2", "set", NULL);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_INJECTED);
    there[1] = GR_STR("B=2");
    assert_int_equal(rig_decide(&rig)->adjust_n, 0);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_ALREADY);
    rig_fini(&rig);
}

/* A long environment is looked through once, not once for each entry. */
static void long_lists(void **state)
{
    enum { N = 60000, ENTRIES = 20000, BYTES = 24 };
    struct gr_adjust_entry *entries = calloc(ENTRIES, sizeof(*entries));
    struct gr_str *there = calloc(N, sizeof(*there));
    char *texts = calloc(N, BYTES);
    struct rig rig;

    (void)state;
    assert_true(entries && there && texts);
    for (size_t i = 0; i < N; i++) {
        char *text = texts + i * BYTES;

        there[i] = (struct gr_str){text, (size_t)snprintf(text, BYTES, "N%06zu=1", i)};
        if (i < ENTRIES)
            entries[i] = (struct gr_adjust_entry){
                .kind = GR_ADJUST_ENV, .key = {text, 7}, .text = GR_STR("2")};
    }
    rig_init(&rig);
    (void)add(&rig, "set", entries, ENTRIES);
    rig.subject.env = (struct gr_strs){there, N};
    assert_int_equal(rig_decide(&rig)->adjust_n, ENTRIES);
    rig_fini(&rig);
    free(entries);
    free(there);
    free(texts);
}

/* ---- properties ---- */

#define ROUNDS 3000
#define SETS 4
#define ENTRIES_MAX 6
#define PRESENT_MAX (SETS * ENTRIES_MAX)

static uint64_t seed;

static uint32_t random_below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(seed >> 33) % n;
}

/* Few keys and values, so that they meet. */
static struct gr_adjust_entry random_entry(void)
{
    static const struct gr_str keys[] = {TEXT("k"), TEXT("l"), TEXT("m")};
    static const struct gr_str texts[] = {TEXT("1"), TEXT("2"), TEXT("")};
    struct gr_adjust_entry entry = {
        .kind = (enum gr_adjust_kind)random_below(GR_ADJUST_KIND_COUNT),
        .key = keys[random_below(3)],
        .text = texts[random_below(3)],
        .number = random_below(2),
        .rlimit = {random_below(2), 2},
        .device = {.type = 'c', .minor = random_below(2)},
    };

    if (entry.kind == GR_ADJUST_RESOURCE) {
        entry.resource = (enum gr_resource)random_below(GR_RESOURCE_COUNT);
        entry.key = gr_str_from(gr_resource_name(entry.resource));
    }
    entry.mount = (struct gr_mount){.destination = entry.key, .source = entry.text};
    return entry;
}

static void add_random_set(struct rig *rig, size_t number)
{
    struct gr_adjust_entry entries[ENTRIES_MAX];
    size_t wanted = random_below(ENTRIES_MAX + 1);
    char name[] = {(char)('a' + number), '\0'};
    struct gr_hookset *set;
    size_t n = 0;

    for (size_t i = 0; i < wanted; i++) {
        bool twice = false;

        entries[n] = random_entry();
        for (size_t k = 0; k < n; k++)
            twice |= gr_adjust_same_key(&entries[k], &entries[n]);
        n += !twice; /* the reader gives a set each key once */
    }
    set = add(rig, name, entries, n);
    set->order = random_below(3);
    if (random_below(2))
        make_hook(&rig->rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
}

/* The set that comes last in the total order and has this key; NULL: none has. */
static const struct gr_adjust_entry *last_of(const struct gr_decision *d,
                                             const struct gr_adjust_entry *key, bool *out_differ)
{
    const struct gr_adjust_entry *last = NULL;

    *out_differ = false;
    for (size_t i = 0; i < d->results_n; i++) {
        const struct gr_hookset *set = d->results[i].set;

        for (size_t k = 0; k < set->adjust_n; k++) {
            if (!gr_adjust_same_key(&set->adjust[k], key))
                continue;
            *out_differ |= last && !gr_adjust_same_value(last, &set->adjust[k]);
            last = &set->adjust[k];
        }
    }
    return last;
}

/* Each key once, the last set's value, a loser only where values differ; nothing is forgotten. */
static void check_result(const struct gr_decision *d)
{
    for (size_t i = 0; i < d->adjust_n; i++) {
        bool differ;

        assert_true(i == 0 || gr_adjust_cmp_key(d->adjust[i - 1].entry, d->adjust[i].entry) < 0);
        assert_ptr_equal(last_of(d, d->adjust[i].entry, &differ), d->adjust[i].entry);
        assert_int_equal(d->adjust[i].over != NULL, differ);
        assert_ptr_not_equal(d->adjust[i].over, d->adjust[i].set);
    }
    for (size_t i = 0; i < d->results_n; i++) {
        const struct gr_hookset *set = d->results[i].set;

        for (size_t k = 0; k < set->adjust_n; k++) {
            size_t found = 0;

            for (size_t j = 0; j < d->adjust_n; j++)
                found += gr_adjust_same_key(d->adjust[j].entry, &set->adjust[k]);
            assert_int_equal(found, 1);
        }
    }
}

/* What a runtime does with it: all of it lands on the container. */
static void apply(struct rig *rig, const struct gr_decision *d)
{
    struct gr_str *env_list = make_room(&rig->arena, PRESENT_MAX, sizeof(*env_list));
    struct gr_kv *annotations = make_room(&rig->arena, PRESENT_MAX, sizeof(*annotations));
    struct gr_mount *mounts = make_room(&rig->arena, PRESENT_MAX, sizeof(*mounts));
    struct gr_adjust_entry *rest = make_room(&rig->arena, PRESENT_MAX, sizeof(*rest));
    struct gr_subject *s = &rig->subject;

    s->env = (struct gr_strs){env_list, 0};
    s->container_annotations = (struct gr_kvs){annotations, 0};
    s->mounts = mounts;
    s->present = rest;
    for (size_t i = 0; i < d->adjust_n; i++) {
        const struct gr_adjust_entry *entry = d->adjust[i].entry;
        char text[32];

        if (entry->kind == GR_ADJUST_ENV) {
            (void)snprintf(text, sizeof(text), "%.*s=%.*s", GR_STR_FMT(entry->key),
                           GR_STR_FMT(entry->text));
            env_list[s->env.n++] = make_text(&rig->arena, text);
        } else if (entry->kind == GR_ADJUST_ANNOTATION) {
            annotations[s->container_annotations.n++] = (struct gr_kv){entry->key, entry->text};
        } else if (entry->kind == GR_ADJUST_MOUNT) {
            mounts[s->mounts_n++] = entry->mount;
        } else {
            rest[s->present_n++] = *entry;
        }
    }
}

static void properties(void **state)
{
    size_t overs = 0;

    (void)state;
    seed = test_seed();
    for (int i = 0; i < ROUNDS; i++) {
        struct rig rig;

        rig_init(&rig);
        for (size_t k = 0; k < SETS; k++)
            add_random_set(&rig, k);
        check_result(rig_decide(&rig));
        for (size_t k = 0; k < rig.decision.adjust_n; k++)
            overs += rig.decision.adjust[k].over != NULL;
        apply(&rig, &rig.decision);
        assert_int_equal(rig_decide(&rig)->adjust_n, 0); /* also without the marks */
        rig.subject.hooks = rig.decision.hooks;
        rig.subject.hooks_n = rig.decision.hooks_n;
        assert_int_equal(rig_decide(&rig)->adjust_n, 0);
        assert_int_equal(rig.decision.hooks_n, 0);
        rig_fini(&rig);
    }
    assert_true(overs > ROUNDS / 10);
}

int main(void)
{
    test_add("merging", merging);
    test_add("the total order decides", order_decides);
    test_add("kinds do not meet", kinds_apart);
    test_add("only injected sets contribute", only_injected_sets);
    test_add("a refused container is not adjusted", refused_adjusts_nothing);
    test_add("done sets keep their keys", done_sets_keep_their_keys);
    test_add("hooks that are there without a mark", hooks_without_mark);
    test_add("sets without hooks", without_hooks);
    test_add("long lists", long_lists);
    test_add("properties", properties);
    return test_run("decide_adjust");
}
