/* SPDX-License-Identifier: Apache-2.0 */
#include "app/log.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"

/* One line; what does not fit is cut, the longest values first. Two findings with all their text
 * fit. */
#define LINE_MAX_BYTES 4096

#define DEV_NULL_MAJOR 1
#define DEV_NULL_MINOR 3

static bool is_null(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && major(st->st_rdev) == DEV_NULL_MAJOR &&
           minor(st->st_rdev) == DEV_NULL_MINOR;
}

/* systemd says which file the journal reads: device and inode, since somebody may have redirected
 * stderr meanwhile. */
static bool is_journal(const struct stat *st)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char text[64];

    (void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
    return stream && strcmp(stream, text) == 0;
}

void gr_log_init(struct gr_log *log, const char *ident)
{
    struct stat st;
    bool open = fstat(STDERR_FILENO, &st) == 0;

    *log = (struct gr_log){.level = GR_LEVEL_INFO, .format = GR_LOG_LOGFMT};
    log->syslog = !open || is_null(&st);
    log->journal = open && is_journal(&st);
    /* Opened also for an audit log that is asked for later: a sandbox may forbid it then. */
    openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

static void put_time(char out[32])
{
    struct timespec now;
    struct tm utc;
    size_t n;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + n, 32 - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

static bool needs_quotes(struct gr_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F)
            return true;
    }
    return s.n == 0;
}

/* A character as it is, one that a line must not hold as \uXXXX, a byte that is no UTF-8 as \xXX.
 */
static void put_escaped(struct gr_buf *line, struct gr_str s)
{
    while (s.n > 0) {
        uint32_t rune = 0;
        size_t n = gr_utf8_next(s, &rune);

        if (n == 0)
            (void)gr_buf_printf(line, "\\x%02x", (unsigned char)s.p[0]);
        else if (!gr_utf8_is_plain(rune))
            (void)gr_buf_printf(line, "\\u%04x", rune);
        else if (rune == '"' || rune == '\\')
            (void)gr_buf_printf(line, "\\%c", (char)rune);
        else
            (void)gr_buf_add(line, s.p, n);
        s = gr_str_skip(s, GR_MAX(n, (size_t)1));
    }
}

static void put_logfmt(struct gr_buf *line, const char *key, struct gr_str value, size_t value_max)
{
    value = gr_str_first(value, value_max);
    if (line->len > 0)
        (void)gr_buf_byte(line, ' ');
    (void)gr_buf_text(line, key);
    (void)gr_buf_byte(line, '=');
    if (!needs_quotes(value)) {
        (void)gr_buf_str(line, value);
        return;
    }
    (void)gr_buf_byte(line, '"');
    put_escaped(line, value);
    (void)gr_buf_byte(line, '"');
}

static void make_logfmt(struct gr_buf *line, const char *time, enum gr_level level,
                        const char *message, const struct gr_log_field *fields, size_t n,
                        size_t value_max)
{
    if (time)
        put_logfmt(line, "time", gr_str_from(time), SIZE_MAX);
    put_logfmt(line, "level", gr_str_from(gr_level_name(level)), SIZE_MAX);
    put_logfmt(line, "msg", gr_str_from(message), value_max);
    for (size_t i = 0; i < n; i++) {
        char number[24];

        if (fields[i].kind == GR_LOG_IS_INT) {
            (void)snprintf(number, sizeof(number), "%lld", (long long)fields[i].number);
            put_logfmt(line, fields[i].key, gr_str_from(number), SIZE_MAX);
        } else if (fields[i].str.n > 0) {
            put_logfmt(line, fields[i].key, fields[i].str, value_max);
        }
    }
}

/* What one value may take; cut at a character's edge. jansson refuses text that is no UTF-8, so
 * such text is escaped first. */
static json_t *json_text(struct gr_str s, size_t value_max)
{
    bool valid = gr_utf8_is_valid(s);
    struct gr_buf escaped;
    json_t *value;

    s = gr_str_first(s, value_max);
    if (valid)
        return json_stringn(s.p ? s.p : "", gr_utf8_valid_prefix(s));
    gr_buf_init(&escaped, LINE_MAX_BYTES);
    put_escaped(&escaped, s);
    value = json_stringn((const char *)escaped.data, escaped.len);
    gr_buf_fini(&escaped);
    return value;
}

