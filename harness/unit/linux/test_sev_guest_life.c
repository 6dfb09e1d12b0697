/* SPDX-License-Identifier: Apache-2.0 */
/* The driver over more than one request: probe, keys and counters, what reports
 * say, reproducibility, threads, and which memory is touched. */
#include "guest_fixture.h"

#include "launch_digest.h"
#include "snp_report.h"
#include "spec.h"

#include "crypto.h"

#include <errno.h>
#include <pthread.h>

#define NOW SEV_GUEST_6_13

static struct vm_spec parse(struct machine *m, const char *json,
                            const char *dir)
{
    char error[SPEC_ERROR_SIZE];
    struct vm_spec spec;

    if (vm_spec_parse(json, strlen(json), dir, machine_profile(m), &spec,
                      error) != 0) {
        fail_msg("%s", error);
    }
    return spec;
}

static struct guest *guest_of(struct machine *m, const char *json,
                              const char *dir, uint32_t request)
{
    struct vm_spec spec = parse(m, json, dir);
    struct guest *g = guest_launch(m, &spec, NOW, request);

    vm_spec_clear(&spec);
    return g;
}

static int probe(struct guest *g, int vmpck_id, struct sev_guest_dev **dev)
{
    const struct sev_guest_config config = {.era = NOW, .vmpck_id = vmpck_id};

    return sev_guest_probe(g->vm, &config, dev);
}

/* The report of a good request, decoded. */
static struct snp_report take_report(struct guest *g)
{
    struct snp_report report;
    size_t where = 0;

    guest_prepare(g, GET_REPORT);
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(get32(g->client.resp), 0);
    assert_int_equal(get32(g->client.resp + 4), SNP_REPORT_SIZE);
    assert_int_equal(snp_report_decode(g->client.resp + 32, SNP_REPORT_SIZE,
                                       &report, &where),
                     PSP_OK);
    return report;
}

static void probe__id_out_of_range__einval(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct sev_guest_dev *dev = NULL;

    (void)state;
    assert_int_equal(probe(g, 4, &dev), -EINVAL);
    assert_int_equal(probe(g, -2, &dev), -EINVAL);
    assert_null(dev);
    guest_free(g);
}

/* A guest whose kernel runs at VMPL2. */
static struct vm *vm_at_vmpl_2(struct machine *m)
{
    struct vm_spec spec = parse(m, "{\"vmpl\": 2}", NULL);
    struct vm *vm = NULL;
    enum sev_status status;

    assert_int_equal(vm_launch(m, &spec, &vm, &status), 0);
    vm_spec_clear(&spec);
    return vm;
}

/* Since 6.11 the module parameter defaults to the VMPL. abi/linux.md §4.6 */
static void probe__no_vmpck_chosen__by_the_kernel(void **state)
{
    static const struct {
        enum sev_guest_era era;
        unsigned int vmpck;
    } eras[] = {{SEV_GUEST_5_19, 0},
                {SEV_GUEST_6_1, 0},
                {SEV_GUEST_6_3, 0},
                {SEV_GUEST_6_13, 2}};
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct vm *vm = vm_at_vmpl_2(m);

    (void)state;
    for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++) {
        struct sev_guest_config config = {.era = eras[i].era, .vmpck_id = -1};
        struct sev_guest_dev *dev = NULL;

        assert_int_equal(sev_guest_probe(vm, &config, &dev), 0);
        assert_int_equal(sev_guest_vmpck(dev), eras[i].vmpck);
        sev_guest_remove(dev);
        config.vmpck_id = 1;
        assert_int_equal(sev_guest_probe(vm, &config, &dev), 0);
        assert_int_equal(sev_guest_vmpck(dev), 1);
        sev_guest_remove(dev);
    }
    vm_destroy(vm);
    machine_destroy(m);
}

static void probe__key_all_zero__einval(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct sev_guest_dev *dev = NULL;

    (void)state;
    guest_wipe_key(g, 2);
    assert_int_equal(probe(g, 2, &dev), -EINVAL);
    assert_int_equal(probe(g, 3, &dev), 0);
    sev_guest_remove(dev);
    guest_free(g);
}

