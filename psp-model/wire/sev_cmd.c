/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_cmd.h"

#include "wire.h"

/* One list of fields per buffer serves both directions, so that reading and
 * writing cannot disagree. */
struct io {
    bool write;
    struct psp_rd r;
    struct psp_wr w;
};

static void io_u8(struct io *io, uint8_t *v)
{
    if (io->write) {
        psp_wr_u8(&io->w, *v);
    } else {
        *v = psp_rd_u8(&io->r);
    }
}

static void io_u16(struct io *io, uint16_t *v)
{
    if (io->write) {
        psp_wr_le16(&io->w, *v);
    } else {
        *v = psp_rd_le16(&io->r);
    }
}

static void io_u32(struct io *io, uint32_t *v)
{
    if (io->write) {
        psp_wr_le32(&io->w, *v);
    } else {
        *v = psp_rd_le32(&io->r);
    }
}

static void io_u64(struct io *io, uint64_t *v)
{
    if (io->write) {
        psp_wr_le64(&io->w, *v);
    } else {
        *v = psp_rd_le64(&io->r);
    }
}

static void io_bytes(struct io *io, uint8_t *v, size_t n)
{
    if (io->write) {
        psp_wr_bytes(&io->w, v, n);
    } else {
        psp_rd_bytes(&io->r, v, n);
    }
}

static void init_fields(struct io *io, struct sev_cmd_init *c)
{
    io_u32(io, &c->options);
    io_u32(io, &c->reserved);
    io_u64(io, &c->tmr_paddr);
    io_u32(io, &c->tmr_length);
}

static void init_ex_fields(struct io *io, struct sev_cmd_init_ex *c)
{
    io_u32(io, &c->length);
    io_u32(io, &c->options);
    io_u64(io, &c->tmr_paddr);
    io_u32(io, &c->tmr_length);
    io_u32(io, &c->reserved);
    io_u64(io, &c->nv_paddr);
    io_u32(io, &c->nv_length);
}

static void status_fields(struct io *io, struct sev_cmd_status *c)
{
    io_u8(io, &c->api_major);
    io_u8(io, &c->api_minor);
    io_u8(io, &c->state);
    io_u8(io, &c->owner);
    io_u16(io, &c->config);
    io_u8(io, &c->reserved);
    io_u8(io, &c->build);
    io_u32(io, &c->guest_count);
}

static void blob_fields(struct io *io, struct sev_cmd_blob *c)
{
    io_u64(io, &c->paddr);
    io_u32(io, &c->length);
}

static void certs_fields(struct io *io, struct sev_cmd_certs *c)
{
    io_u64(io, &c->first_paddr);
    io_u32(io, &c->first_length);
    io_u32(io, &c->reserved);
    io_u64(io, &c->second_paddr);
    io_u32(io, &c->second_length);
}

static void ring_buffer_fields(struct io *io, struct sev_cmd_ring_buffer *c)
{
    io_u64(io, &c->qlo_cmd_paddr);
    io_u64(io, &c->qlo_stat_paddr);
    io_u64(io, &c->qhi_cmd_paddr);
    io_u64(io, &c->qhi_stat_paddr);
    io_u8(io, &c->qlo_size);
    io_u8(io, &c->qhi_size);
    io_u16(io, &c->qlo_thresh);
    io_u16(io, &c->qhi_thresh);
    io_u16(io, &c->flags);
}

static void handle_fields(struct io *io, struct sev_cmd_handle *c)
{
    io_u32(io, &c->handle);
}

static void activate_fields(struct io *io, struct sev_cmd_activate *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->asid);
}

static void activate_ex_fields(struct io *io, struct sev_cmd_activate_ex *c)
{
    io_u32(io, &c->ex_len);
    io_u32(io, &c->handle);
    io_u32(io, &c->asid);
    io_u32(io, &c->num_ids);
    io_u64(io, &c->ids_paddr);
}

static void guest_status_fields(struct io *io, struct sev_cmd_guest_status *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->policy);
    io_u32(io, &c->asid);
    io_u8(io, &c->state);
}

static void copy_fields(struct io *io, struct sev_cmd_copy *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->length);
    io_u64(io, &c->src_paddr);
    io_u64(io, &c->dst_paddr);
}

static void start_fields(struct io *io, struct sev_cmd_start *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->policy);
    io_u64(io, &c->cert_paddr);
    io_u32(io, &c->cert_length);
    io_u32(io, &c->reserved);
    io_u64(io, &c->session_paddr);
    io_u32(io, &c->session_length);
}

static void range_fields(struct io *io, struct sev_cmd_range *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->reserved);
    io_u64(io, &c->paddr);
    io_u32(io, &c->length);
}

