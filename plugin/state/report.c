/* SPDX-License-Identifier: Apache-2.0 */
#include "state/report.h"

#include <errno.h>

#include "rules/limits.h"
#include "rules/read/strict.h"
#include "state/object.h"

#define VERSION 1

enum { V, SET, HASH, ID, STAGE, RESULT, CODE, DURATION, OUTPUT };

static const struct gr_member members[] = {
    [V] = {"v", GR_JSON_NUMBER, true, UINT32_MAX},
    [SET] = {"set", GR_JSON_STRING, true, GR_NAME_MAX_BYTES},
    [HASH] = {"hash", GR_JSON_STRING, true, GR_HEX_DIGITS},
    [ID] = {"id", GR_JSON_STRING, true, GR_REPORT_ID_MAX_BYTES},
    [STAGE] = {"stage", GR_JSON_STRING, true, 32},
    [RESULT] = {"result", GR_JSON_STRING, true, 16},
    [CODE] = {"code", GR_JSON_NUMBER, false, GR_REPORT_CODE_MAX},
    [DURATION] = {"durationMs", GR_JSON_NUMBER, true, GR_REPORT_DURATION_MAX_MS},
    [OUTPUT] = {"output", GR_JSON_STRING, false, GR_REPORT_OUTPUT_MAX_BYTES},
};

static const char *const result_names[] = {
    [GR_REPORT_OK] = "ok",           [GR_REPORT_EXIT] = "exit", [GR_REPORT_SIGNAL] = "signal",
    [GR_REPORT_TIMEOUT] = "timeout", [GR_REPORT_EXEC] = "exec", [GR_REPORT_VERIFY] = "verify",
};

const char *gr_report_result_name(enum gr_report_result result)
{
    return result_names[result];
}

static bool parse_result(struct gr_str text, enum gr_report_result *out_result)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(result_names); i++) {
        if (gr_str_is(text, result_names[i])) {
            *out_result = (enum gr_report_result)i;
            return true;
        }
    }
    return false;
}

static int check(const struct gr_member_value *v, struct gr_report *report, struct gr_err *err)
{
    if (v[V].number != VERSION)
        return gr_fail(err, -EINVAL, "bad-report", "it is of version %llu, expected %d",
                       (unsigned long long)v[V].number, VERSION);
    if (!gr_is_dns_subdomain(v[SET].text))
        return gr_fail(err, -EINVAL, "bad-report", "\"set\" is no name of a set");
    /* As in a mark. */
    if (v[HASH].text.n != GR_HEX_DIGITS || gr_str_hex_to_u64(v[HASH].text, &report->hash) != 0)
        return gr_fail(err, -EINVAL, "bad-report", "expected %d hexadecimal digits for \"hash\"",
                       GR_HEX_DIGITS);
    if (!gr_stage_parse(v[STAGE].text, &report->stage))
        return gr_fail(err, -EINVAL, "bad-report", "\"stage\" is none of OCI's");
    if (!parse_result(v[RESULT].text, &report->result))
        return gr_fail(err, -EINVAL, "bad-report",
                       "expected ok, exit, signal, timeout, exec or verify for \"result\"");
    if ((report->result == GR_REPORT_EXIT || report->result == GR_REPORT_SIGNAL) &&
        v[CODE].number == 0)
        return gr_fail(err, -EINVAL, "bad-report", "a failed run needs its \"code\", from 1");
    return 0;
}

int gr_report_read(struct gr_arena *arena, struct gr_str text, struct gr_report *out_report,
                   struct gr_err *err)
{
    struct gr_member_value v[GR_ARRAY_LEN(members)];
    const struct gr_json_node *root;
    struct gr_report report = {0};
    int r = 0;

    if (text.n > GR_REPORT_MAX_BYTES)
        return gr_fail(err, -EINVAL, "bad-report", "it has more than %d bytes",
                       GR_REPORT_MAX_BYTES);
    r = gr_json_read_all(arena, text, GR_REPORT_VALUES_MAX, &root, err);
    if (r == 0)
        r = gr_object_read(arena, text, root, members, GR_ARRAY_LEN(members), v, err);
    if (r == 0)
        r = check(v, &report, err);
    if (r)
        return r;
    report.set = v[SET].text;
    report.id = v[ID].text;
    report.code = (uint32_t)v[CODE].number;
    report.duration_ms = v[DURATION].number;
    report.output = v[OUTPUT].text;
    *out_report = report;
    return 0;
}
