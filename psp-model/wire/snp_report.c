/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_report.h"
#include "wire.h"

#define VERSION_MIN   2u
#define VERSION_CPUID 3u /* first with the CPUID bytes */
#define VERSION_MIT   5u /* first with the mitigation vectors */
#define VERSION_MAX   5u

#define CHIP_ID_TURIN_SIZE 8u

/* Reserved byte ranges in versions below @until; UINT32_MAX: in all. */
static const struct reserved {
    uint16_t offset;
    uint16_t size;
    uint32_t until;
} RESERVED[] = {
    {0x04c, 0x004, UINT32_MAX},
    {0x188, 0x003, VERSION_CPUID},
    {0x18b, 0x015, UINT32_MAX},
    {0x1eb, 0x001, UINT32_MAX},
    {0x1ef, 0x001, UINT32_MAX},
    {0x1f8, 0x010, VERSION_MIT},
    {0x208, 0x098, UINT32_MAX},
    {SNP_REPORT_SIGNED_SIZE + 2 * SNP_SIG_COMPONENT_SIZE,
     SNP_SIGNATURE_SIZE - 2 * SNP_SIG_COMPONENT_SIZE, UINT32_MAX},
};

_Static_assert(SNP_REPORT_SIGNED_SIZE + SNP_SIGNATURE_SIZE == SNP_REPORT_SIZE,
               "the signature ends the report");

static void wr_version(struct psp_wr *w, const struct snp_version *v)
{
    psp_wr_u8(w, v->build);
    psp_wr_u8(w, v->minor);
    psp_wr_u8(w, v->major);
    psp_wr_zero(w, 1);
}

static void wr_cpuid(struct psp_wr *w, const struct snp_report *p)
{
    if (p->version >= VERSION_CPUID) {
        psp_wr_u8(w, p->cpuid_fam_id);
        psp_wr_u8(w, p->cpuid_mod_id);
        psp_wr_u8(w, p->cpuid_step);
    }
    psp_wr_pad_to(w, 0x1a0);
}

static void wr_mit_vectors(struct psp_wr *w, const struct snp_report *p)
{
    if (p->version >= VERSION_MIT) {
        psp_wr_le64(w, p->launch_mit_vector);
        psp_wr_le64(w, p->current_mit_vector);
    }
    psp_wr_pad_to(w, SNP_REPORT_SIGNED_SIZE);
}

void snp_report_encode(const struct snp_report *p, uint8_t out[SNP_REPORT_SIZE])
{
    struct psp_wr w = psp_wr(out, SNP_REPORT_SIZE);

    psp_wr_le32(&w, p->version);
    psp_wr_le32(&w, p->guest_svn);
    psp_wr_le64(&w, p->policy);
    psp_wr_bytes(&w, p->family_id, sizeof(p->family_id));
    psp_wr_bytes(&w, p->image_id, sizeof(p->image_id));
    psp_wr_le32(&w, p->vmpl);
    psp_wr_le32(&w, p->signature_algo);
    psp_wr_bytes(&w, p->current_tcb.b, PSP_TCB_SIZE);
    psp_wr_le64(&w, p->platform_info);
    psp_wr_le32(&w, p->key_info);
    psp_wr_zero(&w, 4);
    psp_wr_bytes(&w, p->report_data, sizeof(p->report_data));
    psp_wr_bytes(&w, p->measurement, sizeof(p->measurement));
    psp_wr_bytes(&w, p->host_data, sizeof(p->host_data));
    psp_wr_bytes(&w, p->id_key_digest, sizeof(p->id_key_digest));
    psp_wr_bytes(&w, p->author_key_digest, sizeof(p->author_key_digest));
    psp_wr_bytes(&w, p->report_id, sizeof(p->report_id));
    psp_wr_bytes(&w, p->report_id_ma, sizeof(p->report_id_ma));
    psp_wr_bytes(&w, p->reported_tcb.b, PSP_TCB_SIZE);
    wr_cpuid(&w, p);
    psp_wr_bytes(&w, p->chip_id, sizeof(p->chip_id));
    psp_wr_bytes(&w, p->committed_tcb.b, PSP_TCB_SIZE);
    wr_version(&w, &p->current);
    wr_version(&w, &p->committed);
    psp_wr_bytes(&w, p->launch_tcb.b, PSP_TCB_SIZE);
    wr_mit_vectors(&w, p);
    psp_wr_bytes(&w, p->r, sizeof(p->r));
    psp_wr_bytes(&w, p->s, sizeof(p->s));
    psp_wr_pad_to(&w, SNP_REPORT_SIZE);
}

/* Offset of the first byte that breaks the format; SNP_REPORT_SIZE if none. */
static size_t first_offence(const uint8_t buf[SNP_REPORT_SIZE],
                            uint32_t version)
{
    if (version < VERSION_MIN || version > VERSION_MAX) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++) {
        const struct reserved *r = &RESERVED[i];

        for (size_t k = r->offset; k < (size_t)r->offset + r->size; k++) {
            if (version < r->until && buf[k] != 0) {
                return k;
            }
        }
    }
    return SNP_REPORT_SIZE;
}

