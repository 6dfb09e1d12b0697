/* SPDX-License-Identifier: Apache-2.0 */
/* Migration messages. abi/snp.md §6.7 to §6.9 */
#include "guest_message.h"

#define NO_CONTEXT 0x6000ull
#define GCTX       0x20u /* exported context in its messages */

/* Offsets in an exported context, abi/snp.md §6.8. */
#define C_IMD        0x190u
#define C_MSG_COUNT  0x1c0u
#define C_ROOT_MD    0x1e0u
#define C_ROOT_VALID (C_ROOT_MD + 0x20u)

/* The sender is the agent of a second guest, whose context is full of
 * recognisable values. */
static struct gm *with_other(enum snp_guest_state state)
{
    struct gm *gm = gm_new("turin");
    struct snp_guest *g = gm_other(gm, state);

    gm_set_agent(g, gm->self);
    gm_fill(g->id_block, sizeof(g->id_block), 0x01);
    gm_fill(g->id_key_digest, 48, 0x02);
    gm_fill(g->author_key_digest, 48, 0x03);
    gm_fill(g->root_md_entry, 64, 0x04);
    g->root_md_entry[0x20] |= 1;
    for (unsigned int i = 0; i < SNP_VMPCK_COUNT; i++) {
        g->msg_count[i] = 0x100 * (i + 1);
    }
    g->id_block_en = true;
    g->author_key_en = true;
    g->vcek_dis = true;
    g->policy = 0x70000;
    g->desired_tsc_freq = 0x01020304;
    g->psp_tsc_offset = 0x1112131415161718;
    return gm;
}

static uint32_t send(struct gm *gm, enum snp_msg_type type, uint8_t vmpck,
                     const uint8_t *payload, size_t size, size_t rsp_size,
                     uint8_t rsp[SNP_MSG_MAX_PAYLOAD])
{
    struct gm_request req = gm_request(gm, vmpck, type, payload, size);
    uint32_t status = gm_answer(gm, &req, rsp_size, rsp);

    if (status != SEV_SUCCESS) {
        assert_true(psp_all_zero(rsp + 4, rsp_size - 4));
    }
    return status;
}

static uint32_t export_guest(struct gm *gm, uint64_t gctx, bool imi_en,
                             uint8_t rsp[SNP_MSG_MAX_PAYLOAD])
{
    const struct snp_export_req req = {.gctx_paddr = gctx, .imi_en = imi_en};
    uint8_t payload[SNP_EXPORT_REQ_SIZE];

    snp_export_req_encode(&req, payload);
    return send(gm, SNP_MSG_EXPORT_REQ, 0, payload, sizeof(payload), 0x320,
                rsp);
}

/* EXPORT. */

static void check_context(const uint8_t *c, const struct snp_guest *g)
{
    assert_memory_equal(c + 0x000, g->ld, 48);
    assert_memory_equal(c + 0x030, g->oek, 32);
    assert_memory_equal(c + 0x050, g->vmpck, 128);
    assert_memory_equal(c + 0x0d0, g->vmrk, 32);
    assert_memory_equal(c + 0x0f0, g->host_data, 32);
    assert_memory_equal(c + 0x110, g->id_key_digest, 48);
    assert_memory_equal(c + 0x140, g->author_key_digest, 48);
    assert_memory_equal(c + 0x170, g->report_id, 32);
    assert_memory_equal(c + 0x190, g->imd, 48);
    assert_hex_equal(c + 0x1c0,
                     "0001000000000000000200000000000000030000000000000004"
                     "000000000000",
                     32);
    assert_hex_equal(c + 0x220, "0700000000000000", 8);
    assert_hex_equal(c + 0x228, "0000070000000000", 8);
    assert_hex_equal(c + 0x230, "0200000000000000", 8);
    assert_hex_equal(c + 0x238, "8019000000000000", 8); /* OEK IV counter */
    assert_memory_equal(c + 0x240, g->id_block, 0x60);
    assert_memory_equal(c + 0x2a0, g->gosvw, 16);
    assert_hex_equal(c + 0x2b0, "0403020100000000", 8);
    assert_hex_equal(c + 0x2b8, "1817161514131211", 8);
    assert_memory_equal(c + 0x2c0, g->launch_tcb.b, 8);
    assert_true(psp_all_zero(c + 0x2c8, 0x38));
}

