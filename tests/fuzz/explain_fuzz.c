/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as rules and as a container: the truth that an explanation reports is that of the
 * evaluation, the conditions that it names have the truth that it says, every text can be printed
 * and is as short as promised, and being asked changes nothing.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "rules/tell/explain.h"
#include "rules/limits.h"

#define PAIRS 4
#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: set-"
#define MIDDLE "}\nspec:\n  match: "
#define TAIL "\n  hooks: {poststop: [{path: /x}]}\n---\n"

static void ignore(void *user, enum gr_level level, const struct gr_err *err)
{
    (void)user;
    (void)level;
    (void)err;
}

/* The next text of the input, cut at a line feed. */
static struct gr_str take_line(struct gr_str *input)
{
    struct gr_str line = gr_str_first(*input, gr_str_find(*input, '\n'));

    *input = gr_str_skip(*input, line.n + 1);
    return line;
}

/* Up to four sets, whose match is each a line of the input as flow YAML. */
static bool make_sets(struct gr_str *input, struct gr_arena *arena, struct gr_hooksets *sets)
{
    const struct gr_reporter reporter = {.report = ignore};
    struct gr_source source = {.file = "fuzz.yaml", .stem = GR_STR("fuzz")};
    size_t n = 1 + fuzz_take(input, 1) % 4;
    struct gr_buf text;

    gr_buf_init(&text, GR_YAML_FILE_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        (void)gr_buf_printf(&text, HEAD "%zu" MIDDLE, i);
        (void)gr_buf_str(&text, take_line(input));
        (void)gr_buf_text(&text, TAIL);
    }
    if (text.broken == 0) {
        source.text = gr_buf_view(&text);
        FUZZ_CHECK(gr_hooksets_decode(arena, &source, &reporter, sets) == 0);
    }
    gr_buf_fini(&text);
    return sets->n > 0;
}

static void make_pairs(struct gr_str *input, struct gr_kv pairs[PAIRS], struct gr_kvs *map)
{
    size_t n = fuzz_take(input, 1) % (PAIRS + 1);

    for (size_t i = 0; i < n; i++) {
        pairs[i].key = take_line(input);
        pairs[i].value = take_line(input);
    }
    *map = (struct gr_kvs){.items = pairs, .n = n};
}

static void check_text(struct gr_str text, bool needed)
{
    FUZZ_CHECK(gr_utf8_is_clean(text));
    FUZZ_CHECK(text.n <= GR_EXPLAIN_TEXT_MAX_BYTES);
    FUZZ_CHECK(text.n > 0 || !needed);
}

/* Evaluated by itself, with as many steps as an explanation has. What runs out of them, here or
 * there, is an error for that reason alone; without a bound one costly expression would take half a
 * minute. */
static bool is_truth(const struct gr_cond *cond, const struct gr_subject *subject,
                     enum gr_truth told)
{
    uint64_t steps = GR_EXPLAIN_STEPS_MAX;
    enum gr_truth truth = gr_cond_eval(cond, subject, &steps);

    return told == truth || told == GR_ERROR || truth == GR_ERROR;
}

/* Requests are looked up by set, which gr_cond_eval does not do. */
static bool asks_requests(const struct gr_ruleset *ruleset)
{
    return gr_ruleset_fields(ruleset) & 1U << GR_FIELD_REQUESTED;
}

static void check_set(struct gr_explanation *explanation, const struct gr_explained *explained,
                      const struct gr_subject *subject, struct gr_arena *arena)
{
    struct gr_explain_leaves leaves;

    FUZZ_CHECK(is_truth(explained->set->match, subject, explained->truth));
    FUZZ_CHECK((explained->truth != GR_FALSE) == (explained->result != NULL));
    FUZZ_CHECK(!explained->near || explained->truth == GR_FALSE);
    FUZZ_CHECK(gr_explain_leaves(explanation, explained, arena, &leaves) == 0);
    FUZZ_CHECK(leaves.n <= GR_EXPLAIN_LEAVES_MAX);
    FUZZ_CHECK(leaves.n > 0 || explanation->steps == 0 || explained->truth == GR_ERROR);
    for (size_t i = 0; i < leaves.n; i++) {
        const struct gr_explain_leaf *leaf = &leaves.items[i];
        enum gr_truth asked = leaf->negated ? gr_truth_not(leaf->truth) : leaf->truth;

        check_text(leaf->expected, true);
        check_text(leaf->seen, leaf->cond->kind == GR_COND_LEAF);
        FUZZ_CHECK(asked == explained->truth);
        FUZZ_CHECK(is_truth(leaf->cond, subject, leaf->truth));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_decide_options options = {.node_name = GR_STR("node")};
    struct gr_kv annotations[PAIRS], labels[PAIRS];
    struct gr_str input;
    char *copy = fuzz_exact((struct gr_str){.p = (const char *)data, .n = size});
    struct gr_subject subject = {.runtime = GR_STR("containerd")};
    struct gr_ruleset *ruleset = NULL;
    struct gr_explanation explanation;
    struct gr_hooksets sets = {0};
    struct gr_arena rules, arena;
    struct gr_str args[2];

    input = (struct gr_str){.p = copy, .n = size};
    gr_arena_init(&rules, 4096, 0);
    gr_arena_init(&arena, 4096, 0);
    if (make_sets(&input, &rules, &sets) &&
        gr_ruleset_new(&rules, sets.items, sets.n, NULL, &ruleset, NULL) == 0) {
        subject.unknown_fields = fuzz_take(&input, 3);
        subject.pod_namespace = take_line(&input);
        subject.pod_name = take_line(&input);
        subject.name = take_line(&input);
        args[0] = take_line(&input);
        args[1] = take_line(&input);
        subject.args = (struct gr_strs){.items = args, .n = fuzz_take(&input, 1) % 3};
        make_pairs(&input, annotations, &subject.pod_annotations);
        make_pairs(&input, labels, &subject.pod_labels);
        (void)gr_image_parse(take_line(&input), &subject.image);
        FUZZ_CHECK(gr_explain(ruleset, &subject, &options, &arena, &explanation) == 0);
        for (size_t i = 0; i < explanation.n && !asks_requests(ruleset); i++)
            check_set(&explanation, &explanation.sets[i], &subject, &arena);
    }
    gr_ruleset_unref(ruleset);
    gr_arena_fini(&rules);
    gr_arena_fini(&arena);
    free(copy);
    return 0;
}
