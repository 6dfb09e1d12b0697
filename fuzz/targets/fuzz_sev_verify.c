/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy relying party, fed with everything an attacker controls. Input:
 * eight little-endian 16-bit lengths, then the blobs: ARK, ASK, CEK, OCA, PEK,
 * PDH, report, measurement. The presented ARK is trusted when the first length
 * has bit 15 set (so that good chains reach the later checks). The whole input
 * is also decoded as each kind of artefact. */
#include "decode.h"
#include "fz.h"
#include "sev_verifier.h"

#include <stdlib.h>
#include <string.h>

#define BLOBS 8u

static void decode_all(const uint8_t *data, size_t size)
{
    for (enum artefact t = ARTEFACT_UNKNOWN; t < ARTEFACT_COUNT; t++) {
        enum psp_err err[2];

        for (enum decode_form f = DECODE_TEXT; f <= DECODE_JSON; f++) {
            char why[DECODE_WHY_SIZE];
            char *text = NULL;

            err[f] = decode_artefact(data, size, t, f, &text, why);
            fz_check((err[f] == PSP_OK) == (text != NULL));
            free(text);
        }
        fz_check(err[0] == err[1]);
    }
    (void)verify_is_simulated(data, size, NULL);
}

static void judge(const struct sev_verify_input *in, bool trust)
{
    static const uint8_t digest[1][SEV_DIGEST_SIZE];
    static const uint32_t guest_policy;
    static const struct sev_measure_key measure;
    const struct sev_verify_policy policy = {
        .policy_mask = UINT32_MAX,
        .policy = in->measurement.data != NULL ? &guest_policy : NULL,
        .launch_digest = digest,
        .launch_digest_count = in->measurement.data != NULL,
        .measure = in->measurement.data != NULL ? &measure : NULL,
        .pek_pin = in->pek,
    };
    struct sev_verify_result result;

    verify_sev(in, &policy, &result);
    for (size_t i = 0; i < SEV_CHECK_COUNT; i++) {
        fz_check(result.line[i].verdict <= VERIFY_FAIL);
        fz_check(memchr(result.line[i].reason, 0,
                        sizeof(result.line[i].reason)) != NULL);
        fz_check(result.line[i].verdict != VERIFY_FAIL || !result.ok);
    }
    if (result.ok) {
        fz_check(trust);
        fz_check(result.line[SEV_CHECK_ARK_ROOT].verdict == VERIFY_PASS);
        fz_check(result.line[SEV_CHECK_PEK_BY_CEK].verdict == VERIFY_PASS);
        fz_check(in->report.data == NULL ||
                 result.line[SEV_CHECK_REPORT_SIGNATURE].verdict ==
                     VERIFY_PASS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t no_root[] = "not a certificate";
    struct fz_in in = {data, size};
    struct sev_verify_input input = {.ark = {NULL, 0}};
    struct verify_blob *blob[BLOBS] = {
        &input.ark, &input.ask, &input.cek,    &input.oca,
        &input.pek, &input.pdh, &input.report, &input.measurement};
    struct sev_verify_input split = {.ark = {NULL, 0}};
    enum psp_generation product;
    uint32_t length[BLOBS];
    bool trust;

    for (size_t i = 0; i < BLOBS; i++) {
        length[i] = fz_u8(&in);
        length[i] |= (uint32_t)fz_u8(&in) << 8;
    }
    trust = (length[0] & 0x8000) != 0;
    length[0] &= 0x7fff;
    for (size_t i = 0; i < BLOBS; i++) {
        size_t n = length[i] < in.size ? length[i] : in.size;

        if (n > 0) {
            *blob[i] = (struct verify_blob){in.data, n};
        }
        in.data += n;
        in.size -= n;
    }
    input.trusted_ark =
        trust ? input.ark : (struct verify_blob){no_root, sizeof(no_root)};
    judge(&input, trust);
    (void)sev_split_chain(data, size, &split);
    (void)sev_split_evidence(data, size, &split, &product);
    decode_all(data, size);
    return 0;
}
