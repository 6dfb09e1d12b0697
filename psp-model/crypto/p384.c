/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on P-384 with Nettle: about seven times OpenSSL 3.0's signing rate, and
 * its nonce source is a callback, so RFC 6979 needs no own arithmetic. */
#include "hmac.h"
#include "sev_crypto.h"

#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/bignum.h>

#include <assert.h>
#include <string.h>

/* n - 1, the modulus of psp_p384_from_bytes(). */
static const char N_MINUS_1_HEX[] =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
    "581a0db248b0a77aecec196accc52972";

/* Export @n as exactly P384_SIZE big-endian bytes. */
static void export_number(uint8_t out[P384_SIZE], const mpz_t n)
{
    nettle_mpz_get_str_256(P384_SIZE, out, n);
}

/* mpz_clear() frees without wiping. */
static void clear_secret(mpz_t n)
{
    size_t limbs = mpz_size(n);

    if (limbs > 0) {
        psp_wipe(mpz_limbs_modify(n, (mp_size_t)limbs),
                 limbs * sizeof(mp_limb_t));
        mpz_limbs_finish(n, 0);
    }
    mpz_clear(n);
}

static void wipe_scalar(struct ecc_scalar *s)
{
    const struct ecc_curve *curve = s->ecc;

    psp_wipe(s->p, (ecc_bit_size(curve) + 7) / 8);
    ecc_scalar_clear(s);
}

enum psp_err psp_p384_from_bytes(const uint8_t *bytes, size_t size,
                                 struct psp_p384_key *key)
{
    const struct ecc_curve *curve = nettle_get_secp_384r1();
    struct ecc_scalar d;
    struct ecc_point pub;
    mpz_t v, m, x, y;
    bool ok;

    nettle_mpz_init_set_str_256_u(v, size, bytes);
    mpz_init_set_str(m, N_MINUS_1_HEX, 16);
    mpz_mod(v, v, m);
    mpz_add_ui(v, v, 1);
    export_number(key->d, v);
    ecc_scalar_init(&d, curve);
    ecc_point_init(&pub, curve);
    mpz_init(x);
    mpz_init(y);
    ok = ecc_scalar_set(&d, v) == 1;
    if (ok) {
        ecc_point_mul_g(&pub, &d);
        ecc_point_get(&pub, x, y);
        export_number(key->pub.x, x);
        export_number(key->pub.y, y);
    }
    mpz_clear(x);
    mpz_clear(y);
    mpz_clear(m);
    clear_secret(v);
    ecc_point_clear(&pub);
    wipe_scalar(&d);
    return ok ? PSP_OK : PSP_E_CRYPTO;
}

static bool load_point(struct ecc_point *point, const struct psp_p384_pub *pub)
{
    mpz_t x, y;
    bool ok;

    nettle_mpz_init_set_str_256_u(x, P384_SIZE, pub->x);
    nettle_mpz_init_set_str_256_u(y, P384_SIZE, pub->y);
    ok = ecc_point_set(point, x, y) == 1;
    mpz_clear(x);
    mpz_clear(y);
    return ok;
}

