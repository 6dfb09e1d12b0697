/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_fixture.h"

#include "wire.h"

/* -- the host ---------------------------------------------------------------
 */

static bool fails(struct snp_fx *fx)
{
    fx->calls++;
    return fx->fail_at != 0 && fx->calls >= fx->fail_at &&
           fx->calls - fx->fail_at <= fx->fail_more;
}

static bool in_memory(uint64_t spa, size_t size)
{
    return spa <= FX_MEMORY_SIZE && size <= FX_MEMORY_SIZE - spa;
}

static void touch(struct snp_fx *fx, uint64_t spa, uint8_t *buf, size_t size,
                  bool write)
{
    assert_true(in_memory(spa, size));
    while (size > 0) {
        size_t offset = spa % RMP_PAGE_SIZE;
        size_t n = RMP_PAGE_SIZE - offset;
        uint8_t **page = &fx->page[spa / RMP_PAGE_SIZE];

        n = n < size ? n : size;
        if (write) {
            if (*page == NULL) {
                *page = calloc(1, RMP_PAGE_SIZE);
                assert_non_null(*page);
            }
            memcpy(*page + offset, buf, n);
        } else if (*page != NULL) {
            memcpy(buf, *page + offset, n);
        } else {
            memset(buf, 0, n);
        }
        spa += n;
        buf += n;
        size -= n;
    }
}

static int mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    if (fails(host) || !in_memory(spa, size)) {
        return -1;
    }
    touch(host, spa, buf, size, false);
    return 0;
}

void fx_write(struct snp_fx *fx, uint64_t spa, const void *buf, size_t size)
{
    uint8_t *copy = tst_dup(buf, size);

    touch(fx, spa, copy, size, true);
    free(copy);
}

static int mem_write(void *host, uint64_t spa, const void *buf, size_t size)
{
    if (fails(host) || !in_memory(spa, size)) {
        return -1;
    }
    fx_write(host, spa, buf, size);
    return 0;
}

void fx_read(struct snp_fx *fx, uint64_t spa, void *buf, size_t size)
{
    touch(fx, spa, buf, size, false);
}

void fx_fill(struct snp_fx *fx, uint64_t spa, uint8_t byte, size_t size)
{
    uint8_t *buf = malloc(size);

    assert_non_null(buf);
    memset(buf, byte, size);
    fx_write(fx, spa, buf, size);
    free(buf);
}

static int entropy(void *host, void *buf, size_t size)
{
    struct snp_fx *fx = host;

    return fails(fx) || psp_drbg_bytes(&fx->drbg, buf, size) != PSP_OK ? -1 : 0;
}

static bool wbinvd_owed(void *host)
{
    return ((struct snp_fx *)host)->wbinvd_owed;
}

static bool snp_enabled(void *host)
{
    return !((struct snp_fx *)host)->snp_disabled;
}

struct snp_fx *snp_fx_new(const char *name,
                          void (*adjust)(struct psp_config *config))
{
    const struct psp_profile *profile = psp_profile_by_name(name);
    struct snp_fx *fx = calloc(1, sizeof(*fx));

    assert_non_null(profile);
    assert_non_null(fx);
    fx->next_page = FX_FIRST_PAGE;
    fx->next_2m = FX_FIRST_2M;
    assert_int_equal(psp_drbg_init(&fx->drbg, PKI_DEV_SEED, "snp fixture"),
                     PSP_OK);
    fx->ops = (struct psp_host_ops){
        .mem_read = mem_read,
        .mem_write = mem_write,
        .entropy = entropy,
        .wbinvd_owed = wbinvd_owed,
        .snp_enabled = snp_enabled,
    };
    fx->config = (struct psp_config){
        .profile = *profile,
        .memory_size = FX_MEMORY_SIZE,
        .rmp_size = FX_RMP_SIZE,
        .apic_id_count = FX_APIC_IDS,
    };
    pki_chip_make(PKI_DEV_SEED, profile->generation, 0, &fx->config.chip);
    if (adjust != NULL) {
        adjust(&fx->config);
    }
    assert_int_equal(psp_create(&fx->config, &fx->ops, fx, &fx->psp), PSP_OK);
    return fx;
}

void snp_fx_free(struct snp_fx *fx)
{
    psp_destroy(fx->psp);
    for (size_t i = 0; i < FX_PAGES; i++) {
        free(fx->page[i]);
    }
    free(fx);
}

struct snp_fx *snp_fx_up(const char *name,
                         void (*adjust)(struct psp_config *config))
{
    struct snp_fx *fx = snp_fx_new(name, adjust);

    assert_int_equal(fx_command(fx, SNP_CMD_INIT, NULL, 0), SEV_SUCCESS);
    assert_int_equal(fx_command(fx, SNP_CMD_DF_FLUSH, NULL, 0), SEV_SUCCESS);
    return fx;
}

