/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/metrics/metrics_text.h"

#include <stdio.h>

#include "base/utf8.h"

void gr_metrics_begin(struct gr_metrics_out *out, const struct gr_metrics_family *family)
{
    out->name = family->name;
    (void)gr_buf_printf(out->to, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                        family->name, family->type);
}

/* A reader refuses a whole text for one value that is no UTF-8. */
static void put_value(struct gr_buf *to, struct gr_str s)
{
    while (s.n > 0) {
        uint32_t rune = 0;
        size_t n = gr_utf8_next(s, &rune);

        if (n == 0)
            (void)gr_buf_text(to, "\xEF\xBF\xBD"); /* U+FFFD */
        else if (rune == '\n')
            (void)gr_buf_text(to, "\\n");
        else if (rune == '"' || rune == '\\')
            (void)gr_buf_printf(to, "\\%c", (char)rune);
        else
            (void)gr_buf_add(to, s.p, n);
        s = gr_str_skip(s, GR_MAX(n, (size_t)1));
    }
}

void gr_metrics_line_text(struct gr_metrics_out *out, const char *suffix, const char *value,
                          const struct gr_metrics_label *labels, size_t labels_n)
{
    struct gr_buf *to = out->to;

    (void)gr_buf_text(to, out->name);
    (void)gr_buf_text(to, suffix);
    for (size_t i = 0; i < labels_n; i++) {
        (void)gr_buf_byte(to, i == 0 ? '{' : ',');
        (void)gr_buf_text(to, labels[i].name);
        (void)gr_buf_text(to, "=\"");
        put_value(to, labels[i].value);
        (void)gr_buf_byte(to, '"');
    }
    if (labels_n > 0)
        (void)gr_buf_byte(to, '}');
    (void)gr_buf_byte(to, ' ');
    (void)gr_buf_text(to, value);
    (void)gr_buf_byte(to, '\n');
}

void gr_metrics_line(struct gr_metrics_out *out, const char *suffix, uint64_t value,
                     const struct gr_metrics_label *labels, size_t labels_n)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    gr_metrics_line_text(out, suffix, text, labels, labels_n);
}

void gr_metrics_values(struct gr_metrics_out *out, const struct gr_metrics_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gr_metrics_begin(out, &values[i].family);
        if (!values[i].unknown)
            gr_metrics_line(out, "", values[i].value, NULL, 0);
    }
}

void gr_metrics_lines(struct gr_metrics_out *out, const char *label, const char *const *names,
                      const uint64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        GR_METRICS_LINE(out, "", values[i], GR_METRICS_LABEL(label, names[i]));
}

/* Exact: a double would lose the nanoseconds of a process that runs for months. */
static void put_seconds(char out[48], uint64_t value, uint64_t per_second)
{
    int digits = per_second == 1000 ? 3 : 9;

    (void)snprintf(out, 48, "%llu.%0*llu", (unsigned long long)(value / per_second), digits,
                   (unsigned long long)(value % per_second));
}

void gr_metrics_histogram(struct gr_metrics_out *out, const struct gr_histogram *histogram,
                          const struct gr_bucket buckets[GR_BUCKETS], uint64_t per_second,
                          const struct gr_metrics_label *label)
{
    uint64_t count = 0;
    char sum[48];

    for (size_t i = 0; i <= GR_BUCKETS; i++) {
        count += histogram->counts[i];
        GR_METRICS_LINE(out, "_bucket", count, *label,
                        GR_METRICS_LABEL("le", i < GR_BUCKETS ? buckets[i].text : "+Inf"));
    }
    put_seconds(sum, histogram->sum, per_second);
    gr_metrics_line_text(out, "_sum", sum, label, 1);
    gr_metrics_line(out, "_count", count, label, 1);
}
