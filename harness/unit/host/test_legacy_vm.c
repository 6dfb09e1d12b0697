/* SPDX-License-Identifier: Apache-2.0 */
/* Legacy guests against the real firmware model; measurements, sessions and
 * secrets come from and go to another implementation (sev_owner.py). */
#include "tst.h"

#include "legacy_vm.h"
#include "legacy_vm_spec.h"

#include "pki.h"
#include "port.h"
#include "wire.h"

#include <errno.h>

#define OWNER        "harness/support/sev_owner.py"
#define LSECRET      2
#define RUNNING      3
#define CMD_SHUTDOWN 0x02u
#define CMD_STATUS   0x04u
#define CMD_EXPORT   0x08u
#define CMD_INIT     0x01u

struct world {
    struct machine *m;
    struct legacy_vm_host *host;
    char *dir;
    struct legacy_vm_spec spec;
};

static struct world *world_new(const char *profile)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(profile),
        .seed = PKI_DEV_SEED,
    };
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    pki_chip_make(PKI_DEV_SEED, config.profile->generation, 0, &config.chip);
    assert_int_equal(machine_create(&config, &w->m), 0);
    assert_int_equal(machine_platform_init(w->m), SEV_SUCCESS);
    assert_int_equal(legacy_vm_host_new(w->m, &w->host), 0);
    assert_int_equal(legacy_vm_spec_default(&w->spec), 0);
    w->dir = tst_mkdtemp();
    return w;
}

static int milan(void **state)
{
    *state = world_new("milan");
    return 0;
}

static int naples(void **state)
{
    *state = world_new("naples");
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    legacy_vm_spec_clear(&w->spec);
    legacy_vm_host_free(w->host);
    machine_destroy(w->m);
    tst_rmdir(w->dir);
    free(w);
    return 0;
}

/* --- helpers --- */

static const char *path(const struct world *w, const char *name)
{
    static char text[16][512];
    static unsigned int n;
    char *out = text[n++ % 16];

    (void)snprintf(out, sizeof(text[0]), "%s/%s", w->dir, name);
    return out;
}

static void owner(const char *const argv[])
{
    char *output = NULL;
    int status = tst_run(&output, argv);

    if (status != 0) {
        fail_msg("%s: %s", argv[2], output);
    }
    free(output);
}

static struct legacy_vm *launch(struct world *w)
{
    struct legacy_vm *g = NULL;
    enum sev_status status = SEV_SUCCESS;
    int r = legacy_vm_launch(w->host, &w->spec, &g, &status);

    if (r != 0) {
        fail_msg("launch: %d, status 0x%x", r, status);
    }
    return g;
}

static void refuse(struct world *w, int errno_value, enum sev_status expected)
{
    struct legacy_vm *g = NULL;
    enum sev_status status = SEV_SUCCESS;

    assert_int_equal(legacy_vm_launch(w->host, &w->spec, &g, &status),
                     errno_value);
    assert_null(g);
    if (errno_value == -EIO) {
        assert_int_equal(status, expected);
    }
}

static void platform_status(struct world *w, uint8_t *state, uint32_t *guests)
{
    uint8_t buf[12] = {0};
    struct psp_rd r = psp_rd(buf + 8, 4);

    assert_int_equal(machine_command(w->m, CMD_STATUS, buf, sizeof(buf)), 0);
    *state = buf[2];
    *guests = psp_rd_le32(&r);
}

static uint8_t guest_state(struct legacy_vm *g)
{
    struct legacy_vm_status s;
    enum sev_status status;

    assert_int_equal(legacy_vm_get_status(g, &s, &status), 0);
    return s.state;
}