static void probe__no_secrets_page__enodev(void **state)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct vm_spec spec = parse(m, "{\"pages\": []}", NULL);
    const struct sev_guest_config config = {.era = NOW, .vmpck_id = 0};
    struct sev_guest_dev *dev = NULL;
    enum sev_status status;
    struct vm *vm = NULL;

    (void)state;
    assert_int_equal(vm_launch(m, &spec, &vm, &status), 0);
    assert_int_equal(sev_guest_probe(vm, &config, &dev), -ENODEV);
    vm_spec_clear(&spec);
    vm_destroy(vm);
    machine_destroy(m);
}

static void probe__remove__memory_given_back(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct sev_guest_dev *dev = NULL;
    size_t before;

    (void)state;
    before = machine_resident_pages(g->m);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(probe(g, 0, &dev), 0);
        sev_guest_remove(dev);
    }
    assert_int_equal(machine_resident_pages(g->m), before);
    guest_free(g);
}

static void probe__default_id__vmpl_of_the_kernel(void **state)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct guest *g = guest_of(m, "{\"vmpl\": 2}", NULL, GET_REPORT);

    (void)state;
    put32(g->client.req + 64, 2);
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(guest_counter(g, 2), 2);
    assert_int_equal(guest_counter(g, 0), 0);
    guest_free(g);
}

static void key__wiped__gone_for_this_driver_and_the_next(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct sev_guest_dev *dev = NULL;

    (void)state;
    g->script.answer[0] = SEV_HWERROR_PLATFORM;
    g->script.count = 1;
    assert_int_equal(guest_ioctl(g), -EIO);
    for (uint32_t request = GET_REPORT; request <= GET_EXT; request++) {
        guest_prepare(g, request);
        assert_int_equal(guest_ioctl(g), -ENOTTY);
        assert_true(get64(g->client.envelope + 24) == 0xff);
    }
    assert_int_equal(g->script.exits, 1);
    assert_int_equal(probe(g, 0, &dev), -EINVAL);
    assert_int_equal(probe(g, 1, &dev), 0);
    g->node = sev_guest_chardev(dev);
    guest_prepare(g, GET_REPORT);
    put32(g->client.req + 64, 1);
    assert_int_equal(guest_ioctl(g), 0);
    sev_guest_remove(dev);
    guest_free(g);
}

static void counter__new_driver__goes_on(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    const struct sev_guest_config config = {.era = NOW, .vmpck_id = 0};

    (void)state;
    (void)take_report(g);
    (void)take_report(g);
    assert_int_equal(guest_counter(g, 0), 4);
    sev_guest_remove(g->dev);
    assert_int_equal(sev_guest_probe(g->vm, &config, &g->dev), 0);
    g->node = sev_guest_chardev(g->dev);
    (void)take_report(g);
    assert_int_equal(guest_counter(g, 0), 6);
    guest_free(g);
}

static void counter__two_vmpcks__independent(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct sev_guest_dev *other = NULL;
    struct chardev first = g->node;

    (void)state;
    assert_int_equal(probe(g, 3, &other), 0);
    for (int i = 0; i < 3; i++) {
        g->node = first;
        guest_prepare(g, GET_REPORT);
        assert_int_equal(guest_ioctl(g), 0);
        g->node = sev_guest_chardev(other);
        guest_prepare(g, GET_REPORT);
        put32(g->client.req + 64, 3);
        assert_int_equal(guest_ioctl(g), 0);
        assert_int_equal(get32(g->client.resp), 0);
    }
    assert_int_equal(guest_counter(g, 0), 6);
    assert_int_equal(guest_counter(g, 3), 6);
    sev_guest_remove(other);
    guest_free(g);
}

