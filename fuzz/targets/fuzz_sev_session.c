/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest owner hands to LAUNCH_START and LAUNCH_SECRET: GODH certificate,
 * session, packets. The input edits good ones, before or after the MACs. */
#include "fz.h"
#include "sev_rig.h"

#include <string.h>

#define ASID 200u

static uint8_t nv[PSP_NV_SIZE];
static bool have_nv;

static void edit(struct fz_in *in, uint8_t *data, size_t size)
{
    for (unsigned int n = fz_u8(in) % 6; n > 0 && size > 0; n--) {
        uint32_t at = fz_u32(in) % (uint32_t)size;

        data[at] ^= fz_u8(in);
    }
}

static bool start(struct sev_rig *r, struct fz_in *in, struct rig_owner *o,
                  uint32_t *handle)
{
    uint8_t pdh[SEV_CERT_SIZE], chain[3 * SEV_CERT_SIZE];
    uint8_t godh[SEV_CERT_SIZE], blob[SEV_SESSION_SIZE];
    enum sev_status status;

    rig_owner("fuzz", fz_u32(in), o);
    fz_bytes(in, o->tek, 16);
    fz_bytes(in, o->tik, 16);
    rig_export(r, pdh, chain);
    rig_session(o, pdh, godh, blob);
    edit(in, godh, sizeof(godh));
    edit(in, blob, sizeof(blob));
    status = rig_start(r, o->policy, godh, blob,
                       (o->policy & SEV_POLICY_ES) != 0 ? 1 : ASID, handle);
    if (status != SEV_SUCCESS) {
        fz_check(rig_status(r).guest_count == 0 && rig_status(r).state == 1);
        fz_check(status == SEV_INVALID_CERTIFICATE ||
                 status == SEV_BAD_MEASUREMENT || status == SEV_POLICY_FAILURE);
    }
    return status == SEV_SUCCESS;
}

static void secrets(struct sev_rig *r, struct fz_in *in,
                    const struct rig_owner *o, uint32_t handle)
{
    static uint8_t payload[0x4100];
    uint8_t header[SEV_PACKET_HEADER_SIZE], iv[16], measure[32];
    uint8_t buf[SEV_CMD_TRANSPORT_SIZE];
    enum sev_status status;
    unsigned int changes;

    memcpy(measure, r->memory + RIG_OUT, sizeof(measure));
    for (int i = 0; i < 4 && in->size > 0; i++) {
        uint32_t size = fz_u32(in) % sizeof(payload);
        struct sev_cmd_transport cmd = {.handle = handle,
                                        .hdr_paddr = RIG_IN,
                                        .hdr_length = sizeof(header),
                                        .guest_paddr = RIG_GUEST,
                                        .guest_length = size,
                                        .trans_paddr = RIG_IN2,
                                        .trans_length = size};

        memset(payload, i, sizeof(payload));
        fz_bytes(in, iv, sizeof(iv));
        rig_packet(o, iv, measure, payload, size, header);
        edit(in, header, sizeof(header));
        edit(in, payload, size);
        sev_cmd_transport_encode(&cmd, buf);
        edit(in, buf + 4, sizeof(buf) - 4);
        memcpy(r->memory + RIG_IN, header, sizeof(header));
        memcpy(r->memory + RIG_IN2, payload, size);
        changes = r->changes;
        status = rig_exec(r, SEV_CMD_LAUNCH_SECRET, buf, sizeof(buf));
        fz_check(status == SEV_SUCCESS || changes == r->changes);
        fz_check(memcmp(buf, r->buffer, sizeof(buf)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fz_in in = {data, size};
    struct rig_owner o;
    uint32_t handle = 0;
    struct sev_rig r;

    rig_power(&r, "milan", false);
    memcpy(r.nv, nv, sizeof(nv));
    r.have_nv = have_nv;
    rig_init(&r);
    memcpy(nv, r.nv, sizeof(nv));
    have_nv = true;
    if (start(&r, &in, &o, &handle)) {
        fz_check(rig_range(&r, SEV_CMD_LAUNCH_UPDATE_DATA, handle, RIG_GUEST,
                           4096) == SEV_SUCCESS);
        fz_check(rig_range(&r, SEV_CMD_LAUNCH_MEASURE, handle, RIG_OUT,
                           SEV_MEASURE_BLOB_SIZE) == SEV_SUCCESS);
        secrets(&r, &in, &o, handle);
    }
    rig_close(&r);
    return 0;
}