static void check_measurement(struct world *w, const struct legacy_vm *g,
                              const void *data, size_t size, const char *tik)
{
    const struct psp_profile *p = machine_profile(w->m);
    char text[4][16];
    const char *const argv[] = {"/usr/bin/python3",
                                OWNER,
                                "measure",
                                text[0],
                                text[1],
                                text[2],
                                text[3],
                                path(w, "data"),
                                path(w, "blob"),
                                tik,
                                NULL};

    (void)snprintf(text[0], sizeof(text[0]), "%u", p->api_major);
    (void)snprintf(text[1], sizeof(text[1]), "%u", p->api_minor);
    (void)snprintf(text[2], sizeof(text[2]), "%u", p->build);
    (void)snprintf(text[3], sizeof(text[3]), "%u", w->spec.policy);
    tst_write_file(path(w, "data"), data, size);
    tst_write_file(path(w, "blob"), legacy_vm_measurement(g),
                   LEGACY_VM_MEASURE_SIZE);
    owner(argv);
}

/* The platform's PDH certificate to a file. */
static void export_pdh(struct world *w)
{
    const struct port port = port_machine(w->m);
    struct port_buf pdh;
    struct port_buf chain;
    uint8_t buf[0x1c];
    uint8_t cert[LEGACY_VM_CERT_SIZE];
    struct psp_wr out = psp_wr(buf, sizeof(buf));

    assert_int_equal(port_buf_alloc(&port, LEGACY_VM_CERT_SIZE, &pdh), 0);
    assert_int_equal(port_buf_alloc(&port, 3 * LEGACY_VM_CERT_SIZE, &chain), 0);
    assert_int_equal(port_buf_give(&port, &pdh), 0);
    assert_int_equal(port_buf_give(&port, &chain), 0);
    psp_wr_le64(&out, pdh.spa);
    psp_wr_le32(&out, (uint32_t)pdh.size);
    psp_wr_le32(&out, 0);
    psp_wr_le64(&out, chain.spa);
    psp_wr_le32(&out, (uint32_t)chain.size);
    assert_int_equal(machine_command(w->m, CMD_EXPORT, buf, sizeof(buf)), 0);
    assert_int_equal(port_buf_take(&port, &pdh), 0);
    assert_int_equal(port_buf_take(&port, &chain), 0);
    assert_int_equal(machine_read(w->m, pdh.spa, cert, sizeof(cert)), 0);
    tst_write_file(path(w, "pdh.cert"), cert, sizeof(cert));
    port_buf_free(&port, &pdh);
    port_buf_free(&port, &chain);
}

/* Let the guest owner prepare a session for @policy. */
static void make_session(struct world *w, uint32_t policy)
{
    char text[16];
    const char *const argv[] = {"/usr/bin/python3",  OWNER, "session", w->dir,
                                path(w, "pdh.cert"), text,  NULL};
    size_t size;
    uint8_t *bytes;

    (void)snprintf(text, sizeof(text), "%u", policy);
    export_pdh(w);
    owner(argv);
    bytes = tst_file(path(w, "godh.cert"), &size);
    assert_int_equal(size, sizeof(w->spec.dh_cert));
    memcpy(w->spec.dh_cert, bytes, size);
    free(bytes);
    bytes = tst_file(path(w, "launch_blob.bin"), &size);
    assert_int_equal(size, sizeof(w->spec.session_blob));
    memcpy(w->spec.session_blob, bytes, size);
    free(bytes);
    w->spec.session = true;
    w->spec.policy = policy;
}

/* --- launch --- */

static void launch__no_session__measured_with_zero_tik(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g = launch(w);
    uint8_t platform;
    uint32_t guests;

    assert_int_equal(legacy_vm_handle(g), 1);
    assert_int_equal(guest_state(g), RUNNING);
    check_measurement(w, g, w->spec.regions[0].data, w->spec.regions[0].size,
                      "zero");
    platform_status(w, &platform, &guests);
    assert_int_equal(platform, 2);
    assert_int_equal(guests, 1);
    assert_string_equal(legacy_vm_name(g), "guest");
    legacy_vm_destroy(g);
    platform_status(w, &platform, &guests);
    assert_int_equal(platform, 1);
    assert_int_equal(guests, 0);
}

static void launch__session__measured_with_the_owners_tik(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g;

    make_session(w, 0x11);
    g = launch(w);
    check_measurement(w, g, w->spec.regions[0].data, w->spec.regions[0].size,
                      path(w, "tik.bin"));
}

