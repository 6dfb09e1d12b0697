/* SPDX-License-Identifier: Apache-2.0 */
/* LAUNCH_SECRET. Spec: abi/sev.md §1.5, §7.4. */
#include "sev_internal.h"

#define UNIT 16u

/* Checks 3 and 4. */
enum sev_status sev_args_launch_secret(struct sev_call *call)
{
    struct sev_cmd_transport c;

    sev_cmd_transport_decode(call->buf, &c);
    if (c.guest_paddr % UNIT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    if (c.hdr_length != SEV_PACKET_HEADER_SIZE ||
        !sev_packet_size_ok(c.guest_length) ||
        c.guest_length != c.trans_length) {
        return SEV_INVALID_LENGTH;
    }
    return SEV_SUCCESS;
}

/* Checks 8 and 9: @buf becomes the secret. */
static enum sev_status open_secret(const struct sev_platform *sev,
                                   const struct sev_guest *guest,
                                   const struct sev_cmd_transport *c,
                                   uint8_t *buf)
{
    struct sev_packet_header header;
    uint8_t mac[SEV_MAC_SIZE];
    bool measured = sev_api_at_least(&sev->core->profile, 0, 17);
    enum psp_err err = sev_packet_read(sev, c, &header, buf);

    if (err != PSP_OK) {
        return core_status(err);
    }
    sev_packet_mac(SEV_MAC_SECRET, &header, c->guest_length, c->trans_length,
                   buf, c->trans_length, measured ? guest->measure : NULL,
                   guest->transport.tik, mac);
    if (!psp_ct_equal(mac, header.mac, sizeof(mac))) {
        return SEV_BAD_MEASUREMENT;
    }
    if ((header.flags & SEV_PACKET_COMPRESSED) != 0) {
        return SEV_UNSUPPORTED;
    }
    psp_aes128_ctr(guest->transport.tek, header.iv, buf, c->trans_length, buf);
    return SEV_SUCCESS;
}

enum sev_status sev_run_launch_secret(struct sev_call *call)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_transport c;
    enum sev_status status;
    uint8_t *buf;

    sev_cmd_transport_decode(call->buf, &c);
    status = sev_guest_active(call->guest);
    if (status == SEV_SUCCESS) {
        status = sev_packet_ranges(sev, &c);
    }
    if (status != SEV_SUCCESS) {
        return status;
    }
    buf = core_alloc(c.guest_length);
    status = buf == NULL ? core_status(PSP_E_NOMEM)
                         : open_secret(sev, call->guest, &c, buf);
    if (status == SEV_SUCCESS) {
        status = core_status(sev_guest_write(sev, call->guest, c.guest_paddr,
                                             buf, c.guest_length));
    }
    core_free(buf, c.guest_length);
    return status;
}
