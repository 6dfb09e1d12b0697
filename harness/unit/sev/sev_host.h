/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A platform with its legacy firmware half, and a host that issues commands.
 * Memory is one flat block; randomness is a stream from the platform's number,
 * so that two runs are the same to the byte; any callback can be made to fail.
 * Each test program is one file, so this is a header of inline functions.
 */
#ifndef SEV_HOST_H
#define SEV_HOST_H

#include "pki.h"
#include "sev.h"
#include "sev_pki.h"
#include "tst.h"
#include "wire.h"

#include <psp/drbg.h>

#include <unistd.h>

#define SH_MEMORY  0x400000u
#define SH_CMD     0x1000u  /* command buffer */
#define SH_OUT     0x10000u /* outputs, 64 KiB apart */
#define SH_OUT2    0x20000u
#define SH_IN      0x30000u /* inputs */
#define SH_IN2     0x40000u
#define SH_IN3     0x50000u
#define SH_NV      0x100000u /* NV buffer of INIT_EX */
#define SH_GUEST   0x120000u /* guest memory */
#define SH_GUEST2  0x180000u
#define SH_TMR     0x200000u /* 2 MiB aligned, 2 MiB long; nothing writes it */
#define SH_ASID    200u      /* a SEV guest's; clean after sh_up() */
#define SH_ASID_ES 7u

#define SH_UNTOUCHED 0xc3u /* every byte of memory at first */

struct sh {
    struct psp_config config;
    struct psp_host_ops ops;
    struct psp_core core;
    struct sev_platform sev;
    uint8_t *memory;
    size_t memory_size;
    struct psp_drbg drbg;
    bool nv_present;
    uint8_t nv[PSP_NV_SIZE];
    unsigned int nv_stores;
    unsigned int changes; /* writes that changed a byte of memory */
    unsigned int calls;   /* callbacks so far */
    unsigned int fail_at; /* number of the callback that fails; 0: none */
    bool wbinvd_owed;
};

static inline bool sh_fails(struct sh *h)
{
    return ++h->calls == h->fail_at;
}

static inline int sh_mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    struct sh *h = host;

    if (sh_fails(h) || spa > h->memory_size || size > h->memory_size - spa) {
        return -1;
    }
    memcpy(buf, h->memory + spa, size);
    return 0;
}

static inline int sh_mem_write(void *host, uint64_t spa, const void *buf,
                               size_t size)
{
    struct sh *h = host;

    if (sh_fails(h) || spa > h->memory_size || size > h->memory_size - spa) {
        return -1;
    }
    if (memcmp(h->memory + spa, buf, size) != 0) {
        memcpy(h->memory + spa, buf, size);
        h->changes++;
    }
    return 0;
}

static inline int sh_entropy(void *host, void *buf, size_t size)
{
    struct sh *h = host;

    return sh_fails(h) || psp_drbg_bytes(&h->drbg, buf, size) != PSP_OK;
}

static inline int sh_nv_load(void *host, uint8_t *blob)
{
    struct sh *h = host;

    if (sh_fails(h)) {
        return -1;
    }
    if (!h->nv_present) {
        return 1;
    }
    memcpy(blob, h->nv, PSP_NV_SIZE);
    return 0;
}

static inline int sh_nv_store(void *host, const uint8_t *blob)
{
    struct sh *h = host;

    if (sh_fails(h)) {
        return -1;
    }
    memcpy(h->nv, blob, PSP_NV_SIZE);
    h->nv_present = true;
    h->nv_stores++;
    return 0;
}

static inline bool sh_wbinvd(void *host)
{
    return ((struct sh *)host)->wbinvd_owed;
}

/** Switch on (again). */
static inline void sh_power_on(struct sh *h)
{
    assert_int_equal(core_init(&h->core, &h->config, &h->ops, h), PSP_OK);
    assert_int_equal(sev_init(&h->sev, &h->core, &h->config.sev), PSP_OK);
}

static inline void sh_power_off(struct sh *h)
{
    sev_clear(&h->sev);
    core_clear(&h->core);
}

