/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/exit: the exit codes of every verb.
 *
 * Layer: app.
 */
#ifndef GR_APP_EXIT_H
#define GR_APP_EXIT_H

#define GR_EXIT_OK 0
#define GR_EXIT_FAILED 1 /* the check or the operation failed */
#define GR_EXIT_USAGE 2
#define GR_EXIT_WARNINGS 3 /* warnings, under --strict */
#define GR_EXIT_HOST 4     /* the host cannot be reached or does not permit it */

#endif
