/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/listening: whether somebody listens at the file of a socket, as the kernel tells.
 *
 * Layer: app. Asked over NETLINK_SOCK_DIAG, which has device and inode of the file that each unix
 * socket of a network namespace is bound to. Names are not looked at: whoever is in the namespace
 * may choose any, relative ones, those of a file system of their own, and in /proc/net/unix also
 * such as look like further lines.
 */
#ifndef GR_APP_DOCTOR_LISTENING_H
#define GR_APP_DOCTOR_LISTENING_H

#include <stdbool.h>

/*
 * file: a descriptor of a socket's file, O_PATH is enough. True: a socket of our own network
 * namespace listens there. False says nothing: it may be of another one, the kernel may be built
 * without unix_diag, and some file systems show other numbers in stat(2) than the kernel has.
 */
bool gr_doctor_sees_listener(int file);

#endif