static void export__imi__copy_without_root_entry_guest_lives(void **state)
{
    struct gm *gm = with_other(SNP_GUEST_RUNNING);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    struct snp_guest before;

    (void)state;
    memcpy(&before, gm->other, sizeof(before));
    assert_int_equal(export_guest(gm, GM_OTHER, true, rsp), SEV_SUCCESS);
    assert_hex_equal(rsp, "000000000003000003000000", 12);
    assert_true(psp_all_zero(rsp + 0x0c, 0x14));
    check_context(rsp + GCTX, gm->other);
    assert_true(psp_all_zero(rsp + GCTX + C_ROOT_MD, 64));
    assert_memory_equal(&before, gm->other, sizeof(before));
    gm_free(gm);
}

static void export__complete__guest_ends(void **state)
{
    struct gm *gm = with_other(SNP_GUEST_RUNNING);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    struct snp_guest before;

    (void)state;
    memcpy(&before, gm->other, sizeof(before));
    assert_int_equal(export_guest(gm, GM_OTHER, false, rsp), SEV_SUCCESS);
    check_context(rsp + GCTX, &before);
    assert_memory_equal(rsp + GCTX + C_ROOT_MD, before.root_md_entry, 64);
    assert_null(snp_guest_find(&gm->snp, GM_OTHER));
    assert_int_equal(rmp_get(gm->core.rmp, GM_OTHER).state, RMP_FIRMWARE);
    assert_int_equal(gm->snp.started_guest_count, 1);
    assert_int_equal(gm->self->msg_count[0], 2);
    gm_free(gm);
}

static void export__self_without_agent__counter_after_this_answer(void **state)
{
    struct gm *gm = gm_new("turin");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    gm->self->msg_count[0] = 6;
    assert_int_equal(export_guest(gm, GM_SELF, true, rsp), SEV_SUCCESS);
    assert_hex_equal(rsp + GCTX + C_MSG_COUNT, "0800000000000000", 8);
    assert_int_equal(gm->self->msg_count[0], 8);
    gm_free(gm);
}

static void export__self_complete__answered_and_gone(void **state)
{
    struct gm *gm = gm_new("turin");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    assert_int_equal(export_guest(gm, GM_SELF, false, rsp), SEV_SUCCESS);
    assert_null(snp_guest_find(&gm->snp, GM_SELF));
    assert_int_equal(gm->snp.started_guest_count, 0);
    gm_free(gm);
}

static void export__self_on_vmpck_1__invalid_guest(void **state)
{
    const struct snp_export_req req = {.gctx_paddr = GM_SELF, .imi_en = true};
    struct gm *gm = gm_new("turin");
    uint8_t payload[SNP_EXPORT_REQ_SIZE], rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    snp_export_req_encode(&req, payload);
    assert_int_equal(
        send(gm, SNP_MSG_EXPORT_REQ, 1, payload, sizeof(payload), 0x320, rsp),
        SEV_INVALID_GUEST);
    gm_free(gm);
}

static void export__self_with_agent__invalid_guest(void **state)
{
    struct gm *gm = gm_new("turin");
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    (void)state;
    gm_set_agent(gm->self, gm_other(gm, SNP_GUEST_RUNNING));
    assert_int_equal(export_guest(gm, GM_SELF, true, rsp), SEV_INVALID_GUEST);
    gm_free(gm);
}

/* Faults, in the order of the checks. */

struct incoming {
    struct gm *gm;
    enum snp_msg_type type;
    uint8_t vmpck;
    uint8_t payload[0x320];
    size_t size;
};

struct fault {
    const char *name;
    void (*inject)(struct incoming *in);
    uint32_t status;
};

