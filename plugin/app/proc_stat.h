/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/proc_stat: what stands in /proc/PID/stat.
 *
 * Layer: app. Pure: whoever read the file has the text.
 */
#ifndef GR_APP_PROC_STAT_H
#define GR_APP_PROC_STAT_H

#include "base/str.h"

/* Fields, numbered as in proc(5). Times count from the start of the host, in ticks of
 * sysconf(_SC_CLK_TCK) each second. */
enum gr_proc_stat_field {
    GR_PROC_STAT_PARENT = 4,
    GR_PROC_STAT_USER_TIME = 14,
    GR_PROC_STAT_SYSTEM_TIME = 15,
    GR_PROC_STAT_START = 22,
    GR_PROC_STAT_VIRTUAL_BYTES = 23,
    GR_PROC_STAT_RESIDENT_PAGES = 24,
};

/* Whether the text has that field, and a number in it. */
bool gr_proc_stat(struct gr_str text, enum gr_proc_stat_field field, uint64_t *out_number);

#endif
