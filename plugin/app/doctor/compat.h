/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/compat: which runtime contains which NRI, and what depends on that.
 *
 * Layer: app. One table; specs/compatibility.md shows it, and a test compares the two.
 */
#ifndef GR_APP_DOCTOR_COMPAT_H
#define GR_APP_DOCTOR_COMPAT_H

#include "base/str.h"

enum gr_runtime_kind {
    GR_RUNTIME_NONE,
    GR_RUNTIME_CONTAINERD,
    GR_RUNTIME_CRIO,
    GR_RUNTIME_DOCKER,
    GR_RUNTIME_PODMAN,
};

/* "containerd", "CRI-O", …; what systemctl and journalctl call it: gr_runtime_unit. */
const char *gr_runtime_name(enum gr_runtime_kind kind);
const char *gr_runtime_unit(enum gr_runtime_kind kind);

struct gr_release {
    bool known;
    unsigned major, minor, patch;
};

/* The numbers at the start of a text such as v2.1.4-rc.0; not known where there are none. */
struct gr_release gr_release_parse(struct gr_str text);

/* <0, 0, >0; both are known. */
int gr_release_cmp(struct gr_release a, struct gr_release b);

static inline bool gr_release_before(struct gr_release release, unsigned major, unsigned minor,
                                     unsigned patch)
{
    return release.known &&
           gr_release_cmp(release, (struct gr_release){true, major, minor, patch}) < 0;
}

struct gr_compat {
    enum gr_runtime_kind runtime;
    struct gr_release first, last; /* of the releases with this NRI; last.patch UINT_MAX: all */
    struct gr_release nri;
    bool on; /* NRI, where the configuration says nothing */
};

extern const struct gr_compat gr_compat_rows[];
extern const size_t gr_compat_rows_n;

/* The row of a release; NULL: the table does not have it. */
const struct gr_compat *gr_compat_find(enum gr_runtime_kind runtime, struct gr_release release);

enum gr_default {
    GR_DEFAULT_UNKNOWN,
    GR_DEFAULT_OFF,
    GR_DEFAULT_ON,
};

/* Whether NRI is on where nothing is configured: from the release, or where that is not known from
 * the NRI that the program contains. */
enum gr_default gr_compat_default(enum gr_runtime_kind runtime, struct gr_release release,
                                  struct gr_release nri);

/* Something that a rule may ask for and that not every runtime does. */
struct gr_feature {
    const char *name;                   /* as in adjust */
    struct gr_release containerd, crio; /* the first that does it; not known: none that was seen */
};

extern const struct gr_feature gr_features[];
extern const size_t gr_features_n;

const struct gr_feature *gr_feature_find(const char *name);

/* Whether that runtime is known not to do it. */
bool gr_feature_missing(const struct gr_feature *feature, enum gr_runtime_kind runtime,
                        struct gr_release release);

/* For doctor --table: one line each. */
void gr_compat_print(void);

#endif
