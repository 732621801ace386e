/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>

#define FIRST_BYTES 256

void gr_buf_init(struct gr_buf *buf, size_t max_bytes)
{
    *buf = (struct gr_buf){.max = max_bytes};
}

void gr_buf_fini(struct gr_buf *buf)
{
    free(buf->data);
    gr_buf_init(buf, buf->max);
}

void gr_buf_reset(struct gr_buf *buf, size_t keep_bytes)
{
    if (buf->cap > keep_bytes) {
        gr_buf_fini(buf);
        return;
    }
    buf->len = 0;
    buf->broken = 0;
}

static int reserve(struct gr_buf *buf, size_t want)
{
    size_t cap = GR_MAX(buf->cap, (size_t)FIRST_BYTES);
    uint8_t *data;

    if (want > buf->max)
        return -EMSGSIZE;
    if (want <= buf->cap)
        return 0;
    while (cap < want)
        cap = cap > buf->max / 2 ? buf->max : cap * 2;
    data = realloc(buf->data, cap);
    if (!data)
        return -ENOMEM;
    buf->data = data;
    buf->cap = cap;
    return 0;
}

uint8_t *gr_buf_grow_more(struct gr_buf *buf, size_t n)
{
    size_t want;
    uint8_t *at;

    if (buf->broken)
        return NULL;
    buf->broken = gr_add_overflows(buf->len, n, &want) ? -EMSGSIZE : reserve(buf, want);
    if (buf->broken)
        return NULL;
    at = buf->data + buf->len;
    buf->len = want;
    return at;
}

int gr_buf_printf(struct gr_buf *buf, const char *format, ...)
{
    size_t max = buf->max;
    char small[256];
    va_list args;
    uint8_t *to;
    int n;

    va_start(args, format);
    n = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (n < 0)
        return buf->broken ? buf->broken : (buf->broken = -EINVAL);
    if ((size_t)n < sizeof(small))
        return gr_buf_add(buf, small, (size_t)n);
    /* vsnprintf ends with a NUL byte, which is not counted: one more than max may be taken. */
    buf->max = max < SIZE_MAX ? max + 1 : max;
    to = gr_buf_grow(buf, (size_t)n + 1);
    buf->max = max;
    if (!to)
        return buf->broken;
    va_start(args, format);
    (void)vsnprintf((char *)to, (size_t)n + 1, format, args);
    va_end(args);
    buf->len--;
    return 0;
}

void gr_buf_drop_front(struct gr_buf *buf, size_t n)
{
    n = GR_MIN(n, buf->len);
    if (n == 0)
        return;
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}
