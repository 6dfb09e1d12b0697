/* SPDX-License-Identifier: Apache-2.0 */
/** For those who are told how to sleep: on this machine's clock. */
#ifndef HOST_SLEEP_MS_H
#define HOST_SLEEP_MS_H

/** @ctx is not used. A signal may cut it short. */
void sleep_ms(void *ctx, unsigned int ms);

#endif
