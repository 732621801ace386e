/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/conn_nri: the two ends of an NRI connection, for app/daemon/conn.
 *
 * Layer: app. The plugin's end is nri/session, the runtime's (simulate) nri/runtime.
 */
#ifndef GR_APP_DAEMON_CONN_NRI_H
#define GR_APP_DAEMON_CONN_NRI_H

#include "app/daemon/conn.h"

extern const struct gr_conn_proto gr_conn_session; /* object: a struct gr_session */
extern const struct gr_conn_proto gr_conn_runtime; /* object: a struct gr_runtime */

#endif
