/* SPDX-License-Identifier: Apache-2.0 */
/* A host that fails: the n-th callback, the n-th allocation, of every command
 * that would have succeeded. It answers HWERROR_PLATFORM or RESOURCE_LIMIT and
 * leaves platform, guests, store and guest memory as they were. And the rule
 * for outputs while SNP is INIT: abi/sev.md §1.2 item 8, abi/snp.md §1.2, §3.3.
 */
#include "sev_host.h"

#include "firmware_key.h"
#include "sev_internal.h"

static unsigned int allocations;
static unsigned int fail_allocation; /* number of the one that fails; 0: none */
static size_t living;

/* In place of the model's own (psp-model/core/alloc.c). */
void *core_alloc(size_t size)
{
    if (++allocations == fail_allocation) {
        return NULL;
    }
    living++;
    return calloc(1, size == 0 ? 1 : size);
}

void core_free(void *p, size_t size)
{
    if (p != NULL) {
        living--;
        memset(p, 0, size);
    }
    free(p);
}

/* Makes a platform in which the command succeeds; fills @buf. */
struct scenario {
    const char *name;
    uint32_t id;
    struct sh *(*make)(uint8_t *buf);
    bool writes_buffer; /* its own command buffer */
    bool writes_memory; /* anything else */
};

static struct sh *up(void)
{
    struct sh *h = sh_new("milan", 1);

    sh_up(h);
    return h;
}

static struct sh *make_off(uint8_t *buf)
{
    struct sh *h = up();

    (void)buf;
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    return h;
}

static struct sh *make_up(uint8_t *buf)
{
    (void)buf;
    return up();
}

static struct sh *make_blob(uint8_t *buf)
{
    struct sev_cmd_blob c = {SH_OUT, SEV_CERT_SIZE};

    sev_cmd_blob_encode(&c, buf);
    return up();
}

static struct sh *make_export(uint8_t *buf)
{
    struct sev_cmd_certs c = {SH_OUT, 0x1000, 0, SH_OUT2, 0x2000};

    sev_cmd_certs_encode(&c, buf);
    return up();
}

static struct sh *make_import(uint8_t *buf)
{
    struct sev_cmd_certs c = {SH_IN, SEV_CERT_SIZE, 0, SH_IN2, SEV_CERT_SIZE};
    struct sh *h = up();
    char *dir = tst_mkdtemp();
    struct sh_certs certs;

    sh_export(h, &certs);
    sh_put(dir, "pek.csr", certs.pek, SEV_CERT_SIZE);
    sh_oracle("owner", dir, "ec256", NULL);
    sh_get(dir, "pek.cert", h->memory + SH_IN, SEV_CERT_SIZE);
    sh_get(dir, "oca.cert", h->memory + SH_IN2, SEV_CERT_SIZE);
    tst_rmdir(dir);
    sev_cmd_certs_encode(&c, buf);
    return h;
}

static struct sh *make_launch(uint8_t *buf)
{
    struct sev_cmd_start c = {.policy = 1};

    sev_cmd_start_encode(&c, buf);
    return up();
}

/* 20 chunks and a bit. */
static struct sh *make_update(uint8_t *buf)
{
    struct sev_cmd_range c = {0, 0, SH_IN3 + 0x30, 0x140010};
    struct sh *h = up();

    c.paddr = SH_GUEST - 0x20000 + 0x30;
    c.length = 0x100000 - 0x40;
    c.handle = sh_launch(h, 0);
    assert_int_equal(sh_activate(h, c.handle, SH_ASID), SEV_SUCCESS);
    sev_cmd_range_encode(&c, buf);
    return h;
}

static struct sh *make_vmsa(uint8_t *buf)
{
    struct sev_cmd_range c = {0, 0, SH_GUEST, 0x1000};
    struct sh *h = up();

    c.handle = sh_launch(h, SEV_POLICY_ES);
    assert_int_equal(sh_activate(h, c.handle, SH_ASID_ES), SEV_SUCCESS);
    sev_cmd_range_encode(&c, buf);
    return h;
}

static struct sh *make_measure(uint8_t *buf)
{
    struct sev_cmd_range c = {0, 0, SH_OUT, 0x30};
    struct sh *h = up();

