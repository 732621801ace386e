/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the readers of foreign formats share: reading a text while what is said about
 * it is collected, and the set as YAML.
 */
#ifndef GR_TESTS_RULES_FOREIGN_H
#define GR_TESTS_RULES_FOREIGN_H

#include "testing.h"

#include "rules/limits.h"
#include "rules/read/ocihooks.h"
#include "rules/write/write.h"

#define FOREIGN_SAID_MAX 128

struct foreign {
    struct gr_arena arena;
    struct gr_hooksets sets;
    struct gr_err said[FOREIGN_SAID_MAX]; /* the first of them */
    enum gr_level levels[FOREIGN_SAID_MAX];
    size_t said_n;
    size_t errors;
    struct gr_buf yaml; /* of all sets */
};

static inline void foreign_collect(void *user, enum gr_level level, const struct gr_err *err)
{
    struct foreign *f = user;

    assert_non_null(err->code);
    assert_true(err->text[0] != '\0');
    if (f->said_n < FOREIGN_SAID_MAX) {
        f->levels[f->said_n] = level;
        f->said[f->said_n] = *err;
    }
    f->said_n++;
    f->errors += level == GR_LEVEL_ERROR;
}

static inline void foreign_write(struct foreign *f)
{
    gr_buf_init(&f->yaml, 4U << 20);
    for (size_t i = 0; i < f->sets.n; i++)
        assert_int_equal(gr_hookset_write(&f->sets.items[i], &f->yaml), 0);
    assert_true((f->errors > 0) == (f->sets.rejected > 0));
}

static inline struct foreign *foreign_new(void)
{
    struct foreign *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    gr_arena_init(&f->arena, 4096, 0);
    return f;
}

/* An oci-hooks(5) file; it is read from a buffer of exactly its size, which is gone afterwards. */
static inline struct foreign *foreign_read(const char *file, const char *stem, struct gr_str text)
{
    struct foreign *f = foreign_new();
    const struct gr_reporter reporter = {.report = foreign_collect, .user = f};
    char *copy = (char *)test_exact(text.p, text.n);
    const struct gr_source source = {
        .text = {.p = copy, .n = text.n}, .file = file, .stem = gr_str_from(stem)};

    assert_int_equal(gr_ocihooks_decode(&f->arena, &source, &reporter, &f->sets), 0);
    free(copy);
    foreign_write(f);
    return f;
}

static inline void foreign_free(struct foreign *f)
{
    gr_buf_fini(&f->yaml);
    gr_arena_fini(&f->arena);
    free(f);
}

#endif