static void report__fields__as_launched(void **state)
{
    static const char json[] =
        "{\"policy\": \"0xb0000\", \"host_data\": "
        "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}";
    struct machine *m = guest_machine("genoa", PKI_DEV_SEED);
    const struct psp_profile *p = machine_profile(m);
    struct vm_spec spec = parse(m, json, NULL);
    struct guest *g = guest_launch(m, &spec, NOW, GET_REPORT);
    uint8_t ld[LAUNCH_DIGEST_SIZE];
    struct snp_report r;

    (void)state;
    r = take_report(g);
    launch_digest_spec(&spec, p, ld);
    assert_int_equal(r.version, p->report_version);
    assert_true(r.policy == 0xb0000);
    assert_int_equal(r.vmpl, 0);
    assert_memory_equal(r.measurement, ld, sizeof(ld));
    assert_hex_equal(
        r.host_data,
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 32);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(r.report_data[i], i);
    }
    assert_memory_equal(r.reported_tcb.b, p->tcb.b, PSP_TCB_SIZE);
    assert_true(psp_all_zero(r.id_key_digest, 48));
    assert_int_equal(r.guest_svn, 0);
    vm_spec_clear(&spec);
    guest_free(g);
}

static void report__signature__by_the_vcek_of_the_chip(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    const struct psp_profile *p = machine_profile(g->m);
    struct snp_report r = take_report(g);
    uint8_t digest[SHA384_SIZE], seed[48];
    struct psp_p384_key key;
    struct psp_p384_sig sig;
    struct psp_chip chip;

    (void)state;
    pki_chip_make(PKI_DEV_SEED, p->generation, 0, &chip);
    pki_vcek_seed(chip.secret, &r.reported_tcb, seed);
    assert_int_equal(pki_vcek_from_seed(seed, &key), PSP_OK);
    psp_sha384(g->client.resp + 32, SNP_REPORT_SIGNED_SIZE, digest);
    psp_reverse(sig.r, r.r, P384_SIZE);
    psp_reverse(sig.s, r.s, P384_SIZE);
    assert_true(psp_p384_verify(&key.pub, digest, &sig));
    digest[0] ^= 1;
    assert_false(psp_p384_verify(&key.pub, digest, &sig));
    assert_memory_equal(r.chip_id, chip.id, PSP_CHIP_ID_SIZE);
    guest_free(g);
}

static void report__two_requests__same_id_other_bytes(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct snp_report a = take_report(g);
    struct snp_report b;

    (void)state;
    guest_prepare(g, GET_REPORT);
    g->client.req[0] = 0xee;
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(
        snp_report_decode(g->client.resp + 32, SNP_REPORT_SIZE, &b, NULL),
        PSP_OK);
    assert_memory_equal(a.report_id, b.report_id, 32);
    assert_int_equal(b.report_data[0], 0xee);
    assert_memory_not_equal(a.r, b.r, P384_SIZE);
    guest_free(g);
}

/* SHA-384 of the public key in AMD's encoding, computed elsewhere. */
static const char DIGEST_SCRIPT[] =
    "import sys, hashlib\n"
    "from cryptography.hazmat.primitives.serialization import *\n"
    "k = load_pem_private_key(open(sys.argv[1], 'rb').read(), None)\n"
    "n = k.public_key().public_numbers()\n"
    "b = (2).to_bytes(4, 'little') + n.x.to_bytes(72, 'little')\n"
    "b += n.y.to_bytes(72, 'little')\n"
    "print(hashlib.sha384(b.ljust(0x404, b'\\0')).hexdigest())\n";

static void key_digest(const char *dir, const char *name, uint8_t digest[48])
{
    char path[512];
    char *output = NULL;
    const char *argv[] = {"/usr/bin/python3", "-c", DIGEST_SCRIPT, path, NULL};

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (tst_run(&output, argv) != 0) {
        fail_msg("%s", output);
    }
    output[strcspn(output, "\n")] = '\0';
    tst_hex(output, digest, 48);
    free(output);
}

static void make_key(const char *dir, const char *name)
{
    char path[512];
    const char *argv[] = {"openssl", "ecparam", "-name", "secp384r1", "-genkey",
                          "-noout",  "-out",    path,    NULL};

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(tst_run(NULL, argv), 0);
}

