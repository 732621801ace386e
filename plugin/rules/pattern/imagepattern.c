/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns for image names: cut into segments once, then matched segment by segment. The ** of
 * segments is to the segments what * is to the characters of a glob, so the same two pointers do.
 */
#include "rules/pattern/imageref.h"

#include <errno.h>

#include "rules/pattern/glob.h"
#include "rules/pattern/imagename.h"
#include "rules/limits.h"
#include "rules/steps.h"

#define CODE "bad-image-pattern"

/* Finding the next segment of a name costs about as much as so many characters. */
#define SEGMENT_STEPS 3

static bool is_wild(struct gr_str s)
{
    return gr_glob_literal_prefix(s) < s.n;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_upper_in(struct gr_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (to_lower(s.p[i]) != s.p[i])
            return true;
    }
    return false;
}

/* The first byte of s that is neither a lower-case letter, a digit, a wildcard nor in more. */
static size_t find_foreign(struct gr_str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && !gr_glob_is_wild(c) &&
            (c == '\0' || !strchr(more, c)))
            return i;
    }
    return s.n;
}

static int check_segment(struct gr_str segment, bool is_domain, struct gr_err *err)
{
    size_t stars = 0;

    if (segment.n == 0)
        return gr_fail(err, -EINVAL, CODE,
                       "an image pattern has an empty segment: remove the / at its beginning or "
                       "end, or one of two / in a row");
    while (stars + 1 < segment.n && memcmp(segment.p + stars, "**", 2) != 0)
        stars++;
    if (segment.n > 2 && stars + 1 < segment.n)
        return gr_fail(err, -EINVAL, CODE,
                       "** must be a whole segment of an image pattern, as in registry.example/**; "
                       "inside a segment write one *");
    if (is_domain) {
        if (gr_str_has_suffix(segment, GR_STR(":443")))
            return gr_fail(err, -EINVAL, CODE,
                           "the port 443 is the usual one and counts as none; leave the :443 out");
        if (find_foreign(segment, "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]") == segment.n)
            return 0;
        return gr_fail(err, -EINVAL, CODE, "\"%.*s\" is no name of a registry",
                       GR_STR_FMT(gr_str_first(segment, 64)));
    }
    if (is_upper_in(segment))
        return gr_fail(err, -EINVAL, CODE,
                       "names of images are lower-case; write \"%.*s\" without capital letters",
                       GR_STR_FMT(gr_str_first(segment, 64)));
    if (find_foreign(segment, "._-") == segment.n)
        return 0;
    return gr_fail(err, -EINVAL, CODE,
                   "\"%.*s\" cannot be part of the name of an image: expected letters, digits, "
                   ". _ - and * ? **",
                   GR_STR_FMT(gr_str_first(segment, 64)));
}

static int check_tail(const struct gr_image_parts *parts, struct gr_err *err)
{
    const char *capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-";
    const char *algorithm = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-+:"; /* other than sha256: any case */

    if (parts->has_tag && (parts->tag.n == 0 || find_foreign(parts->tag, capitals) < parts->tag.n))
        return gr_fail(err, -EINVAL, CODE,
                       "\"%.*s\" is no tag: expected letters, digits, _ . - and * ?; leave the "
                       ": out for any tag",
                       GR_STR_FMT(gr_str_first(parts->tag, 64)));
    if (parts->has_digest &&
        (parts->digest.n == 0 || find_foreign(parts->digest, algorithm) < parts->digest.n))
        return gr_fail(err, -EINVAL, CODE,
                       "\"%.*s\" is no digest: expected sha256: and 64 hexadecimal digits, or * ? "
                       "in their place; leave the @ out for any digest",
                       GR_STR_FMT(gr_str_first(parts->digest, 80)));
    return 0;
}

