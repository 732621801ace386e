/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a datagram of a hook runner: what is accepted is within its limits, and reading
 * needs little memory whatever it is.
 */
#include <errno.h>

#include "fuzz.h"

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/read/strict.h"
#include "state/report.h"

#define MEMORY_MAX (64U << 10)

static void check_report(const struct gr_report *report)
{
    FUZZ_CHECK(report->set.n <= GR_NAME_MAX_BYTES && gr_is_dns_subdomain(report->set));
    FUZZ_CHECK(report->id.n <= GR_REPORT_ID_MAX_BYTES && gr_utf8_is_clean(report->id));
    FUZZ_CHECK(report->output.n <= GR_REPORT_OUTPUT_MAX_BYTES && gr_utf8_is_clean(report->output));
    FUZZ_CHECK(report->code <= GR_REPORT_CODE_MAX);
    FUZZ_CHECK(report->duration_ms <= GR_REPORT_DURATION_MAX_MS);
    FUZZ_CHECK(report->stage < GR_STAGE_COUNT && report->result <= GR_REPORT_VERIFY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_exact((struct gr_str){.p = (const char *)data, .n = size});
    const struct gr_str text = {.p = copy, .n = size};
    struct gr_err err = {0};
    struct gr_report report;
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 1024, MEMORY_MAX);
    r = gr_report_read(&arena, text, &report, &err);
    FUZZ_CHECK(r == 0 || r == -EINVAL || r == -E2BIG);
    FUZZ_CHECK(r == 0 || (err.code && err.text[0]));
    if (r == 0)
        check_report(&report);
    gr_arena_fini(&arena);
    free(copy);
    return 0;
}