static void report__identity_signed_by_the_host__in_the_report(void **state)
{
    static const char json[] =
        "{\"family_id\": \"0102030405060708090a0b0c0d0e0f10\", "
        "\"image_id\": \"f1f2f3f4f5f6f7f8f9fafbfcfdfeff00\", "
        "\"guest_svn\": 7, \"id_key\": \"id.pem\", \"author_key\": \"a.pem\"}";
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    char *dir = tst_mkdtemp();
    uint8_t digest[48];
    struct snp_report r;
    struct guest *g;

    (void)state;
    make_key(dir, "id.pem");
    make_key(dir, "a.pem");
    g = guest_of(m, json, dir, GET_REPORT);
    r = take_report(g);
    assert_hex_equal(r.family_id, "0102030405060708090a0b0c0d0e0f10", 16);
    assert_hex_equal(r.image_id, "f1f2f3f4f5f6f7f8f9fafbfcfdfeff00", 16);
    assert_int_equal(r.guest_svn, 7);
    key_digest(dir, "id.pem", digest);
    assert_memory_equal(r.id_key_digest, digest, 48);
    key_digest(dir, "a.pem", digest);
    assert_memory_equal(r.author_key_digest, digest, 48);
    assert_int_equal(r.key_info & SNP_KEY_INFO_AUTHOR_KEY_EN, 1);
    guest_free(g);
    tst_rmdir(dir);
}

static void report__more_privilege_than_the_channel__status_0x16(void **state)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct guest *g = guest_of(m, "{\"vmpl\": 1}", NULL, GET_REPORT);

    (void)state;
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(get32(g->client.resp), SEV_INVALID_PARAM);
    assert_true(psp_all_zero(g->client.resp + 4, 4000 - 4));
    assert_false(guest_key_gone(g, 1));
    guest_free(g);
}

static void derived_key__same_request__same_key(void **state)
{
    struct guest *g = guest_new(NOW, GET_KEY);
    uint8_t first[64];

    (void)state;
    assert_int_equal(guest_ioctl(g), 0);
    memcpy(first, g->client.resp, sizeof(first));
    assert_true(psp_all_zero(first, 32));
    assert_false(psp_all_zero(first + 32, 32));
    guest_prepare(g, GET_KEY);
    assert_int_equal(guest_ioctl(g), 0);
    assert_memory_equal(first, g->client.resp, sizeof(first));
    guest_prepare(g, GET_KEY);
    put64(g->client.req + 8, 8); /* mix the measurement in */
    assert_int_equal(guest_ioctl(g), 0);
    assert_memory_not_equal(first, g->client.resp, sizeof(first));
    guest_free(g);
}

/* The ioctl's structure is that of version 1: what stands behind it in the
 * client's memory is no vector. */
static void derived_key__version_2__that_of_a_zero_vector(void **state)
{
    struct guest *g = guest_new(NOW, GET_KEY);
    uint8_t first[64];

    (void)state;
    assert_int_equal(guest_ioctl(g), 0);
    memcpy(first, g->client.resp, sizeof(first));
    guest_prepare(g, GET_KEY);
    g->client.envelope[0] = 2;
    memset(g->client.req + 32, 0xff, sizeof(g->client.req) - 32);
    assert_int_equal(guest_ioctl(g), 0);
    assert_memory_equal(first, g->client.resp, sizeof(first));
    guest_free(g);
}

/* A driver that reads the longer structure, on a platform with mitigations. */
static struct guest *long_key_guest(void)
{
    const struct sev_guest_config config = {
        .era = NOW, .vmpck_id = 0, .long_key_request = true};
    struct machine *m = guest_machine("turin", PKI_DEV_SEED);
    struct guest *g = guest_of(m, "{}", NULL, GET_KEY);

    sev_guest_remove(g->dev);
    assert_int_equal(sev_guest_probe(g->vm, &config, &g->dev), 0);
    g->node = sev_guest_chardev(g->dev);
    return g;
}

