/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of guest descriptions share.
 */
#ifndef HOST_SPEC_IMPL_H
#define HOST_SPEC_IMPL_H

#include "spec.h"

#include <jansson.h>

/** Largest file a description may name. */
#define SPEC_MAX_FILE (64u << 20)

/** Everything but the pages. */
void spec_default_scalars(struct vm_spec *spec);
/** 0 or -ENOMEM; vm_spec_clear() ends what was made. */
int spec_default_pages(struct vm_spec *spec, const struct psp_profile *profile);

/** One run of the parser. */
struct spec_parser {
    const char *dir; /* NULL: no files */
    const struct psp_profile *profile;
    struct vm_spec *spec;
    char *error; /* SPEC_ERROR_SIZE */
};

/** An object of the description and where it stands ("", "pages[3]."). */
struct spec_object {
    struct spec_parser *parser;
    const char *path;
    json_t *json; /* borrowed */
};

/** Write "PATH KEY: TEXT" as the error; returns -EINVAL. @key may be "". */
__attribute__((format(printf, 3, 4))) int spec_fail(const struct spec_object *o,
                                                    const char *key,
                                                    const char *format, ...);

/* Readers. Each returns 0 and leaves *out alone when @key is absent; -EINVAL
 * with the error set; -ENOMEM. */

/** Number, or string "0x...", at most @max. */
int spec_number(const struct spec_object *o, const char *key, uint64_t max,
                uint64_t *out);
/** Array of exactly @count numbers of one byte. */
int spec_numbers(const struct spec_object *o, const char *key, size_t count,
                 uint8_t *out);
int spec_bool(const struct spec_object *o, const char *key, bool *out);
/** String; borrowed from the JSON. */
int spec_string(const struct spec_object *o, const char *key, const char **out);
/** Exactly @size bytes as a string of hex digits. */
int spec_hex(const struct spec_object *o, const char *key, uint8_t *out,
             size_t size);

/** Decode a string of hex digits of any length. *out: free(). */
int spec_hex_any(const struct spec_object *o, const char *key, uint8_t **out,
                 size_t *size);

/** A whole file, at most SPEC_MAX_FILE bytes. *out: free(). */
int spec_file(const struct spec_object *o, const char *key, const char *name,
              uint8_t **out, size_t *size);
/** Bytes of exactly @want: a file name, {"hex": "..."} or
 * {"base64": "..."}. *out: free(). */
int spec_blob(const struct spec_object *o, const char *key, size_t want,
              uint8_t **out);
/** P-384 private key in a PEM file, as its scalar. */
int spec_key(const struct spec_object *o, const char *key, uint8_t scalar[48],
             bool *given);

/** -EINVAL when @o has a member that is not in the NULL-terminated list. */
int spec_known(const struct spec_object *o, const char *const *names);
static inline bool spec_has(const struct spec_object *o, const char *key)
{
    return json_object_get(o->json, key) != NULL;
}

/** The "pages" member. */
int spec_pages(const struct spec_object *o);

#endif
