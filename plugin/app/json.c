/* SPDX-License-Identifier: Apache-2.0 */
#include "app/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/utc.h"
#include "base/utf8.h"

json_t *gr_json_str(struct gr_str text)
{
    char *copy;
    json_t *value;

    if (gr_utf8_is_clean(text))
        return json_stringn(text.p ? text.p : "", text.n);
    copy = malloc(text.n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    gr_utf8_make_printable(copy);
    value = json_string(copy);
    free(copy);
    return value;
}

void gr_json_set_str(json_t *object, const char *key, struct gr_str text)
{
    if (text.n > 0)
        (void)json_object_set_new(object, key, gr_json_str(text));
}

void gr_json_set_text(json_t *object, const char *key, const char *text)
{
    gr_json_set_str(object, key, gr_str_from(text));
}

void gr_json_set_count(json_t *object, const char *key, uint64_t n)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)n));
}

void gr_json_set_time(json_t *object, const char *key, int64_t seconds)
{
    char text[GR_UTC_BYTES];

    if (seconds != 0)
        (void)json_object_set_new(object, key, json_string(gr_utc_text(seconds, text)));
}

bool gr_json_directory(const char *path, char text[GR_JSON_DIRECTORY_BYTES])
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    (void)snprintf(text, GR_JSON_DIRECTORY_BYTES, "%llx:%llx", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    return true;
}

json_t *gr_finding_json(enum gr_level level, const struct gr_err *err)
{
    json_t *object = json_object();

    gr_json_set_str(object, "level", gr_str_from(gr_level_name(level)));
    gr_json_set_str(object, "code", gr_str_from(err->code));
    gr_json_set_str(object, "file", gr_str_from(err->file));
    if (err->line) {
        (void)json_object_set_new(object, "line", json_integer(err->line));
        (void)json_object_set_new(object, "column", json_integer(err->column));
    }
    gr_json_set_str(object, "field", gr_str_from(err->field));
    gr_json_set_str(object, "text", gr_str_from(err->text));
    return object;
}