/* STATUS of a key with a vector mixed in; the key goes to @key. */
static uint32_t key_of_vector(struct guest *g, uint64_t vector, uint8_t *key)
{
    guest_prepare(g, GET_KEY);
    g->client.envelope[0] = 2;
    put64(g->client.req + 8, 0x40);
    put64(g->client.req + 32, vector);
    assert_int_equal(guest_ioctl(g), 0);
    memcpy(key, g->client.resp + 32, 32);
    return get32(g->client.resp);
}

static void derived_key__long_request__vector_counts(void **state)
{
    struct guest *g = long_key_guest();
    uint8_t key[3][32];

    (void)state;
    assert_int_equal(key_of_vector(g, 0, key[0]), SEV_SUCCESS);
    assert_int_equal(key_of_vector(g, 0x3f, key[1]), SEV_SUCCESS);
    assert_memory_not_equal(key[0], key[1], 32);
    assert_int_equal(key_of_vector(g, 0x40, key[2]), SEV_INVALID_PARAM);
    guest_free(g);
}

static void derived_key__long_request_of_version_1__32_bytes(void **state)
{
    struct guest *g = long_key_guest();

    (void)state;
    put64(g->client.envelope + 8, REQ_ADDR + sizeof(g->client.req) - 32);
    assert_int_equal(guest_ioctl(g), 0);
    guest_free(g);
}

static void derived_key__long_request_not_all_there__efault(void **state)
{
    struct guest *g = long_key_guest();

    (void)state;
    g->client.envelope[0] = 2;
    put64(g->client.envelope + 8, REQ_ADDR + sizeof(g->client.req) - 39);
    assert_int_equal(guest_ioctl(g), -EFAULT);
    assert_false(guest_key_gone(g, 0));
    guest_free(g);
}

/* A short session; its answers one after the other. */
static void session(const uint8_t *seed, uint8_t out[4][RESP_ROOM])
{
    static const uint32_t requests[] = {GET_REPORT, GET_KEY, GET_EXT,
                                        GET_REPORT};
    struct machine *m = guest_machine("turin", seed);
    struct guest *g = guest_of(m, "{\"guest_svn\": 1}", NULL, GET_REPORT);

    for (size_t i = 0; i < 4; i++) {
        guest_prepare(g, requests[i]);
        assert_int_equal(guest_ioctl(g), 0);
        memcpy(out[i], g->client.resp, RESP_ROOM);
    }
    guest_free(g);
}

static void session__same_seed__same_bytes(void **state)
{
    static const uint8_t other_seed[PSP_SEED_SIZE] = {9};
    static uint8_t a[4][RESP_ROOM], b[4][RESP_ROOM], c[4][RESP_ROOM];

    (void)state;
    session(PKI_DEV_SEED, a);
    session(PKI_DEV_SEED, b);
    session(other_seed, c);
    assert_memory_equal(a, b, sizeof(a));
    assert_memory_not_equal(a[0], c[0], 4000);
}

static void *many_reports(void *guest)
{
    struct guest *g = guest;

    for (int i = 0; i < 40; i++) {
        guest_prepare(g, GET_REPORT);
        if (guest_ioctl(g) != 0 || get32(g->client.resp) != 0) {
            return g;
        }
    }
    return NULL;
}