#define FAULT(fn) static void fn(struct incoming *in)

FAULT(reserved_08)
{
    in->payload[0x0b] = 0x80;
}

FAULT(reserved_0c)
{
    in->payload[0x0c] = 1;
}

FAULT(reserved_10)
{
    in->payload[0x10] = 1;
}

FAULT(reserved_1f)
{
    in->payload[0x1f] = 0x80;
}

FAULT(paddr_low_bits)
{
    in->payload[0x01] |= 8;
}

FAULT(no_context)
{
    memset(in->payload, 0, 8);
    in->payload[1] = NO_CONTEXT >> 8;
}

FAULT(beyond_memory)
{
    in->payload[5] = 1;
}

FAULT(context_page_reclaimed)
{
    gm_rmp(in->gm, GM_OTHER, RMP_RECLAIM, false);
}

FAULT(state_init)
{
    in->gm->other->state = SNP_GUEST_INIT;
}

FAULT(state_launch)
{
    in->gm->other->state = SNP_GUEST_LAUNCH;
}

FAULT(state_running)
{
    in->gm->other->state = SNP_GUEST_RUNNING;
}

FAULT(imi_en_0)
{
    in->gm->other->imi_en = false;
}

FAULT(imi_en_1)
{
    in->gm->other->imi_en = true;
}

FAULT(agent_address)
{
    in->gm->other->ma_gctx_paddr += 0x1000;
}

FAULT(agent_report_id)
{
    in->gm->other->report_id_ma[31] ^= 1;
}

FAULT(no_agent)
{
    in->gm->other->ma_gctx_paddr = SNP_NO_AGENT;
    memset(in->gm->other->report_id_ma, 0xff, 32);
}

FAULT(size_2ff)
{
    in->payload[0x08] = 0xff;
    in->payload[0x09] = 0x02;
}

FAULT(size_301)
{
    in->payload[0x08] = 0x01;
}

FAULT(version_1)
{
    in->payload[0x0c] = 1;
}

FAULT(version_4)
{
    in->payload[0x0c] = 4;
}

FAULT(context_reserved)
{
    in->payload[GCTX + 0x2ff] = 1;
}

FAULT(incoming_root_invalid)
{
    in->payload[GCTX + C_ROOT_VALID] &= 0xfe;
}

FAULT(target_root_valid)
{
    in->gm->other->root_md_entry[0x20] |= 1;
}

FAULT(incoming_imd)
{
    in->payload[GCTX + C_IMD] ^= 1;
}

FAULT(target_ld)
{
    in->gm->other->ld[47] ^= 1;
}

FAULT(self_ld)
{
    in->gm->self->ld[47] ^= 1;
}

FAULT(self_imd)
{
    in->gm->self->imd[0] ^= 1;
}

FAULT(self_has_agent)
{
    in->gm->self->ma_gctx_paddr = GM_OTHER;
}

FAULT(paddr_not_zero)
{
    in->payload[1] = GM_OTHER >> 8;
}

FAULT(other_vmpck)
{
    in->vmpck = 1;
}

static const struct fault EXPORT_FAULTS[] = {
    {"reserved_08", reserved_08, SEV_INVALID_PARAM},
    {"reserved_0c", reserved_0c, SEV_INVALID_PARAM},
    {"paddr_low_bits", paddr_low_bits, SEV_INVALID_PARAM},
    {"no_context", no_context, SEV_INVALID_GUEST},
    {"beyond_memory", beyond_memory, SEV_INVALID_GUEST},
    {"context_page_reclaimed", context_page_reclaimed, SEV_INVALID_GUEST},
    {"state_init", state_init, SEV_INVALID_GUEST_STATE},
    {"state_launch", state_launch, SEV_INVALID_GUEST_STATE},
    {"agent_address", agent_address, SEV_INVALID_GUEST},
    {"agent_report_id", agent_report_id, SEV_INVALID_GUEST},
    {"no_agent", no_agent, SEV_INVALID_GUEST},
    {NULL, NULL, 0},
};

