/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The tree between a decoder and its output: a JSON object that remembers
 * whether anything in it could not be stored.
 */
#ifndef VERIFIER_TREE_H
#define VERIFIER_TREE_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree {
    json_t *json; /* owned */
    bool bad;     /* out of memory, somewhere below */
};

struct tree tree_object(void);
struct tree tree_array(void);
void tree_free(struct tree *t);

/** Put a member behind the others; strings must be ASCII. */
void tree_int(struct tree *t, const char *key, uint32_t value);
void tree_bool(struct tree *t, const char *key, bool value);
void tree_null(struct tree *t, const char *key);
void tree_text(struct tree *t, const char *key, const char *value);
void tree_hex(struct tree *t, const char *key, const uint8_t *p, size_t n);
void tree_bits(struct tree *t, const char *key, uint64_t value); /* "0x.." */
/** Move @sub into @t; @sub is gone afterwards. */
void tree_tree(struct tree *t, const char *key, struct tree *sub);
void tree_append(struct tree *array, struct tree *sub);

/** Render; NULL: out of memory. free() ends it. */
char *tree_as_json(const struct tree *t);
char *tree_as_text(const struct tree *t);

#endif