/** Not yet powered on: the test may change config and ops first. */
static inline struct sh *sh_new_sized(const char *profile, uint8_t number,
                                      size_t memory_size)
{
    struct sh *h = calloc(1, sizeof(*h));
    uint8_t seed[PSP_SEED_SIZE] = {number};

    if (h == NULL) {
        abort();
    }
    h->memory_size = memory_size;
    h->memory = calloc(1, memory_size);
    memset(h->memory, SH_UNTOUCHED, SH_TMR);
    h->config.profile = *psp_profile_by_name(profile);
    h->config.memory_size = memory_size;
    pki_chip_make(PKI_DEV_SEED, h->config.profile.generation, number,
                  &h->config.chip);
    h->ops = (struct psp_host_ops){
        .mem_read = sh_mem_read,
        .mem_write = sh_mem_write,
        .entropy = sh_entropy,
        .nv_load = sh_nv_load,
        .nv_store = sh_nv_store,
        .wbinvd_owed = sh_wbinvd,
    };
    assert_int_equal(psp_drbg_init(&h->drbg, seed, "sev host"), PSP_OK);
    return h;
}

static inline struct sh *sh_new_off(const char *profile, uint8_t number)
{
    return sh_new_sized(profile, number, SH_MEMORY);
}

static inline struct sh *sh_new(const char *profile, uint8_t number)
{
    struct sh *h = sh_new_off(profile, number);

    sh_power_on(h);
    return h;
}

static inline void sh_free(struct sh *h)
{
    sh_power_off(h);
    free(h->memory);
    free(h);
}

/** Issue a command: @buf of @size bytes goes into the command page and comes
 * back. Fails the test when a byte beyond it changes. */
static inline enum sev_status sh_cmd(struct sh *h, uint32_t id, void *buf,
                                     size_t size)
{
    uint8_t *page = h->memory + SH_CMD;
    enum sev_status status;

    memset(page, SH_UNTOUCHED, 0x100);
    if (size > 0) {
        memcpy(page, buf, size);
    }
    status = sev_execute(&h->sev, id, SH_CMD);
    for (size_t i = size; i < 0x100; i++) {
        assert_int_equal(page[i], SH_UNTOUCHED);
    }
    if (size > 0) {
        memcpy(buf, page, size);
    }
    return status;
}

/** Encode, issue, decode. */
#define SH_DO(h, id, name, c)                                                  \
    ({                                                                         \
        uint8_t sh_buf_[SEV_CMD_MAX_SIZE];                                     \
        enum sev_status sh_status_;                                            \
                                                                               \
        sev_cmd_##name##_encode((c), sh_buf_);                                 \
        sh_status_ = sh_cmd((h), (id), sh_buf_, sev_command(id)->buffer_size); \
        sev_cmd_##name##_decode(sh_buf_, (c));                                 \
        sh_status_;                                                            \
    })

static inline enum sev_status sh_plain(struct sh *h, uint32_t id)
{
    return sh_cmd(h, id, NULL, 0);
}

static inline enum sev_status sh_handle(struct sh *h, uint32_t id,
                                        uint32_t handle)
{
    struct sev_cmd_handle c = {handle};

    return SH_DO(h, id, handle, &c);
}

/** INIT with SEV-ES and DF_FLUSH. */
static inline void sh_up(struct sh *h)
{
    struct sev_cmd_init c = {
        .options = SEV_OPTION_ES, .tmr_paddr = SH_TMR, .tmr_length = 0x100000};

    assert_int_equal(SH_DO(h, SEV_CMD_INIT, init, &c), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_DF_FLUSH), SEV_SUCCESS);
}

static inline struct sev_cmd_status sh_status(struct sh *h)
{
    struct sev_cmd_status c;

    memset(&c, 0xee, sizeof(c));
    assert_int_equal(SH_DO(h, SEV_CMD_PLATFORM_STATUS, status, &c),
                     SEV_SUCCESS);
    return c;
}

static inline uint8_t sh_guest_state(struct sh *h, uint32_t handle)
{
    struct sev_cmd_guest_status c = {.handle = handle};

    assert_int_equal(SH_DO(h, SEV_CMD_GUEST_STATUS, guest_status, &c),
                     SEV_SUCCESS);
    return c.state;
}

/** PDH certificate, then PEK, OCA, CEK. */
struct sh_certs {
    uint8_t pdh[SEV_CERT_SIZE];
    uint8_t pek[SEV_CERT_SIZE];
    uint8_t oca[SEV_CERT_SIZE];
    uint8_t cek[SEV_CERT_SIZE];
};

static inline void sh_export(struct sh *h, struct sh_certs *out)
{
    struct sev_cmd_certs c = {.first_paddr = SH_OUT,
                              .first_length = SEV_CERT_SIZE,
                              .second_paddr = SH_OUT2,
                              .second_length = 3 * SEV_CERT_SIZE};

    assert_int_equal(SH_DO(h, SEV_CMD_PDH_CERT_EXPORT, certs, &c), SEV_SUCCESS);
    memcpy(out->pdh, h->memory + SH_OUT, SEV_CERT_SIZE);
    memcpy(out->pek, h->memory + SH_OUT2, 3 * SEV_CERT_SIZE);
}