static const struct fault IMPORT_FAULTS[] = {
    {"reserved_10", reserved_10, SEV_INVALID_PARAM},
    {"reserved_1f", reserved_1f, SEV_INVALID_PARAM},
    {"paddr_low_bits", paddr_low_bits, SEV_INVALID_PARAM},
    {"size_2ff", size_2ff, SEV_INVALID_PARAM},
    {"size_301", size_301, SEV_INVALID_PARAM},
    {"version_1", version_1, SEV_INVALID_PARAM},
    {"version_4", version_4, SEV_INVALID_PARAM},
    {"context_reserved", context_reserved, SEV_INVALID_PARAM},
    {"no_context", no_context, SEV_INVALID_GUEST},
    {"beyond_memory", beyond_memory, SEV_INVALID_GUEST},
    {"context_page_reclaimed", context_page_reclaimed, SEV_INVALID_GUEST},
    {"state_launch", state_launch, SEV_INVALID_GUEST_STATE},
    {"state_running", state_running, SEV_INVALID_GUEST_STATE},
    {"incoming_root_invalid", incoming_root_invalid, SEV_INVALID_MDATA_ENTRY},
    {NULL, NULL, 0},
};

static const struct fault ABSORB_FAULTS[] = {
    {"reserved_10", reserved_10, SEV_INVALID_PARAM},
    {"paddr_low_bits", paddr_low_bits, SEV_INVALID_PARAM},
    {"no_context", no_context, SEV_INVALID_GUEST},
    {"context_page_reclaimed", context_page_reclaimed, SEV_INVALID_GUEST},
    {"state_init", state_init, SEV_INVALID_GUEST_STATE},
    {"state_running", state_running, SEV_INVALID_GUEST_STATE},
    {"imi_en_0", imi_en_0, SEV_INVALID_GUEST_STATE},
    {"agent_address", agent_address, SEV_INVALID_GUEST},
    {"agent_report_id", agent_report_id, SEV_INVALID_GUEST},
    {"no_agent", no_agent, SEV_INVALID_GUEST},
    {"target_root_valid", target_root_valid, SEV_INVALID_MDATA_ENTRY},
    {"incoming_imd", incoming_imd, SEV_BAD_MEASUREMENT},
    {"target_ld", target_ld, SEV_BAD_MEASUREMENT},
    {"size_2ff", size_2ff, SEV_INVALID_PARAM},
    {"version_1", version_1, SEV_INVALID_PARAM},
    {"version_4", version_4, SEV_INVALID_PARAM},
    {"context_reserved", context_reserved, SEV_INVALID_PARAM},
    {NULL, NULL, 0},
};

static const struct fault NOMA_FAULTS[] = {
    {"reserved_10", reserved_10, SEV_INVALID_PARAM},
    {"paddr_not_zero", paddr_not_zero, SEV_INVALID_PARAM},
    {"self_has_agent", self_has_agent, SEV_INVALID_GUEST},
    {"incoming_imd", incoming_imd, SEV_BAD_MEASUREMENT},
    {"self_ld", self_ld, SEV_BAD_MEASUREMENT},
    {"self_imd", self_imd, SEV_BAD_MEASUREMENT},
    {"size_301", size_301, SEV_INVALID_PARAM},
    {"version_1", version_1, SEV_INVALID_PARAM},
    {"version_4", version_4, SEV_INVALID_PARAM},
    {"context_reserved", context_reserved, SEV_INVALID_PARAM},
    {NULL, NULL, 0},
};

