/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/process/memory: how the process keeps what it has freed, which is as little as it can.
 *
 * Layer: app. Nothing is done where the C library has no such functions.
 */
#ifndef GR_APP_DAEMON_PROCESS_MEMORY_H
#define GR_APP_DAEMON_PROCESS_MEMORY_H

/*
 * To be called first. A rule set is megabytes that come and go at each reload. glibc raises its own
 * thresholds when large blocks are freed and then keeps such memory for good: with 10,000 sets 39
 * MiB stayed resident after reloads instead of 18 (tests/bench).
 */
void gr_memory_tune(void);

/* Gives free memory back to the kernel, after work that is done once in a while. Some 100 us. */
void gr_memory_trim(void);

#endif