    c.handle = sh_launch(h, 0);
    sev_cmd_range_encode(&c, buf);
    return h;
}

static struct sh *make_attestation(uint8_t *buf)
{
    struct sev_cmd_attestation c = {.paddr = SH_OUT, .length = 0x400};
    struct sh *h = up();

    c.handle = sh_running(h, 0, 0);
    sev_cmd_attestation_encode(&c, buf);
    return h;
}

static struct sh *make_send_start(uint8_t *buf)
{
    struct sev_cmd_send_start c = {.policy = 77,
                                   .pdh_paddr = SH_IN,
                                   .pdh_length = SEV_CERT_SIZE,
                                   .plat_paddr = SH_IN2,
                                   .plat_length = 3 * SEV_CERT_SIZE,
                                   .session_paddr = SH_OUT,
                                   .session_length = SEV_SESSION_SIZE};
    struct sh *h = up();
    struct sh_certs certs;

    sh_export(h, &certs);
    memcpy(h->memory + SH_IN, certs.pdh, SEV_CERT_SIZE);
    memcpy(h->memory + SH_IN2, certs.pek, 3 * SEV_CERT_SIZE);
    c.handle = sh_running(h, SEV_POLICY_DOMAIN, 0);
    sev_cmd_send_start_encode(&c, buf);
    return h;
}

static struct sh *make_send_update(uint8_t *buf)
{
    struct sev_cmd_transport c = {.hdr_paddr = SH_OUT,
                                  .hdr_length = 0x40,
                                  .guest_paddr = SH_GUEST,
                                  .guest_length = 0x1000,
                                  .trans_paddr = SH_OUT2,
                                  .trans_length = 0x1000};
    struct sh *h = up();

    c.handle = sh_guest_in(h, SEV_GUEST_SUPDATE, 0, SH_ASID);
    sev_cmd_transport_encode(&c, buf);
    return h;
}

/* A platform sends to itself, which the firmware does not mind. */
static struct sh *receiving(uint8_t *buf, uint32_t policy, uint32_t id,
                            uint32_t start_id)
{
    struct sev_cmd_transport c = {.hdr_paddr = SH_OUT,
                                  .hdr_length = 0x34,
                                  .guest_paddr = SH_GUEST2,
                                  .guest_length = 0x1000,
                                  .trans_paddr = SH_OUT2,
                                  .trans_length = 0x1000};
    struct sev_cmd_start s = {.policy = policy,
                              .cert_paddr = SH_IN,
                              .cert_length = SEV_CERT_SIZE,
                              .session_paddr = SH_IN2,
                              .session_length = SEV_SESSION_SIZE};
    bool es = (policy & SEV_POLICY_ES) != 0;
    struct sh *h = up();
    uint8_t session[SEV_SESSION_SIZE];
    struct sh_certs certs;
    uint32_t sender;

    sender = sh_launch(h, policy);
    assert_int_equal(sh_activate(h, sender, es ? 1 : SH_ASID), SEV_SUCCESS);
    if (es) {
        struct sev_cmd_range r = {sender, 0, SH_GUEST, 0x1000};

        assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_UPDATE_VMSA, range, &r),
                         SEV_SUCCESS);
    }
    sh_measure(h, sender);
    assert_int_equal(sh_handle(h, SEV_CMD_LAUNCH_FINISH, sender), SEV_SUCCESS);
    sh_export(h, &certs);
    sh_send_start(h, sender, certs.pdh, session);
    memcpy(h->memory + SH_IN2, session, sizeof(session));
    sev_cmd_start_encode(&s, buf);
    if (start_id != 0) {
        return h;
    }
    assert_int_equal(sh_receive_start(h, policy, certs.pdh, session, &c.handle),
                     SEV_SUCCESS);
    assert_int_equal(sh_activate(h, c.handle, es ? 2 : SH_ASID + 1),
                     SEV_SUCCESS);
    {
        struct sev_cmd_transport p = c;

        p.handle = sender;
        p.guest_paddr = SH_GUEST;
        assert_int_equal(SH_DO(h, id, transport, &p), SEV_SUCCESS);
    }
    memcpy(h->memory + SH_IN, h->memory + SH_OUT, 0x34);
    memcpy(h->memory + SH_IN2, h->memory + SH_OUT2, 0x1000);
    c.hdr_paddr = SH_IN;
    c.trans_paddr = SH_IN2;
    sev_cmd_transport_encode(&c, buf);
    return h;
}

