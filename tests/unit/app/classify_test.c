/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/running/classify: the rows of specs/missed.md, and all combinations against them. */
#include "testing.h"

#include "app/daemon/running/classify.h"

#define SINCE 1000

/* ---- rows that a person reads ---- */

struct row {
    const char *name;
    struct gr_running_facts facts; /* of a set with hooks that is in force since SINCE */
    enum gr_running_class class;
};

#define IN_FORCE .in_force = true, .has_hooks = true
#define LACKS IN_FORCE, .verdict = GR_VERDICT_INJECTED
#define KNOWN_SINCE .since_known = true, .since = {.since_s = SINCE}
#define OF_BEFORE .since_known = true, .since = {.since_s = SINCE, .before_start = true}

static const struct row rows[] = {
    {"the first start on a node", {LACKS, KNOWN_SINCE}, GR_RUNNING_PREEXISTING},
    {"created while we were stopped",
     {LACKS, OF_BEFORE, .complete = true, .ended_s = SINCE + 1},
     GR_RUNNING_MISSED},
    {"the set came after the stop",
     {LACKS, KNOWN_SINCE, .complete = true, .ended_s = SINCE - 1},
     GR_RUNNING_PREEXISTING},
    {"in the same second: not known what came first",
     {LACKS, OF_BEFORE, .complete = true, .ended_s = SINCE},
     GR_RUNNING_PREEXISTING},
    {"created after we were killed", {LACKS, OF_BEFORE, .complete = true}, GR_RUNNING_MISSED},
    {"killed, and the set came after the start",
     {LACKS, KNOWN_SINCE, .complete = true},
     GR_RUNNING_PREEXISTING},
    {"a journal that is not complete",
     {LACKS, OF_BEFORE, .ended_s = SINCE + 1},
     GR_RUNNING_PREEXISTING},
    {"nothing known of the set",
     {LACKS, .complete = true, .ended_s = SINCE + 1, .created_s = SINCE + 1},
     GR_RUNNING_PREEXISTING},
    {"the runtime tells that it is younger",
     {LACKS, KNOWN_SINCE, .created_s = SINCE + 1},
     GR_RUNNING_MISSED},
    {"the runtime tells that it is older, whatever the journal says",
     {LACKS, OF_BEFORE, .complete = true, .ended_s = SINCE + 1, .created_s = SINCE - 1},
     GR_RUNNING_PREEXISTING},
    {"created in the second of the set: the journal decides",
     {LACKS, OF_BEFORE, .complete = true, .ended_s = SINCE + 1, .created_s = SINCE},
     GR_RUNNING_MISSED},
    {"created in the second of the set, and no journal",
     {LACKS, KNOWN_SINCE, .created_s = SINCE},
     GR_RUNNING_PREEXISTING},
    {"judged before, and not missed then",
     {LACKS, OF_BEFORE, .known = GR_KNOWN_SEEN, .complete = true, .created_s = SINCE + 1},
     GR_RUNNING_PREEXISTING},
    {"has hooks of other sets",
     {LACKS, OF_BEFORE, .known = GR_KNOWN_INJECTED, .marked = true, .created_s = SINCE + 1},
     GR_RUNNING_PREEXISTING},
    {"has none of the hooks that it was given",
     {LACKS, OF_BEFORE, .known = GR_KNOWN_INJECTED, .created_s = SINCE + 1},
     GR_RUNNING_MISSED},
    {"has none of the hooks that it was given, and the set came later",
     {LACKS, OF_BEFORE, .known = GR_KNOWN_INJECTED, .complete = true, .created_s = SINCE - 1},
     GR_RUNNING_PREEXISTING},
    {"has none of the hooks that it was given before we were killed",
     {LACKS, OF_BEFORE, .known = GR_KNOWN_INJECTED},
     GR_RUNNING_MISSED},
    {"missed in another set",
     {LACKS, OF_BEFORE, .known = GR_KNOWN_MISSED, .complete = true, .created_s = SINCE + 1},
     GR_RUNNING_PREEXISTING},
    {"missed stays missed",
     {LACKS, KNOWN_SINCE, .known = GR_KNOWN_MISSED, .was_missed = true},
     GR_RUNNING_MISSED},
    {"the answer came too late",
     {LACKS, KNOWN_SINCE, .known = GR_KNOWN_INJECTED, .answer_was_lost = true},
     GR_RUNNING_MISSED},
    {"refused now",
     {IN_FORCE, OF_BEFORE, .complete = true, .verdict = GR_VERDICT_REFUSED},
     GR_RUNNING_MISSED},
    {"does not match now",
     {IN_FORCE, OF_BEFORE, .complete = true, .verdict = GR_VERDICT_SKIPPED},
     GR_RUNNING_FINE},
    {"another text", {LACKS, KNOWN_SINCE, .mark = GR_MARKED_BEFORE}, GR_RUNNING_OUTDATED},
    {"another text, found by its mark",
     {IN_FORCE, KNOWN_SINCE, .mark = GR_MARKED_BEFORE, .verdict = GR_VERDICT_ALREADY},
     GR_RUNNING_OUTDATED},
    {"this text", {LACKS, OF_BEFORE, .mark = GR_MARKED_NOW, .was_missed = true}, GR_RUNNING_FINE},
    {"a set that only adjusts",
     {.in_force = true, .verdict = GR_VERDICT_INJECTED, OF_BEFORE, .complete = true},
     GR_RUNNING_FINE},
    {"a set that is not in force",
     {.has_hooks = true, .verdict = GR_VERDICT_REFUSED, OF_BEFORE, .complete = true},
     GR_RUNNING_FINE},
};

