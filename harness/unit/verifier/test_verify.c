/* SPDX-License-Identifier: Apache-2.0 */
/* Each check of the relying party: evidence that is good but for one thing is
 * refused by the check that is there for it, and by no other. Certificates are
 * minted by the harness, not by the model's factory. */
#include "bench_evidence.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

typedef void change(struct bench *b);
#define CHANGE(name) static void name(struct bench *b)
#define MAX_TESTS    400u

struct verdict_case {
    const char *name;
    enum psp_generation generation;
    bool vlek;
    change *before; /* of what is signed; may be NULL */
    change *after;  /* of what was built; may be NULL */
    enum verify_check check;
    enum verify_verdict verdict; /* of check */
    const char *reason;          /* occurs in its reason; NULL: none is set */
    /* FAIL of check: another one that must fail with it; 0: none. */
    enum verify_check also;
};

static void test_verdict(void **state)
{
    const struct verdict_case *c = *state;
    struct bench *b = calloc(1, sizeof(*b));

    bench_init(b, c->generation, c->vlek);
    if (c->before != NULL) {
        c->before(b);
    }
    bench_build(b);
    if (c->after != NULL) {
        c->after(b);
    }
    verify_snp(&b->in, &b->policy, &b->result);
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        const struct verify_line *line = &b->result.line[i];
        bool fail = c->verdict == VERIFY_FAIL &&
                    (i == c->check || (c->also != 0 && i == c->also));

        if ((line->verdict == VERIFY_FAIL) != fail) {
            fail_msg("%s: %s (%s)", verify_check_name((enum verify_check)i),
                     verify_verdict_name(line->verdict), line->reason);
        }
    }
    assert_int_equal(b->result.line[c->check].verdict, c->verdict);
    assert_int_equal(b->result.ok, c->verdict != VERIFY_FAIL);
    if (c->reason == NULL) {
        assert_string_equal(b->result.line[c->check].reason, "");
    } else if (strstr(b->result.line[c->check].reason, c->reason) == NULL) {
        fail_msg("reason is: %s", b->result.line[c->check].reason);
    }
    free(b);
}

/* ---- changes that leave the evidence good ---- */

CHANGE(nothing)
{
    (void)b;
}
CHANGE(old_report)
{
    b->report.version = 2;
}
CHANGE(report_v4)
{
    b->report.version = 4;
}
CHANGE(report_v5)
{
    b->report.version = 5;
}
CHANGE(siena)
{
    b->report.cpuid_mod_id = 0xa0;
}
CHANGE(form_b)
{
    b->ark.alg = b->ask.alg = b->leaf.alg = MINT_FORM_B;
}
CHANGE(with_ark)
{
    b->present_ark = true;
}
CHANGE(with_crl)
{
    b->with_crl = true;
}
CHANGE(crl_without_next_update)
{
    b->with_crl = true;
    b->crl.next_update = NULL;
}
CHANGE(crl_lists_another)
{
    b->with_crl = true;
    b->crl.revoked[b->crl.revoked_count++] = 0x53010002;
}
CHANGE(crl_without_time)
{
    b->with_crl = true;
    b->crl.next_update = "250102000000Z";
    b->policy.now = 0;
}
CHANGE(no_time)
{
    b->policy.now = 0;
}
CHANGE(product_name_without_stepping)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "16054d696c616e");
}
CHANGE(product_name_b1)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "16084d696c616e2d4231");
}
CHANGE(leaf_with_aki)
{
    mint_ext_add(&b->leaf, "551d23",
                 "30168014"
                 "00112233445566778899"
                 "aabbccddeeff00112233");
    b->leaf.ext[b->leaf.ext_count - 1].value_size = 24;
}
CHANGE(leaf_may_sign)
{
    mint_ext_add(&b->leaf, "551d0f", "03020780")->critical = true;
}
CHANGE(amd_extension_critical)
{
    mint_amd_ext(&b->leaf, 4, 0)->critical = true;
}
CHANGE(spl_127)
{
    b->report.reported_tcb.b[0] = 127;
    mint_ext_integer(mint_amd_ext(&b->leaf, 3, 1), 127);
}
CHANGE(ucode_255)
{
    b->report.reported_tcb.b[7] = 255;
    mint_ext_integer(mint_amd_ext(&b->leaf, 3, 8), 255);
}
CHANGE(current_above_reported)
{
    b->report.current_tcb.b[7] = 0xdc;
}
CHANGE(extra_rdn)
{
    b->ask.subject.description = "SIMULATED - NOT AN AMD CERTIFICATE";
    b->leaf.issuer.description = b->ask.subject.description;
}
CHANGE(mask_chip_id)
{
    memset(b->report.chip_id, 0, sizeof(b->report.chip_id));
}
CHANGE(vlek_with_chip_id)
{
    memset(b->report.chip_id, 0xc1, sizeof(b->report.chip_id));
}
CHANGE(host_report)
{
    b->report.vmpl = UINT32_MAX;
    memset(b->report.report_data, 0, sizeof(b->report.report_data));
}
CHANGE(at_first_second)
{
    b->policy.now = 1704067200; /* 2024-01-01 */
}
CHANGE(at_last_second)
{
    b->leaf.not_after = "260101000000Z";
}

#define GOOD(name, generation, vlek, before)                                   \
    {                                                                          \
        name, generation, vlek, before, NULL, VERIFY_REPORT_SIGNATURE,         \
            VERIFY_PASS, NULL, 0                                               \
    }
#define SKIPS(name, generation, vlek, before, check, reason)                   \
    {                                                                          \
        name, generation, vlek, before, NULL, check, VERIFY_SKIPPED, reason, 0 \
    }

static const struct verdict_case GOODS[] = {
    GOOD("verify__milan_v3__accepted", PSP_MILAN, false, nothing),
    GOOD("verify__milan_v2__accepted", PSP_MILAN, false, old_report),
    GOOD("verify__milan_v4__accepted", PSP_MILAN, false, report_v4),
    GOOD("verify__milan_v5__accepted", PSP_MILAN, false, report_v5),
    GOOD("verify__genoa_v3__accepted", PSP_GENOA, false, nothing),
    GOOD("verify__genoa_model_a0h__accepted", PSP_GENOA, false, siena),
    GOOD("verify__turin_v5__accepted", PSP_TURIN, false, nothing),
    GOOD("verify__turin_v2__accepted", PSP_TURIN, false, old_report),
    GOOD("verify__milan_vlek__accepted", PSP_MILAN, true, nothing),
    GOOD("verify__genoa_vlek__accepted", PSP_GENOA, true, nothing),
    GOOD("verify__turin_vlek__accepted", PSP_TURIN, true, nothing),
    GOOD("verify__pss_form_b__accepted", PSP_MILAN, false, form_b),
    GOOD("verify__ark_presented__accepted", PSP_MILAN, false, with_ark),
    GOOD("verify__with_crl__accepted", PSP_MILAN, false, with_crl),
    GOOD("verify__crl_for_ever__accepted", PSP_MILAN, false,
         crl_without_next_update),
    GOOD("verify__crl_of_another_serial__accepted", PSP_MILAN, false,
         crl_lists_another),
    GOOD("verify__product_name_without_stepping__accepted", PSP_MILAN, false,
         product_name_without_stepping),
    GOOD("verify__product_name_of_other_stepping__accepted", PSP_MILAN, false,
         product_name_b1),
    GOOD("verify__leaf_with_key_identifier__accepted", PSP_MILAN, false,
         leaf_with_aki),
    GOOD("verify__leaf_may_sign__accepted", PSP_MILAN, false, leaf_may_sign),
    GOOD("verify__amd_extension_critical__accepted", PSP_MILAN, false,
         amd_extension_critical),
    GOOD("verify__spl_127__accepted", PSP_MILAN, false, spl_127),
    GOOD("verify__ucode_255__accepted", PSP_MILAN, false, ucode_255),
    GOOD("verify__current_above_reported__accepted", PSP_MILAN, false,
         current_above_reported),
    GOOD("verify__further_name_attribute__accepted", PSP_MILAN, false,
         extra_rdn),
    GOOD("verify__at_first_second__accepted", PSP_MILAN, false,
         at_first_second),
    GOOD("verify__at_last_second__accepted", PSP_MILAN, false, at_last_second),
    GOOD("verify__report_for_the_host__accepted", PSP_TURIN, false,
         host_report),
    GOOD("verify__old_crl_and_no_time__accepted", PSP_MILAN, false,
         crl_without_time),
    SKIPS("validity__no_time__skipped", PSP_MILAN, false, no_time,
          VERIFY_VALIDITY, "no time"),
    SKIPS("revocation__no_crl__skipped", PSP_MILAN, false, nothing,
          VERIFY_REVOCATION, "no CRL"),
    SKIPS("chip_id__masked__skipped", PSP_MILAN, false, mask_chip_id,
          VERIFY_CHIP_ID, "masks"),
    SKIPS("chip_id__vlek__skipped", PSP_MILAN, true, nothing, VERIFY_CHIP_ID,
          "VLEK"),
    SKIPS("chip_id__vlek_and_id_shown__skipped", PSP_MILAN, true,
          vlek_with_chip_id, VERIFY_CHIP_ID, "VLEK"),
    SKIPS("report_data__not_asked__skipped", PSP_MILAN, false, nothing,
          VERIFY_REPORT_DATA, "not asked"),
    SKIPS("policy__not_asked__skipped", PSP_MILAN, false, nothing,
          VERIFY_POLICY, "not asked"),
};

