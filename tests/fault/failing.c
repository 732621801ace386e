/* SPDX-License-Identifier: Apache-2.0 */
/* What libraries and libc allocate must come here too, although the project hides its symbols. */
#pragma GCC visibility push(default)
#include "failing.h"

#include "testing.h"

#include <errno.h>

/* glibc's own names for what is replaced here. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *p, size_t bytes);
void __libc_free(void *p);

static struct {
    bool active;
    bool all_after;
    size_t nth;
    size_t count;
    size_t largest;
    long live;
} failing;

/* Counts an allocation; true when it is to fail. */
static bool is_to_fail(size_t bytes)
{
    if (!failing.active)
        return false;
    failing.count++;
    if (bytes > failing.largest)
        failing.largest = bytes;
    if (failing.nth == 0)
        return false;
    return failing.count == failing.nth || (failing.all_after && failing.count > failing.nth);
}

static void *counted(void *p)
{
    if (failing.active && p)
        failing.live++;
    return p;
}

void *malloc(size_t bytes)
{
    if (is_to_fail(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
    if (is_to_fail(count * bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return counted(__libc_calloc(count, bytes));
}

void *realloc(void *p, size_t bytes)
{
    void *moved;

    if (is_to_fail(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    moved = __libc_realloc(p, bytes);
    return p ? moved : counted(moved);
}

void free(void *p)
{
    if (failing.active && p)
        failing.live--;
    __libc_free(p);
}

void failing_begin(size_t nth, bool all_after)
{
    failing.nth = nth;
    failing.all_after = all_after;
    failing.count = 0;
    failing.largest = 0;
    failing.live = 0;
    failing.active = true;
}

size_t failing_end(void)
{
    failing.active = false;
    return failing.count;
}

long failing_live(void)
{
    return failing.live;
}

size_t failing_largest(void)
{
    return failing.largest;
}

void failing_run(int (*scenario)(void *user), void *user)
{
    size_t count;
    int r;

    failing_begin(0, false);
    r = scenario(user);
    count = failing_end();
    assert_int_equal(r, 0);
    assert_int_equal(failing_live(), 0);
    assert_true(count > 0);
    for (size_t nth = 1; nth <= count; nth++) {
        for (int all_after = 0; all_after < 2; all_after++) {
            failing_begin(nth, all_after);
            r = scenario(user);
            (void)failing_end();
            if (r != 0 && r != -ENOMEM && r != -ENOBUFS)
                fail_msg("allocation %zu of %zu fails: result %d", nth, count, r);
            if (failing_live() != 0)
                fail_msg("allocation %zu of %zu fails: %ld blocks leak", nth, count,
                         failing_live());
            /* With no memory at all from the first allocation on, nothing can be a success. */
            if (nth == 1 && all_after)
                assert_int_not_equal(r, 0);
        }
    }
}
