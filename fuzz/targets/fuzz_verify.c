/* SPDX-License-Identifier: Apache-2.0 */
/* The relying party, fed with everything an attacker controls: report, leaf,
 * ASK, presented ARK and CRL. Input: five little-endian 16-bit lengths, then
 * the five blobs. The root of trust is the last blob but one when the first
 * length has bit 15 set (so that good chains reach the later checks). */
#include "fz.h"
#include "verifier.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t no_root[] = "not a certificate";
    struct fz_in in = {data, size};
    struct verify_input input = {.report = {NULL, 0}};
    struct verify_blob *blobs[] = {&input.report, &input.leaf, &input.ask,
                                   &input.ark, &input.crl};
    struct verify_policy policy = {.now = 1790000000};
    struct verify_result result;
    uint32_t lengths[5];
    bool trust;

    for (size_t i = 0; i < 5; i++) {
        lengths[i] = fz_u8(&in);
        lengths[i] |= (uint32_t)fz_u8(&in) << 8;
    }
    trust = (lengths[0] & 0x8000) != 0;
    lengths[0] &= 0x7fff;
    for (size_t i = 0; i < 5; i++) {
        size_t n = lengths[i] < in.size ? lengths[i] : in.size;

        if (n > 0) {
            *blobs[i] = (struct verify_blob){in.data, n};
        }
        in.data += n;
        in.size -= n;
    }
    input.trusted_ark =
        trust ? input.ark : (struct verify_blob){no_root, sizeof(no_root)};
    verify_snp(&input, &policy, &result);
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        fz_check(result.line[i].verdict <= VERIFY_FAIL);
        fz_check(memchr(result.line[i].reason, 0,
                        sizeof(result.line[i].reason)) != NULL);
        fz_check(result.line[i].verdict != VERIFY_FAIL || !result.ok);
    }
    if (result.ok) {
        fz_check(trust);
        fz_check(result.line[VERIFY_REPORT_SIGNATURE].verdict == VERIFY_PASS);
        fz_check(result.line[VERIFY_ARK_ROOT].verdict == VERIFY_PASS);
    }
    (void)verify_is_simulated(data, size, NULL);
    return 0;
}
