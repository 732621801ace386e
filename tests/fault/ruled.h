/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of explanations share: rules from a text, made before allocations fail. */
#ifndef GR_TESTS_RULED_H
#define GR_TESTS_RULED_H

#include "testing.h"

#include "rules/match/ruleset.h"
#include "rules/read/decode.h"

/* Small blocks, so that about every step of the code asks for one. */
#define BLOCK_BYTES 256

/* The text has sets_n sets. Given to the caller. */
static inline struct gr_ruleset *make_rules(const char *text, size_t sets_n)
{
    const struct gr_source source = {
        .text = gr_str_from(text), .file = "f.yaml", .stem = GR_STR("f")};
    struct gr_ruleset *rules = NULL;
    struct gr_hooksets sets;
    struct gr_arena arena;

    gr_arena_init(&arena, BLOCK_BYTES, 0);
    assert_int_equal(gr_hooksets_decode(&arena, &source, NULL, &sets), 0);
    assert_int_equal(sets.n, sets_n);
    assert_int_equal(gr_ruleset_new(&arena, sets.items, sets.n, NULL, &rules, NULL), 0);
    return rules;
}

#endif