static void launch__session_for_another_policy__bad_measurement(void **state)
{
    struct world *w = *state;
    uint8_t platform;
    uint32_t guests;

    make_session(w, 1);
    w->spec.policy = 0;
    refuse(w, -EIO, SEV_BAD_MEASUREMENT);
    platform_status(w, &platform, &guests);
    assert_int_equal(platform, 1);
    assert_int_equal(guests, 0);
}

static void launch__tampered_session__bad_measurement(void **state)
{
    struct world *w = *state;

    make_session(w, 1);
    w->spec.session_blob[0x10] ^= 1;
    refuse(w, -EIO, SEV_BAD_MEASUREMENT);
}

static void launch__two_regions__measured_in_order(void **state)
{
    struct world *w = *state;
    struct legacy_vm_region two[] = {
        {.gpa = 0x2000, .size = 48, .data = calloc(1, 48)},
        {.gpa = 0x1000, .size = 4096, .data = calloc(1, 4096)},
    };
    uint8_t both[48 + 4096];
    struct legacy_vm *g;

    assert_non_null(two[0].data);
    assert_non_null(two[1].data);
    memset(two[0].data, 'a', 48);
    memset(two[1].data, 'b', 4096);
    memcpy(both, two[0].data, 48);
    memcpy(both + 48, two[1].data, 4096);
    legacy_vm_spec_clear(&w->spec);
    w->spec.regions = tst_dup(two, sizeof(two));
    w->spec.region_count = 2;
    g = launch(w);
    check_measurement(w, g, both, sizeof(both), "zero");
}

static void launch__sev_es__save_area_measured(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g;
    const size_t size = w->spec.regions[0].size;
    uint8_t *all = malloc(size + LEGACY_VM_VMSA_SIZE);

    assert_non_null(all);
    w->spec.policy = LEGACY_VM_POLICY_ES | LEGACY_VM_POLICY_NODBG;
    w->spec.vmsas = malloc(LEGACY_VM_VMSA_SIZE);
    assert_non_null(w->spec.vmsas);
    w->spec.vmsa_count = 1;
    memset(w->spec.vmsas, 0x5c, LEGACY_VM_VMSA_SIZE);
    memcpy(all, w->spec.regions[0].data, size);
    memcpy(all + size, w->spec.vmsas, LEGACY_VM_VMSA_SIZE);
    g = launch(w);
    check_measurement(w, g, all, size + LEGACY_VM_VMSA_SIZE, "zero");
    assert_true(legacy_vm_asid(g) < machine_profile(w->m)->min_sev_asid);
    free(all);
}

static void launch__plain_sev__asid_from_the_upper_range(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g = launch(w);

    assert_true(legacy_vm_asid(g) >= machine_profile(w->m)->min_sev_asid);
}

static void launch__reserved_policy_bit__policy_failure(void **state)
{
    struct world *w = *state;

    w->spec.policy = 0x40;
    refuse(w, -EIO, SEV_POLICY_FAILURE);
}

static void launch__size_not_a_multiple_of_16__invalid_length(void **state)
{
    struct world *w = *state;
    uint8_t platform;
    uint32_t guests;

    w->spec.regions[0].size = 17;
    refuse(w, -EIO, SEV_INVALID_LENGTH);
    platform_status(w, &platform, &guests);
    assert_int_equal(guests, 0);
}

static void launch__platform_down__invalid_platform_state(void **state)
{
    struct world *w = *state;

    assert_int_equal(machine_command(w->m, CMD_SHUTDOWN, NULL, 0), 0);
    refuse(w, -EIO, SEV_INVALID_PLATFORM_STATE);
}

static void launch__es_without_es_platform__unsupported(void **state)
{
    struct world *w = *state;
    uint8_t init[0x14] = {0};

    assert_int_equal(machine_command(w->m, CMD_SHUTDOWN, NULL, 0), 0);
    assert_int_equal(machine_command(w->m, CMD_INIT, init, sizeof(init)), 0);
    w->spec.policy = LEGACY_VM_POLICY_ES;
    refuse(w, -EIO, SEV_UNSUPPORTED);
}

