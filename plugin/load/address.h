/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/address: where to listen, as it is written in a setting or a flag.
 *
 * Layer: load. Only addresses, no names: what a name means changes, and asking takes its time.
 */
#ifndef GR_LOAD_ADDRESS_H
#define GR_LOAD_ADDRESS_H

#include <sys/socket.h>

#include "base/str.h"

/* What is expected, for messages. */
#define GR_ADDRESS_EXPECTED \
    "127.0.0.1:PORT, [::1]:PORT, :PORT for all addresses, unix:/PATH, or none"

struct gr_address {
    struct sockaddr_storage to;
    socklen_t bytes;
    bool any; /* :PORT. Where there is no IPv6, the same of IPv4 is meant */
};

/*
 * "1.2.3.4:PORT", "[IPv6]:PORT", ":PORT" (1 to 65535) or "unix:" and an absolute path of at most
 * GR_CONFIG_SOCKET_MAX_BYTES. False: it is none of them.
 */
bool gr_address_parse(struct gr_str text, struct gr_address *out_address);

#endif