static void threads__two_guests__all_answered(void **state)
{
    struct machine *m = guest_machine("milan", PKI_DEV_SEED);
    struct guest *g[2];
    pthread_t threads[2];
    void *result;

    (void)state;
    for (int i = 0; i < 2; i++) {
        g[i] = guest_of(m, "{}", NULL, GET_REPORT);
        assert_int_equal(pthread_create(&threads[i], NULL, many_reports, g[i]),
                         0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
        assert_int_equal(guest_counter(g[i], 0), 80);
    }
    guest_end(g[0]);
    guest_free(g[1]);
}

static void threads__one_device__requests_in_turn(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    struct guest *twin = calloc(1, sizeof(*twin)); /* another client */
    pthread_t threads[2];
    void *result;

    (void)state;
    assert_non_null(twin);
    twin->node = g->node;
    umem_array_init(&twin->ua);
    umem_array_map(&twin->ua, ARG_ADDR, twin->client.envelope, 32, false);
    umem_array_map(&twin->ua, REQ_ADDR, twin->client.req, 112, false);
    umem_array_map(&twin->ua, RESP_ADDR, twin->client.resp, RESP_ROOM, false);
    assert_int_equal(pthread_create(&threads[0], NULL, many_reports, g), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, many_reports, twin), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    assert_int_equal(guest_counter(g, 0), 160);
    free(twin);
    guest_free(g);
}

static void assert_event(const struct guest *g, enum umem_op op, size_t nth,
                         uint64_t addr, size_t size)
{
    for (size_t i = 0; i < g->ua.event_count; i++) {
        const struct umem_event *e = &g->ua.events[i];

        if (e->op == op && nth-- == 0) {
            assert_true(e->addr == addr);
            assert_int_equal(e->size, size);
            return;
        }
    }
    fail_msg("no such event");
}

static void memory__report__two_reads_one_write(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);

    (void)state;
    g->ua.retry = true;
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(umem_array_count(&g->ua, UMEM_READ), 2);
    assert_event(g, UMEM_READ, 0, ARG_ADDR, 32);
    assert_event(g, UMEM_READ, 1, REQ_ADDR, 96);
    assert_int_equal(umem_array_count(&g->ua, UMEM_PLAN), 2);
    assert_event(g, UMEM_PLAN, 0, ARG_ADDR, 32);
    assert_event(g, UMEM_PLAN, 1, RESP_ADDR, 4000);
    assert_int_equal(umem_array_count(&g->ua, UMEM_WRITE), 1);
    assert_event(g, UMEM_WRITE, 0, RESP_ADDR, 4000);
    assert_int_equal(g->ua.rounds, 3);
    guest_free(g);
}

static void memory__key__32_bytes_in_64_out(void **state)
{
    struct guest *g = guest_new(NOW, GET_KEY);

    (void)state;
    assert_int_equal(guest_ioctl(g), 0);
    assert_event(g, UMEM_READ, 1, REQ_ADDR, 32);
    assert_event(g, UMEM_WRITE, 0, RESP_ADDR, 64);
    assert_int_equal(umem_array_count(&g->ua, UMEM_WRITE), 1);
    guest_free(g);
}

static void memory__key_version_2__32_bytes_all_the_same(void **state)
{
    struct guest *g = guest_new(NOW, GET_KEY);

    (void)state;
    g->client.envelope[0] = 2;
    assert_int_equal(guest_ioctl(g), 0);
    assert_event(g, UMEM_READ, 1, REQ_ADDR, 32);
    guest_free(g);
}

static void memory__ext_report__certs_before_response(void **state)
{
    struct guest *g = guest_new(NOW, GET_EXT);

    (void)state;
    guest_set_certs(g, 4096);
    guest_offer(g, CERTS_ADDR, 0x3000);
    assert_int_equal(guest_ioctl(g), 0);
    assert_event(g, UMEM_READ, 1, REQ_ADDR, 112);
    assert_event(g, UMEM_PLAN, 0, ARG_ADDR, 32);
    assert_event(g, UMEM_PLAN, 1, REQ_ADDR, 112);
    assert_event(g, UMEM_PLAN, 2, CERTS_ADDR, 0x3000);
    assert_event(g, UMEM_PLAN, 3, RESP_ADDR, 4000);
    assert_int_equal(umem_array_count(&g->ua, UMEM_WRITE), 2);
    assert_event(g, UMEM_WRITE, 0, CERTS_ADDR, 0x3000);
    assert_event(g, UMEM_WRITE, 1, RESP_ADDR, 4000);
    guest_free(g);
}