static struct sh *make_receive_start(uint8_t *buf)
{
    return receiving(buf, 0, 0, SEV_CMD_RECEIVE_START);
}

static struct sh *make_receive_data(uint8_t *buf)
{
    return receiving(buf, 0, SEV_CMD_SEND_UPDATE_DATA, 0);
}

static struct sh *make_receive_vmsa(uint8_t *buf)
{
    return receiving(buf, SEV_POLICY_ES, SEV_CMD_SEND_UPDATE_VMSA, 0);
}

static struct sh *make_secret(uint8_t *buf)
{
    struct sev_cmd_transport c = {.hdr_paddr = SH_IN,
                                  .hdr_length = 0x34,
                                  .guest_paddr = SH_GUEST,
                                  .guest_length = 0x20,
                                  .trans_paddr = SH_IN2,
                                  .trans_length = 0x20};
    struct sev_packet_header header = {.flags = 0};
    const struct sev_guest *g;
    struct sh *h = up();

    c.handle = sh_guest_in(h, SEV_GUEST_LSECRET, 0, SH_ASID);
    g = sev_guest_find(&h->sev, c.handle);
    sev_packet_mac(SEV_MAC_SECRET, &header, 0x20, 0x20, h->memory + SH_IN2,
                   0x20, g->measure, g->transport.tik, header.mac);
    sev_packet_header_encode(&header, h->memory + SH_IN);
    sev_cmd_transport_encode(&c, buf);
    return h;
}

static struct sh *make_download(uint8_t *buf)
{
    struct sev_cmd_blob c = {SH_IN, SNP_FIRMWARE_HEADER_SIZE};
    struct snp_firmware fw = {.generation = PSP_MILAN, .major = 9};
    struct sh *h = sh_new("milan", 1);
    uint8_t *image = h->memory + SH_IN;
    uint8_t digest[SHA384_SIZE];
    struct psp_p384_key key;
    struct psp_p384_sig sig;

    psp_sha384(image, 0, fw.body_digest);
    snp_firmware_encode(&fw, image);
    psp_sha384(image, SNP_FIRMWARE_SIGNED_SIZE, digest);
    assert_int_equal(pki_firmware_key(&key), PSP_OK);
    assert_int_equal(psp_p384_sign(&key, digest, &sig), PSP_OK);
    sev_number_set(fw.r, sig.r);
    sev_number_set(fw.s, sig.s);
    snp_firmware_encode(&fw, image);
    sev_cmd_blob_encode(&c, buf);
    return h;
}

static struct sh *make_copy(uint8_t *buf)
{
    struct sev_cmd_copy c = {0, 0x2000, SH_GUEST, SH_OUT};
    struct sh *h = up();

    c.handle = sh_running(h, 0, SH_ASID);
    sev_cmd_copy_encode(&c, buf);
    return h;
}

static struct sh *make_dbg(uint8_t *buf)
{
    struct sev_cmd_dbg c = {0, 0, SH_GUEST, SH_OUT, 0x30};
    struct sh *h = up();

    c.handle = sh_running(h, 0, SH_ASID);
    sev_cmd_dbg_encode(&c, buf);
    return h;
}

static struct sh *make_swap_out(uint8_t *buf)
{
    struct sev_cmd_swap c = {0, 0, SH_GUEST, SH_OUT2, SH_OUT, 5};
    struct sh *h = up();

    c.handle = sh_running(h, 0, SH_ASID);
    sev_cmd_swap_out_encode(&c, buf);
    return h;
}

static struct sh *make_swap_in(uint8_t *buf)
{
    struct sev_cmd_swap c = {0, 0, SH_GUEST, SH_OUT2, SH_OUT, 5};
    struct sh *h = up();

