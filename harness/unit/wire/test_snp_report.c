/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation report's codec, against the offsets of [56860 §7.3] as
 * abi/snp.md §7.2 tabulates them. */
#include "tst.h"

#include "snp_report.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Reserved bytes of a version, written down apart from the codec's table. */
static bool is_reserved(uint32_t version, size_t at)
{
    return (at >= 0x4c && at < 0x50) ||
           (at >= 0x188 && at < 0x18b && version == 2) ||
           (at >= 0x18b && at < 0x1a0) || at == 0x1eb || at == 0x1ef ||
           (at >= 0x1f8 && at < 0x208 && version < 5) ||
           (at >= 0x208 && at < 0x2a0) || at >= 0x330;
}

static void blank(uint8_t report[SNP_REPORT_SIZE], uint32_t version)
{
    memset(report, 0, SNP_REPORT_SIZE);
    report[0] = (uint8_t)version;
}

/* ---- size and version ---- */

static const struct size_case {
    const char *name;
    size_t size;
    size_t where;
} SIZES[] = {
    {"decode__empty__format", 0, 0},
    {"decode__one_byte_short__format", SNP_REPORT_SIZE - 1,
     SNP_REPORT_SIZE - 1},
    {"decode__one_byte_long__format", SNP_REPORT_SIZE + 1, SNP_REPORT_SIZE},
    {"decode__response_size__format", 0x4c0, SNP_REPORT_SIZE},
};

static void test_size(void **state)
{
    const struct size_case *c = *state;
    uint8_t full[0x4c0] = {2};
    uint8_t *in = tst_dup(full, c->size);
    struct snp_report report;
    size_t where = 12345;

    assert_int_equal(snp_report_decode(in, c->size, &report, &where),
                     PSP_E_FORMAT);
    assert_int_equal(where, c->where);
    assert_int_equal(report.version, 0);
    free(in);
}

static const struct version_case {
    const char *name;
    uint8_t bytes[4];
    bool ok;
} VERSIONS[] = {
    {"decode__version_0__format", {0}, false},
    {"decode__version_1__format", {1}, false},
    {"decode__version_2__ok", {2}, true},
    {"decode__version_3__ok", {3}, true},
    {"decode__version_4__ok", {4}, true},
    {"decode__version_5__ok", {5}, true},
    {"decode__version_6__format", {6}, false},
    {"decode__version_102h__format", {2, 1}, false},
    {"decode__version_2000002h__format", {2, 0, 0, 2}, false},
};

static void test_version(void **state)
{
    const struct version_case *c = *state;
    uint8_t in[SNP_REPORT_SIZE] = {0};
    struct snp_report report;
    size_t where = 12345;

    memcpy(in, c->bytes, sizeof(c->bytes));
    assert_int_equal(snp_report_decode(in, sizeof(in), &report, &where),
                     c->ok ? PSP_OK : PSP_E_FORMAT);
    assert_int_equal(where, c->ok ? 12345 : 0);
    assert_int_equal(report.version, c->ok ? c->bytes[0] : 0);
}

/* ---- reserved bytes: every bit of every byte in every version ---- */

static const uint32_t RESERVED_VERSIONS[] = {2, 3, 4, 5};

static void test_reserved(void **state)
{
    uint32_t version = *(const uint32_t *)*state;
    uint8_t in[SNP_REPORT_SIZE];
    struct snp_report report;

    blank(in, version);
    for (size_t at = 4; at < sizeof(in); at++) {
        for (unsigned int bit = 0; bit < 8; bit++) {
            bool reserved = is_reserved(version, at);
            size_t where = 0;

            in[at] = (uint8_t)(1u << bit);
            if (snp_report_decode(in, sizeof(in), &report, &where) !=
                (reserved ? PSP_E_FORMAT : PSP_OK)) {
                fail_msg("version %u, byte 0x%zx", version, at);
            }
            if (reserved && where != at) {
                fail_msg("byte 0x%zx reported as 0x%zx", at, where);
            }
        }
        in[at] = 0;
    }
}

