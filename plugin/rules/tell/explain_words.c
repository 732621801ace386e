/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/tell/explain_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/read/findings.h"
#include "rules/mounts.h"
#include "rules/match/scope.h"

#define ELLIPSIS "…"

void gr_words_add(struct gr_words *words, const char *format, ...)
{
    size_t room = sizeof(words->text) - sizeof(ELLIPSIS) + 1 - words->n;
    va_list args;
    int n;

    if (words->cut)
        return;
    va_start(args, format);
    n = vsnprintf(words->text + words->n, room, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < room) {
        words->n += (size_t)n;
        return;
    }
    words->cut = true;
    words->n = strlen(words->text);
}

int gr_words_take(struct gr_words *words, struct gr_arena *arena, struct gr_str *out)
{
    gr_utf8_make_printable(words->text); /* also takes away half a character at a cut */
    words->n = strlen(words->text);
    if (words->cut)
        (void)snprintf(words->text + words->n, sizeof(words->text) - words->n, ELLIPSIS);
    return gr_arena_str(arena, gr_str_from(words->text), out) ? 0 : -ENOMEM;
}

/* Whether a text reads as one word without quotes. */
static bool is_word(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr("-_./:@=*?+~%", c))))
            return false;
    }
    return text.n > 0;
}

static void add_quoted(struct gr_words *words, struct gr_str text)
{
    struct gr_shown shown = gr_show(text);

    gr_words_add(words, "\"%s\"", shown.text);
}

static void add_word(struct gr_words *words, struct gr_str text)
{
    struct gr_shown shown = gr_show(text);

    if (is_word(text))
        gr_words_add(words, "%s", shown.text);
    else
        add_quoted(words, text);
}

/* Before element i of n; false when no further one is shown. */
static bool begin_element(struct gr_words *words, size_t i, size_t n)
{
    if (i >= GR_EXPLAIN_VALUES_MAX) {
        gr_words_add(words, ", %zu more", n - i);
        return false;
    }
    gr_words_add(words, "%s", i == 0 ? "" : ", ");
    return true;
}

static void add_items(struct gr_words *words, const struct gr_test *items, size_t n)
{
    gr_words_add(words, "[");
    for (size_t i = 0; i < n && begin_element(words, i, n); i++)
        add_word(words, items[i].text);
    gr_words_add(words, "]");
}

static void add_test(struct gr_words *words, const struct gr_test *test)
{
    switch (test->kind) {
    case GR_TEST_EXACT:
        gr_words_add(words, "is ");
        break;
    case GR_TEST_IMAGE:
        add_word(words, test->text);
        return;
    case GR_TEST_GLOB:
        gr_words_add(words, "glob ");
        break;
    case GR_TEST_PREFIX:
        gr_words_add(words, "prefix ");
        break;
    case GR_TEST_REGEX:
        gr_words_add(words, gr_regex_is_search(test->regex) ? "regex search " : "regex ");
        break;
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
        gr_words_add(words, test->kind == GR_TEST_IN ? "in " : "notIn ");
        add_items(words, test->items, test->items_n);
        return;
    case GR_TEST_EXISTS:
        gr_words_add(words, "exists: %s", test->exists ? "true" : "false");
        return;
    }
    add_quoted(words, test->text);
}

/* All of them texts as they are, which read well as a plain list. */
static bool are_plain(struct gr_tests tests)
{
    for (size_t i = 0; i < tests.n; i++) {
        if (tests.items[i].kind != GR_TEST_EXACT && tests.items[i].kind != GR_TEST_IMAGE)
            return false;
    }
    return true;
}

void gr_words_tests(struct gr_words *words, struct gr_tests tests)
{
    if (tests.n == 1) {
        add_test(words, &tests.items[0]);
        return;
    }
    gr_words_add(words, "any of ");
    if (are_plain(tests)) {
        add_items(words, tests.items, tests.n);
        return;
    }
    gr_words_add(words, "[");
    for (size_t i = 0; i < tests.n && begin_element(words, i, tests.n); i++)
        add_test(words, &tests.items[i]);
    gr_words_add(words, "]");
}