static inline void sh_put(const char *dir, const char *name, const void *data,
                          size_t size)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    tst_write_file(path, data, size);
}

static inline void sh_get(const char *dir, const char *name, void *out,
                          size_t size)
{
    char path[600];
    uint8_t *data;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    data = tst_file(path, &n);
    assert_int_equal(n, size);
    memcpy(out, data, size);
    free(data);
}

static inline struct pki_ca *sh_ca(const struct sh *h)
{
    struct pki_ca *ca;

    assert_int_equal(pki_ca_open(PKI_DEV_SEED, h->config.profile.generation,
                                 PKI_SIMULATED, NULL, &ca),
                     PSP_OK);
    return ca;
}

static inline void sh_put_chain(struct sh *h, const char *dir)
{
    uint8_t both[PKI_ASK_ARK_MAX_SIZE], cek[SEV_CERT_SIZE];
    struct pki_ca *ca = sh_ca(h);
    struct sh_certs certs;
    size_t size;

    sh_export(h, &certs);
    assert_int_equal(pki_cek_cert(ca, &h->config.chip, cek), PSP_OK);
    assert_int_equal(pki_ask_ark(ca, both, &size), PSP_OK);
    pki_ca_close(ca);
    sh_put(dir, "pdh.cert", certs.pdh, SEV_CERT_SIZE);
    sh_put(dir, "pek.cert", certs.pek, SEV_CERT_SIZE);
    sh_put(dir, "oca.cert", certs.oca, SEV_CERT_SIZE);
    sh_put(dir, "cek.cert", cek, SEV_CERT_SIZE);
    sh_put(dir, "ask.cert", both, size / 2);
    sh_put(dir, "ark.cert", both + size / 2, size / 2);
}

/** Run the oracle; its output is shown when it does not agree. */
static inline void sh_oracle(const char *command, const char *dir,
                             const char *arg, const char *arg2)
{
    const char *argv[] = {"/usr/bin/python3",
                          "harness/unit/sev/sev_oracle.py",
                          command,
                          dir,
                          arg,
                          arg == NULL ? NULL : arg2,
                          NULL};
    char *text;
    int rc = tst_run(&text, argv);

    if (rc != 0) {
        print_error("sev_oracle.py %s: %s\n", command, text);
    }
    free(text);
    assert_int_equal(rc, 0);
}

/** LAUNCH_START without a session. */
static inline uint32_t sh_launch(struct sh *h, uint32_t policy)
{
    struct sev_cmd_start c = {.policy = policy};

    assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_START, start, &c), SEV_SUCCESS);
    return c.handle;
}

static inline enum sev_status sh_activate(struct sh *h, uint32_t handle,
                                          uint32_t asid)
{
    struct sev_cmd_activate c = {.handle = handle, .asid = asid};

    return SH_DO(h, SEV_CMD_ACTIVATE, activate, &c);
}

static inline enum sev_status sh_update(struct sh *h, uint32_t handle,
                                        uint64_t paddr, uint32_t size)
{
    struct sev_cmd_range c = {.handle = handle, .paddr = paddr, .length = size};

    return SH_DO(h, SEV_CMD_LAUNCH_UPDATE_DATA, range, &c);
}

static inline void sh_measure(struct sh *h, uint32_t handle)
{
    struct sev_cmd_range c = {
        .handle = handle, .paddr = SH_OUT, .length = SEV_MEASURE_BLOB_SIZE};

    assert_int_equal(SH_DO(h, SEV_CMD_LAUNCH_MEASURE, range, &c), SEV_SUCCESS);
}

/** A launched guest in RUNNING with @asid (0: not active). */
static inline uint32_t sh_running(struct sh *h, uint32_t policy, uint32_t asid)
{
    uint32_t handle = sh_launch(h, policy);

    if (asid != 0) {
        assert_int_equal(sh_activate(h, handle, asid), SEV_SUCCESS);
    }
    sh_measure(h, handle);
    assert_int_equal(sh_handle(h, SEV_CMD_LAUNCH_FINISH, handle), SEV_SUCCESS);
    return handle;
}

/** SEND_START of @handle to the platform whose PDH certificate is @pdh; the
 * session ends in @session. Needs a policy without SEV and DOMAIN. */