static void decode__two_offences__first_is_reported(void **state)
{
    uint8_t in[SNP_REPORT_SIZE];
    struct snp_report report;
    size_t where = 0;

    (void)state;
    blank(in, 3);
    in[0x49f] = 1;
    in[0x1ef] = 1;
    in[0x19f] = 1;
    assert_int_equal(snp_report_decode(in, sizeof(in), &report, &where),
                     PSP_E_FORMAT);
    assert_int_equal(where, 0x19f);
    assert_int_equal(snp_report_decode(in, sizeof(in), &report, NULL),
                     PSP_E_FORMAT);
}

/* ---- fields ---- */

#define FIELD(at, size, member)                                                \
    {                                                                          \
#member, at, size, offsetof(struct snp_report, member)                 \
    }

/* Offset in the report, size; on a little-endian machine the member holds the
 * same bytes. */
static const struct field_case {
    const char *name;
    size_t at, size, member;
} FIELDS[] = {
    FIELD(0x004, 4, guest_svn),
    FIELD(0x008, 8, policy),
    FIELD(0x010, 16, family_id),
    FIELD(0x020, 16, image_id),
    FIELD(0x030, 4, vmpl),
    FIELD(0x034, 4, signature_algo),
    FIELD(0x038, 8, current_tcb),
    FIELD(0x040, 8, platform_info),
    FIELD(0x048, 4, key_info),
    FIELD(0x050, 64, report_data),
    FIELD(0x090, 48, measurement),
    FIELD(0x0c0, 32, host_data),
    FIELD(0x0e0, 48, id_key_digest),
    FIELD(0x110, 48, author_key_digest),
    FIELD(0x140, 32, report_id),
    FIELD(0x160, 32, report_id_ma),
    FIELD(0x180, 8, reported_tcb),
    FIELD(0x188, 1, cpuid_fam_id),
    FIELD(0x189, 1, cpuid_mod_id),
    FIELD(0x18a, 1, cpuid_step),
    FIELD(0x1a0, 64, chip_id),
    FIELD(0x1e0, 8, committed_tcb),
    FIELD(0x1e8, 1, current.build),
    FIELD(0x1e9, 1, current.minor),
    FIELD(0x1ea, 1, current.major),
    FIELD(0x1ec, 1, committed.build),
    FIELD(0x1ed, 1, committed.minor),
    FIELD(0x1ee, 1, committed.major),
    FIELD(0x1f0, 8, launch_tcb),
    FIELD(0x1f8, 8, launch_mit_vector),
    FIELD(0x200, 8, current_mit_vector),
    FIELD(0x2a0, 72, r),
    FIELD(0x2e8, 72, s),
};

static void test_field(void **state)
{
    const struct field_case *c = *state;
    uint8_t in[SNP_REPORT_SIZE], again[SNP_REPORT_SIZE];
    struct snp_report report;
    const uint8_t *member = (const uint8_t *)&report + c->member;

    blank(in, 5);
    for (size_t i = 0; i < c->size; i++) {
        in[c->at + i] = (uint8_t)(0xa0 + i);
    }
    assert_int_equal(snp_report_decode(in, sizeof(in), &report, NULL), PSP_OK);
    assert_memory_equal(member, in + c->at, c->size);
    snp_report_encode(&report, again);
    assert_memory_equal(again, in, sizeof(in));
}

static void fill(uint8_t in[SNP_REPORT_SIZE], uint32_t version, uint8_t seed)
{
    for (size_t i = 4; i < SNP_REPORT_SIZE; i++) {
        in[i] = is_reserved(version, i) ? 0 : (uint8_t)(i * 31 + seed);
    }
    memset(in, 0, 4);
    in[0] = (uint8_t)version;
}

static void encode__of_decoded_bytes__same_bytes(void **state)
{
    uint8_t in[SNP_REPORT_SIZE], out[SNP_REPORT_SIZE];
    struct snp_report report;

    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        fill(in, version, (uint8_t)(version * 77));
        memset(out, 0xee, sizeof(out));
        assert_int_equal(snp_report_decode(in, sizeof(in), &report, NULL),
                         PSP_OK);
        snp_report_encode(&report, out);
        assert_memory_equal(out, in, sizeof(in));
    }
}

