/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/defs: the few language helpers that every layer uses.
 *
 * Layer: base. Knows nothing of the project, includes nothing of it.
 * The only place where GNU extensions (typeof, cleanup) are wrapped; everywhere else they are used
 * through these names.
 */
#ifndef GR_BASE_DEFS_H
#define GR_BASE_DEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define GR_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The result must be looked at: every function that can fail carries this. */
#define GR_CHECKED __attribute__((warn_unused_result))
#define GR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define GR_UNUSED __attribute__((unused))

#define GR_MIN(a, b) ((a) < (b) ? (a) : (b))
#define GR_MAX(a, b) ((a) > (b) ? (a) : (b))

/* True when the sum or product does not fit; *out is then unspecified. */
#define gr_add_overflows(a, b, out) __builtin_add_overflow((a), (b), (out))
#define gr_mul_overflows(a, b, out) __builtin_mul_overflow((a), (b), (out))

/* Moves a pointer out of a variable, leaving NULL behind: ends the variable's ownership. */
#define gr_take(p)                                \
    __extension__({                               \
        __typeof__(p) *gr_take_from_ = &(p);      \
        __typeof__(p) gr_taken_ = *gr_take_from_; \
        *gr_take_from_ = NULL;                    \
        gr_taken_;                                \
    })

#endif