static int check_whole(struct gr_str text, struct gr_err *err)
{
    struct gr_image image;

    if (text.n == 0)
        return gr_fail(err, -EINVAL, CODE, "an image pattern is empty; ** stands for every image");
    if (text.n > GR_PATTERN_MAX_BYTES)
        return gr_fail(err, -EINVAL, CODE, "an image pattern has %zu bytes; at most %d are allowed",
                       text.n, GR_PATTERN_MAX_BYTES);
    for (size_t i = 0; i + 2 < text.n; i++) {
        if (memcmp(text.p + i, "://", 3) == 0)
            return gr_fail(err, -EINVAL, CODE, "names of images have no scheme; leave out \"%.*s\"",
                           GR_STR_FMT(gr_str_first(gr_str_first(text, i + 3), 32)));
    }
    if (gr_image_is_id(text))
        return gr_fail(err, -EINVAL, CODE,
                       "this is the id of an image, and rules match names; to pin an image write "
                       "NAME@sha256:...");
    if (!is_wild(text) && gr_image_parse(text, &image) != 0)
        return gr_fail(
            err, -EINVAL, CODE,
            "\"%.*s\" is no valid name of an image, so that it can never match; expected "
            "[REGISTRY/]NAME[:TAG][@DIGEST] with a lower-case NAME",
            GR_STR_FMT(gr_str_first(text, 128)));
    return 0;
}

/* The path without a registry: cut at each /, or only counted where to is NULL. */
static size_t cut(struct gr_str path, struct gr_image_segment *to)
{
    size_t n = 0;

    for (;;) {
        size_t slash = gr_str_find(path, '/');

        if (to)
            to[n].text = gr_str_first(path, slash);
        n++;
        if (slash == path.n)
            return n;
        path = gr_str_skip(path, slash + 1);
    }
}

/* Names of hosts know no case: patterns and names are both brought to lower case. */
static bool lower(struct gr_arena *arena, struct gr_str *domain)
{
    char *copy;

    if (!is_upper_in(*domain))
        return true;
    copy = gr_arena_copy(arena, *domain);
    if (!copy)
        return false;
    for (size_t i = 0; i < domain->n; i++)
        copy[i] = to_lower(copy[i]);
    domain->p = copy;
    return true;
}

static int build_segments(struct gr_arena *arena, struct gr_str text, struct gr_image_parts parts,
                          struct gr_image_pattern *pattern, struct gr_err *err)
{
    bool any_domain =
        parts.path.p == text.p && gr_str_is(gr_str_first(text, gr_str_find(parts.path, '/')), "**");
    bool library = parts.implied_library && !gr_str_is(parts.path, "**");
    size_t lead = any_domain ? 0 : (library ? 2 : 1);
    size_t n = lead + cut(parts.path, NULL);
    struct gr_image_segment *segments = gr_arena_array(arena, n, sizeof(*segments));

    if (!segments || !lower(arena, &parts.domain))
        return -ENOMEM;
    if (lead > 0)
        segments[0].text = parts.domain;
    if (lead > 1)
        segments[1].text = GR_STR("library");
    cut(parts.path, segments + lead);
    for (size_t i = 0; i < n; i++) {
        int r = check_segment(segments[i].text, i == 0 && lead > 0, err);

        if (r)
            return r;
        if (gr_str_is(segments[i].text, "**"))
            segments[i].kind = GR_SEGMENT_DEEP;
        else
            segments[i].kind = is_wild(segments[i].text) ? GR_SEGMENT_GLOB : GR_SEGMENT_LITERAL;
    }
    pattern->segments = segments;
    pattern->n = n;
    return 0;
}

int gr_image_pattern_parse(struct gr_arena *arena, struct gr_str text,
                           const struct gr_image_pattern **out_pattern, struct gr_err *err)
{
    struct gr_image_parts parts;
    struct gr_image_pattern *pattern;
    int r;

    r = check_whole(text, err);
    if (r)
        return r;
    parts = gr_image_split(text);
    r = check_tail(&parts, err);
    if (r)
        return r;
    pattern = gr_arena_alloc(arena, sizeof(*pattern));
    if (!pattern)
        return -ENOMEM;
    r = build_segments(arena, text, parts, pattern, err);
    if (r)
        return r;
    pattern->has_tag = parts.has_tag;
    pattern->tag = parts.tag;
    pattern->tag_is_literal = !is_wild(parts.tag);
    pattern->has_digest = parts.has_digest;
    pattern->digest = parts.digest;
    pattern->digest_is_literal = !is_wild(parts.digest);
    *out_pattern = pattern;
    return 0;
}