static inline void sh_send_start(struct sh *h, uint32_t handle,
                                 const uint8_t pdh[SEV_CERT_SIZE],
                                 uint8_t session[SEV_SESSION_SIZE])
{
    struct sev_cmd_send_start c = {.handle = handle,
                                   .pdh_paddr = SH_IN,
                                   .pdh_length = SEV_CERT_SIZE,
                                   .session_paddr = SH_OUT,
                                   .session_length = SEV_SESSION_SIZE};

    memcpy(h->memory + SH_IN, pdh, SEV_CERT_SIZE);
    assert_int_equal(SH_DO(h, SEV_CMD_SEND_START, send_start, &c), SEV_SUCCESS);
    memcpy(session, h->memory + SH_OUT, SEV_SESSION_SIZE);
}

static inline enum sev_status sh_receive_start(struct sh *h, uint32_t policy,
                                               const uint8_t *pdh,
                                               const uint8_t *session,
                                               uint32_t *handle)
{
    struct sev_cmd_start c = {.policy = policy,
                              .cert_paddr = SH_IN,
                              .cert_length = SEV_CERT_SIZE,
                              .session_paddr = SH_IN2,
                              .session_length = SEV_SESSION_SIZE};
    enum sev_status status;

    memcpy(h->memory + SH_IN, pdh, SEV_CERT_SIZE);
    memcpy(h->memory + SH_IN2, session, SEV_SESSION_SIZE);
    status = SH_DO(h, SEV_CMD_RECEIVE_START, start, &c);
    *handle = c.handle;
    return status;
}

/** A guest of @h in RUPDATE, sent to it by another platform. */
static inline uint32_t sh_receiving(struct sh *h, uint32_t policy)
{
    struct sh *sender = sh_new("milan", 99);
    uint8_t session[SEV_SESSION_SIZE];
    struct sh_certs here, there;
    uint32_t handle;

    sh_up(sender);
    sh_export(h, &here);
    sh_export(sender, &there);
    handle = sh_running(sender, policy, 0);
    sh_send_start(sender, handle, here.pdh, session);
    assert_int_equal(sh_receive_start(h, policy, there.pdh, session, &handle),
                     SEV_SUCCESS);
    sh_free(sender);
    return handle;
}

/** A guest in any state, not active unless @asid is given (it is then active
 * also in SENT). */
static inline uint32_t sh_guest_in(struct sh *h, enum sev_guest_state state,
                                   uint32_t policy, uint32_t asid)
{
    uint8_t session[SEV_SESSION_SIZE];
    struct sh_certs certs;
    uint32_t handle;

    if (state == SEV_GUEST_RUPDATE) {
        handle = sh_receiving(h, policy);
        if (asid != 0) {
            assert_int_equal(sh_activate(h, handle, asid), SEV_SUCCESS);
        }
        return handle;
    }
    if (state == SEV_GUEST_LUPDATE || state == SEV_GUEST_LSECRET) {
        handle = sh_launch(h, policy);
        if (asid != 0) {
            assert_int_equal(sh_activate(h, handle, asid), SEV_SUCCESS);
        }
        if (state == SEV_GUEST_LSECRET) {
            sh_measure(h, handle);
        }
        return handle;
    }
    handle = sh_running(h, policy, asid);
    if (state == SEV_GUEST_RUNNING) {
        return handle;
    }
    sh_export(h, &certs);
    sh_send_start(h, handle, certs.pdh, session);
    if (state == SEV_GUEST_SENT) {
        assert_int_equal(sh_handle(h, SEV_CMD_SEND_FINISH, handle),
                         SEV_SUCCESS);
    }
    return handle;
}

/** What the guest sees. */
static inline void sh_guest_read(struct sh *h, uint32_t asid, uint64_t spa,
                                 void *out, size_t size)
{
    for (size_t at = 0; at < size; at += 0x1000) {
        size_t n = size - at < 0x1000 ? size - at : 0x1000;

        assert_int_equal(
            core_guest_read(&h->core, asid, spa + at, (uint8_t *)out + at, n),
            PSP_OK);
    }
}

static inline void sh_guest_write(struct sh *h, uint32_t asid, uint64_t spa,
                                  const void *in, size_t size)
{
    for (size_t at = 0; at < size; at += 0x1000) {
        size_t n = size - at < 0x1000 ? size - at : 0x1000;

        assert_int_equal(core_guest_write(&h->core, asid, spa + at,
                                          (const uint8_t *)in + at, n),
                         PSP_OK);
    }
}