static void memory__certs_too_large__request_before_envelope(void **state)
{
    struct guest *g = guest_new(NOW, GET_EXT);

    (void)state;
    guest_set_certs(g, 4096);
    assert_int_equal(guest_ioctl(g), -EIO);
    assert_int_equal(umem_array_count(&g->ua, UMEM_WRITE), 2);
    assert_event(g, UMEM_WRITE, 0, REQ_ADDR, 112);
    assert_event(g, UMEM_WRITE, 1, ARG_ADDR, 32);
    guest_free(g);
}

static void memory__version_0__only_the_envelope_is_read(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);

    (void)state;
    g->client.envelope[0] = 0;
    assert_int_equal(guest_ioctl(g), -EINVAL);
    assert_int_equal(g->ua.event_count, 1);
    assert_event(g, UMEM_READ, 0, ARG_ADDR, 32);
    guest_free(g);
}

static void busy__each_resend__two_seconds_later(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);

    (void)state;
    for (int i = 0; i < 3; i++) {
        g->script.answer[g->script.count++] = VM_EXITINFO2_BUSY;
    }
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(g->sleeps, 3);
    assert_int_equal(g->slept_ms, 6000);
    guest_free(g);
}

static void busy__more_than_a_minute__given_up(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);

    (void)state;
    for (int i = 0; i < SCRIPT_MAX; i++) {
        g->script.answer[g->script.count++] = VM_EXITINFO2_BUSY;
    }
    assert_int_equal(guest_ioctl(g), -ETIMEDOUT);
    assert_int_equal(g->slept_ms, 60000);
    guest_free(g);
}

/* What stood in the request page at each exit. */
struct seen_requests {
    uint8_t page[2][RMP_PAGE_SIZE];
    uint32_t code[2];
    size_t count;
};

static bool keep_request(void *ctx, struct vm *vm, struct vm_guest_request *req,
                         bool after)
{
    struct seen_requests *seen = ctx;

    if (!after && seen->count < 2) {
        assert_int_equal(vm_shared_read(vm, req->request_gpa,
                                        seen->page[seen->count], RMP_PAGE_SIZE),
                         0);
        seen->code[seen->count++] = req->exit_code;
    }
    return false;
}

static void resend__certs_too_large__same_message_as_plain_request(void **state)
{
    struct guest *g = guest_new(NOW, GET_EXT);
    static struct seen_requests seen;

    (void)state;
    guest_set_certs(g, 4096);
    vm_set_request_hook(g->vm, keep_request, &seen);
    assert_int_equal(guest_ioctl(g), -EIO);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.code[0], VM_EXIT_EXT_GUEST_REQUEST);
    assert_int_equal(seen.code[1], VM_EXIT_GUEST_REQUEST);
    assert_memory_equal(seen.page[0], seen.page[1], RMP_PAGE_SIZE);
    vm_set_request_hook(g->vm, NULL, NULL);
    (void)take_report(g); /* counters of both sides agree */
    guest_free(g);
}

/* The host must not see what a longer, earlier request left behind. */
static void request__shorter_than_the_last__no_remains(void **state)
{
    struct guest *g = guest_new(NOW, GET_REPORT);
    static struct seen_requests seen;

    (void)state;
    vm_set_request_hook(g->vm, keep_request, &seen);
    assert_int_equal(guest_ioctl(g), 0);
    guest_prepare(g, GET_KEY);
    assert_int_equal(guest_ioctl(g), 0);
    assert_false(psp_all_zero(seen.page[0] + 0x80, 0x40));
    assert_true(psp_all_zero(seen.page[1] + 0x80, 0x40));
    guest_free(g);
}

static void length_query__then_report__as_clients_do(void **state)
{
    static const enum sev_guest_era eras[] = {SEV_GUEST_5_19, SEV_GUEST_6_3,
                                              SEV_GUEST_6_13};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct guest *g = guest_new(eras[i], GET_EXT);

        guest_set_certs(g, 9000);
        guest_offer(g, UINT64_MAX, 0);
        assert_int_equal(guest_ioctl(g), -EIO);
        assert_true(get64(g->client.envelope + 24) == VM_EXITINFO2_INVALID_LEN);
        guest_offer(g, CERTS_ADDR, get32(g->client.req + 104));
        assert_int_equal(guest_ioctl(g), 0);
        assert_int_equal(g->client.certs[8999], 0x42);
        assert_int_equal(g->client.certs[9000], 0);
        guest_free(g);
    }
}

