/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a match tree is true of every container, by its texts alone: a pattern that fits whatever
 * may stand in its field, or conditions one of which always holds.
 */
#include "rules/tell/lint_parts.h"

#include "rules/pattern/glob.h"
#include "rules/pattern/imagename.h"

/* A name of an image has at least so many segments: its registry and one of its repository. */
#define IMAGE_SEGMENTS_MIN 2

/* Of every container there is one, and it is not empty. */
static bool is_never_empty(enum gr_field field)
{
    return field == GR_FIELD_NAMESPACE || field == GR_FIELD_POD_NAME ||
           field == GR_FIELD_CONTAINER_NAME || field == GR_FIELD_RUNTIME;
}

/* Any text, or any that has so many characters at least. */
static bool glob_fits(struct gr_str glob, bool some)
{
    size_t characters = 0, stars = 0;

    for (size_t i = 0; i < glob.n; i++) {
        if (!gr_glob_is_wild(glob.p[i]))
            return false;
        stars += glob.p[i] == '*';
        characters += glob.p[i] == '?';
    }
    return stars > 0 && characters <= (some ? 1 : 0);
}

/* Segments of any number, at most as many of them as every name has. */
static bool image_fits(const struct gr_image_pattern *image)
{
    size_t whole = 0;
    bool deep = false;

    for (size_t i = 0; i < image->n; i++) {
        const struct gr_image_segment *segment = &image->segments[i];

        if (segment->kind == GR_SEGMENT_DEEP)
            deep = true;
        else if (gr_str_is(segment->text, "*"))
            whole++;
        else
            return false;
    }
    return deep && whole <= IMAGE_SEGMENTS_MIN && !image->has_tag && !image->has_digest;
}

static struct gr_str strip(struct gr_str text, const char *begin, const char *end)
{
    size_t n = strlen(end);

    if (gr_str_has_prefix(text, gr_str_from(begin)))
        text = gr_str_skip(text, strlen(begin));
    return n <= text.n && gr_str_has_suffix(text, gr_str_from(end)) ? gr_str_first(text, text.n - n)
                                                                    : text;
}

/* The usual ways to write it, with what may stand around. */
static bool regex_fits(const struct gr_test *test, bool some)
{
    struct gr_str text = strip(test->text, "(?s)", "");

    text = strip(strip(text, "\\A", "\\z"), "^", "$");
    if (text.n > 2 && text.p[0] == '(' && gr_str_find(text, ')') == text.n - 1)
        text = strip(strip(text, "(", ")"), "?:", "");
    if (gr_str_is(text, ".*") || gr_str_is(text, ".*?"))
        return true;
    if (gr_str_is(text, ".+") || gr_str_is(text, ".+?"))
        return some;
    return some && gr_str_is(text, ".") && gr_regex_is_search(test->regex);
}

static bool test_fits(const struct gr_test *test, bool some)
{
    switch (test->kind) {
    case GR_TEST_GLOB:
        return glob_fits(test->text, some);
    case GR_TEST_IMAGE:
        return image_fits(test->image);
    case GR_TEST_REGEX:
        return regex_fits(test, some);
    case GR_TEST_EXISTS:
        return test->exists && some;
    case GR_TEST_EXACT:
    case GR_TEST_PREFIX:
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
        break;
    }
    return false;
}

bool gr_lint_fits_all(struct gr_tests tests, enum gr_field field)
{
    for (size_t i = 0; i < tests.n; i++) {
        if (test_fits(&tests.items[i], is_never_empty(field)))
            return true;
    }
    return false;
}

bool gr_lint_matches_all(const struct gr_cond *cond, uint64_t *steps)
{
    bool all = true;

    switch (cond->kind) {
    case GR_COND_LEAF:
        return !gr_field_is_map(cond->field) && !gr_field_has_parts(cond->field) &&
               cond->field != GR_FIELD_REQUESTED && gr_lint_fits_all(cond->tests, cond->field);
    case GR_COND_ANY:
        for (size_t i = 0; i < cond->children_n; i++) {
            if (gr_lint_matches_all(&cond->children[i], steps))
                return true;
        }
        return gr_lint_excludes(cond, true, steps);
    case GR_COND_ALL:
        for (size_t i = 0; i < cond->children_n && all; i++)
            all = gr_lint_matches_all(&cond->children[i], steps);
        return all && cond->children_n > 0;
    case GR_COND_ALWAYS:
    case GR_COND_NOT:
    case GR_COND_UNREADABLE:
        break;
    }
    return false;
}
