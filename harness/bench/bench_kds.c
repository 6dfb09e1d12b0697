/* SPDX-License-Identifier: Apache-2.0 */
/* The key server without the network: VCEKs that nobody asked for before,
 * against one bare RSA-4096 signature, measured in turns; and answers that are
 * kept. Prints "name value" lines for bench.py. */
#include "kds.h"
#include "measure.h"
#include "pki.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS  21
#define EACH   8
#define CACHED 20000
#define NOW    1790000000u

static void die(const char *what)
{
    fprintf(stderr, "bench_kds: %s failed\n", what);
    exit(1);
}

/* As certificates are signed: PSS, SHA-384, by the best library at hand. */
static double sign_turn(EVP_PKEY *key)
{
    static const uint8_t data[1024] = {1};
    uint8_t sig[512];
    double start = measure_now_us();

    for (int i = 0; i < EACH; i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pkey = NULL;
        size_t size = sizeof(sig);

        if (EVP_DigestSignInit(ctx, &pkey, EVP_sha384(), NULL, key) != 1 ||
            EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) != 1 ||
            EVP_DigestSign(ctx, sig, &size, data, sizeof(data)) != 1) {
            die("signing");
        }
        EVP_MD_CTX_free(ctx);
    }
    return (measure_now_us() - start) / EACH;
}

static void ask(struct kds *kds, const char *path, unsigned int n)
{
    struct kds_answer a;
    char query[64];

    snprintf(query, sizeof(query), "blSPL=%u&teeSPL=%u&ucodeSPL=%u", n / 32768,
             n / 256 % 128, n % 256);
    kds_answer(kds,
               &(struct kds_ask){
                   .method = "GET", .path = path, .query = query, .now = NOW},
               &a);
    if (a.status != 200) {
        die("a request");
    }
    kds_answer_clear(&a);
}

static double fresh_turn(struct kds *kds, const char *path)
{
    static unsigned int n;
    double start = measure_now_us();

    for (int i = 0; i < EACH; i++) {
        ask(kds, path, n++);
    }
    return (measure_now_us() - start) / EACH;
}

static double cached_per_s(struct kds *kds, const char *path)
{
    double start = measure_now_us();

    for (int i = 0; i < CACHED; i++) {
        ask(kds, path, (unsigned int)i % EACH);
    }
    return CACHED / (measure_now_us() - start) * 1e6;
}

static void path_of_chip(char path[256])
{
    struct psp_chip chip;
    int n = snprintf(path, 256, "/vcek/v1/Milan/");

    pki_chip_make(PKI_DEV_SEED, PSP_MILAN, 0, &chip);
    for (size_t i = 0; i < sizeof(chip.id); i++) {
        n += snprintf(path + n, 3, "%02x", chip.id[i]);
    }
}

int main(void)
{
    const struct kds_config config = {.seed = PKI_DEV_SEED, .chip_count = 1024};
    double sign[TURNS], fresh[TURNS];
    EVP_PKEY *key = EVP_RSA_gen(4096);
    struct kds *kds = NULL;
    char path[256];

    if (key == NULL || kds_open(&config, &kds) != PSP_OK) {
        die("setting up");
    }
    path_of_chip(path);
    (void)sign_turn(key);
    (void)fresh_turn(kds, path); /* loads the key */
    for (int i = 0; i < TURNS; i++) {
        sign[i] = sign_turn(key);
        fresh[i] = fresh_turn(kds, path);
    }
    printf("rsa_sign_us %.1f\n", measure_median(sign, TURNS));
    printf("kds_new_vcek_us %.1f\n", measure_median(fresh, TURNS));
    printf("kds_new_vcek_ratio %.3f\n",
           measure_median(sign, TURNS) / measure_median(fresh, TURNS));
    printf("kds_cached_per_s %.0f\n", cached_per_s(kds, path));
    kds_close(kds);
    EVP_PKEY_free(key);
    return 0;
}
