/* SPDX-License-Identifier: Apache-2.0 */
#include "cert_table.h"

#include "wire.h"

const uint8_t CERT_GUID_VCEK[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64,
                                    0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
                                    0x3b, 0xe8, 0xac, 0xcd};
const uint8_t CERT_GUID_VLEK[16] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a,
                                    0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0,
                                    0x45, 0xa0, 0xb8, 0xa1};
const uint8_t CERT_GUID_ASK[16] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac,
                                   0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae,
                                   0xf3, 0x27, 0xc7, 0x82};
const uint8_t CERT_GUID_ARK[16] = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03,
                                   0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6,
                                   0x01, 0x4c, 0xd0, 0xae};
const uint8_t CERT_GUID_CRL[16] = {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11,
                                   0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f,
                                   0x88, 0xdc, 0x67, 0xea};
const uint8_t CERT_GUID_EXTRA_INFO[16] = {0xec, 0xae, 0x0c, 0x0f, 0x95, 0x02,
                                          0x43, 0xb1, 0xaf, 0xa2, 0x0a, 0xe2,
                                          0xe0, 0xd5, 0x65, 0xb6};

static size_t table_size(const struct cert_table_entry *entries, size_t count)
{
    size_t size = (count + 1) * CERT_TABLE_ENTRY_SIZE;

    for (size_t i = 0; i < count; i++) {
        size += entries[i].size;
    }
    return size;
}

size_t cert_table_encode(const struct cert_table_entry *entries, size_t count,
                         uint8_t *out, size_t size)
{
    size_t need = table_size(entries, count);
    size_t offset = (count + 1) * CERT_TABLE_ENTRY_SIZE;
    struct psp_wr w = psp_wr(out, size);

    if (need > size) {
        return need;
    }
    for (size_t i = 0; i < count; i++) {
        psp_wr_bytes(&w, entries[i].guid, sizeof(entries[i].guid));
        psp_wr_le32(&w, (uint32_t)offset);
        psp_wr_le32(&w, (uint32_t)entries[i].size);
        offset += entries[i].size;
    }
    psp_wr_zero(&w, CERT_TABLE_ENTRY_SIZE);
    for (size_t i = 0; i < count; i++) {
        psp_wr_bytes(&w, entries[i].data, entries[i].size);
    }
    return need;
}

struct row {
    uint8_t guid[16];
    uint32_t offset;
    uint32_t size;
};

static struct row row_read(struct psp_rd *r)
{
    struct row row;

    psp_rd_bytes(r, row.guid, sizeof(row.guid));
    row.offset = psp_rd_le32(r);
    row.size = psp_rd_le32(r);
    return row;
}

/* Entries before the terminator; @rows_end: where the terminator ends. A row
 * ends the table when all of it is zero; a zero GUID with an offset or a length
 * would hide what follows from other readers. */
static enum psp_err count_rows(const uint8_t *buf, size_t size, size_t *count,
                               size_t *rows_end)
{
    struct psp_rd r = psp_rd(buf, size);

    for (*count = 0;; (*count)++) {
        struct row row = row_read(&r);

        if (r.bad) {
            return PSP_E_FORMAT;
        }
        if (psp_all_zero(row.guid, sizeof(row.guid))) {
            *rows_end = r.pos;
            return row.offset == 0 && row.size == 0 ? PSP_OK : PSP_E_FORMAT;
        }
    }
}

enum psp_err cert_table_decode(const uint8_t *buf, size_t size,
                               struct cert_table_entry *entries, size_t max,
                               size_t *count)
{
    struct psp_rd r = psp_rd(buf, size);
    size_t rows = 0;
    size_t first = 0;
    enum psp_err err = PSP_OK;

    *count = 0;
    if (size > 0) {
        err = count_rows(buf, size, &rows, &first);
    }
    if (err != PSP_OK || rows > max) {
        return PSP_E_FORMAT;
    }
    for (size_t i = 0; i < rows; i++) {
        struct row row = row_read(&r);

        if (row.offset < first || row.offset > size ||
            row.size > size - row.offset) {
            return PSP_E_FORMAT;
        }
        memcpy(entries[i].guid, row.guid, sizeof(row.guid));
        entries[i].data = buf + row.offset;
        entries[i].size = row.size;
    }
    *count = rows;
    return PSP_OK;
}

const char *cert_guid_name(const uint8_t guid[16])
{
    static const struct {
        const uint8_t *guid;
        const char *name;
    } names[] = {
        {CERT_GUID_VCEK, "VCEK"}, {CERT_GUID_VLEK, "VLEK"},
        {CERT_GUID_ASK, "ASK"},   {CERT_GUID_ARK, "ARK"},
        {CERT_GUID_CRL, "CRL"},   {CERT_GUID_EXTRA_INFO, "extra info"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (memcmp(guid, names[i].guid, 16) == 0) {
            return names[i].name;
        }
    }
    return NULL;
}
