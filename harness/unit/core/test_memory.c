/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges, the memory controller, ASIDs. */
#include "core.h"
#include "tst.h"

#include <openssl/evp.h>

#define SIZE 0x10000u

struct fixture {
    struct psp_core core;
    struct psp_host_ops ops;
    uint8_t memory[SIZE];
    unsigned int reads;
    size_t read_bytes;
    bool fail;
};

static int mem_read(void *host, uint64_t spa, void *buf, size_t size)
{
    struct fixture *f = host;

    f->reads++;
    f->read_bytes += size;
    assert_true(spa <= SIZE && size <= SIZE - spa);
    memcpy(buf, f->memory + spa, size);
    return f->fail ? -1 : 0;
}

static int mem_write(void *host, uint64_t spa, const void *buf, size_t size)
{
    struct fixture *f = host;

    assert_true(spa <= SIZE && size <= SIZE - spa);
    if (f->fail) {
        return -1;
    }
    memcpy(f->memory + spa, buf, size);
    return 0;
}

static int entropy(void *host, void *buf, size_t size)
{
    memset(buf, 0x44, size);
    return ((struct fixture *)host)->fail ? -1 : 0;
}

static struct fixture *make(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct psp_config config = {
        .profile = *psp_profile_by_name("milan"),
        .memory_size = SIZE,
        .rmp_size = SIZE / 2,
    };

    assert_non_null(f);
    f->ops = (struct psp_host_ops){
        .mem_read = mem_read, .mem_write = mem_write, .entropy = entropy};
    assert_int_equal(core_init(&f->core, &config, &f->ops, f), PSP_OK);
    return f;
}

static void end(struct fixture *f)
{
    core_clear(&f->core);
    free(f);
}

/* AES-128-XTS by the library, one data unit per page. */
static void xts(bool encrypt, const uint8_t key[32], uint64_t page,
                const uint8_t *in, uint8_t *out, int size)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t tweak[16] = {0};
    int n;

    for (size_t i = 0; i < 8; i++) {
        tweak[i] = (uint8_t)(page >> (8 * i));
    }
    assert_int_equal(
        EVP_CipherInit_ex(ctx, EVP_aes_128_xts(), NULL, key, tweak, encrypt),
        1);
    assert_int_equal(EVP_CipherUpdate(ctx, out, &n, in, size), 1);
    EVP_CIPHER_CTX_free(ctx);
}

static void key_of(uint8_t key[32])
{
    for (uint8_t i = 0; i < 32; i++) {
        key[i] = (uint8_t)(i * 5 + 1);
    }
}

static void range__edges_and_wraps__judged(void **state)
{
    struct fixture *f = make();

    (void)state;
    assert_true(core_range_ok(&f->core, 0, SIZE));
    assert_true(core_range_ok(&f->core, SIZE, 0));
    assert_true(core_range_ok(&f->core, SIZE - 1, 1));
    assert_false(core_range_ok(&f->core, SIZE - 1, 2));
    assert_false(core_range_ok(&f->core, SIZE, 1));
    assert_false(core_range_ok(&f->core, UINT64_MAX, 2));
    assert_false(core_range_ok(&f->core, 1, UINT64_MAX));
    assert_true(core_within_page(0x1ff0, 16));
    assert_false(core_within_page(0x1ff0, 17));
    assert_true(core_within_page(0x1000, 0x1000));
    assert_false(core_within_page(0x1001, 0x1000));
    assert_int_equal(core_read(&f->core, SIZE - 1, f->memory, 2), PSP_E_HOST);
    assert_int_equal(f->reads, 0);
    end(f);
}

static void output__snp_init__firmware_and_default_only(void **state)
{
    struct fixture *f = make();
    const struct rmp_entry firmware = {.state = RMP_FIRMWARE};

    (void)state;
    assert_true(core_output_ok(&f->core, 0x1000, 0x2000)); /* UNINIT */
    f->core.snp_state = SNP_PLATFORM_INIT;
    assert_false(core_output_ok(&f->core, 0x1000, 1));
    assert_int_equal(rmp_set(f->core.rmp, 0x1000, &firmware), PSP_OK);
    assert_true(core_output_ok(&f->core, 0x1000, 0x1000));
    assert_true(core_output_ok(&f->core, 0x1fff, 1));
    assert_false(core_output_ok(&f->core, 0x1fff, 2));
    assert_false(core_output_ok(&f->core, 0x0fff, 2));
    assert_true(core_output_ok(&f->core, SIZE / 2, SIZE / 2)); /* Default */
    assert_true(core_output_ok(&f->core, 0x3000, 0));          /* nothing */
    end(f);
}