/* ASCII only: a terminal takes some other characters for commands, or turns the line round. */
static void make_json(struct gr_buf *line, const char *time, enum gr_level level,
                      const char *message, const struct gr_log_field *fields, size_t n,
                      size_t value_max)
{
    const size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII;
    json_t *object = json_object();
    size_t bytes;
    uint8_t *to;

    if (time)
        (void)json_object_set_new(object, "time", json_string(time));
    (void)json_object_set_new(object, "level", json_string(gr_level_name(level)));
    (void)json_object_set_new(object, "msg", json_text(gr_str_from(message), value_max));
    for (size_t i = 0; i < n; i++) {
        if (fields[i].kind == GR_LOG_IS_INT)
            (void)json_object_set_new(object, fields[i].key, json_integer(fields[i].number));
        else if (fields[i].str.n > 0)
            (void)json_object_set_new(object, fields[i].key, json_text(fields[i].str, value_max));
    }
    bytes = json_dumpb(object, NULL, 0, flags);
    to = bytes ? gr_buf_grow(line, bytes) : NULL;
    if (to)
        (void)json_dumpb(object, (char *)to, bytes, flags);
    json_decref(object);
}

/* Where a line would be too long its longest values are cut, so that a long value of a pod's does
 * not push out what was decided about it. */
static void make_line(const struct gr_log *log, struct gr_buf *line, enum gr_level level,
                      const char *message, const struct gr_log_field *fields, size_t n)
{
    char buffer[32];
    const char *time = log->syslog || log->journal ? NULL : buffer;

    put_time(buffer);
    for (size_t value_max = LINE_MAX_BYTES; value_max > 0; value_max /= 2) {
        gr_buf_reset(line, LINE_MAX_BYTES);
        if (log->format == GR_LOG_JSON)
            make_json(line, time, level, message, fields, n, value_max);
        else
            make_logfmt(line, time, level, message, fields, n, value_max);
        if (!line->broken)
            return;
    }
}

static int priority_of(enum gr_level level)
{
    static const int priorities[] = {
        [GR_LEVEL_ERROR] = LOG_ERR,
        [GR_LEVEL_WARNING] = LOG_WARNING,
        [GR_LEVEL_INFO] = LOG_INFO,
        [GR_LEVEL_DEBUG] = LOG_DEBUG,
    };

    return priorities[level];
}

/* One write, so that lines of two threads or processes do not mix. */
static void write_line(int fd, struct gr_buf *line)
{
    line->broken = 0; /* what there is of a line still ends */
    line->max++;
    (void)gr_buf_byte(line, '\n');
    if (line->data && write(fd, line->data, line->len) < 0)
        (void)0; /* nowhere left to say it */
}

static void send_syslog(enum gr_level level, const struct gr_buf *line)
{
    syslog(priority_of(level), "%.*s", (int)line->len, (const char *)line->data);
}

/* A line of the journal tells its priority first: <6>. */
static void prefix_priority(struct gr_buf *line, enum gr_level level)
{
    char prefix[8];
    int n = snprintf(prefix, sizeof(prefix), "<%d>", priority_of(level));

    line->max += (size_t)n;
    if (gr_buf_grow(line, (size_t)n)) {
        memmove(line->data + n, line->data, line->len - (size_t)n);
        memcpy(line->data, prefix, (size_t)n);
    }
}

void gr_log_write(const struct gr_log *log, enum gr_level level, const char *message,
                  const struct gr_log_field *fields, size_t fields_n)
{
    struct gr_buf line;

    if (!gr_log_wants(log, level))
        return;
    if (log->counts)
        (void)atomic_fetch_add_explicit(&log->counts->lines[level], 1, memory_order_relaxed);
    gr_buf_init(&line, LINE_MAX_BYTES);
    make_line(log, &line, level, message, fields, fields_n);
    if (log->syslog) {
        send_syslog(level, &line);
    } else {
        line.broken = 0;
        if (log->journal)
            prefix_priority(&line, level);
        write_line(STDERR_FILENO, &line);
    }
    gr_buf_fini(&line);
}

void gr_log_audit_write(const struct gr_log *log, enum gr_level level, const char *message,
                        const struct gr_log_field *fields, size_t fields_n)
{
    struct gr_log copy = *log;
    struct gr_buf line;

    gr_log_write(log, level, message, fields, fields_n);
    /* To syslog once, also when it is where the log goes. */
    if (log->audit == GR_AUDIT_NONE ||
        (log->audit == GR_AUDIT_SYSLOG && log->syslog && gr_log_wants(log, level)))
        return;
    copy.syslog = log->audit == GR_AUDIT_SYSLOG;
    copy.journal = false;
    gr_buf_init(&line, LINE_MAX_BYTES);
    make_line(&copy, &line, level, message, fields, fields_n);
    if (copy.syslog)
        send_syslog(level, &line);
    else
        write_line(STDOUT_FILENO, &line);
    gr_buf_fini(&line);
}

void gr_log_finding(const struct gr_log *log, enum gr_level level, const struct gr_err *err)
{
    GR_LOG(log, level, err->text, GR_LOG_TEXT("code", err->code), GR_LOG_TEXT("file", err->file),
           GR_LOG_INT("line", err->line), GR_LOG_INT("column", err->column),
           GR_LOG_TEXT("field", err->field));
}