static void launch__refused__gives_everything_back(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g;
    uint32_t asid;
    size_t pages;

    g = launch(w);
    asid = legacy_vm_asid(g);
    legacy_vm_destroy(g);
    pages = machine_resident_pages(w->m);
    w->spec.policy = 0x40;
    for (unsigned int i = 0; i < 3; i++) {
        refuse(w, -EIO, SEV_POLICY_FAILURE);
    }
    assert_int_equal(machine_resident_pages(w->m), pages);
    w->spec.policy = 1;
    g = launch(w);
    assert_true(legacy_vm_asid(g) > asid); /* not flushed yet */
}

static void launch__overlapping_regions__einval(void **state)
{
    struct world *w = *state;
    struct legacy_vm_region two[] = {
        {.gpa = 0x1000, .size = 0x1001},
        {.gpa = 0x2000, .size = 0x10},
    };

    legacy_vm_spec_clear(&w->spec);
    w->spec.regions = tst_dup(two, sizeof(two));
    w->spec.region_count = 2;
    refuse(w, -EINVAL, SEV_SUCCESS);
    w->spec.regions[0].size = 0x1000;
    (void)launch(w);
}

static void launch__unaligned_region__einval(void **state)
{
    struct world *w = *state;

    w->spec.regions[0].gpa += 16;
    refuse(w, -EINVAL, SEV_SUCCESS);
}

static void launch__save_areas_without_es__einval(void **state)
{
    struct world *w = *state;

    w->spec.vmsas = calloc(1, LEGACY_VM_VMSA_SIZE);
    w->spec.vmsa_count = 1;
    refuse(w, -EINVAL, SEV_SUCCESS);
}

static void launch__all_asids_taken__ebusy_until_one_returns(void **state)
{
    struct world *w = *state;
    const struct psp_profile *p = machine_profile(w->m);
    struct legacy_vm *last = NULL;

    for (uint32_t i = p->min_sev_asid; i <= p->asid_count; i++) {
        last = launch(w);
    }
    refuse(w, -EBUSY, SEV_SUCCESS);
    legacy_vm_destroy(last);
    /* The only ASID left is dirty: it comes back by a flush. */
    assert_int_equal(legacy_vm_asid(launch(w)), p->asid_count);
}

/* --- memory --- */

static void memory__launched__plain_to_the_guest_only(void **state)
{
    struct world *w = *state;
    const struct legacy_vm_region *region = &w->spec.regions[0];
    struct legacy_vm *g = launch(w);
    uint8_t seen[64];

    assert_int_equal(
        legacy_vm_read(g, region->gpa + region->size - 32, seen, 32), 0);
    assert_memory_equal(seen, region->data + region->size - 32, 32);
    assert_int_equal(
        legacy_vm_read_raw(g, region->gpa + region->size - 32, seen, 32), 0);
    assert_memory_not_equal(seen, region->data + region->size - 32, 32);
}

static void memory__guest_writes_across_pages__reads_back(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g = launch(w);
    uint8_t in[48];
    uint8_t out[48];

    memset(in, 0x77, sizeof(in));
    assert_int_equal(legacy_vm_write(g, 0xffff1000 - 16, in, sizeof(in)), 0);
    assert_int_equal(legacy_vm_read(g, 0xffff1000 - 16, out, sizeof(out)), 0);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(legacy_vm_read_raw(g, 0xffff1000 - 16, out, sizeof(out)),
                     0);
    assert_memory_not_equal(in, out, sizeof(in));
}

static void memory__outside_of_a_region__efault(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g = launch(w);
    uint8_t byte[16];

    assert_int_equal(legacy_vm_read(g, 0xfffeffff, byte, 1), -EFAULT);
    assert_int_equal(legacy_vm_read(g, 0xfffffff0, byte, 16), 0);
    assert_int_equal(legacy_vm_read(g, 0xfffffff1, byte, 16), -EFAULT);
    assert_int_equal(legacy_vm_write(g, 0x100000000, byte, 1), -EFAULT);
    assert_int_equal(legacy_vm_read(g, UINT64_MAX - 3, byte, 16), -EFAULT);
}

/* --- secrets --- */

