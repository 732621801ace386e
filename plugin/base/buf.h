/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/buf: a growing byte buffer that cannot outgrow its limit.
 *
 * Layer: base. Every buffer is made with its maximum; going past it is -EMSGSIZE and leaves the
 * content as it was. After the first failure a buffer is marked broken, so that a run of appends
 * can be checked once at its end.
 */
#ifndef GR_BASE_BUF_H
#define GR_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct gr_buf {
    uint8_t *data; /* owned */
    size_t len;
    size_t cap;
    size_t max;
    int broken; /* 0, or the first failure: -ENOMEM or -EMSGSIZE */
};

/* Nothing is allocated yet. max_bytes: the most that len may reach. */
void gr_buf_init(struct gr_buf *buf, size_t max_bytes);

/* Gives the memory back; the buffer is empty and usable again with the same maximum. */
void gr_buf_fini(struct gr_buf *buf);

/* Empty again; keeps the memory unless it is larger than keep_bytes. Clears broken. */
void gr_buf_reset(struct gr_buf *buf, size_t keep_bytes);

/* As gr_buf_grow, where there is not enough memory yet. */
uint8_t *gr_buf_grow_more(struct gr_buf *buf, size_t n);

/*
 * Room for n more bytes, counted into len at once and not initialised. Valid until the buffer is
 * next changed. NULL when it is broken (see buf->broken).
 */
static inline uint8_t *gr_buf_grow(struct gr_buf *buf, size_t n)
{
    uint8_t *at;

    if (buf->broken || n > buf->cap - buf->len || buf->len + n > buf->max)
        return gr_buf_grow_more(buf, n);
    at = buf->data + buf->len;
    buf->len += n;
    return at;
}

/* Each returns 0 or buf->broken. */
static inline int gr_buf_add(struct gr_buf *buf, const void *data, size_t n)
{
    uint8_t *to = n > 0 ? gr_buf_grow(buf, n) : NULL;

    if (to)
        memcpy(to, data, n);
    return buf->broken;
}

static inline int gr_buf_str(struct gr_buf *buf, struct gr_str s)
{
    return gr_buf_add(buf, s.p, s.n);
}

static inline int gr_buf_text(struct gr_buf *buf, const char *text)
{
    return gr_buf_add(buf, text, strlen(text));
}

static inline int gr_buf_byte(struct gr_buf *buf, uint8_t byte)
{
    return gr_buf_add(buf, &byte, 1);
}

int gr_buf_printf(struct gr_buf *buf, const char *format, ...) GR_PRINTF(2, 3);

/* Removes the first n bytes. */
void gr_buf_drop_front(struct gr_buf *buf, size_t n);

static inline struct gr_str gr_buf_view(const struct gr_buf *buf)
{
    return (struct gr_str){.p = (const char *)buf->data, .n = buf->len};
}

#endif