static const struct fault VMRK_FAULTS[] = {
    {"reserved_08", reserved_08, SEV_INVALID_PARAM},
    {"reserved_1f", reserved_1f, SEV_INVALID_PARAM},
    {"paddr_low_bits", paddr_low_bits, SEV_INVALID_PARAM},
    {"other_vmpck", other_vmpck, SEV_INVALID_PARAM},
    {"no_context", no_context, SEV_INVALID_GUEST},
    {"context_page_reclaimed", context_page_reclaimed, SEV_INVALID_GUEST},
    {"state_init", state_init, SEV_INVALID_GUEST_STATE},
    {"state_running", state_running, SEV_INVALID_GUEST_STATE},
    {"imi_en_1", imi_en_1, SEV_INVALID_GUEST_STATE},
    {"agent_address", agent_address, SEV_INVALID_GUEST},
    {"agent_report_id", agent_report_id, SEV_INVALID_GUEST},
    {"no_agent", no_agent, SEV_INVALID_GUEST},
    {NULL, NULL, 0},
};

/* A context as another platform exported it. */
static void exported(uint8_t out[0x300], bool imi_en)
{
    struct gm *gm = with_other(SNP_GUEST_RUNNING);
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    assert_int_equal(export_guest(gm, GM_OTHER, imi_en, rsp), SEV_SUCCESS);
    memcpy(out, rsp + GCTX, 0x300);
    gm_free(gm);
}

static void import_header(struct incoming *in, uint64_t gctx)
{
    const struct snp_import_req req = {
        .gctx_paddr = gctx, .gctx_size = 0x300, .gctx_version = 3};

    snp_import_req_encode(&req, in->payload);
    in->size = 0x320;
}

/* Messages that everything is right with. */

static struct incoming good_export(void)
{
    struct incoming in = {.gm = with_other(SNP_GUEST_RUNNING),
                          .type = SNP_MSG_EXPORT_REQ,
                          .size = SNP_EXPORT_REQ_SIZE};
    const struct snp_export_req req = {.gctx_paddr = GM_OTHER};

    snp_export_req_encode(&req, in.payload);
    return in;
}

static struct incoming good_import(void)
{
    struct incoming in = {.gm = gm_new("turin"), .type = SNP_MSG_IMPORT_REQ};

    (void)gm_other(in.gm, SNP_GUEST_INIT);
    import_header(&in, GM_OTHER);
    exported(in.payload + GCTX, false);
    return in;
}

static struct incoming good_absorb(void)
{
    struct incoming in = {.gm = gm_new("turin"), .type = SNP_MSG_ABSORB_REQ};
    struct snp_guest *g = gm_other(in.gm, SNP_GUEST_LAUNCH);

    gm_set_agent(g, in.gm->self);
    g->imi_en = true;
    import_header(&in, GM_OTHER);
    exported(in.payload + GCTX, true);
    memcpy(g->ld, in.payload + GCTX + C_IMD, 48);
    return in;
}

static struct incoming good_noma(void)
{
    struct incoming in = {.gm = gm_new("turin"),
                          .type = SNP_MSG_ABSORB_NOMA_REQ};

    import_header(&in, 0);
    exported(in.payload + GCTX, true);
    memcpy(in.gm->self->ld, in.payload + GCTX + C_IMD, 48);
    memcpy(in.gm->self->imd, in.gm->self->ld, 48);
    (void)gm_other(in.gm, SNP_GUEST_RUNNING);
    return in;
}

static struct incoming good_vmrk(void)
{
    struct incoming in = {.gm = with_other(SNP_GUEST_LAUNCH),
                          .type = SNP_MSG_VMRK_REQ,
                          .size = SNP_VMRK_REQ_SIZE};
    struct snp_vmrk_req req = {.gctx_paddr = GM_OTHER};

    gm_fill(req.vmrk, 32, 0xb0);
    snp_vmrk_req_encode(&req, in.payload);
    return in;
}

struct message {
    const char *name;
    struct incoming (*good)(void);
    size_t rsp_size;
    const struct fault *faults;
};

static const struct message MESSAGES[] = {
    {"export", good_export, 0x320, EXPORT_FAULTS},
    {"import", good_import, 0x10, IMPORT_FAULTS},
    {"absorb", good_absorb, 0x10, ABSORB_FAULTS},
    {"absorb_noma", good_noma, 0x10, NOMA_FAULTS},
    {"vmrk", good_vmrk, 0x10, VMRK_FAULTS},
};

