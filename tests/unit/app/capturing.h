/* SPDX-License-Identifier: Apache-2.0 */
/* Runs something with stderr in a file and gives back what was written. */
#ifndef GR_TESTS_APP_CAPTURING_H
#define GR_TESTS_APP_CAPTURING_H

#include "testing.h"

#include <unistd.h>

struct captured {
    int saved, file;
    char text[16384];
};

static inline void capture_begin(struct captured *c)
{
    char name[] = "/tmp/grapnel-log-test.XXXXXX";

    (void)fflush(stderr);
    c->saved = dup(STDERR_FILENO);
    c->file = mkstemp(name);
    assert_true(c->saved >= 0 && c->file >= 0);
    (void)unlink(name);
    assert_true(dup2(c->file, STDERR_FILENO) >= 0);
}

static inline void capture_end(struct captured *c)
{
    ssize_t n;

    assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
    n = pread(c->file, c->text, sizeof(c->text) - 1, 0);
    assert_true(n >= 0);
    c->text[n] = '\0';
    (void)close(c->saved);
    (void)close(c->file);
}

#endif
