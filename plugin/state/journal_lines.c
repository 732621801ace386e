/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal_lines.h"

#include <errno.h>
#include <unistd.h>

#include "state/limits.h"

#define BUFFER_BYTES (60U << 10)
#define ARENA_BLOCK_BYTES (32U << 10)

struct taking {
    struct gr_journal_lines *lines;
    struct gr_journal_state *state;
    struct gr_arena arena;
    char *buffer;
    size_t n;      /* bytes in it */
    bool too_long; /* the line that is being read: what stood before was thrown away */
};

int gr_journal_line_take(struct gr_str line, struct gr_arena *arena, struct gr_journal_state *state)
{
    struct gr_journal_record record;
    int r = line.n > 0 ? gr_journal_record_read(arena, line, &record) : 0;

    if (r == 0 && line.n > 0)
        r = gr_journal_state_take(state, &record);
    else if (r)
        gr_journal_state_damaged(state);
    gr_arena_reset(arena);
    return r;
}

/* text: a line with its line feed. */
static int take_line(struct taking *t, struct gr_str text)
{
    struct gr_journal_lines *lines = t->lines;
    int r = 0;

    if (t->state && t->too_long)
        gr_journal_state_damaged(t->state);
    else if (t->state)
        r = gr_journal_line_take(gr_str_first(text, text.n - 1), &t->arena, t->state);
    lines->damaged += t->too_long || r == GR_JOURNAL_DAMAGED;
    t->too_long = false;
    lines->at += (off_t)text.n;
    if (r >= 0 && lines->copy_to && write(*lines->copy_to, text.p, text.n) != (ssize_t)text.n)
        return -ENOSPC;
    return r < 0 ? r : 0;
}

/* All lines that are whole. */
static int take_buffer(struct taking *t)
{
    struct gr_str rest = {.p = t->buffer, .n = t->n};
    size_t end = gr_str_find(rest, '\n');
    int r = 0;

    for (; r == 0 && end < rest.n; end = gr_str_find(rest, '\n')) {
        r = take_line(t, gr_str_first(rest, end + 1));
        rest = gr_str_skip(rest, end + 1);
    }
    if (rest.n >= GR_JOURNAL_RECORD_MAX_BYTES) {
        t->too_long = true;
        t->lines->at += (off_t)rest.n;
        rest.n = 0;
    }
    if (rest.n > 0)
        memmove(t->buffer, rest.p, rest.n);
    t->n = rest.n;
    return r;
}

/* Returns how many bytes came, 0 at the end; a negative errno. */
static ssize_t read_some(struct taking *t)
{
    off_t from = t->lines->at + (off_t)t->n;
    size_t room = BUFFER_BYTES - t->n;
    ssize_t n;

    if (t->lines->until >= 0)
        room = GR_MIN(room, (size_t)GR_MAX(t->lines->until - from, (off_t)0));
    do
        n = room > 0 ? pread(t->lines->fd, t->buffer + t->n, room, from) : 0;
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int gr_journal_lines_take(struct gr_journal_lines *lines, struct gr_journal_state *state)
{
    struct taking t = {.lines = lines, .state = state, .buffer = malloc(BUFFER_BYTES)};
    int r = 0;

    if (!t.buffer)
        return -ENOMEM;
    gr_arena_init(&t.arena, ARENA_BLOCK_BYTES, 0);
    for (;;) {
        ssize_t n = read_some(&t);

        if (n <= 0) {
            r = (int)n;
            break;
        }
        t.n += (size_t)n;
        r = take_buffer(&t);
        if (r)
            break;
    }
    lines->torn = t.n > 0 || t.too_long;
    gr_arena_fini(&t.arena);
    free(t.buffer);
    return r;
}