/* ---- report format ---- */

CHANGE(no_report)
{
    b->in.report.data = NULL;
}
CHANGE(short_report)
{
    b->in.report.size--;
}
CHANGE(long_report)
{
    b->in.report.size++;
}
CHANGE(version_6)
{
    b->bytes[0] = 6;
    mint_sign_report(b->bytes, KEY.leaf);
}
CHANGE(reserved_4c)
{
    b->bytes[0x4f] = 1;
    mint_sign_report(b->bytes, KEY.leaf);
}
CHANGE(padding_of_signature)
{
    b->bytes[0x49f] = 1;
}
CHANGE(algo_2)
{
    b->report.signature_algo = 2;
}
CHANGE(policy_17_clear)
{
    b->report.policy = 0x10000;
}
CHANGE(policy_26_set)
{
    b->report.policy |= UINT64_C(1) << 26;
}
CHANGE(policy_63_set)
{
    b->report.policy |= UINT64_C(1) << 63;
}
CHANGE(vmpl_4)
{
    b->report.vmpl = 4;
}
CHANGE(vmpl_of_the_host)
{
    b->report.vmpl = UINT32_MAX;
}
CHANGE(key_info_5_set)
{
    b->report.key_info |= 1u << 5;
}

/* A report that cannot be read is judged by no other check. */
#define FAILS(name, before, after, check, reason)                              \
    {                                                                          \
        name, PSP_MILAN, false, before, after, check, VERIFY_FAIL, reason, 0   \
    }
#define FAILS_AT(generation, name, before, after, check, reason)               \
    {                                                                          \
        name, generation, false, before, after, check, VERIFY_FAIL, reason, 0  \
    }
#define FAILS_VLEK(name, before, after, check, reason)                         \
    {                                                                          \
        name, PSP_MILAN, true, before, after, check, VERIFY_FAIL, reason, 0    \
    }
#define FAILS_TWO(name, before, after, check, reason, other)                   \
    {                                                                          \
        name, PSP_MILAN, false, before, after, check, VERIFY_FAIL, reason,     \
            other                                                              \
    }

static const struct verdict_case FORMAT[] = {
    FAILS("report_format__absent__fail", NULL, no_report, VERIFY_REPORT_FORMAT,
          "no report"),
    FAILS("report_format__one_byte_short__fail", NULL, short_report,
          VERIFY_REPORT_FORMAT, "1183 bytes"),
    FAILS("report_format__one_byte_long__fail", NULL, long_report,
          VERIFY_REPORT_FORMAT, "1185 bytes"),
    FAILS("report_format__version_6__fail", NULL, version_6,
          VERIFY_REPORT_FORMAT, "version 6"),
    FAILS("report_format__reserved_byte_signed__fail", NULL, reserved_4c,
          VERIFY_REPORT_FORMAT, "0x4f"),
    FAILS("report_format__signature_padding__fail", NULL, padding_of_signature,
          VERIFY_REPORT_FORMAT, "0x49f"),
    FAILS("report_format__signature_algo_2__fail", algo_2, NULL,
          VERIFY_REPORT_FORMAT, "SIGNATURE_ALGO 2"),
    FAILS("report_format__policy_bit_17_clear__fail", policy_17_clear, NULL,
          VERIFY_REPORT_FORMAT, "POLICY 0x10000"),
    FAILS("report_format__policy_bit_26__fail", policy_26_set, NULL,
          VERIFY_REPORT_FORMAT, "POLICY"),
    FAILS("report_format__policy_bit_63__fail", policy_63_set, NULL,
          VERIFY_REPORT_FORMAT, "POLICY"),
    FAILS("report_format__vmpl_4__fail", vmpl_4, NULL, VERIFY_REPORT_FORMAT,
          "VMPL 4"),
    {"report_format__vmpl_of_the_host__pass", PSP_MILAN, false,
     vmpl_of_the_host, NULL, VERIFY_REPORT_FORMAT, VERIFY_PASS, NULL, 0},
    FAILS("report_format__key_info_bit_5__fail", key_info_5_set, NULL,
          VERIFY_REPORT_FORMAT, "KEY_INFO 0x20"),
};

/* ---- root ---- */

static const char GARBAGE[] = "this is no certificate at all, nor DER";

static struct verify_blob garbage(void)
{
    return (struct verify_blob){.data = (const uint8_t *)GARBAGE,
                                .size = sizeof(GARBAGE)};
}

CHANGE(no_root)
{
    b->in.trusted_ark.data = NULL;
}
CHANGE(garbage_root)
{
    b->in.trusted_ark = garbage();
}
CHANGE(empty_root)
{
    b->in.trusted_ark.size = 0;
}
CHANGE(ask_as_root)
{
    b->in.trusted_ark = b->in.ask;
}
CHANGE(crl_as_root)
{
    b->in.trusted_ark = bench_blob(&b->crl_der);
}
CHANGE(root_signed_by_other)
{
    b->ark.signer = KEY.other;
}
CHANGE(root_of_other_key)
{
    b->root.key = KEY.other;
    b->root.signer = KEY.other;
    b->other_root = true;
}
CHANGE(root_of_other_key_and_ark)
{
    root_of_other_key(b);
    b->present_ark = true;
}
CHANGE(root_named_otherwise)
{
    snprintf(b->root.subject.cn, sizeof(b->root.subject.cn), "ARK-Genoa");
    b->root.issuer = b->root.subject;
    b->other_root = true;
}
CHANGE(ark_cn_wrong)
{
    snprintf(b->ark.subject.cn, sizeof(b->ark.subject.cn), "ARK-Rome");
    b->ark.issuer = b->ark.subject;
    b->ask.issuer = b->ark.subject;
}
CHANGE(ark_not_ca)
{
    mint_ext_value(&b->ark.ext[1], "3000");
}
CHANGE(ark_without_constraints)
{
    mint_ext_drop(&b->ark, &b->ark.ext[1]);
}
CHANGE(ark_path_len_0)
{
    mint_ext_value(&b->ark.ext[1], "30060101ff020100");
}
CHANGE(ark_crl_sign_only)
{
    mint_ext_value(&b->ark.ext[0], "03020102");
}
CHANGE(ark_without_usage)
{
    mint_ext_drop(&b->ark, &b->ark.ext[0]);
}
CHANGE(ark_rsa_2048)
{
    b->ark.key = b->ark.signer = KEY.small;
    b->ask.signer = KEY.small;
    b->crl.signer = KEY.small;
}
CHANGE(ark_ec)
{
    b->ark.key = KEY.p384;
}
CHANGE(ark_v1)
{
    b->ark.version = 0;
}
CHANGE(ark_salt_32)
{
    b->ark.alg = MINT_SALT_32;
}
CHANGE(ark_sha256)
{
    b->ark.alg = MINT_SHA_256;
}
CHANGE(ark_pkcs1)
{
    b->ark.alg = MINT_PKCS1;
}
CHANGE(ark_alg_mixed)
{
    b->ark.outer_alg_set = true;
    b->ark.outer_alg = MINT_FORM_B;
}
CHANGE(ark_unknown_critical)
{
    mint_ext_add(&b->ark, "2a0304", "0500")->critical = true;
}
CHANGE(ark_name_constraints)
{
    mint_ext_add(&b->ark, "551d1e", "3000")->critical = true;
}
CHANGE(ark_usage_twice)
{
    mint_ext_add(&b->ark, "551d0f", "03020106")->critical = true;
}
CHANGE(ark_usage_malformed)
{
    mint_ext_value(&b->ark.ext[0], "0500");
}
CHANGE(ark_garbage)
{
    b->in.ark = garbage();
}
CHANGE(ark_flipped)
{
    b->present_ark = true;
}
CHANGE(flip_ark)
{
    /* Presented one only; the trusted copy stays. */
    memcpy(&b->root_der, &b->ark_der, sizeof(b->root_der));
    b->in.trusted_ark = bench_blob(&b->root_der);
    b->ark_der.b[b->ark_der.n - 1] ^= 1;
}

