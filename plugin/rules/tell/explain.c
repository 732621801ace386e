/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursion goes as deep as a match tree, which the reader bounds with GR_YAML_DEPTH_MAX.
 */
#include "rules/tell/explain.h"

#include <errno.h>

#include "rules/tell/explain_words.h"
#include "rules/limits.h"
#include "rules/decide/request.h"
#include "rules/match/test.h"

/* More conditions than any tree has: never to be had. */
#define FAR 1000000U

/* A walk through the tree of one set. */
struct walk {
    struct gr_subject subject; /* requests are those of this set alone */
    uint64_t *steps;
    struct gr_arena *arena;
    struct gr_explanation *explanation;
    const struct gr_hookset *set;
    struct gr_explain_leaf *leaves;
    size_t n, more;
    bool hints; /* while counting: something speaks for the set */
};

/* Whether the container asks for the set and may have it; false with *out_denial when it asks and
 * may not. As gr_decide_requests has it, but also for a container whose namespace is exempt. */
static enum gr_truth find_request(const struct gr_explanation *explanation,
                                  const struct gr_hookset *set, const char **out_denial)
{
    const struct gr_subject *subject = explanation->subject;
    struct gr_str name, list;
    enum gr_truth asks = gr_request_find(subject, explanation->options->request_annotation, &list);

    *out_denial = NULL;
    if (asks != GR_TRUE)
        return asks;
    for (size_t i = 0; i < GR_REQUESTS_MAX && (name = gr_request_next(&list)).n > 0; i++) {
        if (!gr_str_eq(name, set->name))
            continue;
        *out_denial = gr_request_denial(explanation->ruleset, name, subject->pod_namespace);
        return *out_denial ? GR_FALSE : GR_TRUE;
    }
    return GR_FALSE;
}

static void begin_walk(struct walk *walk, struct gr_explanation *explanation,
                       const struct gr_hookset *set, struct gr_arena *arena)
{
    enum gr_truth asks;
    const char *denial;

    *walk = (struct walk){.subject = *explanation->subject,
                          .steps = &explanation->steps,
                          .arena = arena,
                          .explanation = explanation,
                          .set = set};
    if (!(gr_ruleset_fields(explanation->ruleset) & 1U << GR_FIELD_REQUESTED))
        return;
    asks = find_request(explanation, set, &denial);
    if (asks == GR_UNKNOWN)
        walk->subject.unknown_fields |= 1U << GR_FIELD_REQUESTED;
    walk->subject.requests = (struct gr_strs){.items = &set->name, .n = asks == GR_TRUE};
}

static enum gr_truth eval(struct walk *walk, const struct gr_cond *cond)
{
    return gr_cond_eval(cond, &walk->subject, walk->steps);
}

/* Whether a test that holds says that the container is of the wanted kind, and not only that it is
 * none of the others. */
static bool asks_for(struct gr_tests tests)
{
    for (size_t i = 0; i < tests.n; i++) {
        const struct gr_test *test = &tests.items[i];

        if (test->kind == GR_TEST_NOT_IN || (test->kind == GR_TEST_EXISTS && !test->exists))
            return false;
    }
    return true;
}

/* Whether the map of a leaf has its key. */
static bool has_key(const struct walk *walk, const struct gr_cond *leaf)
{
    const struct gr_subject *s = &walk->subject;
    struct gr_str value;

    if (leaf->field == GR_FIELD_POD_LABELS)
        return gr_kvs_get(s->pod_labels, leaf->key, &value);
    if (leaf->field == GR_FIELD_CONTAINER_LABELS)
        return gr_kvs_get(s->container_labels, leaf->key, &value);
    if (leaf->field == GR_FIELD_POD_ANNOTATIONS)
        return gr_kvs_get(s->pod_annotations, leaf->key, &value);
    if (leaf->field == GR_FIELD_CONTAINER_ANNOTATIONS)
        return gr_kvs_get(s->container_annotations, leaf->key, &value);
    return leaf->field == GR_FIELD_ANNOTATIONS && gr_subject_annotation(s, leaf->key, &value);
}

static unsigned int leaf_distance(struct walk *walk, const struct gr_cond *leaf, bool wanted)
{
    enum gr_truth truth = eval(walk, leaf);

    if (truth == (wanted ? GR_TRUE : GR_FALSE)) {
        walk->hints |= wanted && leaf->kind == GR_COND_LEAF && asks_for(leaf->tests);
        return 0;
    }
    if (leaf->kind != GR_COND_LEAF)
        return FAR;
    walk->hints |= wanted && has_key(walk, leaf);
    return 1;
}

/* How many leaves would have to be otherwise, at least, for a condition to be what is wanted. */
static unsigned int distance(struct walk *walk, const struct gr_cond *cond, bool wanted)
{
    bool sum = (cond->kind == GR_COND_ALL) == wanted;
    unsigned int best = FAR, all = 0;

    if (cond->kind == GR_COND_NOT)
        return distance(walk, &cond->children[0], !wanted);
    if (cond->kind != GR_COND_ALL && cond->kind != GR_COND_ANY)
        return leaf_distance(walk, cond, wanted);
    for (size_t i = 0; i < cond->children_n; i++) {
        unsigned int one = distance(walk, &cond->children[i], wanted);

        best = GR_MIN(best, one);
        all = GR_MIN(all + one, FAR);
    }
    return sum ? all : best;
}

static bool is_near(struct gr_explanation *explanation, const struct gr_hookset *set,
                    struct gr_arena *arena)
{
    struct walk walk;

    begin_walk(&walk, explanation, set, arena);
    return distance(&walk, set->match, true) == 1 && walk.hints && *walk.steps > 0;
}

