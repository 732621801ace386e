/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/process/thread: a thread beside the loop.
 *
 * Layer: app. Signals belong to the loop, so the new thread blocks them all.
 */
#ifndef GR_APP_DAEMON_PROCESS_THREAD_H
#define GR_APP_DAEMON_PROCESS_THREAD_H

#include <pthread.h>

#include "base/defs.h"

/* Returns 0 and a thread to be joined; a negative errno. */
GR_CHECKED int gr_thread_start(void *(*run)(void *), void *arg, size_t stack_bytes,
                               pthread_t *out_thread);

#endif