static void mem_encrypt__pages__xts_of_each_page(void **state)
{
    uint8_t key[32], in[0x2800], want[0x2800], got[0x2800];

    (void)state;
    key_of(key);
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (uint8_t)(i * 7);
    }
    xts(true, key, 0x7000, in, want, 0x1000);
    xts(true, key, 0x8000, in + 0x1000, want + 0x1000, 0x1000);
    xts(true, key, 0x9000, in + 0x2000, want + 0x2000, 0x800);
    assert_int_equal(core_mem_encrypt(key, 0x7000, in, got, sizeof(in)),
                     PSP_OK);
    assert_memory_equal(got, want, sizeof(want));
    assert_int_equal(core_mem_decrypt(key, 0x7000, got, got, sizeof(got)),
                     PSP_OK);
    assert_memory_equal(got, in, sizeof(in));
    assert_int_equal(core_mem_encrypt(key, 0x7000, in, got, 0), PSP_OK);
}

/* Any run of units gives the same bytes as the whole page. */
static void mem_encrypt__inside_a_page__as_the_whole(void **state)
{
    uint8_t key[32], in[0x2000], want[0x2000], got[0x2000];

    (void)state;
    key_of(key);
    memset(in, 0x3e, sizeof(in));
    assert_int_equal(core_mem_encrypt(key, 0x4000, in, want, sizeof(in)),
                     PSP_OK);
    for (size_t start = 0; start < 0x1100; start += 0x110) {
        for (size_t size = 16; size < 0xf00; size += 0x2f0) {
            assert_int_equal(
                core_mem_encrypt(key, 0x4000 + start, in + start, got, size),
                PSP_OK);
            assert_memory_equal(got, want + start, size);
            assert_int_equal(
                core_mem_decrypt(key, 0x4000 + start, got, got, size), PSP_OK);
            assert_memory_equal(got, in + start, size);
        }
    }
}

static void guest_memory__any_bytes__read_back_through_the_key(void **state)
{
    struct fixture *f = make();
    uint8_t key[32], page[0x1000], plain[0x1000], got[0x1000];

    (void)state;
    key_of(key);
    core_asid_bind(&f->core, 5, CORE_ASID_SNP, f, key);
    memset(plain, 0, sizeof(plain));
    xts(true, key, 0x3000, plain, f->memory + 0x3000, 0x1000);
    for (size_t start = 0; start < 0x1000; start += 331) {
        size_t size = start % 97 + 1;

        size = size < 0x1000 - start ? size : 0x1000 - start;
        memset(plain + start, (int)(start & 0xff), size);
        assert_int_equal(
            core_guest_write(&f->core, 5, 0x3000 + start, plain + start, size),
            PSP_OK);
        assert_int_equal(
            core_guest_read(&f->core, 5, 0x3000 + start, got, size), PSP_OK);
        assert_memory_equal(got, plain + start, size);
    }
    xts(false, key, 0x3000, f->memory + 0x3000, page, 0x1000);
    assert_memory_equal(page, plain, sizeof(page));
    assert_int_equal(core_guest_write(&f->core, 5, 0x3000, plain, 0x1000),
                     PSP_OK);
    end(f);
}

/* A counter in the secrets page must not cost a page. */
static void guest_memory__small_access__touches_its_units_only(void **state)
{
    struct fixture *f = make();
    uint8_t key[32], four[4] = {1};

    (void)state;
    key_of(key);
    core_asid_bind(&f->core, 5, CORE_ASID_SNP, f, key);
    assert_int_equal(core_guest_write(&f->core, 5, 0x30a0, four, 4), PSP_OK);
    assert_int_equal(f->read_bytes, 16);
    f->read_bytes = 0;
    assert_int_equal(core_guest_read(&f->core, 5, 0x30a0, four, 4), PSP_OK);
    assert_int_equal(f->read_bytes, 16);
    f->read_bytes = 0;
    assert_int_equal(core_guest_write(&f->core, 5, 0x30b0, key, 32), PSP_OK);
    assert_int_equal(f->read_bytes, 0); /* whole units: nothing to keep */
    end(f);
}