    c.handle = sh_running(h, 0, SH_ASID);
    assert_int_equal(SH_DO(h, SEV_CMD_SWAP_OUT, swap_out, &c), SEV_SUCCESS);
    c.src_paddr = SH_OUT2;
    c.dst_paddr = SH_GUEST2;
    c.mdata_paddr = SH_OUT;
    sev_cmd_swap_in_encode(&c, buf);
    return h;
}

static struct sh *make_activate_ex(uint8_t *buf)
{
    struct sev_cmd_activate_ex c = {0x18, 0, SH_ASID, 2, SH_IN};
    struct sh *h = up();

    c.handle = sh_running(h, 0, 0);
    memset(h->memory + SH_IN, 0, 8);
    sev_cmd_activate_ex_encode(&c, buf);
    return h;
}

static const struct scenario SCENARIOS[] = {
    {"PLATFORM_RESET", SEV_CMD_PLATFORM_RESET, make_off, false, false},
    {"PLATFORM_STATUS", SEV_CMD_PLATFORM_STATUS, make_up, true, false},
    {"PEK_GEN", SEV_CMD_PEK_GEN, make_up, false, false},
    {"PDH_GEN", SEV_CMD_PDH_GEN, make_up, false, false},
    {"PEK_CSR", SEV_CMD_PEK_CSR, make_blob, true, true},
    {"GET_ID", SEV_CMD_GET_ID, make_blob, true, true},
    {"PDH_CERT_EXPORT", SEV_CMD_PDH_CERT_EXPORT, make_export, true, true},
    {"PEK_CERT_IMPORT", SEV_CMD_PEK_CERT_IMPORT, make_import, false, false},
    {"LAUNCH_START", SEV_CMD_LAUNCH_START, make_launch, true, false},
    {"LAUNCH_UPDATE_DATA", SEV_CMD_LAUNCH_UPDATE_DATA, make_update, false,
     true},
    {"LAUNCH_UPDATE_VMSA", SEV_CMD_LAUNCH_UPDATE_VMSA, make_vmsa, false, true},
    {"LAUNCH_MEASURE", SEV_CMD_LAUNCH_MEASURE, make_measure, true, true},
    {"ATTESTATION", SEV_CMD_ATTESTATION, make_attestation, true, true},
    {"SEND_START", SEV_CMD_SEND_START, make_send_start, true, true},
    {"SEND_UPDATE_DATA", SEV_CMD_SEND_UPDATE_DATA, make_send_update, true,
     true},
    {"RECEIVE_START", SEV_CMD_RECEIVE_START, make_receive_start, true, false},
    {"RECEIVE_UPDATE_DATA", SEV_CMD_RECEIVE_UPDATE_DATA, make_receive_data,
     false, true},
    {"RECEIVE_UPDATE_VMSA", SEV_CMD_RECEIVE_UPDATE_VMSA, make_receive_vmsa,
     false, true},
    {"LAUNCH_SECRET", SEV_CMD_LAUNCH_SECRET, make_secret, false, true},
    {"DOWNLOAD_FIRMWARE", SEV_CMD_DOWNLOAD_FIRMWARE, make_download, false,
     false},
    {"COPY", SEV_CMD_COPY, make_copy, false, true},
    {"DBG_DECRYPT", SEV_CMD_DBG_DECRYPT, make_dbg, false, true},
    {"DBG_ENCRYPT", SEV_CMD_DBG_ENCRYPT, make_dbg, false, true},
    {"SWAP_OUT", SEV_CMD_SWAP_OUT, make_swap_out, true, true},
    {"SWAP_IN", SEV_CMD_SWAP_IN, make_swap_in, false, true},
    {"ACTIVATE_EX", SEV_CMD_ACTIVATE_EX, make_activate_ex, false, false},
};
#define SCENARIO_COUNT (sizeof(SCENARIOS) / sizeof(SCENARIOS[0]))

