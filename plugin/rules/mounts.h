/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/mounts: which mounts of a container are there in every container.
 *
 * Layer: rules. Runtimes and kubelet mount them unasked, so that a rule about mounts would match
 * everything by them. Spec: specs/matching.md, "Mounts".
 */
#ifndef GR_RULES_MOUNTS_H
#define GR_RULES_MOUNTS_H

#include "rules/subject.h"

/*
 * By its destination alone, which is compared after lexical normalisation (no "//", "/./", "/../",
 * no "/" at its end; links are not followed). One that is not absolute is taken from "/", as
 * runtimes do.
 */
bool gr_mount_is_standard(const struct gr_mount *mount);

#endif