#define MESSAGE_COUNT (sizeof(MESSAGES) / sizeof(MESSAGES[0]))

static uint32_t send_incoming(struct incoming *in, size_t rsp_size)
{
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];

    return send(in->gm, in->type, in->vmpck, in->payload, in->size, rsp_size,
                rsp);
}

static void migrate__nothing_wrong__answered(void **state)
{
    const struct message *m = *state;
    struct incoming in = m->good();

    assert_int_equal(send_incoming(&in, m->rsp_size), SEV_SUCCESS);
    gm_free(in.gm);
}

/* A refusal moves the counter of the sender and nothing else. */
static void refuse(const struct message *m, const struct fault *first,
                   const struct fault *second)
{
    struct incoming in = m->good();
    struct snp_guest self, other;
    uint32_t status;

    if (second != first) {
        second->inject(&in);
    }
    first->inject(&in);
    memcpy(&self, in.gm->self, sizeof(self));
    memcpy(&other, in.gm->other, sizeof(other));
    self.msg_count[in.vmpck] += 2;
    status = send_incoming(&in, m->rsp_size);
    if (status != first->status) {
        fail_msg("%s, then %s: %s", first->name, second->name,
                 sev_status_name(status));
    }
    assert_memory_equal(in.gm->self, &self, sizeof(self));
    assert_memory_equal(in.gm->other, &other, sizeof(other));
    gm_free(in.gm);
}

static void migrate__faults__status_of_the_first(void **state)
{
    const struct message *m = *state;

    for (const struct fault *a = m->faults; a->name != NULL; a++) {
        for (const struct fault *b = a; b->name != NULL; b++) {
            refuse(m, a, b);
        }
    }
}

static void migrate__payload_too_small__refused_by_the_mailbox(void **state)
{
    const struct message *m = *state;
    struct incoming in = m->good();
    struct gm_request req =
        gm_request(in.gm, 0, in.type, in.payload, in.size - 1);

    assert_int_equal(gm_call(in.gm, &req), SEV_INVALID_PARAM);
    gm_free(in.gm);
}

static void migrate__kth_callback_fails__nothing_changes(void **state)
{
    const struct message *m = *state;
    bool done = false;

    for (unsigned int k = 1; !done; k++) {
        struct incoming in = m->good();
        struct gm_request req =
            gm_request(in.gm, 0, in.type, in.payload, in.size);
        struct gm_snapshot *before;
        enum sev_status status;

        gm_put(in.gm, &req);
        before = gm_snapshot(in.gm);
        in.gm->calls = 0;
        in.gm->fail_at = k;
        status = gm_execute(in.gm, &req);
        done = in.gm->calls < k;
        if (done) {
            assert_int_equal(status, SEV_SUCCESS);
            free(before);
        } else {
            assert_int_equal(status, SEV_HWERROR_PLATFORM);
            /* Only an export that cannot end its guest has answered. */
            memcpy(in.gm->memory + GM_RESPONSE, before->memory + GM_RESPONSE,
                   0x1000);
            gm_assert_unchanged(in.gm, before);
        }
        gm_free(in.gm);
    }
}

/* What the target becomes. */