static void test_scenario(void **state)
{
    const struct scenario *s = *state;
    size_t size = sev_command(s->id)->buffer_size;
    uint8_t good[SEV_CMD_MAX_SIZE] = {0};
    struct sh *h = s->make(good);
    enum sev_status got = SEV_INVALID_COMMAND;

    for (unsigned int n = 1; got != SEV_SUCCESS; n++) {
        struct sh_snapshot before = sh_snapshot_full(h);
        uint8_t buf[SEV_CMD_MAX_SIZE];

        memcpy(buf, good, sizeof(buf));
        allocations = 0;
        fail_allocation = n;
        got = sh_cmd(h, s->id, buf, size);
        fail_allocation = 0;
        if (allocations < n) {
            /* There was no n-th: it has succeeded. Start over. */
            assert_int_equal(got, SEV_SUCCESS);
            free(before.data);
            break;
        }
        assert_int_equal(got, SEV_RESOURCE_LIMIT);
        assert_memory_equal(buf, good, size);
        sh_unchanged(h, before);
    }
    sh_free(h);
    h = s->make(good);
    got = SEV_INVALID_COMMAND;
    for (unsigned int n = 1; got != SEV_SUCCESS; n++) {
        struct sh_snapshot before = sh_snapshot_full(h);
        uint8_t buf[SEV_CMD_MAX_SIZE];

        assert_true(n < 200);
        memcpy(buf, good, sizeof(buf));
        h->calls = 0;
        h->fail_at = n;
        got = sh_cmd(h, s->id, buf, size);
        h->fail_at = 0;
        if (got == SEV_SUCCESS) {
            assert_true(h->calls < n);
            free(before.data);
            break;
        }
        assert_int_equal(got, SEV_HWERROR_PLATFORM);
        assert_memory_equal(buf, good, size);
        sh_unchanged(h, before);
    }
    sh_free(h);
    assert_int_equal(living, 0);
}

static void set_pages(struct sh *h, uint64_t from, uint64_t to,
                      enum rmp_state state)
{
    struct rmp_entry entry = {.state = state};

    for (uint64_t page = from; page < to; page += 0x1000) {
        assert_int_equal(rmp_set(h->core.rmp, page, &entry), PSP_OK);
    }
}

static void test_pages(void **state)
{
    const struct scenario *s = *state;
    size_t size = sev_command(s->id)->buffer_size;
    uint8_t good[SEV_CMD_MAX_SIZE] = {0};
    struct sh *h = s->make(good);

    h->core.snp_state = SNP_PLATFORM_INIT;
    if (s->id == SEV_CMD_PLATFORM_RESET || s->id == SEV_CMD_DOWNLOAD_FIRMWARE) {
        h->core.snp_state = SNP_PLATFORM_UNINIT;
    }
    if (s->writes_buffer || s->writes_memory) {
        sh_refuse_raw(h, s->id, good, SEV_INVALID_PAGE_STATE);
        set_pages(h, SH_CMD, SH_CMD + 0x1000, RMP_FIRMWARE);
    }
    if (s->writes_memory) {
        sh_refuse_raw(h, s->id, good, SEV_INVALID_PAGE_STATE);
        set_pages(h, 0x2000, SH_TMR, RMP_FIRMWARE);
        set_pages(h, SH_CMD, SH_CMD + 0x1000,
                  s->writes_buffer ? RMP_RECLAIM : RMP_HYPERVISOR);
        if (s->writes_buffer) {
            sh_refuse_raw(h, s->id, good, SEV_INVALID_PAGE_STATE);
            set_pages(h, SH_CMD, SH_CMD + 0x1000, RMP_FIRMWARE);
        }
    }
    assert_int_equal(sh_cmd(h, s->id, good, size), SEV_SUCCESS);
    assert_int_equal(rmp_get(h->core.rmp, SH_CMD).state,
                     s->writes_buffer ? RMP_RECLAIM : RMP_HYPERVISOR);
    if (s->writes_memory) {
        assert_int_equal(rmp_get(h->core.rmp, SH_OUT).state, RMP_FIRMWARE);
    }
    sh_free(h);
}

/* Pages that the reverse map does not cover are anybody's. */
static void pages__outside_the_reverse_map__always_fine(void **state)
{
    struct sev_cmd_blob c = {SH_OUT, 64};
    struct sh *h = sh_new_off("milan", 1);

    (void)state;
    h->config.rmp_size = 0x1000;
    sh_power_on(h);
    h->core.snp_state = SNP_PLATFORM_INIT;
    assert_int_equal(SH_DO(h, SEV_CMD_GET_ID, blob, &c), SEV_SUCCESS);
    assert_int_equal(rmp_get(h->core.rmp, SH_CMD).state, RMP_DEFAULT);
    sh_free(h);
}

