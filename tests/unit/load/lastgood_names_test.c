/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a set's name is while its file is bad, and what the kept files are called. */
#include "keeping.h"

static void test_duplicate_falls_back(void **state)
{
    struct loaded *l = begin();

    (void)state;
    /* b.yaml takes a name that is taken: its old text stays. */
    mem_file(&host, B, SET("a") "---\n" SET("new"));
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, B, GR_FILE_LAST_GOOD);
    assert_non_null(findings_get(&l->findings, "duplicate-name"));

    /* Both collide: what is left of the old one. */
    mem_file(&host, B, SET("b") "---\n" SET("b2"));
    load_again(l);
    assert_sets(l, "a b b2");
    mem_file(&host, HOOKS "/0.yaml", SET("b"));
    mem_file(&host, B, SET("a"));
    load_again(l);
    assert_sets(l, "a b b2");
    assert_str(set_of(l, "b")->file, HOOKS "/0.yaml");
    assert_finding(&l->findings, "last-good", "without 1 whose names are taken");
    end(l);
}

/* The accepted text itself collides with a new file: it is not served as its own stand-in. */
static void test_new_file_takes_the_name(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS "/0.yaml", SET("b"));
    load_again(l);
    assert_sets(l, "a b");
    assert_str(set_of(l, "b")->file, HOOKS "/0.yaml");
    assert_state(l, B, GR_FILE_REJECTED);
    assert_int_equal(l->result.last_good, 0);
    mem_remove(&host, HOOKS "/0.yaml");
    load_again(l);
    assert_state(l, B, GR_FILE_LOADED);
    assert_no_findings(&l->findings);
    end(l);
}

/* The names of a refused text are free again. */
static void test_refused_names_are_free(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET("x") "---\n" SET_BAD);
    mem_file(&host, HOOKS "/c.yaml", SET("x"));
    load_again(l);
    assert_sets(l, "a b x");
    assert_str(set_of(l, "x")->file, HOOKS "/c.yaml");
    assert_state(l, HOOKS "/c.yaml", GR_FILE_LOADED);
    end(l);
}

#define HEX "0123456789abcdef"

static void test_names(void **state)
{
    static const char *const others[] = {"",
                                         HEX,
                                         HEX "0.good",
                                         HEX ".goods",
                                         "0123456789ABCDEF.good",
                                         HEX ".tmp",
                                         "x" HEX ".good",
                                         HEX ".good.0.tmp",
                                         HEX ".good." HEX,
                                         HEX ".good." HEX ".tmp2"};

    (void)state;
    assert_true(gr_is_lastgood_name(GR_STR(HEX ".good")));
    assert_true(gr_is_lastgood_name(GR_STR(HEX ".good." HEX ".tmp")));
    for (size_t i = 0; i < GR_ARRAY_LEN(others); i++)
        assert_false(gr_is_lastgood_name(gr_str_from(others[i])));
}

int main(void)
{
    test_add("a duplicate falls back", test_duplicate_falls_back);
    test_add("a new file takes the name", test_new_file_takes_the_name);
    test_add("the names of a refused text are free", test_refused_names_are_free);
    test_add("names", test_names);
    return test_run("lastgood_names");
}