/* -- pages ------------------------------------------------------------------
 */

uint64_t fx_page(struct snp_fx *fx)
{
    uint64_t spa = fx->next_page;

    assert_true(spa < FX_FIRST_2M);
    fx->next_page += RMP_PAGE_SIZE;
    return spa;
}

uint64_t fx_page_2m(struct snp_fx *fx)
{
    uint64_t spa = fx->next_2m;

    fx->next_2m += RMP_PAGE_2M_SIZE;
    assert_true(fx->next_2m <= FX_RMP_SIZE);
    return spa;
}

enum rmp_state fx_state(struct snp_fx *fx, uint64_t spa)
{
    return rmp_get(psp_rmp(fx->psp), spa).state;
}

static void update(struct snp_fx *fx, uint64_t spa,
                   const struct rmp_update *update)
{
    assert_int_equal(rmp_rmpupdate(psp_rmp(fx->psp), spa, update), RMP_OK);
}

uint64_t fx_firmware(struct snp_fx *fx, uint64_t spa)
{
    update(fx, spa, &(struct rmp_update){.assigned = true, .immutable = true});
    return spa;
}

uint64_t fx_pre_guest(struct snp_fx *fx, uint64_t spa, uint32_t asid,
                      uint64_t gpa)
{
    update(fx, spa,
           &(struct rmp_update){
               .assigned = true, .immutable = true, .asid = asid, .gpa = gpa});
    return spa;
}

uint64_t fx_pre_guest_2m(struct snp_fx *fx, uint64_t spa, uint32_t asid,
                         uint64_t gpa)
{
    update(fx, spa,
           &(struct rmp_update){.assigned = true,
                                .immutable = true,
                                .size_2m = true,
                                .asid = asid,
                                .gpa = gpa});
    return spa;
}

void fx_unassign(struct snp_fx *fx, uint64_t spa)
{
    update(fx, spa, &(struct rmp_update){.assigned = false});
}

/* -- commands ---------------------------------------------------------------
 */

enum sev_status fx_command(struct snp_fx *fx, uint32_t command, const void *buf,
                           size_t size)
{
    if (size > 0) {
        fx_write(fx, FX_COMMAND, buf, size);
    }
    return psp_execute(fx->psp, command, FX_COMMAND);
}

enum sev_status fx_command_u64(struct snp_fx *fx, uint32_t command,
                               uint64_t value)
{
    uint8_t buf[8];
    struct psp_wr w = psp_wr(buf, sizeof(buf));

    psp_wr_le64(&w, value);
    return fx_command(fx, command, buf, sizeof(buf));
}

#define FX_DEFINE(name, SIZE)                                                  \
    FX_DECLARE(name)                                                           \
    {                                                                          \
        uint8_t buf[SIZE];                                                     \
                                                                               \
        snp_cmd_##name##_encode(cmd, buf);                                     \
        return fx_command(fx, command, buf, sizeof(buf));                      \
    }
FX_DEFINE(init_ex, SNP_CMD_INIT_EX_SIZE)
FX_DEFINE(shutdown_ex, SNP_CMD_SHUTDOWN_EX_SIZE)
FX_DEFINE(status, SNP_CMD_STATUS_SIZE)
FX_DEFINE(feature_info, SNP_CMD_FEATURE_INFO_SIZE)
FX_DEFINE(config, SNP_CMD_CONFIG_SIZE)
FX_DEFINE(commit, SNP_CMD_COMMIT_SIZE)
FX_DEFINE(vlek_load, SNP_CMD_VLEK_LOAD_SIZE)
FX_DEFINE(download_firmware_ex, SNP_CMD_DOWNLOAD_FIRMWARE_EX_SIZE)
FX_DEFINE(verify_mitigation, SNP_CMD_VERIFY_MITIGATION_SIZE)
FX_DEFINE(gctx, SNP_CMD_GCTX_SIZE)
FX_DEFINE(activate, SNP_CMD_ACTIVATE_SIZE)
FX_DEFINE(activate_ex, SNP_CMD_ACTIVATE_EX_SIZE)
FX_DEFINE(guest_status, SNP_CMD_GUEST_STATUS_SIZE)
FX_DEFINE(guest_request, SNP_CMD_GUEST_REQUEST_SIZE)
FX_DEFINE(launch_start, SNP_CMD_LAUNCH_START_SIZE)
FX_DEFINE(launch_update, SNP_CMD_LAUNCH_UPDATE_SIZE)
FX_DEFINE(launch_finish, SNP_CMD_LAUNCH_FINISH_SIZE)
FX_DEFINE(dbg, SNP_CMD_DBG_SIZE)
FX_DEFINE(page_swap, SNP_CMD_PAGE_SWAP_SIZE)
FX_DEFINE(page_move, SNP_CMD_PAGE_MOVE_SIZE)
FX_DEFINE(page_md_init, SNP_CMD_PAGE_MD_INIT_SIZE)
FX_DEFINE(page_set_state, SNP_CMD_PAGE_SET_STATE_SIZE)
FX_DEFINE(page_reclaim, SNP_CMD_PAGE_RECLAIM_SIZE)
FX_DEFINE(page_unsmash, SNP_CMD_PAGE_UNSMASH_SIZE)

