/* SPDX-License-Identifier: Apache-2.0 */
/* Events are counted while allocations fail: some may be lost, none harms, nothing leaks. */
#include "failing.h"
#include "testing.h"

#include <errno.h>

#include "app/daemon/metrics/metrics.h"

/* So many that the table of sets grows. */
#define SETS 40

static void happens_to(struct gr_metrics *metrics, struct gr_str name)
{
    const struct gr_hookset set = {.name = name};
    const struct gr_set_result result = {.set = &set, .verdict = GR_VERDICT_INJECTED};
    const struct gr_decision decision = {.results = &result, .results_n = 1};
    const struct gr_session_event event = {.decision = &decision};
    const struct gr_report run = {.set = name, .stage = GR_STAGE_POSTSTOP};

    gr_metrics_created(metrics, &event, 1);
    gr_metrics_hook_run(metrics, &run);
}

static int count_and_write(void *user)
{
    static const struct gr_load_result load;
    const struct gr_view view = {
        .rules.load = &load, .session.state = GR_SESSION_CLOSED, .session.index = "10"};
    struct gr_metrics *metrics = NULL;
    struct gr_buf text;
    int r = gr_metrics_new(NULL, &metrics);

    (void)user;
    if (r)
        return r;
    for (int i = 0; i < SETS; i++) {
        char name[16];
        const struct gr_set_counts *counts;

        (void)snprintf(name, sizeof(name), "set-%d", i);
        happens_to(metrics, gr_str_from(name));
        happens_to(metrics, gr_str_from(name));
        counts = gr_metrics_set(metrics, gr_str_from(name));
        assert_true(!counts || counts->injected == 1 || counts->injected == 2);
    }
    happens_to(metrics, GR_STR_NONE);
    gr_buf_init(&text, GR_METRICS_TEXT_MAX_BYTES);
    r = gr_metrics_write(metrics, &view, &text);
    gr_buf_fini(&text);
    gr_metrics_free(metrics);
    return r;
}

static void counting_fails(void **state)
{
    (void)state;
    failing_run(count_and_write, NULL);
}

int main(void)
{
    test_add("counting and writing", counting_fails);
    return test_run("metrics_fault");
}
