/* SPDX-License-Identifier: Apache-2.0 */
/* The persistent store: what counts as empty, as damaged, and how one retry
 * recovers. abi/sev.md §4.4, §12.10 */
#include "sev_host.h"

static enum sev_status init(struct sh *h)
{
    struct sev_cmd_init c = {0, 0, 0, 0};

    return SH_DO(h, SEV_CMD_INIT, init, &c);
}

static enum sev_status init_ex(struct sh *h)
{
    struct sev_cmd_init_ex c = {
        .length = 0x24, .nv_paddr = SH_NV, .nv_length = PSP_NV_SIZE};

    return SH_DO(h, SEV_CMD_INIT_EX, init_ex, &c);
}

/* A platform that has been INIT once and is UNINIT again. */
static struct sh *used(struct sh_certs *certs)
{
    struct sh *h = sh_new("milan", 1);

    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, certs);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    return h;
}

static bool erased(const uint8_t *nv)
{
    for (size_t i = 0; i < PSP_NV_SIZE; i++) {
        if (nv[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static void store__nothing_yet__keys_made_and_saved_once(void **state)
{
    struct sh_certs certs;
    struct sh *h = used(&certs);

    (void)state;
    assert_true(h->nv_present);
    assert_int_equal(h->nv_stores, 1);
    assert_int_equal(init(h), SEV_SUCCESS);
    assert_int_equal(h->nv_stores, 1); /* nothing new, nothing saved */
    sh_free(h);
}

/* No private key in clear, nor any certificate. */
static void store__as_it_lies__opaque(void **state)
{
    struct sh *h = sh_new("milan", 1);
    const struct sev_keys *k = &h->sev.keys;

    (void)state;
    assert_int_equal(init(h), SEV_SUCCESS);
    for (size_t i = 0; i + P384_SIZE <= PSP_NV_SIZE; i++) {
        assert_memory_not_equal(h->nv + i, k->pek.d, P384_SIZE);
        assert_memory_not_equal(h->nv + i, k->pdh.d, P384_SIZE);
        assert_memory_not_equal(h->nv + i, k->oca.d, P384_SIZE);
        assert_memory_not_equal(h->nv + i, k->pek.pub.x, P384_SIZE);
    }
    sh_free(h);
}

/* Every byte of the 32 KiB is under the check; a flip makes one refusal, an
 * erased store, and a platform with new keys. */
static void store__any_byte_damaged__refused_erased_then_new_keys(void **state)
{
    uint8_t good[PSP_NV_SIZE];
    struct sh_certs old, new;
    struct sh *h = used(&old);

    (void)state;
    memcpy(good, h->nv, sizeof(good));
    for (size_t i = 0; i < PSP_NV_SIZE; i += i < 0x1c00 ? 41 : 997) {
        memcpy(h->nv, good, sizeof(good));
        h->nv[i] ^= (uint8_t)(1u << (i % 8));
        assert_int_equal(init(h), SEV_SECURE_DATA_INVALID);
        assert_int_equal(sh_status(h).state, 0);
        assert_true(erased(h->nv));
        assert_true(psp_all_zero(&h->sev.keys, sizeof(h->sev.keys)));
    }
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, &new);
    assert_memory_not_equal(old.pek, new.pek, SEV_CERT_BODY_SIZE);
    assert_memory_equal(old.cek, new.cek, SEV_CERT_SIZE);
    sh_free(h);
}

static void store__first_four_bytes_ff__empty(void **state)
{
    struct sh_certs old, new;
    struct sh *h = used(&old);

    (void)state;
    memset(h->nv, 0xff, 4);
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, &new);
    assert_memory_not_equal(old.pek, new.pek, SEV_CERT_BODY_SIZE);
    sh_free(h);
}

static void store__three_bytes_ff__damaged(void **state)
{
    struct sh_certs old;
    struct sh *h = used(&old);

    (void)state;
    memset(h->nv, 0xff, 3);
    assert_int_equal(init(h), SEV_SECURE_DATA_INVALID);
    sh_free(h);
}

static void store__all_zero__damaged(void **state)
{
    struct sh_certs old;
    struct sh *h = used(&old);

    (void)state;
    memset(h->nv, 0, sizeof(h->nv));
    assert_int_equal(init(h), SEV_SECURE_DATA_INVALID);
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_free(h);
}

static void store__of_another_chip__damaged(void **state)
{
    struct sh_certs certs;
    struct sh *a = used(&certs), *b = sh_new("milan", 2);

    (void)state;
    memcpy(b->nv, a->nv, sizeof(b->nv));
    b->nv_present = true;
    assert_int_equal(init(b), SEV_SECURE_DATA_INVALID);
    assert_true(erased(b->nv));
    assert_int_equal(init(b), SEV_SUCCESS);
    sh_free(a);
    sh_free(b);
}

static void store__older_content_put_back__older_keys(void **state)
{
    uint8_t older[PSP_NV_SIZE];
    struct sh_certs old, now;
    struct sh *h = used(&old);

    (void)state;
    memcpy(older, h->nv, sizeof(older));
    assert_int_equal(init(h), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_PEK_GEN), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    memcpy(h->nv, older, sizeof(older));
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, &now);
    assert_memory_equal(&old, &now, sizeof(old));
    sh_free(h);
}

/* Without callbacks the chip's own flash is simulated: it lasts as long as the
 * instance. */
static void store__host_offers_none__lasts_until_power_off(void **state)
{
    struct sh *h = sh_new_off("milan", 1);
    struct sh_certs a, b, c;

    (void)state;
    h->ops.nv_load = NULL;
    h->ops.nv_store = NULL;
    sh_power_on(h);
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, &a);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    sh_power_off(h);
    sh_power_on(h);
    assert_int_equal(init(h), SEV_SUCCESS);
    sh_export(h, &c);
    assert_memory_not_equal(&a, &c, sizeof(a));
    sh_free(h);
}

