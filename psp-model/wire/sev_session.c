/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_session.h"

#include "wire.h"

enum psp_err sev_session_decode(const uint8_t *buf, size_t size,
                                struct sev_session *session)
{
    struct psp_rd r = psp_rd(buf, size);

    psp_rd_bytes(&r, session->nonce, sizeof(session->nonce));
    psp_rd_bytes(&r, session->wrap_tk, sizeof(session->wrap_tk));
    psp_rd_bytes(&r, session->wrap_iv, sizeof(session->wrap_iv));
    psp_rd_bytes(&r, session->wrap_mac, sizeof(session->wrap_mac));
    psp_rd_bytes(&r, session->policy_mac, sizeof(session->policy_mac));
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

void sev_session_encode(const struct sev_session *session,
                        uint8_t out[SEV_SESSION_SIZE])
{
    struct psp_wr w = psp_wr(out, SEV_SESSION_SIZE);

    psp_wr_bytes(&w, session->nonce, sizeof(session->nonce));
    psp_wr_bytes(&w, session->wrap_tk, sizeof(session->wrap_tk));
    psp_wr_bytes(&w, session->wrap_iv, sizeof(session->wrap_iv));
    psp_wr_bytes(&w, session->wrap_mac, sizeof(session->wrap_mac));
    psp_wr_bytes(&w, session->policy_mac, sizeof(session->policy_mac));
}

enum psp_err sev_packet_header_decode(const uint8_t *buf, size_t size,
                                      struct sev_packet_header *header)
{
    struct psp_rd r = psp_rd(buf, size);

    header->flags = psp_rd_le32(&r);
    psp_rd_bytes(&r, header->iv, sizeof(header->iv));
    psp_rd_bytes(&r, header->mac, sizeof(header->mac));
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

void sev_packet_header_encode(const struct sev_packet_header *header,
                              uint8_t out[SEV_PACKET_HEADER_SIZE])
{
    struct psp_wr w = psp_wr(out, SEV_PACKET_HEADER_SIZE);

    psp_wr_le32(&w, header->flags);
    psp_wr_bytes(&w, header->iv, sizeof(header->iv));
    psp_wr_bytes(&w, header->mac, sizeof(header->mac));
}

enum psp_err sev_swap_entry_decode(const uint8_t *buf, size_t size,
                                   struct sev_swap_entry *entry)
{
    struct psp_rd r = psp_rd(buf, size);

    entry->software_data = psp_rd_le64(&r);
    psp_rd_bytes(&r, entry->iv, sizeof(entry->iv));
    psp_rd_bytes(&r, entry->auth_tag, sizeof(entry->auth_tag));
    psp_rd_bytes(&r, entry->reserved, sizeof(entry->reserved));
    entry->bits = psp_rd_le32(&r);
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

void sev_swap_entry_encode(const struct sev_swap_entry *entry,
                           uint8_t out[SEV_SWAP_ENTRY_SIZE])
{
    struct psp_wr w = psp_wr(out, SEV_SWAP_ENTRY_SIZE);

    psp_wr_le64(&w, entry->software_data);
    psp_wr_bytes(&w, entry->iv, sizeof(entry->iv));
    psp_wr_bytes(&w, entry->auth_tag, sizeof(entry->auth_tag));
    psp_wr_bytes(&w, entry->reserved, sizeof(entry->reserved));
    psp_wr_le32(&w, entry->bits);
}

bool sev_policy_api_ok(uint32_t policy, uint8_t major, uint8_t minor)
{
    return major > SEV_POLICY_API_MAJOR(policy) ||
           (major == SEV_POLICY_API_MAJOR(policy) &&
            minor >= SEV_POLICY_API_MINOR(policy));
}
