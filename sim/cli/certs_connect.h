/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Certificates of a running platform.
 */
#ifndef CLI_CERTS_CONNECT_H
#define CLI_CERTS_CONNECT_H

/**
 * Ask the daemon at @socket and write below @dir:
 *   pki/PRODUCT/  ark, ask or asvk (.der, .pem), cert_chain.pem or
 *                 vlek_cert_chain.pem
 *   guest/        vcek or vlek, ask or asvk, ark (.der, .pem), cert_table.bin
 * Returns an exit status; one line on stderr on failure.
 */
int certs_connect_export(const char *socket, const char *dir);

#endif