static void encode__field_the_version_lacks__zero(void **state)
{
    uint8_t in[SNP_REPORT_SIZE], out[SNP_REPORT_SIZE];
    struct snp_report report;

    (void)state;
    fill(in, 5, 9);
    assert_int_equal(snp_report_decode(in, sizeof(in), &report, NULL), PSP_OK);
    for (uint32_t version = 2; version <= 5; version++) {
        report.version = version;
        snp_report_encode(&report, out);
        for (size_t i = 4; i < sizeof(out); i++) {
            if (out[i] != (is_reserved(version, i) ? 0 : in[i])) {
                fail_msg("version %u, byte 0x%zx", version, i);
            }
        }
    }
}

/* ---- real reports ---- */

static const struct real_case {
    const char *name;
    const char *path;
    uint32_t version;
    enum psp_generation generation;
    struct snp_version current;
    struct psp_tcb reported;
} REAL[] = {
    {"decode__real_milan_v2__its_values",
     "snp/milan/report-v2.bin",
     2,
     PSP_GENERATION_COUNT,
     {3, 49, 1},
     {{2, 0, 0, 0, 0, 0, 5, 0x44}}},
    {"decode__real_milan_v3__its_values",
     "snp/milan/report-v3.bin",
     3,
     PSP_MILAN,
     {29, 55, 1},
     {{4, 0, 0, 0, 0, 0, 0x18, 0xdb}}},
    {"decode__real_genoa_v3__its_values",
     "snp/genoa/report.bin",
     3,
     PSP_GENOA,
     {40, 55, 1},
     {{0x0a, 0, 0, 0, 0, 0, 0x17, 0x54}}},
};

static void test_real(void **state)
{
    const struct real_case *c = *state;
    const char *path = tst_shared(c->path);
    uint8_t out[SNP_REPORT_SIZE];
    struct snp_report report;
    size_t size;
    uint8_t *in;

    if (path == NULL) {
        skip();
        return;
    }
    in = tst_file(path, &size);
    assert_int_equal(snp_report_decode(in, size, &report, NULL), PSP_OK);
    assert_int_equal(report.version, c->version);
    assert_int_equal(snp_report_generation(&report), c->generation);
    assert_memory_equal(&report.current, &c->current, sizeof(c->current));
    assert_memory_equal(&report.reported_tcb, &c->reported, PSP_TCB_SIZE);
    assert_int_equal(report.signature_algo, 1);
    snp_report_encode(&report, out);
    assert_memory_equal(out, in, size);
    free(in);
}

/* ---- generation ---- */

