/* SPDX-License-Identifier: Apache-2.0 */
/* SEND_UPDATE_*, RECEIVE_UPDATE_*, RECEIVE_FINISH and the packets they make.
 * Spec: abi/sev.md §1.6, §10. */
#include "sev_internal.h"

#define UNIT 16u

bool sev_packet_size_ok(uint32_t size)
{
    return size != 0 && size % UNIT == 0 && size <= SEV_PACKET_MAX;
}

void sev_packet_mac(enum sev_mac_context context,
                    const struct sev_packet_header *header, uint32_t guest_len,
                    uint32_t trans_len, const uint8_t *cipher, size_t size,
                    const uint8_t *measure, const uint8_t tik[SEV_TK_SIZE],
                    uint8_t mac[SEV_MAC_SIZE])
{
    uint8_t head[1 + 4 + sizeof(header->iv) + 4 + 4];
    struct psp_wr w = psp_wr(head, sizeof(head));
    const struct psp_part parts[] = {
        {head, sizeof(head)},
        {cipher, size},
        {measure, measure == NULL ? 0 : SEV_MAC_SIZE},
    };

    psp_wr_u8(&w, (uint8_t)context);
    psp_wr_le32(&w, header->flags);
    psp_wr_bytes(&w, header->iv, sizeof(header->iv));
    psp_wr_le32(&w, guest_len);
    psp_wr_le32(&w, trans_len);
    psp_hmac_sha256(tik, SEV_TK_SIZE, parts, 3, mac);
}

enum sev_status sev_packet_ranges(const struct sev_platform *sev,
                                  const struct sev_cmd_transport *c)
{
    enum sev_status status =
        sev_addr(sev, c->hdr_paddr, SEV_PACKET_HEADER_SIZE);

    if (status == SEV_SUCCESS) {
        status = sev_addr(sev, c->guest_paddr, c->guest_length);
    }
    if (status == SEV_SUCCESS) {
        status = sev_addr(sev, c->trans_paddr, c->trans_length);
    }
    if (status == SEV_SUCCESS) {
        status = sev_output(sev, c->guest_paddr, c->guest_length);
    }
    return status;
}

enum psp_err sev_packet_read(const struct sev_platform *sev,
                             const struct sev_cmd_transport *c,
                             struct sev_packet_header *header, uint8_t *buf)
{
    uint8_t bytes[SEV_PACKET_HEADER_SIZE];
    enum psp_err err = sev_read(sev, c->hdr_paddr, bytes, sizeof(bytes));

    if (err == PSP_OK) {
        err = sev_packet_header_decode(bytes, sizeof(bytes), header);
    }
    if (err == PSP_OK) {
        err = sev_read(sev, c->trans_paddr, buf, c->trans_length);
    }
    return err;
}

/* Lengths that the caller gets back with INVALID_LENGTH. §12.16 */
static void wanted_lengths(struct sev_cmd_transport *c)
{
    if (c->hdr_length < SEV_PACKET_HEADER_SIZE) {
        c->hdr_length = SEV_PACKET_HEADER_SIZE;
    }
    if (c->trans_length < c->guest_length) {
        c->trans_length = c->guest_length;
    }
}

enum sev_status sev_shape_send_update(struct sev_call *call)
{
    struct sev_cmd_transport c;

    sev_cmd_transport_decode(call->buf, &c);
    if (c.hdr_length >= SEV_PACKET_HEADER_SIZE) {
        return SEV_SUCCESS;
    }
    wanted_lengths(&c);
    sev_cmd_transport_encode(&c, call->buf);
    return SEV_INVALID_LENGTH;
}

