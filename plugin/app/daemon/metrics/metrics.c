/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/metrics/metrics.h"

#include <errno.h>

#include "app/daemon/metrics/metrics_parts.h"
#include "base/hash.h"
#include "rules/limits.h"

#define SERIES_FIRST 16

const struct gr_bucket gr_request_buckets[GR_BUCKETS] = {
    {UINT64_C(500000), "0.0005"}, {UINT64_C(1000000), "0.001"}, {UINT64_C(2500000), "0.0025"},
    {UINT64_C(5000000), "0.005"}, {UINT64_C(10000000), "0.01"}, {UINT64_C(25000000), "0.025"},
    {UINT64_C(50000000), "0.05"}, {UINT64_C(100000000), "0.1"}, {UINT64_C(250000000), "0.25"},
    {UINT64_C(500000000), "0.5"}, {UINT64_C(1000000000), "1"},  {UINT64_C(2000000000), "2"},
};

/* Up to GR_HOOK_TIMEOUT_MAX_S. */
const struct gr_bucket gr_run_buckets[GR_BUCKETS] = {
    {10, "0.01"},  {50, "0.05"}, {100, "0.1"},  {250, "0.25"}, {500, "0.5"},  {1000, "1"},
    {2500, "2.5"}, {5000, "5"},  {10000, "10"}, {30000, "30"}, {60000, "60"}, {120000, "120"},
};

static void observe(struct gr_histogram *histogram, const struct gr_bucket buckets[GR_BUCKETS],
                    uint64_t value)
{
    size_t i = 0;

    while (i < GR_BUCKETS && value > buckets[i].le)
        i++;
    histogram->counts[i]++;
    histogram->sum += value;
}

/* ---- series of sets ---- */

static struct gr_series *series_new(struct gr_str name)
{
    struct gr_series *series = calloc(1, sizeof(*series) + name.n + 1);

    if (!series)
        return NULL;
    series->name_bytes = name.n;
    if (name.n)
        memcpy(series->name, name.p, name.n);
    return series;
}

static void series_free(struct gr_series *series)
{
    if (!series)
        return;
    free(series->runs);
    free(series);
}

static struct gr_str name_of(const struct gr_series *series)
{
    return (struct gr_str){.p = series->name, .n = series->name_bytes};
}

/* The slot of this name, or the free one where it belongs. There is always a free one. */
static uint16_t *find_slot(const struct gr_metrics *m, struct gr_str name)
{
    size_t at = (size_t)gr_hash(name) & (m->slots_n - 1);

    while (m->slots[at] && !gr_str_eq(name_of(m->series[m->slots[at] - 1]), name))
        at = (at + 1) & (m->slots_n - 1);
    return &m->slots[at];
}

static bool make_room(struct gr_metrics *m)
{
    size_t cap = m->series_cap ? m->series_cap * 2 : SERIES_FIRST;
    struct gr_series **series;
    uint16_t *slots;

    if (m->series_n < m->series_cap)
        return true;
    slots = calloc(cap * 2, sizeof(*slots));
    series = slots ? realloc(m->series, cap * sizeof(*series)) : NULL;
    if (!series) {
        free(slots);
        return false;
    }
    free(m->slots);
    m->series = series;
    m->series_cap = cap;
    m->slots = slots;
    m->slots_n = cap * 2;
    for (size_t i = 0; i < m->series_n; i++)
        *find_slot(m, name_of(m->series[i])) = (uint16_t)(i + 1);
    return true;
}

static struct gr_series *add_series(struct gr_metrics *m, struct gr_str name)
{
    struct gr_series *series = make_room(m) ? series_new(name) : NULL;

    if (!series)
        return NULL;
    *find_slot(m, name) = (uint16_t)(m->series_n + 1);
    m->series[m->series_n++] = series;
    return series;
}

/* NULL: there is no memory, and the event is not counted. */
static struct gr_series *series_of(struct gr_metrics *m, struct gr_str name)
{
    uint16_t slot = m->slots ? *find_slot(m, name) : 0;

    if (slot)
        return m->series[slot - 1];
    if (m->series_n < GR_METRICS_SETS_MAX && name.n > 0 && name.n <= GR_NAME_MAX_BYTES)
        return add_series(m, name);
    if (!m->rest)
        m->rest = series_new(GR_STR_NONE);
    return m->rest;
}

const struct gr_set_counts *gr_metrics_set(const struct gr_metrics *m, struct gr_str set)
{
    uint16_t slot = m->slots ? *find_slot(m, set) : 0;

    return slot ? &m->series[slot - 1]->counts : NULL;
}

/* ---- requests ---- */

static enum gr_event_failure failure_of(const char *code)
{
    static const struct {
        const char *code;
        enum gr_event_failure failure;
    } known[] = {
        {"bad-request", GR_EVENT_UNREADABLE},
        {"request-too-large", GR_EVENT_UNREADABLE},
        {"message-not-valid", GR_EVENT_UNREADABLE},
        {"message-text-not-valid", GR_EVENT_UNREADABLE},
        {"message-too-deep", GR_EVENT_UNREADABLE},
        {"message-too-large", GR_EVENT_UNREADABLE},
        {"rules-not-loaded", GR_EVENT_NOT_LOADED},
        {"no-memory", GR_EVENT_NO_MEMORY},
        {"reply-too-large", GR_EVENT_REPLY_TOO_LARGE},
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(known); i++) {
        if (strcmp(known[i].code, code) == 0)
            return known[i].failure;
    }
    return GR_EVENT_FAILED;
}