static const struct verdict_case ROOT[] = {
    FAILS("ark_root__none_given__fail", NULL, no_root, VERIFY_ARK_ROOT,
          "no root of trust"),
    FAILS("ark_root__garbage__fail", NULL, garbage_root, VERIFY_ARK_ROOT,
          "no certificate"),
    FAILS("ark_root__empty__fail", NULL, empty_root, VERIFY_ARK_ROOT,
          "no certificate"),
    FAILS("ark_root__not_self_signed__fail", NULL, ask_as_root, VERIFY_ARK_ROOT,
          "no self-signed"),
    FAILS("ark_root__crl_instead__fail", NULL, crl_as_root, VERIFY_ARK_ROOT,
          "no self-signed"),
    FAILS("ark_root__self_issued_but_signed_by_another__fail",
          root_signed_by_other, NULL, VERIFY_ARK_ROOT, "does not verify"),
    FAILS("ark_root__other_key_same_name__ask_fails", root_of_other_key, NULL,
          VERIFY_ASK_SIGNATURE, "does not verify"),
    FAILS_TWO("ark_root__presented_ark_is_another__fail",
              root_of_other_key_and_ark, NULL, VERIFY_ARK_ROOT,
              "not the trusted root", VERIFY_ASK_SIGNATURE),
    FAILS("ark_root__of_another_product__ask_fails", root_named_otherwise, NULL,
          VERIFY_ASK_SIGNATURE, "the root's is Genoa"),
    FAILS_TWO("ark_root__unknown_product__fail", ark_cn_wrong, NULL,
              VERIFY_ARK_ROOT, "common name", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__not_a_ca__fail", ark_not_ca, NULL, VERIFY_ARK_ROOT,
              "basicConstraints", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__no_basic_constraints__fail", ark_without_constraints,
              NULL, VERIFY_ARK_ROOT, "basicConstraints", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__path_len_0__fail", ark_path_len_0, NULL,
              VERIFY_ARK_ROOT, "pathLen", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__no_key_cert_sign__fail", ark_crl_sign_only, NULL,
              VERIFY_ARK_ROOT, "keyCertSign", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__no_key_usage__fail", ark_without_usage, NULL,
              VERIFY_ARK_ROOT, "keyCertSign", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__rsa_2048__fail", ark_rsa_2048, NULL, VERIFY_ARK_ROOT,
              "RSA-4096", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__ec_key__fail", ark_ec, NULL, VERIFY_ARK_ROOT,
              "RSA-4096", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__x509_v1__fail", ark_v1, NULL, VERIFY_ARK_ROOT,
              "version", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__salt_32__fail", ark_salt_32, NULL, VERIFY_ARK_ROOT,
              "salt 48", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__sha_256__fail", ark_sha256, NULL, VERIFY_ARK_ROOT,
              "SHA-384", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__pkcs1_v1_5__fail", ark_pkcs1, NULL, VERIFY_ARK_ROOT,
              "RSASSA-PSS", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__inner_and_outer_algorithm_differ__fail", ark_alg_mixed,
              NULL, VERIFY_ARK_ROOT, "signature algorithm",
              VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__unknown_critical_extension__fail",
              ark_unknown_critical, NULL, VERIFY_ARK_ROOT, "1.2.3.4",
              VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__critical_name_constraints__fail", ark_name_constraints,
              NULL, VERIFY_ARK_ROOT, "2.5.29.30", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__extension_twice__fail", ark_usage_twice, NULL,
              VERIFY_ARK_ROOT, "twice", VERIFY_ASK_SIGNATURE),
    FAILS_TWO("ark_root__malformed_key_usage__fail", ark_usage_malformed, NULL,
              VERIFY_ARK_ROOT, "malformed", VERIFY_ASK_SIGNATURE),
    FAILS("ark_root__presented_ark_is_garbage__fail", NULL, ark_garbage,
          VERIFY_ARK_ROOT, "no certificate"),
    FAILS("ark_root__presented_ark_has_a_flipped_bit__fail", ark_flipped,
          flip_ark, VERIFY_ARK_ROOT, "not the trusted root"),
};

/* ---- ASK ---- */

CHANGE(no_ask)
{
    b->in.ask.data = NULL;
}
CHANGE(ask_garbage)
{
    b->in.ask = garbage();
}
CHANGE(ask_by_other)
{
    b->ask.signer = KEY.other;
}
CHANGE(ask_by_itself)
{
    b->ask.signer = KEY.ask;
    b->ask.issuer = b->ask.subject;
}
CHANGE(ask_of_genoa)
{
    snprintf(b->ask.subject.cn, sizeof(b->ask.subject.cn), "SEV-Genoa");
    snprintf(b->leaf.issuer.cn, sizeof(b->leaf.issuer.cn), "SEV-Genoa");
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "160547656e6f61");
    b->report.cpuid_mod_id = 0x11;
}
CHANGE(ask_named_leaf)
{
    snprintf(b->ask.subject.cn, sizeof(b->ask.subject.cn), "SEV-VCEK");
}
CHANGE(ask_other_company)
{
    b->ask.subject.o = "SEV simulator - not AMD";
    b->leaf.issuer.o = b->ask.subject.o;
}
CHANGE(ask_without_company)
{
    b->ask.subject.o = "";
    b->leaf.issuer.o = "";
}
CHANGE(ask_not_ca)
{
    mint_ext_value(&b->ask.ext[0], "3000");
}
CHANGE(ask_cannot_sign)
{
    mint_ext_value(&b->ask.ext[1], "03020780");
}
CHANGE(ask_issuer_other_o)
{
    b->ask.issuer.o = "Somebody";
}
CHANGE(ask_flip_signature)
{
    b->ask_der.b[b->ask_der.n - 1] ^= 1;
}
CHANGE(ask_flip_name)
{
    b->ask_der.b[200] ^= 1;
}

static const struct verdict_case ASK[] = {
    FAILS("ask__absent__fail", NULL, no_ask, VERIFY_ASK_SIGNATURE, "no ASK"),
    FAILS("ask__garbage__fail", NULL, ask_garbage, VERIFY_ASK_SIGNATURE,
          "no single certificate"),
    FAILS("ask__signed_by_another_key__fail", ask_by_other, NULL,
          VERIFY_ASK_SIGNATURE, "does not verify"),
    FAILS("ask__self_signed__fail", ask_by_itself, NULL, VERIFY_ASK_SIGNATURE,
          "issuer name"),
    FAILS("ask__of_another_product__fail", ask_of_genoa, NULL,
          VERIFY_ASK_SIGNATURE, "product is Genoa"),
    FAILS_TWO("ask__named_as_leaf__fail", ask_named_leaf, NULL,
              VERIFY_ASK_SIGNATURE, "common name", VERIFY_LEAF_SIGNATURE),
    FAILS("ask__of_another_organisation__fail", ask_other_company, NULL,
          VERIFY_ASK_SIGNATURE, "O=Advanced Micro Devices"),
    FAILS("ask__without_organisation__fail", ask_without_company, NULL,
          VERIFY_ASK_SIGNATURE, "O=Advanced Micro Devices"),
    FAILS_TWO("ask__not_a_ca__fail", ask_not_ca, NULL, VERIFY_ASK_SIGNATURE,
              "basicConstraints", VERIFY_LEAF_SIGNATURE),
    FAILS_TWO("ask__no_key_cert_sign__fail", ask_cannot_sign, NULL,
              VERIFY_ASK_SIGNATURE, "keyCertSign", VERIFY_LEAF_SIGNATURE),
    FAILS("ask__issuer_is_not_the_root__fail", ask_issuer_other_o, NULL,
          VERIFY_ASK_SIGNATURE, "issuer name"),
    FAILS("ask__flipped_bit_in_signature__fail", NULL, ask_flip_signature,
          VERIFY_ASK_SIGNATURE, "does not verify"),
    FAILS("ask__flipped_bit_in_name__fail", NULL, ask_flip_name,
          VERIFY_ASK_SIGNATURE, "issuer name"),
};