/**
 * Everything that a refused command must leave alone: platform, guests, ASIDs,
 * store, the stream of randomness, and memory by the number of writes to it
 * (sh_snapshot_full(): by its bytes, but for command page and outputs).
 */
struct sh_snapshot {
    bool full;
    size_t size;
    uint8_t *data; /* NULL while sizes are added up */
};

static inline void sh_append(struct sh_snapshot *s, const void *data,
                             size_t size)
{
    if (s->data != NULL && size > 0) {
        memcpy(s->data + s->size, data, size);
    }
    s->size += size;
}

static inline void sh_append_all(struct sh_snapshot *s, const struct sh *h)
{
    sh_append(s, &h->sev, sizeof(h->sev));
    for (size_t i = 0; i < SEV_GUEST_LIMIT; i++) {
        const struct sev_guest *g = h->sev.guests[i];

        if (g != NULL) {
            struct sev_guest copy;

            memcpy(&copy, g, sizeof(copy));
            copy.vmsa = NULL; /* room for more is no state */
            copy.vmsa_room = 0;
            sh_append(s, &copy, sizeof(copy));
            sh_append(s, g->vmsa, g->vmsa_count * sizeof(g->vmsa[0]));
        }
    }
    sh_append(s, &h->core.sev_state, sizeof(h->core.sev_state));
    sh_append(s, &h->core.snp_state, sizeof(h->core.snp_state));
    sh_append(s, &h->core.profile, sizeof(h->core.profile));
    sh_append(s, h->core.asids,
              (h->core.profile.asid_count + 1) * sizeof(h->core.asids[0]));
    sh_append(s, h->nv, sizeof(h->nv));
    sh_append(s, &h->nv_present, sizeof(h->nv_present));
    if (s->full) {
        sh_append(s, h->memory, SH_CMD);
        sh_append(s, h->memory + SH_CMD + 0x100, SH_OUT - SH_CMD - 0x100);
        sh_append(s, h->memory + SH_IN, SH_TMR - SH_IN);
    } else {
        sh_append(s, &h->drbg, sizeof(h->drbg));
        sh_append(s, &h->changes, sizeof(h->changes));
    }
}

static inline struct sh_snapshot sh_take(const struct sh *h, bool full)
{
    struct sh_snapshot s = {full, 0, NULL};

    sh_append_all(&s, h);
    s.data = malloc(s.size);
    assert_non_null(s.data);
    s.size = 0;
    sh_append_all(&s, h);
    return s;
}

static inline struct sh_snapshot sh_snapshot(const struct sh *h)
{
    return sh_take(h, false);
}

/** For commands that a failing callback stops: they may have drawn random
 * bytes, and taken back what they wrote. */
static inline struct sh_snapshot sh_snapshot_full(const struct sh *h)
{
    return sh_take(h, true);
}

/** Fails the test when something has changed since; frees the snapshot. */
static inline void sh_unchanged(const struct sh *h, struct sh_snapshot before)
{
    struct sh_snapshot now = sh_take(h, before.full);
    bool same =
        now.size == before.size && memcmp(now.data, before.data, now.size) == 0;

    free(now.data);
    free(before.data);
    assert_true(same);
}

/** The command is refused, its buffer comes back as it was, and nothing else
 * has changed either. */
static inline void sh_refuse_raw(struct sh *h, uint32_t id, const uint8_t *buf,
                                 enum sev_status want)
{
    size_t size = sev_command(id)->buffer_size;
    uint8_t sent[SEV_CMD_MAX_SIZE];
    struct sh_snapshot before = sh_snapshot(h);

    memcpy(sent, buf, size);
    assert_int_equal(sh_cmd(h, id, sent, size), want);
    assert_memory_equal(sent, buf, size);
    sh_unchanged(h, before);
}

#define SH_REFUSE(h, id, name, c, want)                                        \
    do {                                                                       \
        uint8_t sh_buf_[SEV_CMD_MAX_SIZE];                                     \
                                                                               \
        sev_cmd_##name##_encode((c), sh_buf_);                                 \
        sh_refuse_raw((h), (id), sh_buf_, (want));                             \
    } while (0)

/** A cmocka row with its own data. */
static inline struct CMUnitTest sh_row(const char *name, CMUnitTestFunction f,
                                       const void *data)
{
    union {
        const void *in;
        void *out;
    } p = {.in = data};

    return (struct CMUnitTest){name, f, NULL, NULL, p.out};
}

#endif
