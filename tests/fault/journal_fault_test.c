/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal is written and read while allocations fail: the result is -ENOMEM, nothing leaks, and
 * what can be written when there is memory again is all that is known.
 */
#include "failing.h"
#include "state/journaling.h"

#include "state/journal_load.h"

static void remove_files(void)
{
    (void)unlink(journal_path("decisions"));
    (void)unlink(journal_path("decisions.old"));
}

static int write_some(struct gr_journal *journal)
{
    const struct gr_str ids[] = {GR_STR("a"), GR_STR("b")};
    int r = journal_decide(journal, "a", true);

    if (r == 0)
        r = gr_journal_listed(journal, ids, 2);
    if (r == 0)
        r = gr_journal_missed(journal, ids[1], GR_STR("tap"));
    if (r == 0)
        r = gr_journal_session(journal, false, GR_STR("gone"));
    return r;
}

static int scenario(void *user)
{
    struct gr_journal_contents contents;
    struct gr_journal *journal = NULL;
    struct gr_arena arena;
    int r;

    (void)user;
    remove_files();
    gr_arena_init(&arena, 4096, 0);
    r = gr_journal_open(journal_dir, &journal, NULL);
    if (r == 0)
        r = write_some(journal);
    gr_journal_free(journal);
    if (r == 0)
        r = gr_journal_open(journal_dir, &journal, NULL);
    if (r == 0) {
        ASSERT_KNOWN(journal, "a", GR_KNOWN_INJECTED);
        ASSERT_KNOWN(journal, "b", GR_KNOWN_MISSED);
        gr_journal_free(journal);
        r = gr_journal_load(journal_dir, &arena, &contents, NULL);
    }
    if (r == 0) {
        assert_int_equal(contents.n, 1);
        gr_journal_contents_fini(&contents);
    }
    gr_arena_fini(&arena);
    return r;
}

static void journal_fails(void **state)
{
    assert_int_equal(journal_begin(state), 0);
    failing_run(scenario, NULL);
    assert_int_equal(journal_end(state), 0);
}

int main(void)
{
    test_add("writing and reading", journal_fails);
    return test_run("journal fault");
}