static struct legacy_vm_secret owner_secret(struct world *w,
                                            const struct legacy_vm *g,
                                            const void *plain, size_t size)
{
    const char *const argv[] = {
        "/usr/bin/python3", OWNER, "secret", w->dir, path(w, "blob"),
        path(w, "plain"),   NULL};
    struct legacy_vm_secret s = {.gpa = 0xffff0000};
    uint8_t *header;
    size_t header_size;

    tst_write_file(path(w, "plain"), plain, size);
    tst_write_file(path(w, "blob"), legacy_vm_measurement(g),
                   LEGACY_VM_MEASURE_SIZE);
    owner(argv);
    header = tst_file(path(w, "secret_header.bin"), &header_size);
    assert_int_equal(header_size, sizeof(s.header));
    memcpy(s.header, header, header_size);
    free(header);
    s.payload = tst_file(path(w, "secret.bin"), &s.size);
    return s;
}

static void secret__from_the_owner__arrives_in_guest_memory(void **state)
{
    static const char plain[33] = "the guest owner's secret disk key";
    struct world *w = *state;
    struct legacy_vm *g;
    struct legacy_vm_secret s;
    enum sev_status status;
    uint8_t seen[32];

    make_session(w, 1);
    w->spec.unfinished = true;
    g = launch(w);
    assert_int_equal(guest_state(g), LSECRET);
    s = owner_secret(w, g, plain, 32);

    s.gpa = 0xffff0ff0; /* across a page */
    assert_int_equal(legacy_vm_inject(g, &s, &status), 0);
    assert_int_equal(legacy_vm_read(g, s.gpa, seen, sizeof(seen)), 0);
    assert_memory_equal(seen, plain, sizeof(seen));
    assert_int_equal(legacy_vm_finish(g, &status), 0);
    assert_int_equal(guest_state(g), RUNNING);

    assert_int_equal(legacy_vm_inject(g, &s, &status), -EIO);
    assert_int_equal(status, SEV_INVALID_GUEST_STATE);
    free(s.payload);
}

static void secret__tampered__bad_measurement(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g;
    struct legacy_vm_secret s;
    enum sev_status status;
    uint8_t before[16];
    uint8_t after[16];

    make_session(w, 1);
    w->spec.unfinished = true;
    g = launch(w);
    s = owner_secret(w, g, "0123456789abcdef", 16);
    s.payload[3] ^= 1;
    assert_int_equal(legacy_vm_read_raw(g, s.gpa, before, sizeof(before)), 0);
    assert_int_equal(legacy_vm_inject(g, &s, &status), -EIO);
    assert_int_equal(status, SEV_BAD_MEASUREMENT);
    assert_int_equal(legacy_vm_read_raw(g, s.gpa, after, sizeof(after)), 0);
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(guest_state(g), LSECRET);
    free(s.payload);
}

static void secret__outside_of_the_guest__einval(void **state)
{
    struct world *w = *state;
    uint8_t payload[16] = {0};
    struct legacy_vm_secret s = {
        .gpa = 0xfffffff8, .payload = payload, .size = sizeof(payload)};
    struct legacy_vm *g;
    enum sev_status status;

    w->spec.unfinished = true;
    g = launch(w);
    assert_int_equal(legacy_vm_inject(g, &s, &status), -EINVAL);
}

/* --- life --- */

static void status__launched__policy_asid_state(void **state)
{
    struct world *w = *state;
    struct legacy_vm *g = launch(w);
    struct legacy_vm_status s;
    enum sev_status status;

    assert_int_equal(legacy_vm_get_status(g, &s, &status), 0);
    assert_int_equal(s.policy, 1);
    assert_int_equal(s.asid, legacy_vm_asid(g));
    assert_int_equal(s.state, RUNNING);
}

static void handles__two_guests__differ(void **state)
{
    struct world *w = *state;
    struct legacy_vm *a = launch(w);
    struct legacy_vm *b = launch(w);

    assert_int_equal(legacy_vm_handle(a), 1);
    assert_int_equal(legacy_vm_handle(b), 2);
    assert_int_not_equal(legacy_vm_asid(a), legacy_vm_asid(b));
    assert_memory_not_equal(legacy_vm_measurement(a) + 32,
                            legacy_vm_measurement(b) + 32, 16);
    legacy_vm_destroy(a);
    legacy_vm_destroy(NULL);
}

