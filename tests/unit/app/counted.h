/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, beside a view of the process that a test decides, and the text of both. */
#ifndef GR_TESTS_APP_COUNTED_H
#define GR_TESTS_APP_COUNTED_H

#include "testing.h"

#include <errno.h>
#include <unistd.h>

#include "app/daemon/metrics/metrics.h"

static const struct gr_hookset tap = {.name = {"tap", 3}}, audit = {.name = {"audit", 5}};

struct all {
    struct gr_metrics *metrics;
    struct gr_log_counts log;
    struct gr_load_result load;
    struct gr_view view;
    struct gr_buf text;
};

static inline void begin(struct all *all)
{
    *all = (struct all){0};
    all->view.rules.load = &all->load;
    all->view.session.state = GR_SESSION_CLOSED;
    all->view.session.index = "10";
    assert_int_equal(gr_metrics_new(&all->log, &all->metrics), 0);
    gr_buf_init(&all->text, GR_METRICS_TEXT_MAX_BYTES);
}

static inline void end(struct all *all)
{
    gr_buf_fini(&all->text);
    gr_metrics_free(all->metrics);
}

/* Writes anew; the text is terminated. */
static inline const char *text_of(struct all *all)
{
    gr_buf_fini(&all->text);
    assert_int_equal(gr_metrics_write(all->metrics, &all->view, &all->text), 0);
    assert_int_equal(gr_buf_byte(&all->text, '\0'), 0);
    return (const char *)all->text.data;
}

/* Whether the text has this line, once. */
static inline bool has(struct all *all, const char *line)
{
    const char *text = text_of(all), *at;
    char whole[512];

    (void)snprintf(whole, sizeof(whole), "\n%s\n", line);
    at = strstr(text, whole);
    if (!at)
        return false;
    assert_null(strstr(at + 1, whole));
    return true;
}

#define ASSERT_LINE(all, line)                                                     \
    do {                                                                           \
        if (!has((all), (line)))                                                   \
            fail_msg("no line %s in\n%s", (line), (const char *)(all)->text.data); \
    } while (0)

static inline void created(struct all *all, const struct gr_decision *decision, int64_t now_s)
{
    const struct gr_session_event event = {.decision = decision,
                                           .refused = !decision || decision->refuse};

    gr_metrics_created(all->metrics, &event, now_s);
}

static inline void result_of(struct all *all, const struct gr_hookset *set, enum gr_verdict verdict)
{
    const struct gr_set_result result = {.set = set, .verdict = verdict};
    const struct gr_decision decision = {.results = &result, .results_n = 1};

    created(all, &decision, 7);
}

static inline size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

#endif