static void classifies(void **state)
{
    const struct row *row = *state;

    assert_string_equal(gr_running_class_name(gr_running_classify(&row->facts)),
                        gr_running_class_name(row->class));
}

/* ---- all of them ---- */

/* What specs/missed.md says, in its order. */
static enum gr_running_class as_specified(const struct gr_running_facts *f)
{
    bool lost = f->known == GR_KNOWN_INJECTED && !f->marked;
    bool by_us = (f->known == GR_KNOWN_NOT || lost) && f->since_known;
    bool by_age = f->created_s > SINCE;
    bool age_tells = f->created_s != 0 && f->created_s != SINCE;
    bool by_journal =
        (f->complete || lost) && (f->ended_s ? f->ended_s > SINCE : f->since.before_start);

    if (!(f->in_force && f->has_hooks))
        return GR_RUNNING_FINE;
    switch (f->mark) {
    case GR_MARKED_NOW:
        return GR_RUNNING_FINE;
    case GR_MARKED_BEFORE:
        return GR_RUNNING_OUTDATED;
    case GR_MARKED_NOT:
        break;
    }
    if (f->verdict != GR_VERDICT_INJECTED && f->verdict != GR_VERDICT_REFUSED)
        return GR_RUNNING_FINE;
    if (f->was_missed || f->answer_was_lost)
        return GR_RUNNING_MISSED;
    if (by_us && (age_tells ? by_age : by_journal))
        return GR_RUNNING_MISSED;
    return GR_RUNNING_PREEXISTING;
}

/* Takes the next of n choices off a number. */
static unsigned choose(unsigned *number, unsigned n)
{
    unsigned choice = *number % n;

    *number /= n;
    return choice;
}

static const int64_t times[] = {0, SINCE - 1, SINCE, SINCE + 1};

static struct gr_running_facts make_facts(unsigned *number)
{
    struct gr_running_facts f = {.since = {.since_s = SINCE}};

    f.in_force = choose(number, 2);
    f.has_hooks = choose(number, 2);
    f.since_known = choose(number, 2);
    f.since.before_start = choose(number, 2);
    f.verdict = (enum gr_verdict)choose(number, GR_VERDICT_REFUSED + 1);
    f.mark = (enum gr_marked)choose(number, 3);
    f.created_s = times[choose(number, 4)];
    f.known = (enum gr_known)choose(number, 4);
    f.complete = choose(number, 2);
    f.ended_s = times[choose(number, 4)];
    f.was_missed = choose(number, 2);
    f.answer_was_lost = choose(number, 2);
    f.marked = choose(number, 2);
    return f;
}

static void test_all(void **state)
{
    size_t seen[GR_RUNNING_MISSED + 1] = {0};
    unsigned n = 0;

    (void)state;
    for (;; n++) {
        unsigned number = n;
        struct gr_running_facts facts = make_facts(&number);
        enum gr_running_class class = gr_running_classify(&facts);

        if (number > 0)
            break; /* all choices were made */
        if (class != as_specified(&facts))
            fail_msg("combination %u: %s", n, gr_running_class_name(class));
        seen[class]++;
    }
    assert_int_equal(n, 2 * 2 * 2 * 2 * 6 * 3 * 4 * 4 * 2 * 4 * 2 * 2 * 2);
    for (size_t i = 0; i < GR_ARRAY_LEN(seen); i++)
        assert_true((seen[i] > 0) == (i != GR_RUNNING_UNREADABLE)); /* there is nothing to go by */
}

int main(void)
{
    TEST_ADD_ROWS(classifies, rows);
    test_add("all combinations", test_all);
    return test_run("classify");
}