/* --- the hypercall --- */

struct hypercall {
    const char *name;
    enum legacy_vm_handle_mode mode;
    unsigned int guests; /* launched; the first one calls, if any */
    struct legacy_vm_hypercall call;
    uint64_t result;
};

#define EPERM_64  0xffffffffffffffff
#define ENOTTY_64 0xffffffffffffffe7
#define ENOSYS_64 0xfffffffffffffc18
#define VM_HANDLE LEGACY_VM_HC_VM_HANDLE
#define FROM_USER                                                              \
    {                                                                          \
        VM_HANDLE, 3, true                                                     \
    }
#define FROM_GUEST                                                             \
    {                                                                          \
        VM_HANDLE, 0, true                                                     \
    }

static const struct hypercall HYPERCALLS[] = {
    {"hypercall__off_from_kernel__enosys", LEGACY_VM_HANDLE_OFF, 1, FROM_GUEST,
     ENOSYS_64},
    {"hypercall__off_from_user__eperm", LEGACY_VM_HANDLE_OFF, 1, FROM_USER,
     EPERM_64},
    {"hypercall__own_from_kernel__handle", LEGACY_VM_HANDLE_OWN, 1, FROM_GUEST,
     1},
    {"hypercall__own_from_user__handle", LEGACY_VM_HANDLE_OWN, 2, FROM_USER, 1},
    {"hypercall__own_from_cpl_1__handle",
     LEGACY_VM_HANDLE_OWN,
     1,
     {VM_HANDLE, 1, true},
     1},
    {"hypercall__own_without_sev__enotty", LEGACY_VM_HANDLE_OWN, 0, FROM_USER,
     ENOTTY_64},
    {"hypercall__own_in_32_bits__upper_rax_ignored",
     LEGACY_VM_HANDLE_OWN,
     1,
     {0xdeadbeef0000000d, 3, false},
     1},
    {"hypercall__own_in_64_bits__upper_rax_counts",
     LEGACY_VM_HANDLE_OWN,
     1,
     {0xdeadbeef0000000d, 0, true},
     ENOSYS_64},
    {"hypercall__without_sev_in_32_bits__truncated",
     LEGACY_VM_HANDLE_OWN,
     0,
     {VM_HANDLE, 3, false},
     0xffffffe7},
    {"hypercall__other__second_guests_handle", LEGACY_VM_HANDLE_OTHER, 2,
     FROM_USER, 2},
    {"hypercall__other_but_alone__handle_of_nobody", LEGACY_VM_HANDLE_OTHER, 1,
     FROM_USER, 2},
    {"hypercall__enotty__minus_25", LEGACY_VM_HANDLE_ENOTTY, 1, FROM_USER,
     ENOTTY_64},
    {"hypercall__enosys__minus_1000", LEGACY_VM_HANDLE_ENOSYS, 1, FROM_USER,
     ENOSYS_64},
    {"hypercall__enosys_in_32_bits__truncated",
     LEGACY_VM_HANDLE_ENOSYS,
     1,
     {VM_HANDLE, 3, false},
     0xfffffc18},
    {"hypercall__kernel_only_from_kernel__handle", LEGACY_VM_HANDLE_KERNEL, 1,
     FROM_GUEST, 1},
    {"hypercall__kernel_only_from_user__eperm", LEGACY_VM_HANDLE_KERNEL, 1,
     FROM_USER, EPERM_64},
    {"hypercall__kernel_only_from_cpl_1__eperm",
     LEGACY_VM_HANDLE_KERNEL,
     1,
     {VM_HANDLE, 1, true},
     EPERM_64},
    {"hypercall__kernel_only_user_in_32_bits__truncated",
     LEGACY_VM_HANDLE_KERNEL,
     1,
     {VM_HANDLE, 3, false},
     0xffffffff},
    {"hypercall__kernel_only_without_sev__enotty", LEGACY_VM_HANDLE_KERNEL, 0,
     FROM_GUEST, ENOTTY_64},
    {"hypercall__another_number_from_user__eperm",
     LEGACY_VM_HANDLE_OWN,
     1,
     {12, 3, true},
     EPERM_64},
    {"hypercall__another_number_from_kernel__enosys",
     LEGACY_VM_HANDLE_OWN,
     1,
     {12, 0, true},
     ENOSYS_64},
};