static void transport_fields(struct io *io, struct sev_cmd_transport *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->reserved0);
    io_u64(io, &c->hdr_paddr);
    io_u32(io, &c->hdr_length);
    io_u32(io, &c->reserved1);
    io_u64(io, &c->guest_paddr);
    io_u32(io, &c->guest_length);
    io_u32(io, &c->reserved2);
    io_u64(io, &c->trans_paddr);
    io_u32(io, &c->trans_length);
}

static void attestation_fields(struct io *io, struct sev_cmd_attestation *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->reserved);
    io_u64(io, &c->paddr);
    io_bytes(io, c->mnonce, sizeof(c->mnonce));
    io_u32(io, &c->length);
}

static void send_start_fields(struct io *io, struct sev_cmd_send_start *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->policy);
    io_u64(io, &c->pdh_paddr);
    io_u32(io, &c->pdh_length);
    io_u32(io, &c->reserved0);
    io_u64(io, &c->plat_paddr);
    io_u32(io, &c->plat_length);
    io_u32(io, &c->reserved1);
    io_u64(io, &c->amd_paddr);
    io_u32(io, &c->amd_length);
    io_u32(io, &c->reserved2);
    io_u64(io, &c->session_paddr);
    io_u32(io, &c->session_length);
}

static void dbg_fields(struct io *io, struct sev_cmd_dbg *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->reserved);
    io_u64(io, &c->src_paddr);
    io_u64(io, &c->dst_paddr);
    io_u32(io, &c->length);
}

static void swap_in_fields(struct io *io, struct sev_cmd_swap *c)
{
    io_u32(io, &c->handle);
    io_u32(io, &c->bits);
    io_u64(io, &c->src_paddr);
    io_u64(io, &c->dst_paddr);
    io_u64(io, &c->mdata_paddr);
}

static void swap_out_fields(struct io *io, struct sev_cmd_swap *c)
{
    swap_in_fields(io, c);
    io_u64(io, &c->software_data);
}

#define CODEC(name, type, size)                                                \
    void sev_cmd_##name##_decode(const uint8_t *buf, struct type *c)           \
    {                                                                          \
        struct io io = {.write = false, .r = psp_rd(buf, size)};               \
                                                                               \
        *c = (struct type){0};                                                 \
        name##_fields(&io, c);                                                 \
    }                                                                          \
    void sev_cmd_##name##_encode(const struct type *c, uint8_t *buf)           \
    {                                                                          \
        struct io io = {.write = true, .w = psp_wr(buf, size)};                \
        struct type copy = *c;                                                 \
                                                                               \
        name##_fields(&io, &copy);                                             \
    }

CODEC(init, sev_cmd_init, SEV_CMD_INIT_SIZE)
CODEC(init_ex, sev_cmd_init_ex, SEV_CMD_INIT_EX_SIZE)
CODEC(status, sev_cmd_status, SEV_CMD_STATUS_SIZE)
CODEC(blob, sev_cmd_blob, SEV_CMD_BLOB_SIZE)
CODEC(certs, sev_cmd_certs, SEV_CMD_CERTS_SIZE)
CODEC(ring_buffer, sev_cmd_ring_buffer, SEV_CMD_RING_BUFFER_SIZE)
CODEC(handle, sev_cmd_handle, SEV_CMD_HANDLE_SIZE)
CODEC(activate, sev_cmd_activate, SEV_CMD_ACTIVATE_SIZE)
CODEC(activate_ex, sev_cmd_activate_ex, SEV_CMD_ACTIVATE_EX_SIZE)
CODEC(guest_status, sev_cmd_guest_status, SEV_CMD_GUEST_STATUS_SIZE)
CODEC(copy, sev_cmd_copy, SEV_CMD_COPY_SIZE)
CODEC(start, sev_cmd_start, SEV_CMD_START_SIZE)
CODEC(range, sev_cmd_range, SEV_CMD_RANGE_SIZE)
CODEC(transport, sev_cmd_transport, SEV_CMD_TRANSPORT_SIZE)
CODEC(attestation, sev_cmd_attestation, SEV_CMD_ATTESTATION_SIZE)
CODEC(send_start, sev_cmd_send_start, SEV_CMD_SEND_START_SIZE)
CODEC(dbg, sev_cmd_dbg, SEV_CMD_DBG_SIZE)
CODEC(swap_in, sev_cmd_swap, SEV_CMD_SWAP_IN_SIZE)
CODEC(swap_out, sev_cmd_swap, SEV_CMD_SWAP_OUT_SIZE)
