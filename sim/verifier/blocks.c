/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

/* libcrypto reads some BER too; the bytes outside the signed part have only
 * this check to protect them. */
static bool same_bytes(uint8_t *again, int again_size, const uint8_t *der,
                       size_t size)
{
    bool same = again_size > 0 && (size_t)again_size == size &&
                memcmp(again, der, size) == 0;

    OPENSSL_free(again);
    return same;
}

X509 *block_cert(const uint8_t *der, size_t size)
{
    const uint8_t *p = der;
    uint8_t *again = NULL;
    X509 *x;

    if (size == 0 || size > BLOCK_MAX_SIZE) {
        return NULL;
    }
    x = d2i_X509(NULL, &p, (long)size);
    if (x != NULL) {
        int again_size = i2d_X509(x, &again);

        if (!same_bytes(again, again_size, der, size)) {
            X509_free(x);
            x = NULL;
        }
    }
    ERR_clear_error();
    return x;
}

X509_CRL *block_crl(const uint8_t *der, size_t size)
{
    const uint8_t *p = der;
    uint8_t *again = NULL;
    X509_CRL *crl;

    if (size == 0 || size > BLOCK_MAX_SIZE) {
        return NULL;
    }
    crl = d2i_X509_CRL(NULL, &p, (long)size);
    if (crl != NULL) {
        int again_size = i2d_X509_CRL(crl, &again);

        if (!same_bytes(again, again_size, der, size)) {
            X509_CRL_free(crl);
            crl = NULL;
        }
    }
    ERR_clear_error();
    return crl;
}

static enum psp_err block_add(struct block_list *list, enum block_kind kind,
                              const uint8_t *der, size_t size)
{
    struct block *b = &list->item[list->count];

    if (list->count == BLOCKS_MAX) {
        return PSP_E_FORMAT;
    }
    b->der = malloc(size);
    if (b->der == NULL) {
        return PSP_E_NOMEM;
    }
    memcpy(b->der, der, size);
    b->size = size;
    b->kind = kind;
    list->count++;
    return PSP_OK;
}

static enum psp_err block_add_der(struct block_list *list, const uint8_t *der,
                                  size_t size)
{
    X509 *x = block_cert(der, size);
    X509_CRL *crl = x == NULL ? block_crl(der, size) : NULL;
    enum psp_err err = PSP_E_FORMAT;

    if (x != NULL) {
        err = block_add(list, BLOCK_CERT, der, size);
    } else if (crl != NULL) {
        err = block_add(list, BLOCK_CRL, der, size);
    }
    X509_free(x);
    X509_CRL_free(crl);
    return err;
}

static enum psp_err block_add_pem(struct block_list *list, const char *name,
                                  const char *header, const uint8_t *der,
                                  long size)
{
    size_t before = list->count;
    enum psp_err err;

    if (header[0] != '\0' || size <= 0) {
        return PSP_E_FORMAT;
    }
    err = block_add_der(list, der, (size_t)size);
    if (err == PSP_OK && strcmp(name, list->item[before].kind == BLOCK_CERT
                                          ? PEM_STRING_X509
                                          : PEM_STRING_X509_CRL) != 0) {
        err = PSP_E_FORMAT;
    }
    return err;
}

static bool pem_is_over(void)
{
    unsigned long e = ERR_peek_last_error();

    return ERR_GET_LIB(e) == ERR_LIB_PEM &&
           ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

static enum psp_err read_pem(const uint8_t *data, size_t size,
                             struct block_list *list)
{
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    enum psp_err err = bio != NULL ? PSP_OK : PSP_E_NOMEM;

    ERR_clear_error();
    while (err == PSP_OK) {
        char *name = NULL;
        char *header = NULL;
        uint8_t *der = NULL;
        long der_size = 0;

        if (PEM_read_bio(bio, &name, &header, &der, &der_size) != 1) {
            err = pem_is_over() && list->count > 0 ? PSP_OK : PSP_E_FORMAT;
            break;
        }
        err = block_add_pem(list, name, header, der, der_size);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    ERR_clear_error();
    BIO_free(bio);
    return err;
}

bool blocks_is_pem(const uint8_t *data, size_t size)
{
    static const char BEGIN[] = "-----BEGIN ";

    return size > 0 && memchr(data, 0, size) == NULL &&
           memmem(data, size, BEGIN, sizeof(BEGIN) - 1) != NULL;
}

enum psp_err blocks_read(const uint8_t *data, size_t size,
                         struct block_list *list)
{
    memset(list, 0, sizeof(*list));
    if (size == 0 || size > BLOCKS_MAX_SIZE) {
        return PSP_E_FORMAT;
    }
    return blocks_is_pem(data, size) ? read_pem(data, size, list)
                                     : block_add_der(list, data, size);
}

void blocks_clear(struct block_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->item[i].der);
    }
    memset(list, 0, sizeof(*list));
}

enum psp_err blocks_move(struct block_list *to, struct block_list *from)
{
    if (from->count > BLOCKS_MAX - to->count) {
        return PSP_E_FORMAT;
    }
    memcpy(to->item + to->count, from->item,
           from->count * sizeof(from->item[0]));
    to->count += from->count;
    memset(from, 0, sizeof(*from));
    return PSP_OK;
}
