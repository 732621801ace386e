/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/mounts.h"

/* The most segments that a standard destination has. */
#define SEGMENTS_MAX 6

struct standard {
    const char *segments[SEGMENTS_MAX]; /* up to a NULL */
    bool below;                         /* and whatever lies in it */
};

static const struct standard standards[] = {
    {{"proc"}, true},
    {{"sys"}, true},
    {{"dev"}, true}, /* pts, shm, mqueue, termination-log, devices */
    {{"etc", "hosts"}, false},
    {{"etc", "hostname"}, false},
    {{"etc", "resolv.conf"}, false},
    {{"run", ".containerenv"}, false},
    {{"var", "run", "secrets", "kubernetes.io", "serviceaccount"}, true},
    {{"run", "secrets", "kubernetes.io", "serviceaccount"}, true},
};

/* The first segments of a normalised path. */
struct path {
    struct gr_str segments[SEGMENTS_MAX];
    size_t n; /* of all of them, also those that had no room */
};

static struct path normalise(struct gr_str text)
{
    struct path path = {0};

    while (text.n > 0) {
        struct gr_str segment = gr_str_first(text, gr_str_find(text, '/'));

        text = gr_str_skip(text, segment.n + 1);
        if (segment.n == 0 || gr_str_is(segment, "."))
            continue;
        if (gr_str_is(segment, "..")) {
            path.n -= path.n > 0;
            continue;
        }
        if (path.n < SEGMENTS_MAX)
            path.segments[path.n] = segment;
        path.n++;
    }
    return path;
}

static bool is(const struct path *path, const struct standard *standard)
{
    size_t n = 0;

    for (; n < SEGMENTS_MAX && standard->segments[n]; n++) {
        if (n == path->n || !gr_str_is(path->segments[n], standard->segments[n]))
            return false;
    }
    return path->n == n || standard->below;
}

bool gr_mount_is_standard(const struct gr_mount *mount)
{
    struct path path = normalise(mount->destination);

    for (size_t i = 0; i < GR_ARRAY_LEN(standards); i++) {
        if (is(&path, &standards[i]))
            return true;
    }
    return false;
}
