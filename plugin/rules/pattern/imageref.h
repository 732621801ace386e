/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/imageref: names of images, with Docker's defaults, and patterns for them.
 *
 * Layer: rules. Grammar: distribution/reference. "busybox" is docker.io/library/busybox:latest;
 * a name with a digest and without a tag has no tag.
 */
#ifndef GR_RULES_IMAGEREF_H
#define GR_RULES_IMAGEREF_H

#include "base/arena.h"
#include "base/err.h"
#include "rules/truth.h"

/* A parsed name. Text is borrowed from the input or from constants; all parts may be unknown. */
struct gr_image {
    bool known;               /* false: nothing is known of the image */
    struct gr_str name;       /* as it was given, for messages and {{.Image}} */
    struct gr_str registry;   /* docker.io */
    struct gr_str repository; /* library/busybox; as written for Docker Hub names of one segment: */
    bool implied_library;     /* … then "library/" stands before repository */
    struct gr_str tag;        /* n == 0: unknown */
    struct gr_str digest;     /* algorithm:hex; n == 0: unknown */
};

/*
 * Parses a name into *out_image (borrowing it).
 * Returns 0, or -EINVAL when it is no image name (also an image id or an empty text): *out_image is
 * then unknown and keeps the name.
 */
int gr_image_parse(struct gr_str name, struct gr_image *out_image);

struct gr_image_pattern;

/*
 * Parses a pattern of a rule. * and ? stay inside a path segment, ** stands for any number of whole
 * segments; tag and digest may hold * and ?. Without a tag or digest: any. The default registry and
 * "library/" apply as for names, unless the first segment is ** (any registry).
 * The result lives in the arena and borrows text.
 * Returns 0; -EINVAL (err says what and how to mend it); -ENOMEM.
 */
GR_CHECKED int gr_image_pattern_parse(struct gr_arena *arena, struct gr_str text,
                                      const struct gr_image_pattern **out_pattern,
                                      struct gr_err *err);

/*
 * False where any part that is known differs; unknown where the rest fits and the pattern asks for
 * a tag or digest that the image lacks, or nothing is known of the image; error when *steps ran
 * out.
 */
enum gr_truth gr_image_match(const struct gr_image_pattern *pattern, const struct gr_image *image,
                             uint64_t *steps);

#endif