static void rd_version(struct psp_rd *r, struct snp_version *v)
{
    v->build = psp_rd_u8(r);
    v->minor = psp_rd_u8(r);
    v->major = psp_rd_u8(r);
    psp_rd_skip(r, 1);
}

/* Reserved bytes were judged before: here they are only stepped over, so the
 * fields that a version lacks read as zero. */
static void rd_report(struct psp_rd *r, struct snp_report *p)
{
    p->version = psp_rd_le32(r);
    p->guest_svn = psp_rd_le32(r);
    p->policy = psp_rd_le64(r);
    psp_rd_bytes(r, p->family_id, sizeof(p->family_id));
    psp_rd_bytes(r, p->image_id, sizeof(p->image_id));
    p->vmpl = psp_rd_le32(r);
    p->signature_algo = psp_rd_le32(r);
    psp_rd_bytes(r, p->current_tcb.b, PSP_TCB_SIZE);
    p->platform_info = psp_rd_le64(r);
    p->key_info = psp_rd_le32(r);
    psp_rd_skip(r, 4);
    psp_rd_bytes(r, p->report_data, sizeof(p->report_data));
    psp_rd_bytes(r, p->measurement, sizeof(p->measurement));
    psp_rd_bytes(r, p->host_data, sizeof(p->host_data));
    psp_rd_bytes(r, p->id_key_digest, sizeof(p->id_key_digest));
    psp_rd_bytes(r, p->author_key_digest, sizeof(p->author_key_digest));
    psp_rd_bytes(r, p->report_id, sizeof(p->report_id));
    psp_rd_bytes(r, p->report_id_ma, sizeof(p->report_id_ma));
    psp_rd_bytes(r, p->reported_tcb.b, PSP_TCB_SIZE);
    p->cpuid_fam_id = psp_rd_u8(r);
    p->cpuid_mod_id = psp_rd_u8(r);
    p->cpuid_step = psp_rd_u8(r);
    psp_rd_skip(r, 0x15);
    psp_rd_bytes(r, p->chip_id, sizeof(p->chip_id));
    psp_rd_bytes(r, p->committed_tcb.b, PSP_TCB_SIZE);
    rd_version(r, &p->current);
    rd_version(r, &p->committed);
    psp_rd_bytes(r, p->launch_tcb.b, PSP_TCB_SIZE);
    p->launch_mit_vector = psp_rd_le64(r);
    p->current_mit_vector = psp_rd_le64(r);
    psp_rd_skip(r, 0x98);
    psp_rd_bytes(r, p->r, sizeof(p->r));
    psp_rd_bytes(r, p->s, sizeof(p->s));
    psp_rd_skip(r, SNP_SIGNATURE_SIZE - 2 * SNP_SIG_COMPONENT_SIZE);
}

enum psp_err snp_report_decode(const uint8_t *buf, size_t size,
                               struct snp_report *report, size_t *where)
{
    struct psp_rd r = psp_rd(buf, size);
    size_t bad = size < SNP_REPORT_SIZE ? size : SNP_REPORT_SIZE;

    memset(report, 0, sizeof(*report));
    if (size == SNP_REPORT_SIZE) {
        struct psp_rd v = psp_rd(buf, size);

        bad = first_offence(buf, psp_rd_le32(&v));
    }
    if (size != SNP_REPORT_SIZE || bad != SNP_REPORT_SIZE) {
        if (where != NULL) {
            *where = bad;
        }
        return PSP_E_FORMAT;
    }
    rd_report(&r, report);
    return psp_rd_done(&r) ? PSP_OK : PSP_E_FORMAT;
}

static enum psp_generation generation_of_cpuid(uint8_t family, uint8_t model)
{
    if (family == 0x19 && model <= 0x0f) {
        return PSP_MILAN;
    }
    if (family == 0x19 && ((model >= 0x10 && model <= 0x1f) ||
                           (model >= 0xa0 && model <= 0xaf))) {
        return PSP_GENOA;
    }
    if (family == 0x1a && model <= 0x11) {
        return PSP_TURIN;
    }
    return PSP_GENERATION_COUNT;
}

enum psp_generation snp_report_generation(const struct snp_report *report)
{
    const uint8_t *id = report->chip_id;

    if (report->version >= VERSION_CPUID) {
        return generation_of_cpuid(report->cpuid_fam_id, report->cpuid_mod_id);
    }
    if (!psp_all_zero(id, CHIP_ID_TURIN_SIZE) &&
        psp_all_zero(id + CHIP_ID_TURIN_SIZE,
                     sizeof(report->chip_id) - CHIP_ID_TURIN_SIZE)) {
        return PSP_TURIN;
    }
    return PSP_GENERATION_COUNT;
}