/* ---- leaf signature ---- */

CHANGE(no_leaf)
{
    b->in.leaf.data = NULL;
}
CHANGE(leaf_garbage)
{
    b->in.leaf = garbage();
}
CHANGE(leaf_by_other)
{
    b->leaf.signer = KEY.other;
}
CHANGE(leaf_by_ark)
{
    b->leaf.signer = KEY.ark;
    b->leaf.issuer = b->ark.subject;
}
CHANGE(vcek_by_asvk)
{
    mint_asvk(&b->ask, "Milan", KEY.asvk, KEY.ark);
    b->leaf.signer = KEY.asvk;
    b->leaf.issuer = b->ask.subject;
}
CHANGE(vlek_by_ask)
{
    mint_ask(&b->ask, "Milan", KEY.ask, KEY.ark);
    b->leaf.signer = KEY.ask;
    b->leaf.issuer = b->ask.subject;
}
CHANGE(leaf_pkcs1)
{
    b->leaf.alg = MINT_PKCS1;
}
CHANGE(leaf_flip_signature)
{
    b->leaf_der.b[b->leaf_der.n - 1] ^= 1;
}

static const struct verdict_case LEAF_SIGNATURE[] = {
    FAILS("leaf__absent__fail", NULL, no_leaf, VERIFY_LEAF_SIGNATURE,
          "no VCEK or VLEK"),
    FAILS("leaf__garbage__fail", NULL, leaf_garbage, VERIFY_LEAF_SIGNATURE,
          "no single certificate"),
    FAILS("leaf__signed_by_another_key__fail", leaf_by_other, NULL,
          VERIFY_LEAF_SIGNATURE, "does not verify"),
    FAILS("leaf__signed_by_the_ark__fail", leaf_by_ark, NULL,
          VERIFY_LEAF_SIGNATURE, "issuer name"),
    FAILS("leaf__vcek_by_asvk__fail", vcek_by_asvk, NULL, VERIFY_LEAF_SIGNATURE,
          "a VCEK must come from an ASK"),
    FAILS_VLEK("leaf__vlek_by_ask__fail", vlek_by_ask, NULL,
               VERIFY_LEAF_SIGNATURE, "a VLEK must come from an ASVK"),
    FAILS_TWO("leaf__pkcs1_v1_5__fail", leaf_pkcs1, NULL, VERIFY_LEAF_SIGNATURE,
              "RSASSA-PSS", VERIFY_LEAF_PROFILE),
    FAILS("leaf__flipped_bit_in_signature__fail", NULL, leaf_flip_signature,
          VERIFY_LEAF_SIGNATURE, "does not verify"),
};

/* ---- leaf profile ---- */

static const char SPKI_HEAD[] = "3076301006072a8648ce3d020106052b81040022"
                                "036200";

CHANGE(leaf_v1)
{
    b->leaf.version = 0;
}
CHANGE(leaf_p256)
{
    b->leaf.key = KEY.p256;
}
CHANGE(leaf_rsa)
{
    b->leaf.key = KEY.other;
}
/* The same key, point compressed: 49 bytes. */
CHANGE(leaf_compressed)
{
    uint8_t point[97];
    size_t n = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(KEY.leaf,
                                                     "encoded-pub-"
                                                     "key",
                                                     point, sizeof(point), &n),
                     1);
    point[0] = (uint8_t)(2 | (point[96] & 1));
    tst_hex("3046301006072a8648ce3d020106052b81040022033200", b->leaf.spki.b,
            23);
    memcpy(b->leaf.spki.b + 23, point, 49);
    b->leaf.spki.n = 23 + 49;
}
CHANGE(leaf_point_off_curve)
{
    tst_hex(SPKI_HEAD, b->leaf.spki.b, 23);
    b->leaf.spki.b[23] = 4;
    b->leaf.spki.b[24] = 1;
    b->leaf.spki.n = 23 + 97;
}
CHANGE(leaf_is_ca)
{
    mint_ext_add(&b->leaf, "551d13", "30030101ff");
}
CHANGE(leaf_cannot_sign)
{
    mint_ext_add(&b->leaf, "551d0f", "03020204");
}
CHANGE(leaf_unknown_critical)
{
    mint_ext_add(&b->leaf, "2a0304", "0500")->critical = true;
}
CHANGE(leaf_critical_eku)
{
    mint_ext_add(&b->leaf, "551d25", "300a06082b06010505070301")->critical =
        true;
}
CHANGE(leaf_unknown_amd)
{
    mint_ext_add(&b->leaf, "2b060104019c780106", "020100");
}
CHANGE(leaf_amd_arc_only)
{
    mint_ext_add(&b->leaf,
                 "2b060104019c78010301"
                 "01",
                 "020100");
}
CHANGE(leaf_spl_twice)
{
    mint_ext_add(&b->leaf, "2b060104019c78010301", "020104");
}
CHANGE(leaf_40_extensions)
{
    char oid[] = "2a030400";

    while (b->leaf.ext_count < MINT_EXT_MAX) {
        snprintf(oid, sizeof(oid), "2a0304%02zx", b->leaf.ext_count);
        mint_ext_add(&b->leaf, oid, "0500");
    }
}
CHANGE(leaf_cn)
{
    snprintf(b->leaf.subject.cn, sizeof(b->leaf.subject.cn), "SEV-VXEK");
}
CHANGE(leaf_other_company)
{
    b->leaf.subject.o = "Advanced Nano Devices";
}
CHANGE(leaf_with_csp)
{
    mint_ext_add(&b->leaf, "2b060104019c780105", "160141");
}
CHANGE(vlek_with_hw_id)
{
    struct mint_ext *e = mint_ext_add(&b->leaf, "2b060104019c780104", "00");

    e->value_size = 64;
}
CHANGE(milan_with_fmc)
{
    mint_ext_add(&b->leaf, "2b060104019c78010309", "020100");
}
CHANGE(turin_with_spl_4)
{
    mint_ext_add(&b->leaf, "2b060104019c78010304", "020100");
}
CHANGE(turin_with_64_byte_id)
{
    mint_amd_ext(&b->leaf, 4, 0)->value_size = 64;
}
CHANGE(milan_with_8_byte_id)
{
    mint_amd_ext(&b->leaf, 4, 0)->value_size = 8;
}
CHANGE(hw_id_63)
{
    mint_amd_ext(&b->leaf, 4, 0)->value_size = 63;
}
CHANGE(hw_id_empty)
{
    mint_amd_ext(&b->leaf, 4, 0)->value_size = 0;
}
CHANGE(hw_id_der)
{
    struct mint_ext *e = mint_amd_ext(&b->leaf, 4, 0);

    memmove(e->value + 2, e->value, 64);
    e->value[0] = 0x04;
    e->value[1] = 0x40;
    e->value_size = 66;
}
CHANGE(struct_version_2)
{
    mint_ext_integer(mint_amd_ext(&b->leaf, 1, 0), 2);
}
CHANGE(struct_version_of_turin)
{
    mint_ext_integer(mint_amd_ext(&b->leaf, 1, 0), 1);
}
CHANGE(name_not_ia5)
{
    mint_amd_ext(&b->leaf, 2, 0)->value[0] = 0x0c;
}
CHANGE(name_long_form)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "1681084d696c616e2d4230");
}
CHANGE(name_with_nul)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "16084d696c616e2d4200");
}
CHANGE(name_bytes_left)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "16054d696c616e2d4230");
}
CHANGE(name_unknown)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "16074d696c616e2d42");
    mint_amd_ext(&b->leaf, 2, 0)->value[1] = 7;
}
CHANGE(name_milano)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "16064d696c616e6f");
}
CHANGE(name_genoa)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "160547656e6f61");
}
CHANGE(name_turin)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 2, 0), "1605547572696e");
}
CHANGE(spl_not_minimal)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 3, 1), "02020004");
}
CHANGE(spl_negative)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 3, 8), "0201db");
}
CHANGE(spl_128)
{
    b->report.reported_tcb.b[0] = 128;
    mint_ext_integer(mint_amd_ext(&b->leaf, 3, 1), 128);
}
CHANGE(ucode_256)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 3, 8), "02020100");
}
CHANGE(spl_enumerated)
{
    mint_amd_ext(&b->leaf, 3, 1)->value[0] = 0x0a;
}
CHANGE(spl_empty)
{
    mint_amd_ext(&b->leaf, 3, 1)->value_size = 0;
}
CHANGE(spl_bytes_left)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 3, 1), "02010400");
}
CHANGE(csp_empty)
{
    mint_ext_value(mint_amd_ext(&b->leaf, 5, 0), "1600");
}