static void nv_buffer__factory_state__filled_and_kept_up_to_date(void **state)
{
    struct sh *h = sh_new("milan", 1);
    struct sh_certs a, b;

    (void)state;
    memset(h->memory + SH_NV, 0xff, PSP_NV_SIZE);
    assert_int_equal(init_ex(h), SEV_SUCCESS);
    assert_false(h->nv_present);
    assert_int_equal(sh_plain(h, SEV_CMD_PDH_GEN), SEV_SUCCESS);
    sh_export(h, &a);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(init_ex(h), SEV_SUCCESS);
    sh_export(h, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    sh_free(h);
}

/* As Linux hands over a file that was too short, or never written. */
static void nv_buffer__garbage__one_retry_recovers(void **state)
{
    struct sh *h = sh_new("milan", 1);

    (void)state;
    for (unsigned int fill = 0; fill < 0x100; fill += 0x33) {
        memset(h->memory + SH_NV, (int)fill, PSP_NV_SIZE);
        h->memory[SH_NV] = 0; /* not the mark of an empty one */
        assert_int_equal(init_ex(h), SEV_SECURE_DATA_INVALID);
        assert_true(erased(h->memory + SH_NV));
        assert_int_equal(init_ex(h), SEV_SUCCESS);
        assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    }
    sh_free(h);
}

/* abi/sev.md §12.10: the store that was used last. */
static void platform_reset__after_init_ex__erases_the_buffer(void **state)
{
    struct sh_certs certs;
    struct sh *h = used(&certs);

    (void)state;
    memset(h->memory + SH_NV, 0xff, PSP_NV_SIZE);
    assert_int_equal(init_ex(h), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_PLATFORM_RESET), SEV_SUCCESS);
    assert_true(erased(h->memory + SH_NV));
    assert_false(erased(h->nv));
    sh_free(h);
}