static void certs__gone_since_the_last_request__zeros(void **state)
{
    struct guest *g = guest_new(NOW, GET_EXT);

    (void)state;
    guest_set_certs(g, 4096);
    guest_offer(g, CERTS_ADDR, 0x1000);
    assert_int_equal(guest_ioctl(g), 0);
    assert_int_equal(g->client.certs[4095], 0x42);
    assert_int_equal(vm_set_certs(g->vm, NULL, 0), 0);
    assert_int_equal(guest_ioctl(g), 0);
    assert_true(psp_all_zero(g->client.certs, 0x1000));
    guest_free(g);
}

static void era__names__there_and_back(void **state)
{
    (void)state;
    for (int era = SEV_GUEST_5_19; era <= SEV_GUEST_6_13; era++) {
        const char *name = sev_guest_era_name((enum sev_guest_era)era);

        assert_non_null(name);
        assert_int_equal(sev_guest_era_by_name(name), era);
    }
    assert_string_equal(sev_guest_era_name(NOW), "6.13");
    assert_int_equal(sev_guest_era_by_name("6.14"), -1);
    assert_null(sev_guest_era_name((enum sev_guest_era)4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe__id_out_of_range__einval),
        cmocka_unit_test(probe__no_vmpck_chosen__by_the_kernel),
        cmocka_unit_test(probe__key_all_zero__einval),
        cmocka_unit_test(probe__no_secrets_page__enodev),
        cmocka_unit_test(probe__remove__memory_given_back),
        cmocka_unit_test(probe__default_id__vmpl_of_the_kernel),
        cmocka_unit_test(key__wiped__gone_for_this_driver_and_the_next),
        cmocka_unit_test(counter__new_driver__goes_on),
        cmocka_unit_test(counter__two_vmpcks__independent),
        cmocka_unit_test(report__fields__as_launched),
        cmocka_unit_test(report__signature__by_the_vcek_of_the_chip),
        cmocka_unit_test(report__two_requests__same_id_other_bytes),
        cmocka_unit_test(report__identity_signed_by_the_host__in_the_report),
        cmocka_unit_test(report__more_privilege_than_the_channel__status_0x16),
        cmocka_unit_test(derived_key__same_request__same_key),
        cmocka_unit_test(derived_key__version_2__that_of_a_zero_vector),
        cmocka_unit_test(derived_key__long_request__vector_counts),
        cmocka_unit_test(derived_key__long_request_of_version_1__32_bytes),
        cmocka_unit_test(derived_key__long_request_not_all_there__efault),
        cmocka_unit_test(session__same_seed__same_bytes),
        cmocka_unit_test(threads__two_guests__all_answered),
        cmocka_unit_test(threads__one_device__requests_in_turn),
        cmocka_unit_test(memory__report__two_reads_one_write),
        cmocka_unit_test(memory__key__32_bytes_in_64_out),
        cmocka_unit_test(memory__key_version_2__32_bytes_all_the_same),
        cmocka_unit_test(memory__ext_report__certs_before_response),
        cmocka_unit_test(memory__certs_too_large__request_before_envelope),
        cmocka_unit_test(memory__version_0__only_the_envelope_is_read),
        cmocka_unit_test(busy__each_resend__two_seconds_later),
        cmocka_unit_test(busy__more_than_a_minute__given_up),
        cmocka_unit_test(
            resend__certs_too_large__same_message_as_plain_request),
        cmocka_unit_test(request__shorter_than_the_last__no_remains),
        cmocka_unit_test(length_query__then_report__as_clients_do),
        cmocka_unit_test(certs__gone_since_the_last_request__zeros),
        cmocka_unit_test(era__names__there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
