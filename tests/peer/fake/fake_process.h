/* SPDX-License-Identifier: Apache-2.0 */
/* What fake_runtime.c and fake_process.c share. */
#ifndef GR_TESTS_FAKE_PROCESS_H
#define GR_TESTS_FAKE_PROCESS_H

#include "fake_runtime.h"

/* Fails the running test, with the end of the plugin's log. */
__attribute__((noreturn)) void fake_fail(struct fake *fake, const char *format, ...)
    GR_PRINTF(2, 3);

/* Waits until fd has events, reading the log meanwhile; fails at the time until. */
void fake_wait_fd(struct fake *fake, int fd, short events, int64_t until_ms, const char *what);

#endif