static void platform_reset__host_took_the_buffer__erases_the_store(void **state)
{
    struct sh_certs certs;
    struct sh *h = used(&certs);

    (void)state;
    memset(h->memory + SH_NV, 0xff, PSP_NV_SIZE);
    assert_int_equal(init_ex(h), SEV_SUCCESS);
    assert_int_equal(sh_plain(h, SEV_CMD_SHUTDOWN), SEV_SUCCESS);
    h->core.snp_state = SNP_PLATFORM_INIT; /* all pages are the hypervisor's */
    assert_int_equal(sh_plain(h, SEV_CMD_PLATFORM_RESET), SEV_SUCCESS);
    assert_false(erased(h->memory + SH_NV));
    assert_true(erased(h->nv));
    sh_free(h);
}

static void platform_reset__after_init__erases_the_store(void **state)
{
    struct sh_certs certs;
    struct sh *h = used(&certs);

    (void)state;
    assert_int_equal(sh_plain(h, SEV_CMD_PLATFORM_RESET), SEV_SUCCESS);
    assert_true(erased(h->nv));
    sh_free(h);
}

/* Every command that saves, with a store that fails: HWERROR_PLATFORM and the
 * keys stay. */
static void save__store_fails__old_keys_stay(void **state)
{
    static const uint32_t ids[] = {SEV_CMD_PEK_GEN, SEV_CMD_PDH_GEN};
    struct sh *h = sh_new("milan", 1);

    (void)state;
    assert_int_equal(init(h), SEV_SUCCESS);
    for (size_t i = 0; i < 2; i++) {
        for (unsigned int n = 1;; n++) {
            struct sh_snapshot before = sh_snapshot_full(h);
            enum sev_status got;

            h->calls = 0;
            h->fail_at = n;
            got = sh_plain(h, ids[i]);
            h->fail_at = 0;
            if (got == SEV_SUCCESS) {
                assert_true(n > 3);
                free(before.data);
                break;
            }
            assert_int_equal(got, SEV_HWERROR_PLATFORM);
            sh_unchanged(h, before);
            assert_int_equal(sh_status(h).state, 1);
        }
    }
    sh_free(h);
}

static void init__any_callback_fails__uninit_and_nothing_loaded(void **state)
{
    struct sh *h = sh_new("milan", 1);

    (void)state;
    for (unsigned int n = 2;; n++) { /* the first reads the buffer */
        enum sev_status got;

        h->nv_present = false;
        h->calls = 0;
        h->fail_at = n;
        got = init(h);
        h->fail_at = 0;
        if (got == SEV_SUCCESS) {
            assert_true(n > 6);
            break;
        }
        assert_int_equal(got, SEV_HWERROR_PLATFORM);
        assert_int_equal(sh_status(h).state, 0);
        assert_true(psp_all_zero(&h->sev.keys, sizeof(h->sev.keys)));
        assert_true(psp_all_zero(&h->sev.cek, sizeof(h->sev.cek)));
    }
    sh_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store__nothing_yet__keys_made_and_saved_once),
        cmocka_unit_test(store__as_it_lies__opaque),
        cmocka_unit_test(store__any_byte_damaged__refused_erased_then_new_keys),
        cmocka_unit_test(store__first_four_bytes_ff__empty),
        cmocka_unit_test(store__three_bytes_ff__damaged),
        cmocka_unit_test(store__all_zero__damaged),
        cmocka_unit_test(store__of_another_chip__damaged),
        cmocka_unit_test(store__older_content_put_back__older_keys),
        cmocka_unit_test(store__host_offers_none__lasts_until_power_off),
        cmocka_unit_test(nv_buffer__factory_state__filled_and_kept_up_to_date),
        cmocka_unit_test(nv_buffer__garbage__one_retry_recovers),
        cmocka_unit_test(platform_reset__after_init_ex__erases_the_buffer),
        cmocka_unit_test(
            platform_reset__host_took_the_buffer__erases_the_store),
        cmocka_unit_test(platform_reset__after_init__erases_the_store),
        cmocka_unit_test(save__store_fails__old_keys_stay),
        cmocka_unit_test(init__any_callback_fails__uninit_and_nothing_loaded),
    };

    return cmocka_run_group_tests_name("sev/store", tests, NULL, NULL);
}
