/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/fd: what a plain descriptor needs beyond the system calls.
 *
 * Layer: base. For app and state; load reads and writes through load/fs, which tests replace.
 */
#ifndef GR_BASE_FD_H
#define GR_BASE_FD_H

#include "base/str.h"

/* Writes all of text, in as many writes as it takes; fd: blocking. Returns 0; a negative errno,
 * and then some of it may have been written. */
GR_CHECKED int gr_fd_write_all(int fd, struct gr_str text);

#endif