#define HYPERCALL_COUNT (sizeof(HYPERCALLS) / sizeof(HYPERCALLS[0]))

static void test_hypercall(void **state)
{
    const struct hypercall *h = *state;
    struct world *w = world_new("rome");
    struct legacy_vm *first = NULL;
    void *end = w;

    for (unsigned int i = 0; i < h->guests; i++) {
        struct legacy_vm *g = launch(w);

        first = i == 0 ? g : first;
    }
    legacy_vm_host_set_handle_mode(w->host, h->mode);
    assert_true(legacy_vm_vmmcall(w->host, first, &h->call) == h->result);
    (void)teardown(&end);
}

static void handle_modes__parse_what_is_printed(void **state)
{
    (void)state;
    for (int mode = LEGACY_VM_HANDLE_OFF; mode <= LEGACY_VM_HANDLE_KERNEL;
         mode++) {
        assert_int_equal(
            legacy_vm_handle_mode_by_name(
                legacy_vm_handle_mode_name((enum legacy_vm_handle_mode)mode)),
            mode);
    }
    assert_int_equal(legacy_vm_handle_mode_by_name("OWN"), -1);
}

/* --- */

#define ON(profile, f)                                                         \
    {                                                                          \
#f "__" #profile, f, profile, teardown, NULL                           \
    }
#define ON_BOTH(f) ON(milan, f), ON(naples, f)

int main(void)
{
    static const struct CMUnitTest plain[] = {
        ON_BOTH(launch__no_session__measured_with_zero_tik),
        ON_BOTH(launch__session__measured_with_the_owners_tik),
        ON(milan, launch__session_for_another_policy__bad_measurement),
        ON(milan, launch__tampered_session__bad_measurement),
        ON_BOTH(launch__two_regions__measured_in_order),
        ON_BOTH(launch__sev_es__save_area_measured),
        ON_BOTH(launch__plain_sev__asid_from_the_upper_range),
        ON(milan, launch__reserved_policy_bit__policy_failure),
        ON_BOTH(launch__size_not_a_multiple_of_16__invalid_length),
        ON(naples, launch__platform_down__invalid_platform_state),
        ON(naples, launch__es_without_es_platform__unsupported),
        ON_BOTH(launch__refused__gives_everything_back),
        ON(milan, launch__overlapping_regions__einval),
        ON(milan, launch__unaligned_region__einval),
        ON(milan, launch__save_areas_without_es__einval),
        ON(naples, launch__all_asids_taken__ebusy_until_one_returns),
        ON_BOTH(memory__launched__plain_to_the_guest_only),
        ON_BOTH(memory__guest_writes_across_pages__reads_back),
        ON(milan, memory__outside_of_a_region__efault),
        ON_BOTH(secret__from_the_owner__arrives_in_guest_memory),
        ON(milan, secret__tampered__bad_measurement),
        ON(milan, secret__outside_of_the_guest__einval),
        ON_BOTH(status__launched__policy_asid_state),
        ON(milan, handles__two_guests__differ),
        {"handle_modes__parse_what_is_printed",
         handle_modes__parse_what_is_printed, NULL, NULL, NULL},
    };
    struct CMUnitTest tests[sizeof(plain) / sizeof(plain[0]) + HYPERCALL_COUNT];
    size_t n = 0;

    for (; n < HYPERCALL_COUNT; n++) {
        tests[n] = (struct CMUnitTest){.name = HYPERCALLS[n].name,
                                       .test_func = test_hypercall,
                                       .initial_state =
                                           (void *)(uintptr_t)&HYPERCALLS[n]};
    }
    memcpy(tests + n, plain, sizeof(plain));
    return _cmocka_run_group_tests(
        "legacy", tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}
