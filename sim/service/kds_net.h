/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A private view of the network for this process and its children: namespaces
 * in which AMD's names mean loopback and ports 443 and 444 are free. The
 * machine itself is not touched, and no root is needed where the kernel lets
 * ordinary users have namespaces. Spec: abi/certs-kds.md §5.0 T3.
 *
 * Inside, loopback is the only network. The user keeps their id; nobody else's
 * id is mapped when a user namespace was needed. The process id namespace stays
 * the same, so that a seccomp supervisor inside serves its children as always.
 */
#ifndef SERVICE_KDS_NET_H
#define SERVICE_KDS_NET_H

#define KDS_NET_ERROR_SIZE 256u

/**
 * Enter. First a throw-away child tries everything, so that a refusal leaves
 * this process as it was. Call it before there are threads.
 * Returns 0, or a negative errno with one line in @error.
 */
int kds_net_enter(char *error);

/** Show @source in place of @target, a file that exists, to this process and
 * its children. After kds_net_enter(). 0 or a negative errno. */
int kds_net_cover(const char *source, const char *target);

#endif
