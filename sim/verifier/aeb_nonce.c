/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_nonce.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string.h>

static const char LABEL[16] = "AEB-EVIDENCE-V1"; /* with its NUL */

enum psp_err aeb_bound_mnonce(const uint8_t launch_nonce[AEB_LAUNCH_NONCE_SIZE],
                              const uint8_t *challenge, const uint8_t *spki,
                              uint8_t mnonce[SEV_MNONCE_SIZE])
{
    uint8_t message[sizeof(LABEL) + AEB_CHALLENGE_SIZE + AEB_SPKI_SIZE] = {0};
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    bool ok;

    memcpy(message, LABEL, sizeof(LABEL));
    if (challenge != NULL) {
        memcpy(message + sizeof(LABEL), challenge, AEB_CHALLENGE_SIZE);
    }
    if (spki != NULL) {
        memcpy(message + sizeof(LABEL) + AEB_CHALLENGE_SIZE, spki,
               AEB_SPKI_SIZE);
    }
    ok = HMAC(EVP_sha256(), launch_nonce, (int)AEB_LAUNCH_NONCE_SIZE, message,
              sizeof(message), mac, &size) != NULL;
    if (ok) {
        memcpy(mnonce, mac, SEV_MNONCE_SIZE);
    }
    OPENSSL_cleanse(mac, sizeof(mac));
    return ok ? PSP_OK : PSP_E_NOMEM;
}