static void guest_memory__no_guest_or_bad_range__refused(void **state)
{
    struct fixture *f = make();
    uint8_t key[32], byte = 0, many[0x20] = {0};

    (void)state;
    key_of(key);
    core_asid_bind(&f->core, 5, CORE_ASID_SEV, f, key);
    assert_int_equal(core_guest_read(&f->core, 4, 0, &byte, 1), PSP_E_PARAM);
    assert_int_equal(core_guest_read(&f->core, 0, 0, &byte, 1), PSP_E_PARAM);
    assert_int_equal(core_guest_read(&f->core, 510, 0, &byte, 1), PSP_E_PARAM);
    assert_int_equal(core_guest_read(&f->core, 5, 0xff0, many, 0x11),
                     PSP_E_PARAM);
    assert_int_equal(core_guest_write(&f->core, 5, 0xff0, many, 0x11),
                     PSP_E_PARAM);
    assert_int_equal(core_guest_read(&f->core, 5, SIZE, &byte, 1), PSP_E_HOST);
    assert_int_equal(core_guest_read(&f->core, 5, SIZE - 1, &byte, 1), PSP_OK);
    f->fail = true;
    assert_int_equal(core_guest_read(&f->core, 5, 0, &byte, 1), PSP_E_HOST);
    assert_int_equal(core_guest_write(&f->core, 5, 0, &byte, 1), PSP_E_HOST);
    end(f);
}

static void asid__unbind__key_wiped_and_dirty(void **state)
{
    static const uint8_t zeros[CORE_VEK_SIZE];
    struct fixture *f = make();
    uint8_t key[32];

    (void)state;
    key_of(key);
    core_asid_bind(&f->core, 509, CORE_ASID_SNP, f, key);
    assert_ptr_equal(core_asid_at(&f->core, 509)->guest, f);
    core_asid_unbind(&f->core, 509);
    assert_memory_equal(core_asid_at(&f->core, 509)->vek, zeros, CORE_VEK_SIZE);
    assert_true(core_asid_at(&f->core, 509)->dirty);
    assert_int_equal(core_asid_at(&f->core, 509)->user, CORE_ASID_FREE);
    assert_null(core_asid_at(&f->core, 510));
    assert_null(core_asid_at(&f->core, 0));
    end(f);
}

static void status__of_model_errors(void **state)
{
    (void)state;
    assert_int_equal(core_status(PSP_OK), SEV_SUCCESS);
    assert_int_equal(core_status(PSP_E_NOMEM), SEV_RESOURCE_LIMIT);
    assert_int_equal(core_status(PSP_E_HOST), SEV_HWERROR_PLATFORM);
    assert_int_equal(core_status(PSP_E_CRYPTO), SEV_HWERROR_PLATFORM);
}

static void random__callback_fails__host_error(void **state)
{
    struct fixture *f = make();
    uint8_t b[3];

    (void)state;
    assert_int_equal(core_random(&f->core, b, sizeof(b)), PSP_OK);
    assert_hex_equal(b, "444444", 3);
    f->fail = true;
    assert_int_equal(core_random(&f->core, b, sizeof(b)), PSP_E_HOST);
    end(f);
}

static void spoil(struct psp_config *c, struct psp_host_ops *o, unsigned int n)
{
    switch (n) {
    case 0:
        o->mem_read = NULL;
        break;
    case 1:
        o->mem_write = NULL;
        break;
    case 2:
        o->entropy = NULL;
        break;
    case 3:
        c->memory_size = 0;
        break;
    case 4:
        c->memory_size = SIZE + 1;
        break;
    case 5:
        c->rmp_size = 0x800;
        break;
    case 6:
        c->profile.asid_count = 0;
        break;
    case 7:
        c->profile.asid_count = RMP_ASID_LIMIT + 1;
        break;
    case 8:
        c->profile.socket_count = 0;
        break;
    default:
        c->profile.generation = PSP_GENERATION_COUNT;
        break;
    }
}

static void init__impossible_configuration__param(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 10; n++) {
        struct psp_host_ops ops = {
            .mem_read = mem_read, .mem_write = mem_write, .entropy = entropy};
        struct psp_config config = {
            .profile = *psp_profile_by_name("milan"),
            .memory_size = SIZE,
        };
        struct psp_core core;

        spoil(&config, &ops, n);
        assert_int_equal(core_init(&core, &config, &ops, NULL), PSP_E_PARAM);
        core_clear(&core);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range__edges_and_wraps__judged),
        cmocka_unit_test(output__snp_init__firmware_and_default_only),
        cmocka_unit_test(mem_encrypt__pages__xts_of_each_page),
        cmocka_unit_test(mem_encrypt__inside_a_page__as_the_whole),
        cmocka_unit_test(guest_memory__any_bytes__read_back_through_the_key),
        cmocka_unit_test(guest_memory__small_access__touches_its_units_only),
        cmocka_unit_test(guest_memory__no_guest_or_bad_range__refused),
        cmocka_unit_test(asid__unbind__key_wiped_and_dirty),
        cmocka_unit_test(status__of_model_errors),
        cmocka_unit_test(random__callback_fails__host_error),
        cmocka_unit_test(init__impossible_configuration__param),
    };

    return cmocka_run_group_tests_name("core/memory", tests, NULL, NULL);
}
