/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/log: one line per event, in logfmt or JSON, to stderr or syslog.
 *
 * Layer: app; nothing below it logs. A runtime gives a launched plugin /dev/null as stderr, so then
 * lines go to syslog. Where stderr is systemd's journal each line begins with its priority, as
 * sd-daemon(3) has it, and without the time, which the journal notes itself. Control characters
 * never reach the output as they are: names and annotations belong to whoever writes pods. May be
 * used by several threads.
 */
#ifndef GR_APP_LOG_H
#define GR_APP_LOG_H

#include "load/config.h"

/* Lines that were written. */
struct gr_log_counts {
    _Atomic uint64_t lines[GR_LEVEL_DEBUG + 1];
};

struct gr_log {
    enum gr_level level; /* lines above it are dropped */
    enum gr_log_format format;
    bool syslog;
    bool journal; /* stderr is the journal's */
    enum gr_audit_log audit;
    struct gr_log_counts *counts; /* NULL: nobody counts */
};

struct gr_log_field {
    const char *key;
    enum { GR_LOG_IS_STR, GR_LOG_IS_INT } kind;
    struct gr_str str;
    int64_t number;
};

#define GR_LOG_STR(k, s) ((struct gr_log_field){.key = (k), .kind = GR_LOG_IS_STR, .str = (s)})
#define GR_LOG_TEXT(k, s) GR_LOG_STR(k, gr_str_from(s))
#define GR_LOG_INT(k, n) \
    ((struct gr_log_field){.key = (k), .kind = GR_LOG_IS_INT, .number = (int64_t)(n)})

/* Level info, logfmt, no audit; syslog when stderr is /dev/null (ident: how lines are labelled
 * there; borrowed for ever). */
void gr_log_init(struct gr_log *log, const char *ident);

static inline bool gr_log_wants(const struct gr_log *log, enum gr_level level)
{
    return level <= log->level;
}

/* Whether an audit line of this level is written anywhere. */
static inline bool gr_log_wants_audit(const struct gr_log *log, enum gr_level level)
{
    return gr_log_wants(log, level) || log->audit != GR_AUDIT_NONE;
}

/* Writes one line; fields with an empty string are left out. */
void gr_log_write(const struct gr_log *log, enum gr_level level, const char *message,
                  const struct gr_log_field *fields, size_t fields_n);

/* GR_LOG(log, GR_LEVEL_INFO, "message", GR_LOG_TEXT("key", text), …); at least one field. */
#define GR_LOG(log, level, message, ...)                                                \
    gr_log_write((log), (level), (message), (const struct gr_log_field[]){__VA_ARGS__}, \
                 sizeof((const struct gr_log_field[]){__VA_ARGS__}) / sizeof(struct gr_log_field))

/* The same for what was done to a container or to a set: written again where log->audit says, there
 * whatever the level of the log is. */
void gr_log_audit_write(const struct gr_log *log, enum gr_level level, const char *message,
                        const struct gr_log_field *fields, size_t fields_n);
#define GR_LOG_AUDIT(log, level, message, ...)                                                \
    gr_log_audit_write((log), (level), (message), (const struct gr_log_field[]){__VA_ARGS__}, \
                       sizeof((const struct gr_log_field[]){__VA_ARGS__}) /                   \
                           sizeof(struct gr_log_field))

/* A finding as a line: its position and text as fields. */
void gr_log_finding(const struct gr_log *log, enum gr_level level, const struct gr_err *err);

#endif
