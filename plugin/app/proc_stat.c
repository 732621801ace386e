/* SPDX-License-Identifier: Apache-2.0 */
#include "app/proc_stat.h"

/* The first one behind the name. */
#define STATE_FIELD 3

bool gr_proc_stat(struct gr_str text, enum gr_proc_stat_field field, uint64_t *out_number)
{
    /* The name may hold anything, and ends in the last parenthesis. */
    size_t name_end = gr_str_rfind(text, ')');

    text = gr_str_skip(text, name_end + 2);
    for (int at = STATE_FIELD; at < (int)field && text.n > 0; at++)
        text = gr_str_skip(text, gr_str_find(text, ' ') + 1);
    text = gr_str_first(text, gr_str_find(text, '\n'));
    return gr_str_to_u64(gr_str_first(text, gr_str_find(text, ' ')), out_number) == 0;
}
