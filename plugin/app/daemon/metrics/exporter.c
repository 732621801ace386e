/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/metrics/exporter.h"

#include <errno.h>

#include "app/daemon/metrics/http.h"
#include "app/daemon/metrics/textfile.h"

#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_PLAIN "text/plain; charset=utf-8"

#define PLAIN_MAX_BYTES 256

struct gr_exporter {
    struct event_base *base;
    struct gr_log *log;
    gr_exporter_view_fn *view;
    void *user;
    struct gr_metrics *metrics;
    struct gr_log_counts logged;
    char *address, *textfile_path; /* as set; empty: none; owned */
    struct event *retry;
    int told; /* why the address cannot be had, as said last; 0: it was not tried, or it can */
    struct gr_endpoint endpoint;
    struct gr_http *http;
    struct gr_textfile *textfile;
};

struct gr_metrics *gr_exporter_metrics(const struct gr_exporter *exporter)
{
    return exporter->metrics;
}

/* ---- what is told ---- */

static int fill(void *user, struct gr_buf *out)
{
    const struct gr_exporter *e = user;
    struct gr_view view;

    e->view(e->user, &view);
    return gr_metrics_write(e->metrics, &view, out);
}

static void answer_metrics(struct gr_exporter *e, struct gr_http_answer *answer)
{
    answer->type = TYPE_METRICS;
    gr_buf_init(&answer->body, GR_METRICS_TEXT_MAX_BYTES);
    if (fill(e, &answer->body) == 0 && gr_metrics_write_process(&answer->body) == 0)
        return;
    answer->status = 503;
    gr_buf_fini(&answer->body);
}

static void answer_ready(const struct gr_exporter *e, struct gr_http_answer *answer)
{
    const char *missing;
    struct gr_view view;

    e->view(e->user, &view);
    missing = gr_view_not_ready(&view);
    answer->status = missing ? 503 : 200;
    if (missing)
        (void)gr_buf_printf(&answer->body, "not ready: %s\n", missing);
    else
        (void)gr_buf_text(&answer->body, "ready\n");
}

static void on_request(void *user, struct gr_str path, struct gr_http_answer *out_answer)
{
    struct gr_exporter *e = user;

    *out_answer = (struct gr_http_answer){.status = 200, .type = TYPE_PLAIN};
    gr_buf_init(&out_answer->body, PLAIN_MAX_BYTES);
    if (gr_str_is(path, "/metrics")) {
        answer_metrics(e, out_answer);
    } else if (gr_str_is(path, "/healthz")) {
        (void)gr_buf_text(&out_answer->body, "ok\n"); /* the loop turns, or nobody would say it */
    } else if (gr_str_is(path, "/readyz")) {
        answer_ready(e, out_answer);
    } else {
        out_answer->status = 404;
        (void)gr_buf_text(&out_answer->body, "there are /metrics, /healthz and /readyz\n");
    }
}

/* ---- what is open ---- */

static void close_http(struct gr_exporter *e)
{
    (void)event_del(e->retry);
    gr_http_free(gr_take(e->http));
    gr_endpoint_close(&e->endpoint);
}

static int open_http(struct gr_exporter *e, struct gr_err *err)
{
    struct gr_address address;
    int r;

    if (!gr_address_parse(gr_str_from(e->address), &address))
        return gr_fail(err, -EINVAL, "metrics-address", "expected " GR_ADDRESS_EXPECTED);
    r = gr_endpoint_open(&e->endpoint, &address, err);
    if (r)
        return r;
    r = gr_http_new(e->base, &e->endpoint, on_request, e, &e->http);
    if (r == 0)
        return 0;
    gr_endpoint_close(&e->endpoint);
    return gr_fail(err, r, "no-memory", "no memory to serve the metrics");
}

static void try_http(struct gr_exporter *e)
{
    const struct timeval wait = {.tv_sec = GR_EXPORTER_RETRY_S};
    struct gr_err err = {0};
    int r = open_http(e, &err);

    if (r)
        (void)event_add(e->retry, &wait);
    if (r && r != e->told)
        GR_LOG(e->log, GR_LEVEL_WARNING, "the metrics cannot be served, trying on",
               GR_LOG_TEXT("address", e->address), GR_LOG_TEXT("code", err.code),
               GR_LOG_TEXT("error", err.text));
    if (r == 0)
        GR_LOG(e->log, GR_LEVEL_INFO, "the metrics are served", GR_LOG_TEXT("address", e->address));
    e->told = r;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    try_http(arg);
}

static void open_textfile(struct gr_exporter *e)
{
    int r = gr_textfile_new(e->base, e->textfile_path, fill, e, e->log, &e->textfile);

    if (r)
        GR_LOG(e->log, GR_LEVEL_ERROR, "the metrics cannot be written",
               GR_LOG_TEXT("file", e->textfile_path), GR_LOG_TEXT("error", strerror(-r)));
}

/* Takes over a setting. False: it is as before, or there is no memory for the new one. */
static bool change(char **setting, const char *to)
{
    char *copy = strcmp(*setting ? *setting : "", to) == 0 ? NULL : strdup(to);

    if (!copy)
        return false;
    free(*setting);
    *setting = copy;
    return true;
}

static void open_anew(struct gr_exporter *e)
{
    close_http(e);
    e->told = 0;
    if (e->address[0])
        try_http(e);
}

void gr_exporter_look(struct gr_exporter *e)
{
    if (gr_endpoint_lost(&e->endpoint))
        open_anew(e);
}

void gr_exporter_follow(struct gr_exporter *e, const struct gr_config *config)
{
    gr_exporter_look(e);
    if (change(&e->address, config->metrics_address))
        open_anew(e);
    if (change(&e->textfile_path, config->metrics_textfile)) {
        gr_textfile_free(gr_take(e->textfile));
        if (e->textfile_path[0])
            open_textfile(e);
    }
}

void gr_exporter_view(const struct gr_exporter *e, struct gr_view *out_view)
{
    out_view->counted = e->metrics;
    out_view->exporter =
        (struct gr_view_exporter){.address = e->address ? e->address : "",
                                  .served = e->http != NULL,
                                  .error = e->told,
                                  .textfile = e->textfile_path ? e->textfile_path : ""};
}

/* ---- life ---- */

int gr_exporter_new(struct event_base *base, struct gr_log *log, gr_exporter_view_fn *view,
                    void *user, struct gr_exporter **out_exporter)
{
    struct gr_exporter *e = calloc(1, sizeof(*e));
    int r;

    if (!e)
        return -ENOMEM;
    e->base = base;
    e->log = log;
    e->view = view;
    e->user = user;
    gr_endpoint_init(&e->endpoint);
    log->counts = &e->logged;
    e->retry = evtimer_new(base, on_retry, e);
    r = e->retry ? gr_metrics_new(&e->logged, &e->metrics) : -ENOMEM;
    if (r) {
        gr_exporter_free(e);
        return r;
    }
    *out_exporter = e;
    return 0;
}

void gr_exporter_free(struct gr_exporter *e)
{
    if (!e)
        return;
    if (e->retry) {
        close_http(e);
        event_free(e->retry);
    }
    gr_textfile_free(e->textfile);
    e->log->counts = NULL;
    gr_metrics_free(e->metrics);
    free(e->address);
    free(e->textfile_path);
    free(e);
}
