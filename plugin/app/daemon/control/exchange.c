/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/control/exchange.h"

#include <errno.h>

static struct gr_exchange *exchange_of(struct gr_control_later *later)
{
    return (struct gr_exchange *)(void *)((char *)later - offsetof(struct gr_exchange, later));
}

/* ---- an answer that comes later ---- */

/* Takes reply and what is in body. */
static int put_later(struct gr_exchange *x, json_t *reply, struct gr_buf *body)
{
    size_t n = body ? body->len : 0;
    int r;

    if (body)
        (void)json_object_set_new(reply, "bytes", json_integer((json_int_t)n));
    r = gr_control_put(reply, &x->out);
    if (r == 0 && body) {
        x->out_body = *body;
        gr_buf_init(body, body->max);
    }
    return r;
}

void gr_control_later_answer(struct gr_control_later *later, json_t *reply, struct gr_buf *body,
                             const struct gr_err *err)
{
    struct gr_exchange *x = exchange_of(later);
    int r = err ? gr_control_refuse(err, &x->out) : put_later(x, gr_take(reply), body);

    json_decref(reply);
    x->state = GR_EXCHANGE_ANSWERED;
    if (r == 0)
        later->ready(later->ready_user); /* the exchange may be gone now */
}

/* ---- the request ---- */

static int ask(struct gr_exchange *x)
{
    int r;

    x->state = GR_EXCHANGE_ANSWERED;
    r = gr_control_answer(x->table, &x->asked, &x->out);
    if (r == GR_CONTROL_BODY)
        x->state = GR_EXCHANGE_BODY;
    else if (r == GR_CONTROL_LATER)
        x->state = GR_EXCHANGE_WAITING;
    return r < 0 ? r : 0;
}

static int refuse_long(struct gr_exchange *x)
{
    struct gr_err err = {0};

    x->state = GR_EXCHANGE_ANSWERED;
    (void)gr_fail(&err, -EMSGSIZE, "too-long", "expected a request of at most %u bytes",
                  GR_CONTROL_REQUEST_MAX_BYTES);
    return gr_control_refuse(&err, &x->out);
}

/* *bytes: less what belongs to the line. */
static int feed_line(struct gr_exchange *x, struct gr_str *bytes)
{
    size_t end = gr_str_find(*bytes, '\n');
    bool whole = end < bytes->n;
    int r;

    if (x->in.len + end > GR_CONTROL_REQUEST_MAX_BYTES)
        return refuse_long(x);
    r = gr_buf_str(&x->in, gr_str_first(*bytes, end));
    *bytes = gr_str_skip(*bytes, whole ? end + 1 : end);
    x->asked.line = gr_buf_view(&x->in);
    return r == 0 && whole ? ask(x) : r;
}

/* Asks once more, now that all of it is there. */
static int feed_body(struct gr_exchange *x, struct gr_str bytes)
{
    size_t missing = x->asked.body_bytes - x->body.len;
    int r = gr_buf_str(&x->body, gr_str_first(bytes, missing));

    if (r || x->body.len < x->asked.body_bytes)
        return r;
    x->asked.body = &x->body;
    return ask(x);
}

int gr_exchange_feed(struct gr_exchange *x, struct gr_str bytes)
{
    int r = 0;

    if (x->state == GR_EXCHANGE_LINE)
        r = feed_line(x, &bytes);
    if (r == 0 && x->state == GR_EXCHANGE_BODY)
        r = feed_body(x, bytes);
    return r;
}

/* ---- what is sent ---- */

struct gr_str gr_exchange_pending(const struct gr_exchange *x)
{
    if (x->sent < x->out.len)
        return gr_str_skip(gr_buf_view(&x->out), x->sent);
    return gr_str_skip(gr_buf_view(&x->out_body), x->sent - x->out.len);
}

void gr_exchange_sent(struct gr_exchange *x, size_t n)
{
    x->sent += n;
}

/* ---- life ---- */

void gr_exchange_init(struct gr_exchange *x, const struct gr_control_table *table, uid_t uid,
                      pid_t pid, void (*ready)(void *user), void *user)
{
    *x = (struct gr_exchange){
        .table = table,
        .asked = {.uid = uid, .pid = pid, .later = &x->later},
        .later = {.ready = ready, .ready_user = user},
    };
    gr_buf_init(&x->in, GR_CONTROL_REQUEST_MAX_BYTES);
    gr_buf_init(&x->body, GR_CONTROL_BODY_MAX_BYTES);
    gr_buf_init(&x->out, GR_CONTROL_REPLY_MAX_BYTES + 1);
}

void gr_exchange_fini(struct gr_exchange *x)
{
    if (x->later.left)
        x->later.left(x->later.user);
    gr_buf_fini(&x->in);
    gr_buf_fini(&x->body);
    gr_buf_fini(&x->out);
    gr_buf_fini(&x->out_body);
}
