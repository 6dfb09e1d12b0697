/* SPDX-License-Identifier: Apache-2.0 */
#include "sev_report.h"

#include "wire.h"

_Static_assert(SEV_REPORT_SIGNED_SIZE + 12 + 2 * SEV_CERT_NUM_SIZE ==
                   SEV_REPORT_SIZE,
               "signed part, three words, R and S");

enum psp_err sev_report_decode(const uint8_t *buf, size_t size,
                               struct sev_report *report)
{
    struct psp_rd r = psp_rd(buf, size);

    psp_rd_bytes(&r, report->mnonce, sizeof(report->mnonce));
    psp_rd_bytes(&r, report->launch_digest, sizeof(report->launch_digest));
    report->policy = psp_rd_le32(&r);
    report->sig_usage = psp_rd_le32(&r);
    report->sig_algo = psp_rd_le32(&r);
    report->reserved = psp_rd_le32(&r);
    psp_rd_bytes(&r, report->r, sizeof(report->r));
    psp_rd_bytes(&r, report->s, sizeof(report->s));
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

void sev_report_encode(const struct sev_report *report,
                       uint8_t out[SEV_REPORT_SIZE])
{
    struct psp_wr w = psp_wr(out, SEV_REPORT_SIZE);

    psp_wr_bytes(&w, report->mnonce, sizeof(report->mnonce));
    psp_wr_bytes(&w, report->launch_digest, sizeof(report->launch_digest));
    psp_wr_le32(&w, report->policy);
    psp_wr_le32(&w, report->sig_usage);
    psp_wr_le32(&w, report->sig_algo);
    psp_wr_le32(&w, report->reserved);
    psp_wr_bytes(&w, report->r, sizeof(report->r));
    psp_wr_bytes(&w, report->s, sizeof(report->s));
}