void gr_metrics_answered(struct gr_metrics *m, const struct gr_session_answer *answer)
{
    size_t event = GR_MIN((size_t)answer->method, (size_t)GR_NRI_OTHER);

    m->events[event]++;
    observe(&m->durations[event], gr_request_buckets, answer->took_ns);
    if (answer->failure)
        m->failures[event][failure_of(answer->failure)]++;
}

static enum gr_container_decision decision_of(const struct gr_session_event *event)
{
    const struct gr_decision *decision = event->decision;

    if (event->refused)
        return GR_CONTAINER_DENIED;
    if (!decision)
        return GR_CONTAINER_SKIPPED;
    if (decision->hooks_n > 0 || decision->adjust_n > 0)
        return GR_CONTAINER_INJECTED;
    return decision->exempt || decision->results_n > 0 || decision->objections_n > 0
               ? GR_CONTAINER_SKIPPED
               : GR_CONTAINER_UNMATCHED;
}

/* A set that is there already has nothing to do, and one that would be injected has nothing to do
 * where another one refuses the container. */
static bool is_counted(enum gr_verdict verdict, bool refused)
{
    return verdict != GR_VERDICT_ALREADY && !(refused && verdict == GR_VERDICT_INJECTED);
}

static uint64_t *count_of(struct gr_set_counts *counts, enum gr_verdict verdict)
{
    switch (verdict) {
    case GR_VERDICT_INJECTED:
        return &counts->injected;
    case GR_VERDICT_OBSERVED:
        return &counts->observed;
    case GR_VERDICT_SKIPPED:
        return &counts->skipped;
    case GR_VERDICT_REFUSED:
        return &counts->refused;
    case GR_VERDICT_IGNORED:
    case GR_VERDICT_ALREADY: /* not counted */
        break;
    }
    return &counts->ignored;
}

static void count_result(struct gr_metrics *m, const struct gr_set_result *result, bool refused,
                         int64_t now_s)
{
    struct gr_series *series;

    if (!is_counted(result->verdict, refused))
        return;
    series = series_of(m, result->set->name);
    if (!series)
        return;
    (*count_of(&series->counts, result->verdict))++;
    series->counts.last_s = now_s;
    series->verdicts = true;
}

/* A hook is what came out of sets, policies and what was there already; its mark says whose it is.
 */
static void count_hook(struct gr_metrics *m, const struct gr_oci_hook *hook)
{
    struct gr_str prefix = GR_STR(GR_MARK_NAME "=");
    struct gr_str mark = hook->env.n ? hook->env.items[hook->env.n - 1] : GR_STR_NONE;
    struct gr_series *series;

    if (!gr_str_has_prefix(mark, prefix))
        return;
    mark = gr_str_skip(mark, prefix.n);
    series = series_of(m, gr_str_first(mark, gr_str_rfind(mark, '@')));
    if (series)
        series->hooks[hook->stage]++;
}

/* Objections are no events of sets: what a pod asks for are names that it may have made up. */
void gr_metrics_created(struct gr_metrics *m, const struct gr_session_event *event, int64_t now_s)
{
    const struct gr_decision *decision = event->decision;

    m->containers[decision_of(event)]++;
    if (!decision)
        return;
    for (size_t i = 0; i < decision->results_n; i++)
        count_result(m, &decision->results[i], event->refused, now_s);
    for (size_t i = 0; i < decision->hooks_n; i++)
        count_hook(m, &decision->hooks[i]);
}

/* ---- the connection ---- */

void gr_metrics_shutdown(struct gr_metrics *m)
{
    m->shutdown = true;
}

static enum gr_disconnection disconnection_of(int reason)
{
    switch (-reason) {
    case 0:
    case EPIPE:
    case ECONNRESET:
        return GR_DISCONNECTION_EOF;
    case ETIMEDOUT:
        return GR_DISCONNECTION_TIMEOUT;
    case ECONNREFUSED: /* of a connection that is there: RegisterPlugin was refused */
        return GR_DISCONNECTION_REFUSED;
    case EBADMSG:
    case EPROTO:
    case EMSGSIZE:
        return GR_DISCONNECTION_PROTOCOL;
    default:
        return GR_DISCONNECTION_ERROR;
    }
}

void gr_metrics_disconnected(struct gr_metrics *m, int reason)
{
    m->disconnections[m->shutdown ? GR_DISCONNECTION_SHUTDOWN : disconnection_of(reason)]++;
    m->shutdown = false;
}

/* ---- hooks that ran ---- */

void gr_metrics_hook_run(struct gr_metrics *m, const struct gr_report *report)
{
    struct gr_series *series = series_of(m, report->set);

    if (!series)
        return;
    if (!series->runs)
        series->runs = calloc(1, sizeof(*series->runs));
    if (!series->runs)
        return;
    series->runs->results[report->stage][report->result]++;
    observe(&series->runs->duration, gr_run_buckets, report->duration_ms);
}

/* ---- life ---- */

int gr_metrics_new(const struct gr_log_counts *log, struct gr_metrics **out_metrics)
{
    struct gr_metrics *m = calloc(1, sizeof(*m));

    if (!m)
        return -ENOMEM;
    m->log = log;
    *out_metrics = m;
    return 0;
}

void gr_metrics_free(struct gr_metrics *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->series_n; i++)
        series_free(m->series[i]);
    series_free(m->rest);
    free(m->series);
    free(m->slots);
    free(m);
}
