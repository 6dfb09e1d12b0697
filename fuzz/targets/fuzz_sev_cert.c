/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that an owner hands to PEK_CERT_IMPORT, and AMD's format. The
 * input edits good ones and says which signatures are made anew, so that what
 * lies behind the signature is reached. */
#include "fz.h"
#include "sev_amd_cert.h"
#include "sev_rig.h"

#include <string.h>

static uint8_t nv[PSP_NV_SIZE]; /* keys are made once */
static bool have_nv;

static void open_rig(struct sev_rig *r)
{
    rig_power(r, "milan", false);
    memcpy(r->nv, nv, sizeof(nv));
    r->have_nv = have_nv;
    rig_init(r);
    memcpy(nv, r->nv, sizeof(nv));
    have_nv = true;
}

/* Decoding keeps every byte. */
static void round_trips(const uint8_t *data, size_t size)
{
    uint8_t out[SEV_CERT_SIZE];
    struct sev_amd_cert amd;
    struct sev_cert cert;
    uint8_t x[SEV_EC_SIZE], y[SEV_EC_SIZE];
    struct sev_rsa rsa;
    uint32_t curve;
    size_t used = 0;

    if (sev_cert_decode(data, size, &cert) == PSP_OK) {
        sev_cert_encode(&cert, out);
        fz_check(size == sizeof(out) && memcmp(out, data, size) == 0);
        (void)sev_cert_get_ec(&cert, &curve, x, y);
        (void)sev_cert_get_rsa(&cert, &rsa);
        (void)sev_cert_slot_get_ecdsa(&cert.sig[0], x, y);
    }
    if (sev_amd_cert_decode(data, size, &amd, &used) == PSP_OK) {
        fz_check(used <= size);
    }
}

static void edit(struct fz_in *in, uint8_t cert[SEV_CERT_SIZE])
{
    for (unsigned int n = fz_u8(in) % 8; n > 0; n--) {
        uint32_t at = fz_u32(in) % SEV_CERT_SIZE;

        cert[at] ^= fz_u8(in);
    }
}

static void make(struct fz_in *in, const char *signer, struct sev_cert *cert)
{
    uint8_t bytes[SEV_CERT_SIZE], how = fz_u8(in);
    struct psp_p384_key key;

    sev_cert_encode(cert, bytes);
    edit(in, bytes);
    fz_check(sev_cert_decode(bytes, sizeof(bytes), cert) == PSP_OK);
    rig_key(signer, &key);
    if ((how & 1) == 0) {
        rig_sign(cert, (how >> 1) & 1, SEV_USAGE_OCA, &key);
    }
    if ((how & 4) != 0) { /* after signing */
        sev_cert_encode(cert, bytes);
        edit(in, bytes);
        fz_check(sev_cert_decode(bytes, sizeof(bytes), cert) == PSP_OK);
    }
}

static void import(struct fz_in *in)
{
    struct sev_cmd_certs cmd = {RIG_IN, SEV_CERT_SIZE, 0, RIG_IN2,
                                SEV_CERT_SIZE};
    uint8_t buf[SEV_CMD_CERTS_SIZE], before[PSP_NV_SIZE];
    uint8_t pdh[SEV_CERT_SIZE], chain[3 * SEV_CERT_SIZE];
    struct sev_cert pek, oca;
    struct psp_p384_key key;
    enum sev_status status;
    struct sev_rig r;

    open_rig(&r);
    rig_export(&r, pdh, chain);
    fz_check(sev_cert_decode(chain, SEV_CERT_SIZE, &pek) == PSP_OK);
    sev_cert_slot_clear(&pek.sig[0]);
    sev_cert_slot_clear(&pek.sig[1]);
    rig_key("owner", &key);
    rig_cert(&key, SEV_USAGE_OCA, &oca);
    make(in, "owner", &oca);
    make(in, "owner", &pek);
    sev_cert_encode(&pek, r.memory + RIG_IN);
    sev_cert_encode(&oca, r.memory + RIG_IN2);
    memcpy(before, r.nv, sizeof(before));
    sev_cmd_certs_encode(&cmd, buf);
    status = rig_exec(&r, SEV_CMD_PEK_CERT_IMPORT, buf, sizeof(buf));
    fz_check((rig_status(&r).owner & 1) == (status == SEV_SUCCESS));
    fz_check((memcmp(before, r.nv, sizeof(before)) == 0) ==
             (status != SEV_SUCCESS));
    if (status == SEV_SUCCESS) { /* what was taken in comes back */
        rig_export(&r, pdh, chain);
        fz_check(memcmp(chain + SEV_CERT_SIZE, r.memory + RIG_IN2,
                        SEV_CERT_SIZE) == 0);
        fz_check(memcmp(chain, r.memory + RIG_IN, SEV_CERT_BODY_SIZE) == 0);
    } else {
        fz_check(status == SEV_INVALID_CERTIFICATE ||
                 status == SEV_BAD_SIGNATURE || status == SEV_UNSUPPORTED);
    }
    rig_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fz_in in = {data, size};

    if (fz_u8(&in) & 1) {
        round_trips(in.data, in.size);
    } else {
        import(&in);
    }
    return 0;
}