/* -- guests -----------------------------------------------------------------
 */

uint64_t fx_guest_init(struct snp_fx *fx)
{
    uint64_t gctx = fx_firmware(fx, fx_page(fx));

    assert_int_equal(FX(fx, GCTX_CREATE, gctx, .gctx_paddr = gctx),
                     SEV_SUCCESS);
    return gctx;
}

uint64_t fx_guest_launch(struct snp_fx *fx, uint32_t asid, uint64_t policy)
{
    uint64_t gctx = fx_guest_init(fx);

    assert_int_equal(FX(fx, LAUNCH_START, launch_start, .gctx_paddr = gctx,
                        .policy = policy),
                     SEV_SUCCESS);
    assert_int_equal(
        FX(fx, ACTIVATE, activate, .gctx_paddr = gctx, .asid = asid),
        SEV_SUCCESS);
    return gctx;
}

uint64_t fx_guest_running(struct snp_fx *fx, uint32_t asid, uint64_t policy)
{
    uint64_t gctx = fx_guest_launch(fx, asid, policy);

    assert_int_equal(FX(fx, LAUNCH_FINISH, launch_finish, .gctx_paddr = gctx),
                     SEV_SUCCESS);
    return gctx;
}

struct snp_guest *fx_guest(struct snp_fx *fx, uint64_t gctx)
{
    struct snp_guest *guest = snp_guest_find(fx_snp(fx), gctx);

    assert_non_null(guest);
    return guest;
}

uint64_t fx_launch_page(struct snp_fx *fx, uint64_t gctx,
                        enum snp_page_type type, uint64_t gpa,
                        const uint8_t *data)
{
    uint64_t spa = fx_page(fx);

    if (data != NULL) {
        fx_write(fx, spa, data, RMP_PAGE_SIZE);
    }
    fx_pre_guest(fx, spa, fx_guest(fx, gctx)->asid, gpa);
    assert_int_equal(FX(fx, LAUNCH_UPDATE, launch_update, .gctx_paddr = gctx,
                        .page_type = (uint8_t)type, .page_paddr = spa),
                     SEV_SUCCESS);
    return spa;
}

/* -- snapshots --------------------------------------------------------------
 */

struct fx_snapshot {
    struct snp_platform snp; /* pointers NULL */
    enum sev_platform_state sev_state;
    enum snp_platform_state snp_state;
    struct core_asid asids[RMP_ASID_MAX + 1]; /* pointers NULL */
    struct snp_guest *guests; /* in order of the table; next NULL */
    struct rmp_entry *rmp;
    uint8_t *page[FX_PAGES];
};

static void copy_guests(const struct snp_platform *snp, struct snp_guest *out)
{
    size_t n = 0;

    for (size_t i = 0; i < snp->bucket_count; i++) {
        for (const struct snp_guest *g = snp->guests[i]; g != NULL;
             g = g->next) {
            memcpy(&out[n], g, sizeof(*g));
            out[n++].next = NULL;
        }
    }
    assert_int_equal(n, snp->guest_count);
}

struct fx_snapshot *fx_snapshot(struct snp_fx *fx)
{
    const struct psp_core *core = fx_core(fx);
    const struct snp_platform *snp = fx_snp(fx);
    struct fx_snapshot *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    memcpy(&s->snp, snp, sizeof(s->snp));
    s->snp.guests = NULL;
    s->snp.bucket_count = 0;
    s->sev_state = core->sev_state;
    s->snp_state = core->snp_state;
    for (uint32_t i = 1; i <= core->profile.asid_count; i++) {
        memcpy(&s->asids[i], &core->asids[i], sizeof(s->asids[i]));
        s->asids[i].guest = NULL;
    }
    s->guests = calloc(snp->guest_count + 1, sizeof(*s->guests));
    s->rmp = calloc(FX_PAGES, sizeof(*s->rmp));
    assert_non_null(s->guests);
    assert_non_null(s->rmp);
    copy_guests(snp, s->guests);
    for (size_t i = 0; i < FX_PAGES; i++) {
        struct rmp_entry e = rmp_get(core->rmp, i * RMP_PAGE_SIZE);

        memcpy(&s->rmp[i], &e, sizeof(e));
        if (fx->page[i] != NULL && i != FX_COMMAND / RMP_PAGE_SIZE) {
            s->page[i] = tst_dup(fx->page[i], RMP_PAGE_SIZE);
        }
    }
    return s;
}