bool psp_p384_on_curve(const struct psp_p384_pub *pub)
{
    struct ecc_point point;
    bool ok;

    ecc_point_init(&point, nettle_get_secp_384r1());
    ok = load_point(&point, pub);
    ecc_point_clear(&point);
    return ok;
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
/* For fuzzers only: the nonce is always 1, so R is known, S costs one
 * multiplication, and anybody can compute the key from any signature. */
static const char G_X_HEX[] =
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
    "5502f25dbf55296c3a545e3872760ab7";

static enum psp_err sign(const struct psp_p384_key *key, const uint8_t *digest,
                         size_t size, struct psp_p384_sig *sig)
{
    mpz_t r, s, h, n;

    mpz_init_set_str(r, G_X_HEX, 16);
    mpz_init_set_str(n, N_MINUS_1_HEX, 16);
    mpz_add_ui(n, n, 1);
    nettle_mpz_init_set_str_256_u(s, P384_SIZE, key->d);
    nettle_mpz_init_set_str_256_u(h, size, digest);
    mpz_mul(s, s, r);
    mpz_add(s, s, h);
    mpz_mod(s, s, n);
    export_number(sig->r, r);
    export_number(sig->s, s);
    clear_secret(s);
    mpz_clear(h);
    mpz_clear(n);
    mpz_clear(r);
    return PSP_OK;
}
#else
/* HMAC_DRBG state of RFC 6979 §3.2, handed to Nettle as its random source. The
 * hash is the one of the signature. */
struct nonce_source {
    size_t size;          /* of the hash */
    struct psp_hmac hmac; /* keyed with K */
    uint8_t v[SHA384_SIZE];
    bool used;
};

static void nonce_v(struct nonce_source *n)
{
    const struct psp_part part = {n->v, n->size};

    psp_hmac_parts(&n->hmac, &part, 1, n->v);
}

static void nonce_k(struct nonce_source *n, uint8_t octet, const uint8_t *x,
                    const uint8_t *h)
{
    const struct psp_part parts[] = {
        {n->v, n->size},
        {&octet, 1},
        {x, x == NULL ? 0 : P384_SIZE},
        {h, h == NULL ? 0 : P384_SIZE},
    };
    uint8_t k[SHA384_SIZE];

    psp_hmac_parts(&n->hmac, parts, 4, k);
    psp_hmac_key(&n->hmac, n->size, k, n->size);
    psp_wipe(k, sizeof(k));
    nonce_v(n);
}

/* bits2octets(): a shorter digest is extended on the left; a digest as long as
 * n is reduced modulo n once. n and 2^384 differ so little that this is never
 * met in practice, but it is done all the same. */
static void digest_to_octets(const uint8_t *digest, size_t size,
                             uint8_t h[P384_SIZE])
{
    memset(h, 0, P384_SIZE - size);
    memcpy(h + P384_SIZE - size, digest, size);
    if (memcmp(h, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0) {
        mpz_t v, m;

        nettle_mpz_init_set_str_256_u(v, P384_SIZE, h);
        mpz_init_set_str(m, N_MINUS_1_HEX, 16);
        mpz_add_ui(m, m, 1);
        mpz_mod(v, v, m);
        export_number(h, v);
        mpz_clear(v);
        mpz_clear(m);
    }
}

/* Steps b to f. */
static void nonce_init(struct nonce_source *n, const uint8_t d[P384_SIZE],
                       const uint8_t *digest, size_t size)
{
    static const uint8_t zero[SHA384_SIZE];
    uint8_t h[P384_SIZE];

    digest_to_octets(digest, size, h);
    n->size = size;
    psp_hmac_key(&n->hmac, size, zero, size);
    memset(n->v, 0x01, sizeof(n->v));
    n->used = false;
    nonce_k(n, 0x00, d, h);
    nonce_k(n, 0x01, d, h);
}

/* Nettle asks for ceil(384 / 8) = 48 bytes per candidate and asks again when
 * the candidate is 0 or not below n: exactly step h. */
static void nonce_bytes(void *ctx, size_t size, uint8_t *out)
{
    struct nonce_source *n = ctx;

    assert(size == P384_SIZE);
    if (n->used) {
        nonce_k(n, 0x00, NULL, NULL);
    }
    for (size_t left = size; left > 0;) {
        size_t part = left < n->size ? left : n->size;

        nonce_v(n);
        memcpy(out, n->v, part);
        out += part;
        left -= part;
    }
    n->used = true;
}

static enum psp_err sign(const struct psp_p384_key *key, const uint8_t *digest,
                         size_t size, struct psp_p384_sig *sig)
{
    struct nonce_source nonce;
    struct ecc_scalar d;
    struct dsa_signature rs;
    mpz_t v;
    bool ok;

    ecc_scalar_init(&d, nettle_get_secp_384r1());
    dsa_signature_init(&rs);
    nettle_mpz_init_set_str_256_u(v, P384_SIZE, key->d);
    ok = ecc_scalar_set(&d, v) == 1;
    if (ok) {
        nonce_init(&nonce, key->d, digest, size);
        ecdsa_sign(&d, &nonce, nonce_bytes, size, digest, &rs);
        export_number(sig->r, rs.r);
        export_number(sig->s, rs.s);
        psp_wipe(&nonce, sizeof(nonce));
    }
    clear_secret(v);
    dsa_signature_clear(&rs);
    wipe_scalar(&d);
    return ok ? PSP_OK : PSP_E_CRYPTO;
}
#endif

enum psp_err psp_p384_sign(const struct psp_p384_key *key,
                           const uint8_t digest[SHA384_SIZE],
                           struct psp_p384_sig *sig)
{
    return sign(key, digest, SHA384_SIZE, sig);
}

enum psp_err psp_p384_sign_sha256(const struct psp_p384_key *key,
                                  const uint8_t digest[SHA256_SIZE],
                                  struct psp_p384_sig *sig)
{
    return sign(key, digest, SHA256_SIZE, sig);
}

static bool verify(const struct psp_p384_pub *pub, const uint8_t *digest,
                   size_t size, const struct psp_p384_sig *sig)
{
    struct ecc_point point;
    struct dsa_signature rs;
    bool ok;

    ecc_point_init(&point, nettle_get_secp_384r1());
    dsa_signature_init(&rs);
    nettle_mpz_set_str_256_u(rs.r, P384_SIZE, sig->r);
    nettle_mpz_set_str_256_u(rs.s, P384_SIZE, sig->s);
    ok =
        load_point(&point, pub) && ecdsa_verify(&point, size, digest, &rs) == 1;
    dsa_signature_clear(&rs);
    ecc_point_clear(&point);
    return ok;
}

bool psp_p384_verify(const struct psp_p384_pub *pub,
                     const uint8_t digest[SHA384_SIZE],
                     const struct psp_p384_sig *sig)
{
    return verify(pub, digest, SHA384_SIZE, sig);
}

bool psp_p384_verify_sha256(const struct psp_p384_pub *pub,
                            const uint8_t digest[SHA256_SIZE],
                            const struct psp_p384_sig *sig)
{
    return verify(pub, digest, SHA256_SIZE, sig);
}

enum psp_err psp_p384_ecdh(const struct psp_p384_key *key,
                           const struct psp_p384_pub *peer,
                           uint8_t z[P384_SIZE])
{
    const struct ecc_curve *curve = nettle_get_secp_384r1();
    struct ecc_point point, shared;
    struct ecc_scalar d;
    mpz_t v, x;
    bool ok;

    ecc_point_init(&point, curve);
    ecc_point_init(&shared, curve);
    ecc_scalar_init(&d, curve);
    mpz_init(x);
    nettle_mpz_init_set_str_256_u(v, P384_SIZE, key->d);
    ok = load_point(&point, peer) && ecc_scalar_set(&d, v) == 1;
    if (ok) {
        /* The group has prime order: never the point at infinity. */
        ecc_point_mul(&shared, &d, &point);
        ecc_point_get(&shared, x, NULL);
        export_number(z, x);
    }
    clear_secret(v);
    clear_secret(x);
    ecc_point_clear(&point);
    psp_wipe(shared.p, 2 * P384_SIZE);
    ecc_point_clear(&shared);
    wipe_scalar(&d);
    return ok ? PSP_OK : PSP_E_VERIFY;
}
