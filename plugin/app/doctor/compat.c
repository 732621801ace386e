/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/compat.h"

#include <limits.h>
#include <stdio.h>

#define ALL UINT_MAX
#define V(major, minor, patch)          \
    {                                   \
        true, (major), (minor), (patch) \
    }
#define CONTAINERD GR_RUNTIME_CONTAINERD
#define CRIO GR_RUNTIME_CRIO

/* From the go.mod of each release. */
const struct gr_compat gr_compat_rows[] = {
    {CONTAINERD, V(1, 7, 0), V(1, 7, 6), V(0, 3, 0), false},
    {CONTAINERD, V(1, 7, 7), V(1, 7, 13), V(0, 4, 0), false},
    {CONTAINERD, V(1, 7, 14), V(1, 7, 15), V(0, 6, 0), false},
    {CONTAINERD, V(1, 7, 16), V(1, 7, 25), V(0, 6, 1), false},
    {CONTAINERD, V(1, 7, 26), V(1, 7, ALL), V(0, 8, 0), false},
    {CONTAINERD, V(2, 0, 0), V(2, 0, ALL), V(0, 8, 0), true},
    {CONTAINERD, V(2, 1, 0), V(2, 1, ALL), V(0, 8, 0), true},
    {CONTAINERD, V(2, 2, 0), V(2, 2, 0), V(0, 10, 0), true},
    {CONTAINERD, V(2, 2, 1), V(2, 2, ALL), V(0, 11, 0), true},
    {CONTAINERD, V(2, 3, 0), V(2, 3, ALL), V(0, 12, 0), true},
    {CRIO, V(1, 26, 0), V(1, 26, 1), V(0, 2, 0), false},
    {CRIO, V(1, 26, 2), V(1, 27, 0), V(0, 3, 0), false},
    {CRIO, V(1, 27, 1), V(1, 28, ALL), V(0, 3, 1), false},
    {CRIO, V(1, 29, 0), V(1, 29, 1), V(0, 5, 0), false},
    {CRIO, V(1, 29, 2), V(1, 29, ALL), V(0, 6, 0), false},
    {CRIO, V(1, 30, 0), V(1, 30, ALL), V(0, 6, 0), true},
    {CRIO, V(1, 31, 0), V(1, 31, ALL), V(0, 6, 1), true},
    {CRIO, V(1, 32, 0), V(1, 32, ALL), V(0, 9, 0), true},
    {CRIO, V(1, 33, 0), V(1, 33, ALL), V(0, 9, 1), true},
    {CRIO, V(1, 34, 0), V(1, 34, ALL), V(0, 10, 0), true},
    {CRIO, V(1, 35, 0), V(1, 36, ALL), V(0, 11, 0), true},
};

const size_t gr_compat_rows_n = GR_ARRAY_LEN(gr_compat_rows);

/* cdiDevices: seen in tests/e2e, not in any document. The others: from the NRI that has them. */
const struct gr_feature gr_features[] = {
    {"cdiDevices", V(2, 0, 0), {0}},
    {"rlimits", V(1, 7, 7), V(1, 29, 0)},
    {"pids.limit", V(1, 7, 26), V(1, 32, 0)},
};

const size_t gr_features_n = GR_ARRAY_LEN(gr_features);

static const struct {
    const char *name, *unit;
} names[] = {
    [GR_RUNTIME_NONE] = {"no runtime", "containerd"},
    [GR_RUNTIME_CONTAINERD] = {"containerd", "containerd"},
    [GR_RUNTIME_CRIO] = {"CRI-O", "crio"},
    [GR_RUNTIME_DOCKER] = {"Docker", "docker"},
    [GR_RUNTIME_PODMAN] = {"Podman", "podman"},
};

const char *gr_runtime_name(enum gr_runtime_kind kind)
{
    return names[kind].name;
}

const char *gr_runtime_unit(enum gr_runtime_kind kind)
{
    return names[kind].unit;
}

struct gr_release gr_release_parse(struct gr_str text)
{
    struct gr_release release = {0};
    unsigned *const parts[] = {&release.major, &release.minor, &release.patch};