static const struct verdict_case PROFILE[] = {
    FAILS("leaf_profile__x509_v1__fail", leaf_v1, NULL, VERIFY_LEAF_PROFILE,
          "version"),
    FAILS("leaf_profile__p_256__fail", leaf_p256, NULL, VERIFY_LEAF_PROFILE,
          "P-384"),
    FAILS("leaf_profile__rsa_key__fail", leaf_rsa, NULL, VERIFY_LEAF_PROFILE,
          "P-384"),
    FAILS("leaf_profile__compressed_point__fail", leaf_compressed, NULL,
          VERIFY_LEAF_PROFILE, "uncompressed"),
    FAILS("leaf_profile__point_not_on_curve__fail", leaf_point_off_curve, NULL,
          VERIFY_LEAF_PROFILE, "P-384"),
    FAILS("leaf_profile__is_a_ca__fail", leaf_is_ca, NULL, VERIFY_LEAF_PROFILE,
          "CA"),
    FAILS("leaf_profile__no_digital_signature__fail", leaf_cannot_sign, NULL,
          VERIFY_LEAF_PROFILE, "digitalSignature"),
    FAILS("leaf_profile__unknown_critical_extension__fail",
          leaf_unknown_critical, NULL, VERIFY_LEAF_PROFILE, "1.2.3.4"),
    FAILS("leaf_profile__critical_extended_key_usage__fail", leaf_critical_eku,
          NULL, VERIFY_LEAF_PROFILE, "2.5.29.37"),
    FAILS("leaf_profile__40_extensions__fail", leaf_40_extensions, NULL,
          VERIFY_LEAF_PROFILE, "40 extensions"),
    FAILS("leaf_profile__other_organisation__fail", leaf_other_company, NULL,
          VERIFY_LEAF_PROFILE, "O=Advanced Micro Devices"),
};

/* Mistakes in AMD's extensions: no TCB or chip can be read off the leaf. */
static const struct verdict_case EXTENSIONS[] = {
    FAILS("leaf_profile__unknown_amd_extension__fail", leaf_unknown_amd, NULL,
          VERIFY_LEAF_PROFILE, "1.3.6.1.4.1.3704.1.6"),
    FAILS("leaf_profile__deeper_amd_extension__fail", leaf_amd_arc_only, NULL,
          VERIFY_LEAF_PROFILE, "1.3.6.1.4.1.3704.1.3.1.1"),
    FAILS("leaf_profile__spl_twice__fail", leaf_spl_twice, NULL,
          VERIFY_LEAF_PROFILE, "twice"),
    FAILS("leaf_profile__vcek_with_csp_id__fail", leaf_with_csp, NULL,
          VERIFY_LEAF_PROFILE, "cspID does not belong"),
    FAILS_VLEK("leaf_profile__vlek_with_hw_id__fail", vlek_with_hw_id, NULL,
               VERIFY_LEAF_PROFILE, "hwID does not belong"),
    FAILS("leaf_profile__milan_with_fmc__fail", milan_with_fmc, NULL,
          VERIFY_LEAF_PROFILE, "fmcSPL does not belong"),
    FAILS_AT(PSP_TURIN, "leaf_profile__turin_with_spl_4__fail",
             turin_with_spl_4, NULL, VERIFY_LEAF_PROFILE,
             "spl_4 does not belong"),
    FAILS_AT(PSP_TURIN, "leaf_profile__turin_with_64_byte_id__fail",
             turin_with_64_byte_id, NULL, VERIFY_LEAF_PROFILE, "hwID"),
    FAILS("leaf_profile__milan_with_8_byte_id__fail", milan_with_8_byte_id,
          NULL, VERIFY_LEAF_PROFILE, "hwID"),
    FAILS("leaf_profile__63_byte_id__fail", hw_id_63, NULL, VERIFY_LEAF_PROFILE,
          "hwID"),
    FAILS("leaf_profile__empty_id__fail", hw_id_empty, NULL,
          VERIFY_LEAF_PROFILE, "hwID"),
    FAILS("leaf_profile__id_as_octet_string__fail", hw_id_der, NULL,
          VERIFY_LEAF_PROFILE, "hwID"),
    FAILS("leaf_profile__struct_version_2__fail", struct_version_2, NULL,
          VERIFY_LEAF_PROFILE, "structVersion"),
    FAILS("leaf_profile__struct_version_of_turin__fail",
          struct_version_of_turin, NULL, VERIFY_LEAF_PROFILE,
          "spl_4 does not belong"),
    FAILS("leaf_profile__product_name_is_utf8__fail", name_not_ia5, NULL,
          VERIFY_LEAF_PROFILE, "productName"),
    FAILS("leaf_profile__product_name_in_long_form__fail", name_long_form, NULL,
          VERIFY_LEAF_PROFILE, "productName"),
    FAILS("leaf_profile__product_name_with_nul__fail", name_with_nul, NULL,
          VERIFY_LEAF_PROFILE, "productName"),
    FAILS("leaf_profile__bytes_behind_product_name__fail", name_bytes_left,
          NULL, VERIFY_LEAF_PROFILE, "productName"),
    FAILS("leaf_profile__half_a_stepping__fail", name_unknown, NULL,
          VERIFY_LEAF_PROFILE, "productName"),
    FAILS("leaf_profile__product_with_a_tail__fail", name_milano, NULL,
          VERIFY_LEAF_PROFILE, "productName"),
    FAILS("leaf_profile__turin_with_struct_version_0__fail", name_turin, NULL,
          VERIFY_LEAF_PROFILE, "structVersion"),
    FAILS("leaf_profile__integer_not_minimal__fail", spl_not_minimal, NULL,
          VERIFY_LEAF_PROFILE, "blSPL is malformed"),
    FAILS("leaf_profile__integer_negative__fail", spl_negative, NULL,
          VERIFY_LEAF_PROFILE, "ucodeSPL is malformed"),
    FAILS("leaf_profile__spl_128__fail", spl_128, NULL, VERIFY_LEAF_PROFILE,
          "blSPL"),
    FAILS("leaf_profile__ucode_256__fail", ucode_256, NULL, VERIFY_LEAF_PROFILE,
          "ucodeSPL"),
    FAILS("leaf_profile__spl_enumerated__fail", spl_enumerated, NULL,
          VERIFY_LEAF_PROFILE, "blSPL"),
    FAILS("leaf_profile__spl_empty__fail", spl_empty, NULL, VERIFY_LEAF_PROFILE,
          "blSPL"),
    FAILS("leaf_profile__bytes_behind_spl__fail", spl_bytes_left, NULL,
          VERIFY_LEAF_PROFILE, "blSPL"),
    FAILS_VLEK("leaf_profile__empty_csp_id__fail", csp_empty, NULL,
               VERIFY_LEAF_PROFILE, "cspID"),
    FAILS_TWO("leaf_profile__unknown_common_name__fail", leaf_cn, NULL,
              VERIFY_LEAF_PROFILE, "common name", VERIFY_SIGNING_KEY),
    FAILS_TWO("leaf_profile__product_of_another_issuer__fail", name_genoa, NULL,
              VERIFY_LEAF_PROFILE, "issuer is for Milan", VERIFY_TCB),
};

/* ---- validity and revocation ---- */