static void check_taken(const struct gm *gm, const struct snp_guest *g,
                        const uint8_t *context)
{
    struct snp_gctx c;

    assert_int_equal(snp_gctx_decode(context, 3, &c), PSP_OK);
    assert_int_equal(g->state, SNP_GUEST_RUNNING);
    assert_memory_equal(g->ld, c.ld, 48);
    assert_memory_equal(g->imd, c.imd, 48);
    assert_memory_equal(g->oek, c.oek, 32);
    assert_true(g->oek_iv_count == c.oek_iv_count);
    assert_memory_equal(g->vmpck, c.vmpck, 128);
    assert_memory_equal(g->vmrk, c.vmrk, 32);
    assert_memory_equal(g->host_data, c.host_data, 32);
    assert_memory_equal(g->id_key_digest, c.id_key_digest, 48);
    assert_memory_equal(g->author_key_digest, c.author_key_digest, 48);
    assert_memory_equal(g->root_md_entry, c.root_md_entry, 64);
    assert_memory_equal(g->id_block, c.id_block, 0x60);
    assert_memory_equal(g->gosvw, c.gosvw, 16);
    assert_memory_equal(g->msg_count, c.msg_count, 32);
    assert_true(g->id_block_en && g->author_key_en && g->vcek_dis);
    assert_true(g->policy == 0x70000);
    assert_int_equal(g->desired_tsc_freq, 0x01020304);
    assert_true(g->psp_tsc_offset == 0x1112131415161718);
    assert_memory_equal(&g->launch_tcb, &gm->snp.committed_tcb, 8);
    assert_int_equal(g->launch_mit_vector, 0x3f);
}

static void import__init_guest__runs_as_the_exported_one(void **state)
{
    struct incoming in = good_import();
    struct snp_guest *g = in.gm->other;
    uint8_t vek[32], new_id[32];

    (void)state;
    memcpy(vek, g->vek, sizeof(vek));
    gm_fill(new_id, sizeof(new_id), 0xf0);
    in.gm->random = 0xf0;
    in.gm->snp.committed_tcb.b[0]++; /* another platform */
    assert_int_equal(send_incoming(&in, 0x10), SEV_SUCCESS);
    check_taken(in.gm, g, in.payload + GCTX);
    assert_true(g->ma_gctx_paddr == GM_SELF);
    assert_memory_equal(g->report_id_ma, in.gm->self->report_id, 32);
    assert_memory_equal(g->report_id, new_id, 32);
    assert_memory_equal(g->vek, vek, sizeof(vek));
    assert_ptr_equal(snp_guest_find(&in.gm->snp, GM_OTHER), g);
    assert_int_equal(in.gm->snp.started_guest_count, 2);
    gm_free(in.gm);
}

/* The guest that was imported goes on with its keys and numbers. */
static void import__then_a_message__numbers_go_on(void **state)
{
    static const uint8_t payload[0x80];
    struct incoming in = good_import();
    uint8_t rsp[SNP_MSG_MAX_PAYLOAD];
    struct gm_request req;

    (void)state;
    assert_int_equal(send_incoming(&in, 0x10), SEV_SUCCESS);
    req = gm_request(in.gm, 1, SNP_MSG_TSC_INFO_REQ, payload, sizeof(payload));
    req.gctx = GM_OTHER;
    req.header.seqno = 0x201;
    memcpy(req.key, in.payload + GCTX + 0x70, 32); /* VMPCK1 */
    assert_int_equal(gm_answer(in.gm, &req, 0x80, rsp), SEV_SUCCESS);
    assert_int_equal(in.gm->other->msg_count[1], 0x202);
    gm_free(in.gm);
}

static void import__version_2__later_fields_zero(void **state)
{
    struct incoming in = good_import();
    struct snp_guest *g = in.gm->other;

    (void)state;
    in.payload[0x0c] = 2;
    in.payload[GCTX + 0x220] = 3;
    memset(in.payload + GCTX + 0x2b0, 0, 0x50);
    assert_int_equal(send_incoming(&in, 0x10), SEV_SUCCESS);
    assert_false(g->vcek_dis);
    assert_int_equal(g->desired_tsc_freq, 0);
    assert_int_equal(g->psp_tsc_offset, 0);
    assert_true(g->id_block_en && g->author_key_en);
    gm_free(in.gm);
}

static void absorb__image_guest__takes_all_but_identity(void **state)
{
    struct incoming in = good_absorb();
    struct snp_guest *g = in.gm->other;
    uint8_t id[32];

    (void)state;
    memcpy(id, g->report_id, sizeof(id));
    g->asid = 5;
    assert_int_equal(send_incoming(&in, 0x10), SEV_SUCCESS);
    g->asid = 0; /* never bound */
    check_taken(in.gm, g, in.payload + GCTX);
    assert_memory_equal(g->report_id, id, sizeof(id));
    assert_true(g->ma_gctx_paddr == GM_SELF);
    assert_false(g->imi_en);
    assert_int_equal(in.gm->snp.started_guest_count, 2);
    gm_free(in.gm);
}

