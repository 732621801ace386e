/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/imagename: the inside of image names and patterns, shared by imageref.c,
 * imagepattern.c and the index.
 *
 * Layer: rules, not for others.
 */
#ifndef GR_RULES_IMAGENAME_H
#define GR_RULES_IMAGENAME_H

#include "rules/pattern/imageref.h"

#define GR_IMAGE_DEFAULT_DOMAIN "docker.io"

/* A name or pattern cut at its separators, with Docker's defaults; nothing is checked. */
struct gr_image_parts {
    struct gr_str domain;
    struct gr_str path;
    bool implied_library; /* "library/" belongs before path */
    bool has_tag, has_digest;
    struct gr_str tag;
    struct gr_str digest;
};

/* Borrows name. */
struct gr_image_parts gr_image_split(struct gr_str name);

/* Whether the first of several segments names a registry and not a part of the path. */
bool gr_image_is_domain(struct gr_str segment);

/* An image id or bare digest: 64 hexadecimal digits, or sha256: and so many or less. */
bool gr_image_is_id(struct gr_str name);

/* Goes over registry, "library" where it is implied, and the segments of the repository. */
struct gr_image_at {
    unsigned int part;
    size_t offset;
};

/* False at the end. Start with a zeroed *at. */
bool gr_image_next_segment(const struct gr_image *image, struct gr_image_at *at,
                           struct gr_str *out_segment);

enum gr_segment_kind {
    GR_SEGMENT_LITERAL,
    GR_SEGMENT_GLOB,
    GR_SEGMENT_DEEP, /* **: any number of segments, also none */
};

struct gr_image_segment {
    enum gr_segment_kind kind;
    struct gr_str text;
};

/* Segments are those of the whole name: registry first, unless a ** stands there. */
struct gr_image_pattern {
    const struct gr_image_segment *segments;
    size_t n;
    bool has_tag, has_digest;
    bool tag_is_literal, digest_is_literal;
    struct gr_str tag;
    struct gr_str digest;
};

#endif
