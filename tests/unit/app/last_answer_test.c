/* SPDX-License-Identifier: Apache-2.0 */
/* Which sets the last answer of a session had. */
#include "testing.h"

#include "app/daemon/running/last_answer.h"
#include "rules/decide/decide.h"

/* In the order of the decision, which is not that of names. */
static const struct gr_hookset sets[] = {
    {.name = {"tap", 3}}, {.name = {"audit", 5}}, {.name = {"watch", 5}}, {.name = {"log", 3}}};

static struct gr_set_result results[] = {
    {.set = &sets[0], .verdict = GR_VERDICT_INJECTED},
    {.set = &sets[1], .verdict = GR_VERDICT_INJECTED},
    {.set = &sets[2], .verdict = GR_VERDICT_OBSERVED},
    {.set = &sets[3], .verdict = GR_VERDICT_INJECTED},
};

static void take(struct gr_last_answer *last, const char *id, size_t results_n, size_t hooks_n,
                 bool refused)
{
    const struct gr_subject subject = {.id = gr_str_from(id)};
    const struct gr_decision decision = {
        .results = results, .results_n = results_n, .hooks_n = hooks_n};
    const struct gr_session_event event = {
        .subject = &subject, .decision = &decision, .refused = refused};

    gr_last_answer_take(last, &event);
}

/* The names of the sets that are said to have been injected. */
static void expect(const struct gr_last_answer *last, const char *id, const char *expected)
{
    char found[64] = "";

    for (size_t i = 0; i < GR_ARRAY_LEN(sets); i++) {
        if (gr_last_answer_had(last, gr_str_from(id), sets[i].name))
            strcat(strcat(found, " "), sets[i].name.p);
    }
    assert_string_equal(found, expected);
}

static void test_sets(void **state)
{
    struct gr_last_answer last;

    (void)state;
    gr_last_answer_init(&last);
    expect(&last, "a", "");
    expect(&last, "", "");
    take(&last, "a", 4, 3, false);
    expect(&last, "a", " tap audit log");
    expect(&last, "b", "");
    take(&last, "b", 1, 1, false);
    expect(&last, "a", "");
    expect(&last, "b", " tap");
    gr_last_answer_fini(&last);
}

/* What has no hooks has none to lose; it is the last answer all the same. */
static void test_without_hooks(void **state)
{
    const struct gr_session_event failed = {.subject = NULL, .decision = NULL};
    struct gr_last_answer last;

    (void)state;
    gr_last_answer_init(&last);
    take(&last, "a", 4, 3, false);
    take(&last, "b", 4, 0, false);
    expect(&last, "a", "");
    expect(&last, "b", "");
    take(&last, "a", 4, 3, false);
    take(&last, "a", 4, 3, true);
    expect(&last, "a", "");
    take(&last, "a", 4, 3, false);
    gr_last_answer_take(&last, &failed);
    expect(&last, "a", "");
    gr_last_answer_fini(&last);
}

int main(void)
{
    test_add("sets", test_sets);
    test_add("without hooks", test_without_hooks);
    return test_run("last_answer");
}