enum gr_truth gr_explain_eval(struct gr_explanation *explanation, const struct gr_hookset *set,
                              const struct gr_cond *cond, struct gr_arena *arena)
{
    struct walk walk;

    begin_walk(&walk, explanation, set, arena);
    return eval(&walk, cond);
}

int gr_explain_cond(const struct gr_cond *cond, struct gr_arena *arena, struct gr_str *out_text)
{
    struct gr_words words = {0};

    gr_words_cond(&words, cond, false);
    return gr_words_take(&words, arena, out_text);
}

static void explain_set(struct gr_explanation *explanation, struct gr_arena *arena,
                        const struct gr_set_result **result, struct gr_explained *out)
{
    const struct gr_hookset *set = out->set;
    const struct gr_decision *decision = &explanation->decision;

    if (decision->exempt || set->other_node) {
        out->state = set->other_node ? GR_EXPLAIN_OTHER_NODE : GR_EXPLAIN_EXEMPT;
        /* What it would have been. */
        out->truth = gr_explain_eval(explanation, set, set->match, arena);
        return;
    }
    if (*result < decision->results + decision->results_n && (*result)->set == set) {
        out->result = *result;
        out->truth = (*result)->truth;
        ++*result;
        return;
    }
    out->truth = GR_FALSE;
    out->near = is_near(explanation, set, arena);
}

int gr_explain(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
               const struct gr_decide_options *options, struct gr_arena *arena,
               struct gr_explanation *out_explanation)
{
    struct gr_explanation e = {.ruleset = ruleset,
                               .subject = subject,
                               .options = options,
                               .n = gr_ruleset_count(ruleset),
                               .steps = GR_EXPLAIN_STEPS_MAX};
    struct gr_explained *sets = gr_arena_array(arena, e.n, sizeof(*sets));
    const struct gr_set_result *result;
    int r;

    if (!sets)
        return -ENOMEM;
    r = gr_decide(ruleset, subject, options, arena, &e.decision);
    if (r)
        return r;
    result = e.decision.results;
    for (size_t i = 0; i < e.n; i++) {
        sets[i].set = gr_ruleset_at(ruleset, i);
        explain_set(&e, arena, &result, &sets[i]);
    }
    e.sets = sets;
    *out_explanation = e;
    return 0;
}

static int seen_request(struct walk *walk, struct gr_explain_leaf *leaf)
{
    struct gr_words words = {0};
    const char *denial;
    enum gr_truth asks = find_request(walk->explanation, walk->set, &denial);

    if (asks == GR_UNKNOWN)
        gr_words_add(&words, "unknown: this source tells no annotations, or no namespace");
    else if (denial)
        gr_words_add(&words, "the pod asks for it, but %s", denial);
    else
        gr_words_add(&words, "the pod %s",
                     asks == GR_TRUE ? "asks for it and may have it" : "does not ask for this set");
    return gr_words_take(&words, walk->arena, &leaf->seen);
}

static int add_leaf(void *user, const struct gr_cond *cond, enum gr_truth truth, bool negated)
{
    struct walk *walk = user;
    struct gr_explain_leaf *leaf = &walk->leaves[walk->n];
    struct gr_words words = {0};
    int r;

    if (walk->n == GR_EXPLAIN_LEAVES_MAX) {
        walk->more++;
        return 0;
    }
    *leaf = (struct gr_explain_leaf){.cond = cond, .negated = negated, .truth = truth};
    gr_words_cond(&words, cond, negated);
    r = gr_words_take(&words, walk->arena, &leaf->expected);
    if (r)
        return r;
    walk->n++;
    if (cond->kind == GR_COND_LEAF && cond->field == GR_FIELD_REQUESTED)
        return seen_request(walk, leaf);
    words = (struct gr_words){0};
    gr_words_seen(&words, cond, &walk->subject, truth, *walk->steps == 0);
    return gr_words_take(&words, walk->arena, &leaf->seen);
}

int gr_explain_leaves(struct gr_explanation *explanation, const struct gr_explained *explained,
                      struct gr_arena *arena, struct gr_explain_leaves *out_leaves)
{
    struct walk walk;
    const struct gr_why why = {.decided = add_leaf, .user = &walk};
    int r;

    begin_walk(&walk, explanation, explained->set, arena);
    walk.leaves = gr_arena_array(arena, GR_EXPLAIN_LEAVES_MAX, sizeof(*walk.leaves));
    if (!walk.leaves)
        return -ENOMEM;
    r = gr_cond_why(explained->set->match, explained->truth, &walk.subject, walk.steps, &why);
    if (r == 0)
        *out_leaves =
            (struct gr_explain_leaves){.items = walk.leaves, .n = walk.n, .more = walk.more};
    return r;
}

int gr_explain_nodes(const struct gr_explanation *explanation, const struct gr_hookset *set,
                     struct gr_arena *arena, struct gr_str *out_text)
{
    struct gr_str node = explanation->options->node_name;
    const struct gr_nodes *nodes = &set->nodes;
    uint32_t place = gr_hookset_node_place(set, node);
    struct gr_words words = {0};

    if (nodes->has_names && !gr_tests_hold(nodes->names, node)) {
        gr_words_add(&words, "nodes.names ");
        gr_words_tests(&words, nodes->names);
        gr_words_add(&words, ", and this node is \"%.*s\"", GR_STR_FMT(node));
    } else if (nodes->has_percent && place >= nodes->percent) {
        gr_words_add(&words, "nodes.percent is %u, and this node \"%.*s\" has place %u of 0 to 99",
                     nodes->percent, GR_STR_FMT(node), place);
    }
    return gr_words_take(&words, arena, out_text);
}