static enum gr_truth match_text(struct gr_str pattern, bool is_literal, struct gr_str text,
                                uint64_t *steps)
{
    if (!is_literal)
        return gr_glob_match(pattern, text, steps);
    if (!gr_steps_take(steps, gr_steps_of_bytes(pattern.n)))
        return GR_ERROR;
    return gr_str_eq(pattern, text) ? GR_TRUE : GR_FALSE;
}

static enum gr_truth match_path(const struct gr_image_pattern *pattern,
                                const struct gr_image *image, uint64_t *steps)
{
    struct gr_image_at at = {0};
    struct gr_image_at back_at = {0};
    struct gr_str segment = GR_STR_NONE;
    size_t back_p = 0; /* behind the last **; 0: there was none */
    size_t p = 0;

    for (;;) {
        struct gr_image_at next = at;
        bool more;

        if (p < pattern->n && pattern->segments[p].kind == GR_SEGMENT_DEEP) {
            back_p = ++p;
            back_at = at;
            if (p == pattern->n)
                return GR_TRUE;
            continue;
        }
        if (!gr_steps_take(steps, SEGMENT_STEPS))
            return GR_ERROR;
        more = gr_image_next_segment(image, &next, &segment);
        if (!more)
            return p == pattern->n ? GR_TRUE : GR_FALSE;
        if (p < pattern->n) {
            const struct gr_image_segment *want = &pattern->segments[p];
            enum gr_truth truth =
                match_text(want->text, want->kind == GR_SEGMENT_LITERAL, segment, steps);

            if (truth == GR_ERROR)
                return GR_ERROR;
            if (truth == GR_TRUE) {
                at = next;
                p++;
                continue;
            }
        }
        if (!back_p)
            return GR_FALSE;
        (void)gr_image_next_segment(image, &back_at, &segment);
        at = back_at;
        p = back_p;
    }
}

static enum gr_truth match_lowered(const struct gr_image_pattern *pattern,
                                   const struct gr_image *image, uint64_t *steps)
{
    enum gr_truth truth = match_path(pattern, image, steps);

    if (truth != GR_TRUE)
        return truth;
    if (pattern->has_tag)
        truth = image->tag.n == 0
                    ? GR_UNKNOWN
                    : match_text(pattern->tag, pattern->tag_is_literal, image->tag, steps);
    if (pattern->has_digest)
        truth = gr_truth_and(truth, image->digest.n == 0
                                        ? GR_UNKNOWN
                                        : match_text(pattern->digest, pattern->digest_is_literal,
                                                     image->digest, steps));
    return truth;
}

/* Rare, and kept apart because of its buffer. */
static __attribute__((noinline)) enum gr_truth match_capitals(
    const struct gr_image_pattern *pattern, const struct gr_image *image, uint64_t *steps)
{
    char domain[GR_IMAGE_NAME_MAX_BYTES];
    struct gr_image lowered = *image;

    if (image->registry.n > sizeof(domain))
        return GR_FALSE;
    for (size_t i = 0; i < image->registry.n; i++)
        domain[i] = to_lower(image->registry.p[i]);
    lowered.registry.p = domain;
    return match_lowered(pattern, &lowered, steps);
}

enum gr_truth gr_image_match(const struct gr_image_pattern *pattern, const struct gr_image *image,
                             uint64_t *steps)
{
    if (!image->known)
        return GR_UNKNOWN;
    if (is_upper_in(image->registry))
        return match_capitals(pattern, image, steps);
    return match_lowered(pattern, image, steps);
}