static const struct generation_case {
    const char *name;
    uint8_t version, family, model;
    uint8_t id_first, id_ninth, id_last;
    enum psp_generation generation;
} GENERATIONS[] = {
    {"generation__19h_00h__milan", 3, 0x19, 0x00, 1, 1, 1, PSP_MILAN},
    {"generation__19h_0fh__milan", 5, 0x19, 0x0f, 1, 1, 1, PSP_MILAN},
    {"generation__19h_10h__genoa", 3, 0x19, 0x10, 1, 1, 1, PSP_GENOA},
    {"generation__19h_1fh__genoa", 3, 0x19, 0x1f, 1, 1, 1, PSP_GENOA},
    {"generation__19h_20h__unknown", 3, 0x19, 0x20, 1, 1, 1,
     PSP_GENERATION_COUNT},
    {"generation__19h_9fh__unknown", 3, 0x19, 0x9f, 1, 1, 1,
     PSP_GENERATION_COUNT},
    {"generation__19h_a0h__genoa", 3, 0x19, 0xa0, 1, 1, 1, PSP_GENOA},
    {"generation__19h_afh__genoa", 4, 0x19, 0xaf, 1, 1, 1, PSP_GENOA},
    {"generation__19h_b0h__unknown", 3, 0x19, 0xb0, 1, 1, 1,
     PSP_GENERATION_COUNT},
    {"generation__1ah_00h__turin", 3, 0x1a, 0x00, 1, 0, 0, PSP_TURIN},
    {"generation__1ah_11h__turin", 5, 0x1a, 0x11, 1, 0, 0, PSP_TURIN},
    {"generation__1ah_12h__unknown", 5, 0x1a, 0x12, 1, 0, 0,
     PSP_GENERATION_COUNT},
    {"generation__1ah_50h_venice__unknown", 5, 0x1a, 0x50, 1, 0, 0,
     PSP_GENERATION_COUNT},
    {"generation__17h__unknown", 3, 0x17, 0x01, 1, 1, 1, PSP_GENERATION_COUNT},
    {"generation__v3_without_cpuid__unknown", 3, 0, 0, 1, 0, 0,
     PSP_GENERATION_COUNT},
    {"generation__v3_masked_id__by_cpuid", 3, 0x1a, 0x02, 0, 0, 0, PSP_TURIN},
    {"generation__v2_8_byte_id__turin", 2, 0, 0, 1, 0, 0, PSP_TURIN},
    {"generation__v2_64_byte_id__unknown", 2, 0, 0, 1, 1, 1,
     PSP_GENERATION_COUNT},
    {"generation__v2_ninth_byte_set__unknown", 2, 0, 0, 1, 1, 0,
     PSP_GENERATION_COUNT},
    {"generation__v2_last_byte_set__unknown", 2, 0, 0, 1, 0, 1,
     PSP_GENERATION_COUNT},
    {"generation__v2_masked_id__unknown", 2, 0, 0, 0, 0, 0,
     PSP_GENERATION_COUNT},
    {"generation__v2_first_bytes_zero__unknown", 2, 0, 0, 0, 1, 1,
     PSP_GENERATION_COUNT},
};

static void test_generation(void **state)
{
    const struct generation_case *c = *state;
    struct snp_report report = {.version = c->version,
                                .cpuid_fam_id = c->family,
                                .cpuid_mod_id = c->model};

    report.chip_id[0] = c->id_first;
    report.chip_id[8] = c->id_ninth;
    report.chip_id[63] = c->id_last;
    assert_int_equal(snp_report_generation(&report), c->generation);
}

#define ADD(table, function)                                                   \
    for (size_t i = 0; i < COUNT(table); i++) {                                \
        tests[n++] =                                                           \
            (struct CMUnitTest){(table)[i].name, (function), NULL, NULL,       \
                                tst_dup(&(table)[i], sizeof((table)[i]))};     \
    }

int main(void)
{
    static const char *const reserved_name[] = {
        "decode__reserved_bit_in_v2__format_at_that_byte",
        "decode__reserved_bit_in_v3__format_at_that_byte",
        "decode__reserved_bit_in_v4__format_at_that_byte",
        "decode__reserved_bit_in_v5__format_at_that_byte",
    };
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(decode__two_offences__first_is_reported),
        cmocka_unit_test(encode__of_decoded_bytes__same_bytes),
        cmocka_unit_test(encode__field_the_version_lacks__zero),
    };
    static struct CMUnitTest tests[128];
    size_t n = 0;
    int failed;

    for (size_t i = 0; i < COUNT(plain); i++) {
        tests[n++] = plain[i];
    }
    for (size_t i = 0; i < COUNT(reserved_name); i++) {
        tests[n++] = (struct CMUnitTest){
            reserved_name[i], test_reserved, NULL, NULL,
            tst_dup(&RESERVED_VERSIONS[i], sizeof(uint32_t))};
    }
    ADD(SIZES, test_size)
    ADD(VERSIONS, test_version)
    ADD(FIELDS, test_field)
    ADD(REAL, test_real)
    ADD(GENERATIONS, test_generation)
    failed = _cmocka_run_group_tests("snp_report", tests, n, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        free(tests[i].initial_state);
    }
    return failed;
}
