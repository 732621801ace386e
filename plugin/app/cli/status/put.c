/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/status/put.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/cli/shared/terminal.h"
#include "base/utf8.h"

#define SETTING_COLUMNS 18

const char *gr_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

long long gr_number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

bool gr_truth_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool gr_is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

void gr_put(const char *text)
{
    char line[GR_STATUS_LINE_BYTES];

    (void)snprintf(line, sizeof(line), "%s", text);
    gr_utf8_make_printable(line);
    (void)fputs(line, stdout);
}

void gr_put_coloured(const char *colour, const char *text)
{
    bool has = gr_has_colours() && colour;

    if (has)
        (void)printf("\033[%sm", colour);
    gr_put(text);
    if (has)
        (void)fputs("\033[0m", stdout);
}

void gr_put_heading(const char *text)
{
    (void)fputc('\n', stdout);
    gr_put_coloured(GR_BOLD, text);
    (void)fputc('\n', stdout);
}

size_t gr_columns_of(const char *text, size_t n)
{
    size_t columns = 0;

    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)text[i] & 0xC0) != 0x80;
    return columns;
}

void gr_put_wrapped(size_t column, size_t indent, const char *text)
{
    char line[GR_STATUS_LINE_BYTES];
    const char *word = line;
    bool begun = false;

    (void)snprintf(line, sizeof(line), "%s", text);
    gr_utf8_make_printable(line);
    while (*word) {
        size_t n = strcspn(word, " ");
        size_t columns = gr_columns_of(word, n);

        if (begun && column + 1 + columns > GR_STATUS_COLUMNS) {
            (void)printf("\n%*s", (int)indent, "");
            column = indent;
            begun = false;
        }
        (void)printf("%s%.*s", begun ? " " : "", (int)n, word);
        column += columns + begun;
        begun = true;
        word += n + (word[n] == ' ');
    }
    (void)fputc('\n', stdout);
}

void gr_put_line(const char *name, const char *format, ...)
{
    char text[GR_STATUS_LINE_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)printf("  %-*s ", SETTING_COLUMNS, name);
    gr_put_wrapped(SETTING_COLUMNS + 3, SETTING_COLUMNS + 3, text);
}

const char *gr_plural(long long n)
{
    return n == 1 ? "" : "s";
}

struct gr_duration gr_since_text(const char *text)
{
    struct tm utc = {0};

    if (!strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        return (struct gr_duration){"?"};
    return gr_duration((long long)(time(NULL) - timegm(&utc)));
}
