/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a service manager and its services tell each other, after
 * sd_notify(3) and sd_listen_fds(3): a datagram with VAR=VALUE lines to
 * $NOTIFY_SOCKET, and listening sockets handed down from descriptor 3 on.
 */
#ifndef SERVICE_SERVE_NOTIFY_H
#define SERVICE_SERVE_NOTIFY_H

#define SERVE_LISTEN_FD 3

/** Connect to $NOTIFY_SOCKET (path or "@abstract") and drop the variable. The
 * descriptor; -1 without a manager; negative errno below -1 when it cannot be
 * reached. */
int serve_notify_open(void);
/** Send lines, for example "READY=1\nSTATUS=...". @fd may be negative. */
void serve_notify(int fd, const char *lines);

/**
 * A socket that the manager made, or -ENOENT when there is none for this
 * process. -EINVAL: more than one, or no listening unix stream socket.
 * Drops LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
 */
int serve_listen_fd(void);

#endif