CHANGE(leaf_expired)
{
    b->leaf.not_after = "251231235959Z";
}
CHANGE(leaf_future)
{
    b->leaf.not_before = "260101000001Z";
}
CHANGE(ask_expired)
{
    b->ask.not_after = "251231235959Z";
}
CHANGE(ark_expired)
{
    b->ark.not_after = "251231235959Z";
}
CHANGE(ark_future)
{
    b->ark.not_before = "270101000000Z";
}
CHANGE(time_malformed)
{
    b->leaf.not_after = "29990101Z";
}
CHANGE(revoke_ask)
{
    b->with_crl = true;
    b->crl.revoked[b->crl.revoked_count++] = 1;
    b->crl.revoked[b->crl.revoked_count++] = b->ask.serial;
}
CHANGE(revoke_ark)
{
    b->with_crl = true;
    b->crl.revoked[b->crl.revoked_count++] = b->ark.serial;
}
CHANGE(crl_by_other)
{
    b->with_crl = true;
    b->crl.signer = KEY.other;
}
CHANGE(crl_by_ask)
{
    b->with_crl = true;
    b->crl.signer = KEY.ask;
    b->crl.issuer = b->ask.subject;
}
CHANGE(crl_old)
{
    b->with_crl = true;
    b->crl.next_update = "251231235959Z";
}
CHANGE(crl_future)
{
    b->with_crl = true;
    b->crl.this_update = "260101000001Z";
}
CHANGE(crl_sha256)
{
    b->with_crl = true;
    b->crl.alg = MINT_SHA_256;
}
CHANGE(crl_delta)
{
    struct mint_ext *e = &b->crl.ext[b->crl.ext_count++];

    b->with_crl = true;
    tst_hex("551d1b", e->oid, 3);
    e->oid_size = 3;
    e->critical = true;
    mint_ext_value(e, "020101");
}
CHANGE(crl_entry_critical)
{
    crl_lists_another(b);
    b->crl.revoked_critical = true;
}
CHANGE(ark_no_crl_sign)
{
    b->with_crl = true;
    mint_ext_value(&b->ark.ext[0], "03020204");
}
CHANGE(crl_garbage)
{
    b->in.crl = garbage();
}
CHANGE(crl_is_cert)
{
    b->in.crl = b->in.ask;
}
CHANGE(crl_flip)
{
    b->crl_der.b[b->crl_der.n - 1] ^= 1;
}

static const struct verdict_case VALIDITY[] = {
    FAILS("validity__leaf_expired__fail", leaf_expired, NULL, VERIFY_VALIDITY,
          "the VCEK has expired"),
    FAILS("validity__leaf_not_yet__fail", leaf_future, NULL, VERIFY_VALIDITY,
          "the VCEK is not valid yet"),
    FAILS_VLEK("validity__vlek_expired__fail", leaf_expired, NULL,
               VERIFY_VALIDITY, "the VLEK has expired"),
    FAILS("validity__ask_expired__fail", ask_expired, NULL, VERIFY_VALIDITY,
          "the ASK has expired"),
    FAILS_VLEK("validity__asvk_expired__fail", ask_expired, NULL,
               VERIFY_VALIDITY, "the ASVK has expired"),
    FAILS("validity__ark_expired__fail", ark_expired, NULL, VERIFY_VALIDITY,
          "the ARK has expired"),
    FAILS("validity__ark_not_yet__fail", ark_future, NULL, VERIFY_VALIDITY,
          "the ARK is not valid yet"),
    FAILS("validity__malformed_time__fail", time_malformed, NULL,
          VERIFY_VALIDITY, "malformed"),
    FAILS("revocation__ask_listed__fail", revoke_ask, NULL, VERIFY_REVOCATION,
          "the ASK is revoked"),
    FAILS_VLEK("revocation__asvk_listed__fail", revoke_ask, NULL,
               VERIFY_REVOCATION, "the ASVK is revoked"),
    FAILS("revocation__ark_listed__fail", revoke_ark, NULL, VERIFY_REVOCATION,
          "the ARK is revoked"),
    FAILS("revocation__signed_by_another_key__fail", crl_by_other, NULL,
          VERIFY_REVOCATION, "does not verify"),
    FAILS("revocation__signed_by_the_ask__fail", crl_by_ask, NULL,
          VERIFY_REVOCATION, "not the root's"),
    FAILS("revocation__out_of_date__fail", crl_old, NULL, VERIFY_REVOCATION,
          "out of date"),
    FAILS("revocation__from_the_future__fail", crl_future, NULL,
          VERIFY_REVOCATION, "future"),
    FAILS("revocation__sha_256__fail", crl_sha256, NULL, VERIFY_REVOCATION,
          "signature algorithm"),
    FAILS("revocation__delta_crl__fail", crl_delta, NULL, VERIFY_REVOCATION,
          "critical"),
    FAILS("revocation__critical_entry_extension__fail", crl_entry_critical,
          NULL, VERIFY_REVOCATION, "entry"),
    FAILS("revocation__ark_without_crl_sign__fail", ark_no_crl_sign, NULL,
          VERIFY_REVOCATION, "may not sign CRLs"),
    FAILS("revocation__garbage__fail", NULL, crl_garbage, VERIFY_REVOCATION,
          "no single CRL"),
    FAILS("revocation__certificate_instead__fail", NULL, crl_is_cert,
          VERIFY_REVOCATION, "no single CRL"),
    FAILS("revocation__flipped_bit__fail", crl_lists_another, crl_flip,
          VERIFY_REVOCATION, "does not verify"),
};

/* ---- report against leaf ---- */

CHANGE(key_is_vlek)
{
    b->report.key_info = SNP_SIGNING_KEY_VLEK << 2;
}
CHANGE(key_is_vcek)
{
    b->report.key_info = 0;
}
CHANGE(key_is_none)
{
    b->report.key_info = SNP_SIGNING_KEY_NONE << 2;
}
CHANGE(key_is_2)
{
    b->report.key_info = 2u << 2;
}
CHANGE(unsigned_report)
{
    b->report.key_info = SNP_SIGNING_KEY_NONE << 2 | SNP_KEY_INFO_MASK_CHIP_KEY;
    b->report_key = NULL;
}
CHANGE(from_genoa)
{
    b->report.cpuid_mod_id = 0x11;
}
CHANGE(from_turin)
{
    b->report.cpuid_fam_id = 0x1a;
}
CHANGE(from_nowhere)
{
    b->report.cpuid_fam_id = 0x17;
}
CHANGE(other_chip)
{
    b->report.chip_id[63] ^= 1;
}
CHANGE(turin_id_with_tail)
{
    b->report.chip_id[63] = 1;
}
CHANGE(other_signer)
{
    b->report_key = KEY.p384;
}
CHANGE(signature_zero)
{
    b->report_key = NULL;
}
CHANGE(r_is_order)
{
    static const char order_le[] =
        "7329c5cc6a19ecec7aa7b048b20d1a58df2d37f4814d63c7";
    static const uint8_t top[24] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    tst_hex(order_le, b->bytes + 0x2a0, 24);
    memcpy(b->bytes + 0x2a0 + 24, top, sizeof(top));
}
CHANGE(r_has_48th_byte)
{
    b->bytes[0x2a0 + 48] = 1;
}
CHANGE(s_has_71st_byte)
{
    b->bytes[0x2e8 + 71] = 0x80;
}
CHANGE(r_and_s_swapped)
{
    uint8_t r[72];

    memcpy(r, b->bytes + 0x2a0, 72);
    memcpy(b->bytes + 0x2a0, b->bytes + 0x2e8, 72);
    memcpy(b->bytes + 0x2e8, r, 72);
}
CHANGE(r_big_endian)
{
    for (size_t i = 0; i < 24; i++) {
        uint8_t t = b->bytes[0x2a0 + i];

        b->bytes[0x2a0 + i] = b->bytes[0x2a0 + 47 - i];
        b->bytes[0x2a0 + 47 - i] = t;
    }
}