/* Checks 6 to 9 of SEND_UPDATE_*. */
static enum sev_status check_send(struct sev_call *call,
                                  struct sev_cmd_transport *c)
{
    const struct sev_platform *sev = call->sev;
    enum sev_status status = sev_guest_active(call->guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (!sev_packet_size_ok(c->guest_length) ||
        c->trans_length < c->guest_length) {
        if (sev_packet_size_ok(c->guest_length)) {
            wanted_lengths(c);
            sev_cmd_transport_encode(c, call->buf);
        }
        return SEV_INVALID_LENGTH;
    }
    if (c->guest_paddr % UNIT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    status = sev_addr(sev, c->hdr_paddr, SEV_PACKET_HEADER_SIZE);
    if (status == SEV_SUCCESS) {
        status = sev_addr(sev, c->guest_paddr, c->guest_length);
    }
    if (status == SEV_SUCCESS) {
        status = sev_addr(sev, c->trans_paddr, c->guest_length);
    }
    if (status == SEV_SUCCESS) {
        status = sev_output(sev, c->hdr_paddr, SEV_PACKET_HEADER_SIZE);
    }
    if (status == SEV_SUCCESS) {
        status = sev_output(sev, c->trans_paddr, c->guest_length);
    }
    return status;
}

/* A VMSA that is not where firmware put one, or not as firmware or the
 * hardware left it. */
static bool vmsa_intact(const struct sev_platform *sev,
                        const struct sev_guest *guest, uint64_t paddr,
                        const uint8_t *plain, size_t size)
{
    const struct sev_vmsa *vmsa = sev_vmsa_find(guest, sev_spa(sev, paddr));
    uint8_t digest[SHA256_SIZE];

    psp_sha256(plain, size, digest);
    return vmsa != NULL && size == SEV_VMSA_SIZE &&
           psp_ct_equal(digest, vmsa->digest, sizeof(digest));
}

/* Seal @buf in place and write packet and header. */
static enum psp_err write_packet(const struct sev_platform *sev,
                                 const struct sev_guest *guest,
                                 enum sev_mac_context context,
                                 const struct sev_cmd_transport *c,
                                 uint8_t *buf)
{
    struct sev_packet_header header = {.flags = 0};
    uint8_t bytes[SEV_PACKET_HEADER_SIZE];
    uint32_t size = c->guest_length;
    enum psp_err err = core_random(sev->core, header.iv, sizeof(header.iv));

    if (err != PSP_OK) {
        return err;
    }
    psp_aes128_ctr(guest->transport.tek, header.iv, buf, size, buf);
    sev_packet_mac(context, &header, size, size, buf, size, NULL,
                   guest->transport.tik, header.mac);
    sev_packet_header_encode(&header, bytes);
    err = sev_write(sev, c->trans_paddr, buf, size);
    return err != PSP_OK ? err
                         : sev_write(sev, c->hdr_paddr, bytes, sizeof(bytes));
}

static enum sev_status send_update(struct sev_call *call,
                                   enum sev_mac_context context)
{
    struct sev_platform *sev = call->sev;
    struct sev_cmd_transport c;
    enum sev_status status;
    enum psp_err err;
    uint8_t *buf;

    sev_cmd_transport_decode(call->buf, &c);
    status = check_send(call, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    buf = core_alloc(c.guest_length);
    err = buf == NULL ? PSP_E_NOMEM
                      : sev_guest_read(sev, call->guest, c.guest_paddr, buf,
                                       c.guest_length);
    if (err == PSP_OK && context == SEV_MAC_VMSA &&
        !vmsa_intact(sev, call->guest, c.guest_paddr, buf, c.guest_length)) {
        status = SEV_INVALID_PARAM;
        goto out;
    }
    if (err == PSP_OK) {
        err = write_packet(sev, call->guest, context, &c, buf);
    }
    status = core_status(err);
    if (status == SEV_SUCCESS) {
        c.hdr_length = SEV_PACKET_HEADER_SIZE;
        c.trans_length = c.guest_length;
        sev_cmd_transport_encode(&c, call->buf);
    }
out:
    core_free(buf, c.guest_length);
    return status;
}

enum sev_status sev_run_send_update_data(struct sev_call *call)
{
    return send_update(call, SEV_MAC_DATA);
}

enum sev_status sev_run_send_update_vmsa(struct sev_call *call)
{
    if ((call->guest->policy & SEV_POLICY_ES) == 0) {
        return SEV_UNSUPPORTED;
    }
    return send_update(call, SEV_MAC_VMSA);
}

/* Checks 5 to 8 of RECEIVE_UPDATE_*. */
static enum sev_status check_receive(const struct sev_call *call,
                                     const struct sev_cmd_transport *c)
{
    const struct sev_platform *sev = call->sev;
    enum sev_status status = sev_guest_active(call->guest);

    if (status != SEV_SUCCESS) {
        return status;
    }
    if (c->trans_length != c->guest_length ||
        !sev_packet_size_ok(c->guest_length) ||
        c->hdr_length < SEV_PACKET_HEADER_SIZE) {
        return SEV_INVALID_LENGTH;
    }
    if (c->guest_paddr % UNIT != 0) {
        return SEV_INVALID_ADDRESS;
    }
    return sev_packet_ranges(sev, c);
}

/* Checks 9 and 10: @buf becomes the plaintext. */
static enum sev_status open_packet(const struct sev_platform *sev,
                                   const struct sev_guest *guest,
                                   enum sev_mac_context context,
                                   const struct sev_cmd_transport *c,
                                   uint8_t *buf)
{
    struct sev_packet_header header;
    uint8_t mac[SEV_MAC_SIZE];
    enum psp_err err = sev_packet_read(sev, c, &header, buf);

    if (err != PSP_OK) {
        return core_status(err);
    }
    if ((header.flags & SEV_PACKET_COMPRESSED) != 0) {
        return SEV_UNSUPPORTED;
    }
    sev_packet_mac(context, &header, c->guest_length, c->trans_length, buf,
                   c->trans_length, NULL, guest->transport.tik, mac);
    if (!psp_ct_equal(mac, header.mac, sizeof(mac))) {
        return SEV_BAD_MEASUREMENT;
    }
    psp_aes128_ctr(guest->transport.tek, header.iv, buf, c->trans_length, buf);
    return SEV_SUCCESS;
}

static enum sev_status receive_update(struct sev_call *call,
                                      enum sev_mac_context context)
{
    struct sev_platform *sev = call->sev;
    struct sev_guest *guest = call->guest;
    struct sev_cmd_transport c;
    uint8_t digest[SHA256_SIZE];
    enum sev_status status;
    bool vmsa;
    uint8_t *buf;

    sev_cmd_transport_decode(call->buf, &c);
    status = check_receive(call, &c);
    if (status != SEV_SUCCESS) {
        return status;
    }
    vmsa = context == SEV_MAC_VMSA && c.guest_length == SEV_VMSA_SIZE;
    buf = core_alloc(c.guest_length);
    status = buf == NULL ? core_status(PSP_E_NOMEM)
                         : open_packet(sev, guest, context, &c, buf);
    if (status == SEV_SUCCESS && vmsa) {
        psp_sha256(buf, c.guest_length, digest);
        status = core_status(sev_vmsa_reserve(guest));
    }
    if (status == SEV_SUCCESS) {
        status = core_status(
            sev_guest_write(sev, guest, c.guest_paddr, buf, c.guest_length));
    }
    if (status == SEV_SUCCESS && vmsa) {
        sev_vmsa_put(guest, sev_spa(sev, c.guest_paddr), digest);
    }
    core_free(buf, c.guest_length);
    return status;
}

enum sev_status sev_run_receive_update_data(struct sev_call *call)
{
    return receive_update(call, SEV_MAC_DATA);
}

enum sev_status sev_run_receive_update_vmsa(struct sev_call *call)
{
    if ((call->guest->policy & SEV_POLICY_ES) == 0) {
        return SEV_UNSUPPORTED;
    }
    return receive_update(call, SEV_MAC_VMSA);
}

enum sev_status sev_run_receive_finish(struct sev_call *call)
{
    sev_guest_forget_transport(call->guest);
    call->guest->state = SEV_GUEST_RUNNING;
    call->guest->ran = true;
    return SEV_SUCCESS;
}
