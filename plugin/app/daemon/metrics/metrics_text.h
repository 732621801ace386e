/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/metrics_text: lines of Prometheus's text format 0.0.4.
 *
 * Layer: app. Failures stay in the buffer (base/buf), so that a run of lines is checked once.
 */
#ifndef GR_APP_DAEMON_METRICS_METRICS_TEXT_H
#define GR_APP_DAEMON_METRICS_METRICS_TEXT_H

#include "app/daemon/metrics/metrics_parts.h"

struct gr_metrics_family {
    const char *name, *type, *help;
};

/* tests/lint/metrics reads it: in one place name, type and labels of each. */
#define GR_METRICS_FAMILY(name, type, labels, help) \
    {                                               \
        (name), (type), (help)                      \
    }

struct gr_metrics_label {
    const char *name;
    struct gr_str value; /* anything: it is escaped, and what is no UTF-8 is replaced */
};

struct gr_metrics_out {
    struct gr_buf *to;
    const char *name; /* of the family that is being written */
};

#define GR_METRICS_LABEL_STR(n, v) ((struct gr_metrics_label){.name = (n), .value = (v)})
#define GR_METRICS_LABEL(n, v) GR_METRICS_LABEL_STR(n, gr_str_from(v))

/* HELP and TYPE. */
void gr_metrics_begin(struct gr_metrics_out *out, const struct gr_metrics_family *family);

/* A whole family of one sample without labels. */
struct gr_metrics_value {
    struct gr_metrics_family family;
    uint64_t value;
    bool unknown; /* then it has none */
};

void gr_metrics_values(struct gr_metrics_out *out, const struct gr_metrics_value *values, size_t n);

/* A sample for each value of one label. */
void gr_metrics_lines(struct gr_metrics_out *out, const char *label, const char *const *names,
                      const uint64_t *values, size_t n);

/* One sample of the family. suffix: of the name, "" or "_bucket". */
void gr_metrics_line(struct gr_metrics_out *out, const char *suffix, uint64_t value,
                     const struct gr_metrics_label *labels, size_t labels_n);

/* The same with the value as text. */
void gr_metrics_line_text(struct gr_metrics_out *out, const char *suffix, const char *value,
                          const struct gr_metrics_label *labels, size_t labels_n);

/* GR_METRICS_LINE(out, "", 1, GR_METRICS_LABEL("reason", "eof"), …); at least one label. */
#define GR_METRICS_LINE(out, suffix, value, ...)                                              \
    gr_metrics_line((out), (suffix), (value), (const struct gr_metrics_label[]){__VA_ARGS__}, \
                    sizeof((const struct gr_metrics_label[]){__VA_ARGS__}) /                  \
                        sizeof(struct gr_metrics_label))

/* A histogram with one label. per_second: how many of its units make a second. */
void gr_metrics_histogram(struct gr_metrics_out *out, const struct gr_histogram *histogram,
                          const struct gr_bucket buckets[GR_BUCKETS], uint64_t per_second,
                          const struct gr_metrics_label *label);

/* The families that app/daemon/view tells; gr_metrics_write is their caller. */
void gr_metrics_write_view(struct gr_metrics_out *out, const struct gr_view *view);

#endif
