/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of the broker as a relying party gets it, JSON or packed. Either
 * encoding gives the other and back; the verifier answers anything. */
#include "aeb_verifier.h"
#include "fz.h"

#include <stdlib.h>
#include <string.h>

static bool same(const struct aeb_evidence *a, const struct aeb_evidence *b)
{
    uint8_t x[AEB_PACKED_TYPED_SIZE], y[AEB_PACKED_TYPED_SIZE];
    size_t n = aeb_packed_encode(a, x);

    return aeb_packed_encode(b, y) == n && memcmp(x, y, n) == 0;
}

static void round_trips(const struct aeb_evidence *ev)
{
    uint8_t packed[AEB_PACKED_TYPED_SIZE];
    struct aeb_evidence again;
    char why[AEB_WHY_SIZE];
    size_t n = aeb_json_encode(ev, NULL, 0);
    char *text = malloc(n);

    fz_check(text != NULL && n <= 25962);
    fz_check(aeb_json_encode(ev, text, n) == n);
    fz_check(aeb_json_decode(text, n, &again, why) == PSP_OK);
    fz_check(same(ev, &again));
    free(text);
    n = aeb_packed_encode(ev, packed);
    fz_check(aeb_packed_decode(packed, n, &again) == PSP_OK);
    fz_check(same(ev, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct aeb_verify_policy policy;
    struct aeb_verify_result result;
    struct aeb_evidence ev;
    char why[AEB_WHY_SIZE];

    if (aeb_json_decode((const char *)data, size, &ev, why) == PSP_OK) {
        round_trips(&ev);
    }
    if (aeb_evidence_decode(data, size, &ev, why) == PSP_OK) {
        aeb_verify(&ev, (struct verify_blob){data, size}, &policy, &result);
        fz_check(!result.ok); /* its own evidence is no root */
    }
    return 0;
}