    if (gr_str_has_prefix(text, GR_STR("v")))
        text = gr_str_skip(text, 1);
    for (size_t i = 0; i < GR_ARRAY_LEN(parts); i++) {
        size_t n = 0;

        for (; n < text.n && text.p[n] >= '0' && text.p[n] <= '9' && *parts[i] < 100000; n++)
            *parts[i] = *parts[i] * 10 + (unsigned)(text.p[n] - '0');
        if (n == 0)
            break;
        release.known = i > 0;
        text = gr_str_skip(text, n);
        if (!gr_str_has_prefix(text, GR_STR(".")))
            break;
        text = gr_str_skip(text, 1);
    }
    return release;
}

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

int gr_release_cmp(struct gr_release a, struct gr_release b)
{
    if (a.major != b.major)
        return compare(a.major, b.major);
    return a.minor != b.minor ? compare(a.minor, b.minor) : compare(a.patch, b.patch);
}

const struct gr_compat *gr_compat_find(enum gr_runtime_kind runtime, struct gr_release release)
{
    for (size_t i = 0; i < gr_compat_rows_n && release.known; i++) {
        const struct gr_compat *row = &gr_compat_rows[i];

        if (row->runtime == runtime && gr_release_cmp(row->first, release) <= 0 &&
            gr_release_cmp(release, row->last) <= 0)
            return row;
    }
    return NULL;
}

enum gr_default gr_compat_default(enum gr_runtime_kind runtime, struct gr_release release,
                                  struct gr_release nri)
{
    bool on = false, off = false, newest = true;

    if (release.known)
        return gr_release_before(release, runtime == CRIO ? 1 : 2, runtime == CRIO ? 30 : 0, 0)
                   ? GR_DEFAULT_OFF
                   : GR_DEFAULT_ON;
    for (size_t i = 0; i < gr_compat_rows_n && nri.known; i++) {
        const struct gr_compat *row = &gr_compat_rows[i];

        if (row->runtime != runtime)
            continue;
        newest = newest && gr_release_cmp(nri, row->nri) > 0;
        on = on || (row->on && gr_release_cmp(nri, row->nri) == 0);
        off = off || (!row->on && gr_release_cmp(nri, row->nri) == 0);
    }
    if (nri.known && newest)
        return GR_DEFAULT_ON;
    return on == off ? GR_DEFAULT_UNKNOWN : on ? GR_DEFAULT_ON : GR_DEFAULT_OFF;
}

const struct gr_feature *gr_feature_find(const char *name)
{
    for (size_t i = 0; i < gr_features_n; i++) {
        if (strcmp(gr_features[i].name, name) == 0)
            return &gr_features[i];
    }
    return NULL;
}

bool gr_feature_missing(const struct gr_feature *feature, enum gr_runtime_kind runtime,
                        struct gr_release release)
{
    struct gr_release since = runtime == CRIO ? feature->crio : feature->containerd;

    return (runtime == CRIO || runtime == CONTAINERD) && release.known &&
           (!since.known || gr_release_cmp(release, since) < 0);
}

static void print_since(struct gr_release since)
{
    if (since.known)
        (void)printf("%u.%u.%u", since.major, since.minor, since.patch);
    else
        (void)printf("none seen");
}

void gr_compat_print(void)
{
    for (size_t i = 0; i < gr_compat_rows_n; i++) {
        const struct gr_compat *row = &gr_compat_rows[i];

        (void)printf("%s %u.%u.%u - ", gr_runtime_name(row->runtime), row->first.major,
                     row->first.minor, row->first.patch);
        if (row->last.patch == ALL)
            (void)printf("%u.%u.x", row->last.major, row->last.minor);
        else
            (void)printf("%u.%u.%u", row->last.major, row->last.minor, row->last.patch);
        (void)printf(": NRI %u.%u.%u, %s\n", row->nri.major, row->nri.minor, row->nri.patch,
                     row->on ? "on" : "off");
    }
    for (size_t i = 0; i < gr_features_n; i++) {
        (void)printf("%s: containerd ", gr_features[i].name);
        print_since(gr_features[i].containerd);
        (void)printf(", CRI-O ");
        print_since(gr_features[i].crio);
        (void)printf("\n");
    }
}