static const struct verdict_case REPORT[] = {
    FAILS("signing_key__vlek_but_leaf_is_vcek__fail", key_is_vlek, NULL,
          VERIFY_SIGNING_KEY, "signed by a VLEK, the leaf is a VCEK"),
    FAILS_VLEK("signing_key__vcek_but_leaf_is_vlek__fail", key_is_vcek, NULL,
               VERIFY_SIGNING_KEY, "signed by a VCEK, the leaf is a VLEK"),
    FAILS("signing_key__none__fail", key_is_none, NULL, VERIFY_SIGNING_KEY,
          "not signed"),
    FAILS("signing_key__reserved__fail", key_is_2, NULL, VERIFY_SIGNING_KEY,
          "unknown key 2"),
    FAILS_TWO("signing_key__unsigned_report__fail", unsigned_report, NULL,
              VERIFY_SIGNING_KEY, "not signed", VERIFY_REPORT_SIGNATURE),
    FAILS("tcb__report_from_genoa__fail", from_genoa, NULL, VERIFY_TCB,
          "from Genoa, the leaf is for Milan"),
    FAILS("tcb__report_of_unknown_processor__fail", from_nowhere, NULL,
          VERIFY_TCB, "CPUID family 0x17"),
    FAILS("tcb__report_from_turin__fail", from_turin, NULL, VERIFY_TCB,
          "from Turin, the leaf is for Milan"),
    FAILS("chip_id__of_another_chip__fail", other_chip, NULL, VERIFY_CHIP_ID,
          "hwID"),
    FAILS_AT(PSP_TURIN, "chip_id__turin_id_with_a_tail__fail",
             turin_id_with_tail, NULL, VERIFY_CHIP_ID, "hwID"),
    FAILS("report_signature__by_another_key__fail", other_signer, NULL,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
    FAILS("report_signature__zero__fail", signature_zero, NULL,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
    FAILS("report_signature__r_has_a_49th_byte__fail", NULL, r_has_48th_byte,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
    FAILS("report_signature__s_has_a_72nd_byte__fail", NULL, s_has_71st_byte,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
    FAILS("report_signature__r_and_s_swapped__fail", NULL, r_and_s_swapped,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
    FAILS("report_signature__r_big_endian__fail", NULL, r_big_endian,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
    FAILS("report_signature__r_is_the_order__fail", NULL, r_is_order,
          VERIFY_REPORT_SIGNATURE, "not the leaf key's"),
};

/* ---- expectations ---- */

CHANGE(want_report_data)
{
    memcpy(b->expected, b->report.report_data, 64);
    b->policy.report_data = b->expected;
}
CHANGE(want_other_report_data)
{
    want_report_data(b);
    b->expected[63] ^= 1;
}
CHANGE(want_measurement)
{
    memcpy(b->expected, b->report.measurement, 48);
    b->policy.measurement = b->expected;
}
CHANGE(want_other_measurement)
{
    want_measurement(b);
    b->expected[47] ^= 0x80;
}
CHANGE(want_host_data)
{
    memcpy(b->expected, b->report.host_data, 32);
    b->policy.host_data = b->expected;
}
CHANGE(want_other_host_data)
{
    want_host_data(b);
    b->expected[0] ^= 1;
}
CHANGE(want_id_key)
{
    memset(b->report.id_key_digest, 0x1d, 48);
    memset(b->expected, 0x1d, 48);
    b->policy.id_key_digest = b->expected;
}
CHANGE(want_other_id_key)
{
    want_id_key(b);
    b->expected[5] ^= 1;
}
CHANGE(want_author_key)
{
    b->report.key_info |= SNP_KEY_INFO_AUTHOR_KEY_EN;
    memset(b->report.author_key_digest, 0xa0, 48);
    memset(b->expected, 0xa0, 48);
    b->policy.author_key_digest = b->expected;
}
CHANGE(want_other_author_key)
{
    want_author_key(b);
    b->expected[47] ^= 1;
}
CHANGE(want_author_key_not_enabled)
{
    want_author_key(b);
    b->report.key_info = 0;
}
CHANGE(want_policy)
{
    b->expected_policy = b->report.policy;
    b->policy.policy = &b->expected_policy;
}
CHANGE(want_other_policy)
{
    want_policy(b);
    b->expected_policy |= 0x1f;
}
CHANGE(forbid_both)
{
    b->policy.require_no_debug = true;
    b->policy.require_no_migration = true;
}
CHANGE(debug_guest)
{
    b->policy.require_no_debug = true;
    b->report.policy |= UINT64_C(1) << 19;
}
CHANGE(migratable_guest)
{
    b->policy.require_no_migration = true;
    b->report.policy |= UINT64_C(1) << 18;
}
CHANGE(migratable_guest_no_debug)
{
    b->policy.require_no_debug = true;
    b->report.policy |= UINT64_C(1) << 18;
}
CHANGE(want_vmpl_2)
{
    b->report.vmpl = 2;
    b->expected_vmpl = 2;
    b->policy.vmpl = &b->expected_vmpl;
}
CHANGE(want_vmpl_0)
{
    want_vmpl_2(b);
    b->expected_vmpl = 0;
}
CHANGE(min_tcb_equal)
{
    b->min_tcb = b->report.reported_tcb;
    b->policy.min_tcb = &b->min_tcb;
}
CHANGE(min_tcb_zero)
{
    b->policy.min_tcb = &b->min_tcb;
}
/* Numerically smaller, but one component is higher. */
CHANGE(min_tcb_one_above)
{
    b->min_tcb.b[0] = 5;
    b->policy.min_tcb = &b->min_tcb;
}

#define PASSES(name, before, check)                                            \
    {                                                                          \
        name, PSP_MILAN, false, before, NULL, check, VERIFY_PASS, NULL, 0      \
    }

static const struct verdict_case EXPECTATIONS[] = {
    PASSES("report_data__as_expected__pass", want_report_data,
           VERIFY_REPORT_DATA),
    FAILS("report_data__last_byte_differs__fail", want_other_report_data, NULL,
          VERIFY_REPORT_DATA, "REPORT_DATA differs from byte 63"),
    PASSES("measurement__as_expected__pass", want_measurement,
           VERIFY_MEASUREMENT),
    FAILS("measurement__last_byte_differs__fail", want_other_measurement, NULL,
          VERIFY_MEASUREMENT, "byte 47"),
    PASSES("host_data__as_expected__pass", want_host_data, VERIFY_HOST_DATA),
    FAILS("host_data__first_byte_differs__fail", want_other_host_data, NULL,
          VERIFY_HOST_DATA, "byte 0"),
    PASSES("id_key__as_expected__pass", want_id_key, VERIFY_ID_KEY),
    FAILS("id_key__differs__fail", want_other_id_key, NULL, VERIFY_ID_KEY,
          "ID_KEY_DIGEST differs from byte 5"),
    PASSES("author_key__as_expected__pass", want_author_key, VERIFY_AUTHOR_KEY),
    FAILS("author_key__differs__fail", want_other_author_key, NULL,
          VERIFY_AUTHOR_KEY, "AUTHOR_KEY_DIGEST differs from byte 47"),
    FAILS("author_key__not_enabled__fail", want_author_key_not_enabled, NULL,
          VERIFY_AUTHOR_KEY, "without an author key"),
    PASSES("policy__exact__pass", want_policy, VERIFY_POLICY),
    FAILS("policy__other__fail", want_other_policy, NULL, VERIFY_POLICY,
          "POLICY is 0x30000, not 0x3001f"),
    PASSES("policy__neither_debug_nor_migration__pass", forbid_both,
           VERIFY_POLICY),
    FAILS("policy__debug_allowed__fail", debug_guest, NULL, VERIFY_POLICY,
          "debugging"),
    FAILS("policy__migration_allowed__fail", migratable_guest, NULL,
          VERIFY_POLICY, "migration"),
    PASSES("policy__migration_not_forbidden__pass", migratable_guest_no_debug,
           VERIFY_POLICY),
    PASSES("vmpl__as_expected__pass", want_vmpl_2, VERIFY_VMPL),
    FAILS("vmpl__other__fail", want_vmpl_0, NULL, VERIFY_VMPL,
          "VMPL is 2, not 0"),
    PASSES("min_tcb__equal__pass", min_tcb_equal, VERIFY_MIN_TCB),
    PASSES("min_tcb__zero__pass", min_tcb_zero, VERIFY_MIN_TCB),
    FAILS("min_tcb__one_component_below__fail", min_tcb_one_above, NULL,
          VERIFY_MIN_TCB, "byte 0 of REPORTED_TCB is 4, at least 5"),
};

/* ---- every TCB component, every extension ---- */

static void one_component(enum psp_generation g, size_t at)
{
    struct bench *b = calloc(1, sizeof(*b));

    bench_init(b, g, false);
    b->report.reported_tcb.b[at] ^= 1;
    bench_build(b);
    verify_snp(&b->in, &b->policy, &b->result);
    assert_int_equal(b->result.line[VERIFY_TCB].verdict, VERIFY_FAIL);
    assert_int_equal(b->result.line[VERIFY_REPORT_SIGNATURE].verdict,
                     VERIFY_PASS);
    assert_false(b->result.ok);
    free(b);
}

static void tcb__any_component_differs__fail(void **state)
{
    (void)state;
    for (size_t at = 0; at < PSP_TCB_SIZE; at++) {
        one_component(PSP_MILAN, at);
        one_component(PSP_TURIN, at);
    }
}

static void any_extension_missing(enum psp_generation g, bool vlek)
{
    size_t count = 11;

    for (size_t i = 0; i < count; i++) {
        struct bench *b = calloc(1, sizeof(*b));

        bench_init(b, g, vlek);
        assert_int_equal(b->leaf.ext_count, count);
        mint_ext_drop(&b->leaf, &b->leaf.ext[i]);
        bench_build(b);
        verify_snp(&b->in, &b->policy, &b->result);
        assert_int_equal(b->result.line[VERIFY_LEAF_PROFILE].verdict,
                         VERIFY_FAIL);
        assert_int_equal(b->result.line[VERIFY_LEAF_SIGNATURE].verdict,
                         VERIFY_PASS);
        assert_false(b->result.ok);
        free(b);
    }
}

static void leaf_profile__any_extension_missing__fail(void **state)
{
    (void)state;
    any_extension_missing(PSP_MILAN, false);
    any_extension_missing(PSP_TURIN, false);
    any_extension_missing(PSP_MILAN, true);
}

/* ---- packings ---- */

static void verify__pem_throughout__accepted(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    char *text[4];

    (void)state;
    bench_init(b, PSP_MILAN, false);
    bench_build(b);
    text[0] = mint_pem(&b->leaf_der, "CERTIFICATE");
    text[1] = mint_pem(&b->ask_der, "CERTIFICATE");
    text[2] = mint_pem(&b->ark_der, "CERTIFICATE");
    text[3] = mint_pem(&b->crl_der, "X509 CRL");
    b->in.leaf = (struct verify_blob){(uint8_t *)text[0], strlen(text[0])};
    b->in.ask = (struct verify_blob){(uint8_t *)text[1], strlen(text[1])};
    b->in.ark = (struct verify_blob){(uint8_t *)text[2], strlen(text[2])};
    b->in.crl = (struct verify_blob){(uint8_t *)text[3], strlen(text[3])};
    b->in.trusted_ark = b->in.ark;
    verify_snp(&b->in, &b->policy, &b->result);
    assert_true(b->result.ok);
    assert_int_equal(b->result.line[VERIFY_REVOCATION].verdict, VERIFY_PASS);
    for (size_t i = 0; i < 4; i++) {
        free(text[i]);
    }
    free(b);
}

/* Trusted file with chains of two products: the right root is found in it, and
 * what is not self-signed in it is not trusted. */
static void verify__root_is_a_bundle__right_root_found(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    char bundle[20000] = "";
    char *text[3];

    (void)state;
    bench_init(b, PSP_MILAN, false);
    mint_ark(&b->root, "Genoa", KEY.other);
    bench_build(b);
    text[0] = mint_pem(&b->root_der, "CERTIFICATE");
    text[1] = mint_pem(&b->ask_der, "CERTIFICATE");
    text[2] = mint_pem(&b->ark_der, "CERTIFICATE");
    for (size_t i = 0; i < 3; i++) {
        strcat(bundle, text[i]);
        free(text[i]);
    }
    b->in.trusted_ark = (struct verify_blob){(uint8_t *)bundle, strlen(bundle)};
    verify_snp(&b->in, &b->policy, &b->result);
    assert_true(b->result.ok);
    free(b);
}

static void
verify__evidence_brings_a_whole_chain__only_the_root_counts(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    (void)state;
    bench_init(b, PSP_MILAN, false);
    b->present_ark = true;
    bench_build(b);
    b->in.trusted_ark = (struct verify_blob){0};
    verify_snp(&b->in, &b->policy, &b->result);
    assert_false(b->result.ok);
    assert_int_equal(b->result.line[VERIFY_ARK_ROOT].verdict, VERIFY_FAIL);
    free(b);
}

static void verify__nothing_given__every_line_is_set(void **state)
{
    struct verify_input in = {0};
    struct verify_policy policy = {.now = BENCH_NOW};
    struct verify_result result;

    (void)state;
    memset(&result, 0xee, sizeof(result));
    verify_snp(&in, &policy, &result);
    assert_false(result.ok);
    assert_false(result.simulated);
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        assert_int_not_equal(result.line[i].verdict, VERIFY_PASS);
        assert_int_not_equal(result.line[i].reason[0], '\0');
    }
}

/* What cannot be looked at is not passed: asked for or not. */
static void
verify__unreadable_report_and_no_ask__nothing_asked_passes(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    (void)state;
    bench_init(b, PSP_MILAN, false);
    b->with_crl = true;
    want_report_data(b);
    b->policy.measurement = b->policy.host_data = b->expected;
    b->policy.id_key_digest = b->policy.author_key_digest = b->expected;
    want_policy(b);
    want_vmpl_2(b);
    min_tcb_zero(b);
    bench_build(b);
    b->in.ask.data = NULL;
    b->bytes[0x4c] = 1;
    verify_snp(&b->in, &b->policy, &b->result);
    assert_false(b->result.ok);
    for (size_t i = VERIFY_SIGNING_KEY; i < VERIFY_CHECK_COUNT; i++) {
        assert_int_equal(b->result.line[i].verdict, VERIFY_SKIPPED);
        assert_string_equal(b->result.line[i].reason,
                            "the report cannot be read");
    }
    assert_int_equal(b->result.line[VERIFY_REVOCATION].verdict, VERIFY_SKIPPED);
    assert_int_equal(b->result.line[VERIFY_VALIDITY].verdict, VERIFY_SKIPPED);
    free(b);
}

/* ---- names ---- */

static void names__of_checks__as_scripts_know_them(void **state)
{
    static const char *const want[VERIFY_CHECK_COUNT] = {
        "report-format", "ark-root",  "ask-signature",    "leaf-signature",
        "leaf-profile",  "validity",  "revocation",       "signing-key",
        "tcb",           "chip-id",   "report-signature", "report-data",
        "measurement",   "host-data", "policy",           "vmpl",
        "min-tcb",       "id-key",    "author-key",
    };

    (void)state;
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        assert_string_equal(verify_check_name((enum verify_check)i), want[i]);
    }
    assert_string_equal(verify_check_name(VERIFY_CHECK_COUNT), "unknown");
    assert_string_equal(verify_verdict_name(VERIFY_PASS), "PASS");
    assert_string_equal(verify_verdict_name(VERIFY_FAIL), "FAIL");
    assert_string_equal(verify_verdict_name(VERIFY_SKIPPED), "SKIPPED");
}

static int setup(void **state)
{
    (void)state;
    bench_keys_load();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_keys_free();
    return 0;
}

static struct CMUnitTest tests[MAX_TESTS];
static size_t test_count;

static void add(const struct verdict_case *rows, size_t count)
{
    for (size_t i = 0; i < count && test_count < MAX_TESTS; i++) {
        tests[test_count++] =
            (struct CMUnitTest){rows[i].name, test_verdict, NULL, NULL,
                                tst_dup(&rows[i], sizeof(rows[i]))};
    }
}
#define ADD(rows) add((rows), sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(tcb__any_component_differs__fail),
        cmocka_unit_test(leaf_profile__any_extension_missing__fail),
        cmocka_unit_test(verify__pem_throughout__accepted),
        cmocka_unit_test(verify__root_is_a_bundle__right_root_found),
        cmocka_unit_test(
            verify__evidence_brings_a_whole_chain__only_the_root_counts),
        cmocka_unit_test(verify__nothing_given__every_line_is_set),
        cmocka_unit_test(
            verify__unreadable_report_and_no_ask__nothing_asked_passes),
        cmocka_unit_test(names__of_checks__as_scripts_know_them),
    };
    int failed;

    ADD(GOODS);
    ADD(FORMAT);
    ADD(ROOT);
    ADD(ASK);
    ADD(LEAF_SIGNATURE);
    ADD(PROFILE);
    ADD(EXTENSIONS);
    ADD(VALIDITY);
    ADD(REPORT);
    ADD(EXPECTATIONS);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        tests[test_count++] = plain[i];
    }
    failed =
        _cmocka_run_group_tests("verify", tests, test_count, setup, teardown);
    for (size_t i = 0; i < test_count; i++) {
        free(tests[i].initial_state);
    }
    return failed;
}