static const char *part_name(enum gr_field field, size_t part)
{
    static const char *const of_mount[] = {"source", "destination", "type"};
    static const char *const of_entry[] = {"key", "value"};

    return field == GR_FIELD_MOUNTS ? of_mount[part] : of_entry[part];
}

static void add_pattern(struct gr_words *words, enum gr_field field,
                        const struct gr_pattern *pattern)
{
    const char *comma = "";

    gr_words_add(words, "{");
    for (size_t part = 0; part < GR_PARTS_MAX; part++) {
        if (pattern->parts[part].n == 0)
            continue;
        gr_words_add(words, "%s%s ", comma, part_name(field, part));
        gr_words_tests(words, pattern->parts[part]);
        comma = ", ";
    }
    gr_words_add(words, "}");
}

static void add_leaf(struct gr_words *words, const struct gr_cond *leaf)
{
    gr_words_add(words, "%s", gr_field_name(leaf->field));
    if (leaf->field == GR_FIELD_REQUESTED) {
        gr_words_add(words, ": true");
        return;
    }
    if (gr_field_is_map(leaf->field)) {
        struct gr_shown key = gr_show(leaf->key);

        gr_words_add(words, "[\"%s\"]", key.text);
    }
    gr_words_add(words, " ");
    if (!gr_field_has_parts(leaf->field) || leaf->patterns_n == 0) {
        gr_words_tests(words, leaf->tests);
        return;
    }
    for (size_t i = 0; i < leaf->patterns_n && begin_element(words, i, leaf->patterns_n); i++)
        add_pattern(words, leaf->field, &leaf->patterns[i]);
}

void gr_words_cond(struct gr_words *words, const struct gr_cond *cond, bool negated)
{
    gr_words_add(words, "%s", negated ? "not: " : "");
    if (cond->kind == GR_COND_LEAF)
        add_leaf(words, cond);
    else if (cond->kind == GR_COND_ALWAYS)
        gr_words_add(words, "always: %s", cond->always ? "true" : "false");
    else
        gr_words_add(words, "a condition that this version does not know");
}

static void add_strs(struct gr_words *words, struct gr_strs strs)
{
    if (strs.n == 0) {
        gr_words_add(words, "none");
        return;
    }
    gr_words_add(words, "[");
    for (size_t i = 0; i < strs.n && begin_element(words, i, strs.n); i++)
        add_word(words, strs.items[i]);
    gr_words_add(words, "]");
}

/* Without the standard ones, which no leaf looks at. */
static void add_mounts(struct gr_words *words, const struct gr_subject *subject)
{
    size_t all = 0, shown = 0;

    for (size_t i = 0; i < subject->mounts_n; i++)
        all += !gr_mount_is_standard(&subject->mounts[i]);
    if (all == 0)
        gr_words_add(words, "none");
    for (size_t i = 0; i < subject->mounts_n; i++) {
        const struct gr_mount *mount = &subject->mounts[i];

        if (gr_mount_is_standard(mount))
            continue;
        if (!begin_element(words, shown++, all))
            return;
        add_word(words, mount->destination);
        gr_words_add(words, " from ");
        add_word(words, mount->source);
        gr_words_add(words, " (");
        add_word(words, mount->type);
        gr_words_add(words, ")");
    }
}

/* Both maps: their keys, since a value alone says nothing. */
static void add_annotations(struct gr_words *words, const struct gr_subject *subject)
{
    const struct gr_kvs *maps[] = {&subject->pod_annotations, &subject->container_annotations};
    size_t all = subject->pod_annotations.n + subject->container_annotations.n;
    size_t shown = 0;

    if (all == 0)
        gr_words_add(words, "none");
    for (size_t m = 0; m < GR_ARRAY_LEN(maps); m++) {
        for (size_t i = 0; i < maps[m]->n; i++, shown++) {
            if (!begin_element(words, shown, all))
                return;
            add_word(words, maps[m]->items[i].key);
            gr_words_add(words, "=");
            add_word(words, maps[m]->items[i].value);
        }
    }
}