/* The answer uses the key and number of before. */
static void absorb_noma__self__context_replaced_after_the_answer(void **state)
{
    struct incoming in = good_noma();
    uint8_t id[32];

    (void)state;
    memcpy(id, in.gm->self->report_id, sizeof(id));
    assert_int_equal(send_incoming(&in, 0x10), SEV_SUCCESS);
    check_taken(in.gm, in.gm->self, in.payload + GCTX);
    assert_memory_equal(in.gm->self->report_id, id, sizeof(id));
    assert_int_equal(in.gm->self->msg_count[0], 0x100);
    gm_free(in.gm);
}

static void vmrk__launching_guest__only_the_key_changes(void **state)
{
    struct incoming in = good_vmrk();
    struct snp_guest want;

    (void)state;
    memcpy(&want, in.gm->other, sizeof(want));
    gm_fill(want.vmrk, 32, 0xb0);
    assert_int_equal(send_incoming(&in, 0x10), SEV_SUCCESS);
    assert_memory_equal(in.gm->other, &want, sizeof(want));
    assert_int_equal(in.gm->self->msg_count[0], 2);
    gm_free(in.gm);
}

static const struct CMUnitTest PLAIN[] = {
    cmocka_unit_test(export__imi__copy_without_root_entry_guest_lives),
    cmocka_unit_test(export__complete__guest_ends),
    cmocka_unit_test(export__self_without_agent__counter_after_this_answer),
    cmocka_unit_test(export__self_complete__answered_and_gone),
    cmocka_unit_test(export__self_on_vmpck_1__invalid_guest),
    cmocka_unit_test(export__self_with_agent__invalid_guest),
    cmocka_unit_test(import__init_guest__runs_as_the_exported_one),
    cmocka_unit_test(import__then_a_message__numbers_go_on),
    cmocka_unit_test(import__version_2__later_fields_zero),
    cmocka_unit_test(absorb__image_guest__takes_all_but_identity),
    cmocka_unit_test(absorb_noma__self__context_replaced_after_the_answer),
    cmocka_unit_test(vmrk__launching_guest__only_the_key_changes),
};

static const struct {
    const char *name;
    CMUnitTestFunction fn;
} SHAPES[] = {
    {"nothing_wrong__answered", migrate__nothing_wrong__answered},
    {"faults__status_of_the_first", migrate__faults__status_of_the_first},
    {"payload_too_small__refused_by_the_mailbox",
     migrate__payload_too_small__refused_by_the_mailbox},
    {"kth_callback_fails__nothing_changes",
     migrate__kth_callback_fails__nothing_changes},
};

#define PLAIN_COUNT (sizeof(PLAIN) / sizeof(PLAIN[0]))
#define SHAPE_COUNT (sizeof(SHAPES) / sizeof(SHAPES[0]))

int main(void)
{
    static char names[MESSAGE_COUNT * SHAPE_COUNT][80];
    static struct CMUnitTest tests[PLAIN_COUNT + MESSAGE_COUNT * SHAPE_COUNT];
    char(*name)[80] = names;
    size_t n = PLAIN_COUNT;

    memcpy(tests, PLAIN, sizeof(PLAIN));
    for (size_t m = 0; m < MESSAGE_COUNT; m++) {
        for (size_t s = 0; s < SHAPE_COUNT; s++) {
            snprintf(*name, sizeof(*name), "%s__%s", MESSAGES[m].name,
                     SHAPES[s].name);
            tests[n++] = gm_row(*name++, SHAPES[s].fn, &MESSAGES[m]);
        }
    }
    return _cmocka_run_group_tests("snp/msg_migrate", tests, n, NULL, NULL);
}