/* The page is looked at again when the signature is there. */
static void pages__taken_away_during_a_signature__refused(void **state)
{
    uint8_t buf[SEV_CMD_MAX_SIZE];
    struct sh *h = make_attestation(buf);
    enum sev_status status;
    struct sev_job job;

    (void)state;
    h->core.snp_state = SNP_PLATFORM_INIT;
    set_pages(h, SH_CMD, SH_CMD + 0x1000, RMP_FIRMWARE);
    set_pages(h, SH_OUT, SH_OUT + 0x1000, RMP_FIRMWARE);
    memcpy(h->memory + SH_CMD, buf, sizeof(buf));
    assert_true(sev_begin(&h->sev, SEV_CMD_ATTESTATION, SH_CMD, &job, &status));
    set_pages(h, SH_OUT, SH_OUT + 0x1000, RMP_HYPERVISOR);
    sev_job_run(&job);
    assert_int_equal(sev_finish(&h->sev, &job), SEV_INVALID_PAGE_STATE);
    assert_memory_equal(h->memory + SH_CMD, buf, SEV_CMD_ATTESTATION_SIZE);
    sh_free(h);
}

/* Planted keys are nowhere in the memory that the platform gives back. */
static void clear__after_everything__no_key_left(void **state)
{
    struct sh *h = up();
    uint8_t pek[P384_SIZE], pdh[P384_SIZE], vek[32];
    const uint8_t *at = (const uint8_t *)&h->sev;

    (void)state;
    (void)sh_running(h, 0, SH_ASID);
    memcpy(pek, h->sev.keys.pek.d, sizeof(pek));
    memcpy(pdh, h->sev.keys.pdh.d, sizeof(pdh));
    memcpy(vek, sev_guest_find(&h->sev, 1)->vek, sizeof(vek));
    sev_clear(&h->sev);
    for (size_t i = 0; i + P384_SIZE <= sizeof(h->sev); i++) {
        assert_memory_not_equal(at + i, pek, sizeof(pek));
        assert_memory_not_equal(at + i, pdh, sizeof(pdh));
    }
    for (size_t i = 0; i <= h->core.profile.asid_count; i++) {
        assert_memory_not_equal(h->core.asids[i].vek, vek, sizeof(vek));
    }
    core_clear(&h->core);
    assert_int_equal(living, 0);
    free(h->memory);
    free(h);
}

static void init__no_memory_for_the_store__nomem(void **state)
{
    struct sh *h = sh_new_off("milan", 1);

    (void)state;
    h->ops.nv_load = NULL;
    assert_int_equal(core_init(&h->core, &h->config, &h->ops, h), PSP_OK);
    allocations = 0;
    fail_allocation = 1;
    assert_int_equal(sev_init(&h->sev, &h->core, NULL), PSP_E_NOMEM);
    fail_allocation = 0;
    sev_clear(&h->sev);
    core_clear(&h->core);
    assert_int_equal(living, 0);
    free(h->memory);
    free(h);
}

int main(void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test(clear__after_everything__no_key_left),
        cmocka_unit_test(init__no_memory_for_the_store__nomem),
        cmocka_unit_test(pages__outside_the_reverse_map__always_fine),
        cmocka_unit_test(pages__taken_away_during_a_signature__refused),
    };
    struct CMUnitTest rows[SCENARIO_COUNT], pages[SCENARIO_COUNT];
    int failed;

    for (size_t i = 0; i < SCENARIO_COUNT; i++) {
        rows[i] = sh_row(SCENARIOS[i].name, test_scenario, &SCENARIOS[i]);
        pages[i] = sh_row(SCENARIOS[i].name, test_pages, &SCENARIOS[i]);
    }
    failed = cmocka_run_group_tests_name("sev/fault", fixed, NULL, NULL);
    failed += cmocka_run_group_tests_name("sev/fault/rows", rows, NULL, NULL);
    failed += cmocka_run_group_tests_name("sev/pages/rows", pages, NULL, NULL);
    return failed;
}