void fx_snapshot_free(struct fx_snapshot *s)
{
    for (size_t i = 0; i < FX_PAGES; i++) {
        free(s->page[i]);
    }
    free(s->guests);
    free(s->rmp);
    free(s);
}

static bool same_page(const uint8_t *a, const uint8_t *b)
{
    static const uint8_t zeros[RMP_PAGE_SIZE];

    return memcmp(a != NULL ? a : zeros, b != NULL ? b : zeros,
                  RMP_PAGE_SIZE) == 0;
}

static bool same_entry(const struct rmp_entry *a, const struct rmp_entry *b)
{
    return a->state == b->state && a->size_2m == b->size_2m &&
           a->vmsa == b->vmsa && a->asid == b->asid && a->gpa == b->gpa &&
           a->owner_gctx == b->owner_gctx &&
           memcmp(a->vmpl, b->vmpl, sizeof(a->vmpl)) == 0;
}

/* What differs, or NULL. */
static const char *difference(const struct fx_snapshot *a,
                              const struct fx_snapshot *b, size_t *where)
{
    *where = 0;
    if (memcmp(&a->snp, &b->snp, sizeof(a->snp)) != 0) {
        return "platform";
    }
    if (a->sev_state != b->sev_state || a->snp_state != b->snp_state) {
        return "platform state";
    }
    if (memcmp(a->asids, b->asids, sizeof(a->asids)) != 0) {
        return "ASIDs";
    }
    if (memcmp(a->guests, b->guests, a->snp.guest_count * sizeof(*a->guests)) !=
        0) {
        return "guest contexts";
    }
    for (size_t i = 0; i < FX_PAGES; i++) {
        *where = i * RMP_PAGE_SIZE;
        if (!same_entry(&a->rmp[i], &b->rmp[i])) {
            return "reverse map at";
        }
        if (!same_page(a->page[i], b->page[i])) {
            return "memory at";
        }
    }
    return NULL;
}

void fx_compare(struct snp_fx *fx, struct fx_snapshot *snapshot,
                const char *file, int line)
{
    struct fx_snapshot *now = fx_snapshot(fx);
    size_t where;
    const char *what = difference(snapshot, now, &where);

    if (what != NULL) {
        print_error("%s:%d: %s 0x%zx has changed\n", file, line, what, where);
    }
    fx_snapshot_free(now);
    fx_snapshot_free(snapshot);
    if (what != NULL) {
        _fail(file, line);
    }
}

unsigned int fx_sweep(struct snp_fx *fx,
                      enum sev_status (*act)(struct snp_fx *fx, void *ctx),
                      void *ctx)
{
    for (unsigned int k = 1;; k++) {
        struct fx_snapshot *before = fx_snapshot(fx);
        enum sev_status status;

        fx->calls = 0;
        fx->fail_at = k;
        status = act(fx, ctx);
        fx->fail_at = 0;
        if (status == SEV_SUCCESS) {
            fx_snapshot_free(before);
            return k - 1;
        }
        assert_int_equal(status, SEV_HWERROR_PLATFORM);
        fx_assert_same(fx, before);
    }
}

/* -- refusals ---------------------------------------------------------------
 */

void fx_put32(struct fx_try *t, size_t offset, uint32_t value)
{
    struct psp_wr w = psp_wr(t->buf + offset, 4);

    psp_wr_le32(&w, value);
}

void fx_put64(struct fx_try *t, size_t offset, uint64_t value)
{
    struct psp_wr w = psp_wr(t->buf + offset, 8);

    psp_wr_le64(&w, value);
}

enum sev_status fx_execute(struct fx_try *t)
{
    return fx_command(t->fx, t->command, t->buf, t->size);
}

void fx_test_case(void **state)
{
    const struct fx_case *c = *state;
    struct fx_try t = {0};
    struct fx_snapshot *before;

    c->prepare(&t);
    if (c->break_it != NULL) {
        c->break_it(&t);
    }
    before = fx_snapshot(t.fx);
    assert_int_equal(fx_execute(&t), c->status);
    if (c->status == SEV_SUCCESS) {
        fx_snapshot_free(before);
    } else {
        fx_assert_same(t.fx, before);
    }
    fx_core(t.fx)->sev_state = SEV_PLATFORM_UNINIT;
    snp_fx_free(t.fx);
}
