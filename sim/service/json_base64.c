/* SPDX-License-Identifier: Apache-2.0 */
#include "json_base64.h"

#include <openssl/evp.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

json_t *json_base64(const uint8_t *data, size_t size)
{
    size_t room = (size + 2) / 3 * 4 + 1;
    char *text = size > INT_MAX / 2 ? NULL : malloc(room);
    json_t *json;

    if (text == NULL) {
        return NULL;
    }
    (void)EVP_EncodeBlock((uint8_t *)text, data, (int)size);
    json = json_string(text);
    free(text);
    return json;
}

uint8_t *json_base64_decode(const char *text, size_t *size)
{
    size_t length = strlen(text);
    uint8_t *out = malloc(length + 1);
    int n = -1;

    if (out != NULL && length % 4 == 0 && length <= INT_MAX) {
        n = EVP_DecodeBlock(out, (const uint8_t *)text, (int)length);
    }
    if (n < 0) {
        free(out);
        return NULL;
    }
    *size = (size_t)n;
    for (size_t i = length; i > 0 && text[i - 1] == '=' && *size > 0; i--) {
        (*size)--; /* padding was counted */
    }
    return out;
}
