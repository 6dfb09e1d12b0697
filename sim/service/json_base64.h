/* SPDX-License-Identifier: Apache-2.0 */
/** Bytes in JSON: standard base64. */
#ifndef SERVICE_JSON_BASE64_H
#define SERVICE_JSON_BASE64_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/** A string of @size bytes; NULL when out of memory. */
json_t *json_base64(const uint8_t *data, size_t size);
/** The bytes, @size of them; free(). NULL: no base64, or out of memory. */
uint8_t *json_base64_decode(const char *text, size_t *size);

#endif