static void add_unknown(struct gr_words *words, const struct gr_cond *leaf,
                        const struct gr_subject *subject)
{
    const struct gr_image *image = &subject->image;

    if (!gr_subject_knows(subject, leaf->field)) {
        gr_words_add(words,
                     subject->recorded ? "unknown: %s was not recorded"
                                       : "unknown: this source does not tell %s",
                     gr_field_name(leaf->field));
    } else if (leaf->field == GR_FIELD_IMAGE) {
        add_word(words, image->name);
        gr_words_add(words, " (unknown: %s)",
                     image->tag.n == 0 ? image->digest.n == 0 ? "its tag and digest" : "its tag"
                                       : "its digest");
    } else {
        gr_words_add(words, "unknown: the container's name, which would decide, is not told");
    }
}

static void add_text(struct gr_words *words, struct gr_str text)
{
    if (text.n == 0)
        gr_words_add(words, "\"\" (empty)");
    else
        add_quoted(words, text);
}

static void add_found(struct gr_words *words, bool found, struct gr_str text)
{
    if (found)
        add_text(words, text);
    else
        gr_words_add(words, "absent");
}

/* Fields of maps: the value under the key. */
static void add_from_map(struct gr_words *words, const struct gr_cond *leaf,
                         const struct gr_subject *subject)
{
    const struct gr_kvs *map = NULL;
    struct gr_str text = GR_STR_NONE;
    bool found;

    if (leaf->field == GR_FIELD_POD_LABELS)
        map = &subject->pod_labels;
    else if (leaf->field == GR_FIELD_CONTAINER_LABELS)
        map = &subject->container_labels;
    else if (leaf->field == GR_FIELD_POD_ANNOTATIONS)
        map = &subject->pod_annotations;
    else if (leaf->field == GR_FIELD_CONTAINER_ANNOTATIONS)
        map = &subject->container_annotations;
    if (map)
        found = gr_kvs_get(*map, leaf->key, &text);
    else
        found = gr_subject_find_annotation(subject, leaf->key, &text) == GR_TRUE;
    add_found(words, found, text);
}

static void add_value(struct gr_words *words, const struct gr_cond *leaf,
                      const struct gr_subject *subject)
{
    bool has_command = subject->args.n > 0;

    switch (leaf->field) {
    case GR_FIELD_IMAGE:
        add_text(words, subject->image.name);
        return;
    case GR_FIELD_NAMESPACE:
        add_text(words, subject->pod_namespace);
        return;
    case GR_FIELD_POD_NAME:
        add_text(words, subject->pod_name);
        return;
    case GR_FIELD_CONTAINER_NAME:
        add_text(words, subject->name);
        return;
    case GR_FIELD_RUNTIME_HANDLER:
        add_text(words, subject->runtime_handler);
        return;
    case GR_FIELD_RUNTIME:
        add_text(words, subject->runtime);
        return;
    case GR_FIELD_COMMAND:
        add_found(words, has_command, has_command ? subject->args.items[0] : GR_STR_NONE);
        return;
    case GR_FIELD_ARGS:
        add_strs(words, subject->args);
        return;
    case GR_FIELD_ENV:
        add_strs(words, subject->env);
        return;
    case GR_FIELD_REQUESTED: /* whoever knows the policies says more */
        return;
    case GR_FIELD_MOUNTS:
        add_mounts(words, subject);
        return;
    case GR_FIELD_ANY_ANNOTATION:
        add_annotations(words, subject);
        return;
    case GR_FIELD_POD_LABELS:
    case GR_FIELD_CONTAINER_LABELS:
    case GR_FIELD_POD_ANNOTATIONS:
    case GR_FIELD_CONTAINER_ANNOTATIONS:
    case GR_FIELD_ANNOTATIONS:
        add_from_map(words, leaf, subject);
        return;
    }
}

void gr_words_seen(struct gr_words *words, const struct gr_cond *leaf,
                   const struct gr_subject *subject, enum gr_truth truth, bool out_of_steps)
{
    if (leaf->kind != GR_COND_LEAF)
        return;
    if (truth == GR_UNKNOWN) {
        add_unknown(words, leaf, subject);
        return;
    }
    add_value(words, leaf, subject);
    if (truth != GR_ERROR)
        return;
    gr_words_add(words, out_of_steps
                            ? " (not compared: the work that one container may cause is used up)"
                            : " (not compared: it is no text, or too much work for a regex)");
}
