/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes: names, modes, and what text means. abi/linux.md §5.2, §5.3 */
#include "tsm_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_ONLY  0444u
#define WRITE_ONLY 0200u

#define PRIVLEVEL_MAX 3u

static int show_provider(struct tsm_entry *entry,
                         const struct tsm_provider *provider, char *text)
{
    (void)entry;
    return snprintf(text, TSM_TEXT_MAX + 1, "%.4000s\n",
                    provider->name == NULL ? "sev_guest" : provider->name);
}

static int show_floor(struct tsm_entry *entry,
                      const struct tsm_provider *provider, char *text)
{
    (void)entry;
    return snprintf(text, TSM_TEXT_MAX + 1, "%u\n", provider->privlevel_floor);
}

/* An input changes: the next read needs another report. A counter that had gone
 * round would hide that. */
static int advance(struct tsm_entry *entry)
{
    if (entry->write_generation == entry->read_generation - 1) {
        return -EBUSY;
    }
    entry->write_generation++;
    return 0;
}

static int parse_digits(const char **text, unsigned int base, uint64_t *value)
{
    const char *p = *text;
    bool over = false;

    for (*value = 0; isxdigit((unsigned char)*p); p++) {
        unsigned int digit = isdigit((unsigned char)*p)
                                 ? (unsigned int)(*p - '0')
                                 : (unsigned int)(tolower(*p) - 'a') + 10;

        if (digit >= base) {
            break;
        }
        over |= *value > (UINT64_MAX - digit) / base;
        *value = *value * base + digit;
    }
    if (p == *text) {
        return -EINVAL;
    }
    *text = p;
    return over ? -ERANGE : 0;
}

/* As Linux takes numbers: optional '+', base by prefix, optional newline. */
static int parse_uint(const char *text, unsigned int *out)
{
    unsigned int base = 10;
    uint64_t value;
    int err;

    text += *text == '+';
    if (text[0] == '0') {
        base = 8;
        if (tolower(text[1]) == 'x' && isxdigit((unsigned char)text[2])) {
            base = 16;
            text += 2;
        }
    }
    err = parse_digits(&text, base, &value);
    if (err != 0) {
        return err;
    }
    text += *text == '\n';
    if (*text != '\0') {
        return -EINVAL;
    }
    if (value > UINT32_MAX) {
        return -ERANGE;
    }
    *out = (unsigned int)value;
    return 0;
}

static int store_privlevel(struct tsm_entry *entry, const char *text)
{
    const struct tsm_provider *provider;
    unsigned int value;
    int err = parse_uint(text, &value);

    if (err != 0) {
        return err;
    }
    provider = tsm_provider_begin(entry);
    if (provider == NULL) {
        return -ENXIO;
    }
    err = value < provider->privlevel_floor || value > PRIVLEVEL_MAX ? -EINVAL
                                                                     : 0;
    tsm_provider_end(entry);
    if (err == 0) {
        err = advance(entry);
    }
    if (err == 0) {
        entry->desc.privlevel = value;
    }
    return err;
}

static int store_service(struct tsm_entry *entry, const char *text)
{
    size_t size = strlen(text);
    char *copy;
    int err;

    size -= size > 0 && text[size - 1] == '\n';
    copy = strndup(text, size);
    if (copy == NULL) {
        return -ENOMEM;
    }
    err = advance(entry);
    if (err != 0) {
        free(copy);
        return err;
    }
    free(entry->desc.service_provider);
    entry->desc.service_provider = copy;
    return 0;
}

/* 8-4-4-4-12 hex digits; whatever follows is not looked at. */
static int parse_guid(const char *text, uint8_t guid[16])
{
    size_t nibbles = 0;

    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text[i];

        if (dash ? c != '-' : !isxdigit((unsigned char)c)) {
            return -EINVAL;
        }
        if (!dash) {
            unsigned int v = isdigit((unsigned char)c)
                                 ? (unsigned int)(c - '0')
                                 : (unsigned int)(tolower(c) - 'a') + 10;

            guid[nibbles / 2] = (uint8_t)(guid[nibbles / 2] * 16u + v);
            nibbles++;
        }
    }
    return 0;
}

static int store_guid(struct tsm_entry *entry, const char *text)
{
    uint8_t guid[16] = {0};
    int err = parse_guid(text, guid);

    if (err == 0) {
        err = advance(entry);
    }
    if (err == 0) {
        memcpy(entry->desc.service_guid, guid, sizeof(guid));
    }
    return err;
}

static int store_version(struct tsm_entry *entry, const char *text)
{
    unsigned int value;
    int err = parse_uint(text, &value);

    if (err == 0) {
        err = advance(entry);
    }
    if (err == 0) {
        entry->desc.service_manifest_version = value;
    }
    return err;
}

/* One row for each attribute. */
struct attr_row {
    const char *name;
    uint32_t mode;
    bool blob;
    bool service; /* only where there are services */
    int (*show)(struct tsm_entry *entry, const struct tsm_provider *provider,
                char *text);
    int (*store)(struct tsm_entry *entry, const char *text);
};

static const struct attr_row ROWS[TSM_ATTR_COUNT] = {
    [TSM_INBLOB] = {"inblob", WRITE_ONLY, .blob = true},
    [TSM_OUTBLOB] = {"outblob", READ_ONLY, .blob = true},
    [TSM_AUXBLOB] = {"auxblob", READ_ONLY, .blob = true},
    [TSM_MANIFESTBLOB] = {"manifestblob", READ_ONLY, .blob = true,
                          .service = true},
    [TSM_PROVIDER] = {"provider", READ_ONLY, .show = show_provider},
    [TSM_GENERATION] = {"generation", READ_ONLY},
    [TSM_PRIVLEVEL] = {"privlevel", WRITE_ONLY, .store = store_privlevel},
    [TSM_PRIVLEVEL_FLOOR] = {"privlevel_floor", READ_ONLY, .show = show_floor},
    [TSM_SERVICE_PROVIDER] = {"service_provider", WRITE_ONLY, .service = true,
                              .store = store_service},
    [TSM_SERVICE_GUID] = {"service_guid", WRITE_ONLY, .service = true,
                          .store = store_guid},
    [TSM_SERVICE_MANIFEST_VERSION] = {"service_manifest_version", WRITE_ONLY,
                                      .service = true, .store = store_version},
};

const char *tsm_attr_name(enum tsm_attr attr)
{
    return ROWS[attr].name;
}

uint32_t tsm_attr_mode(enum tsm_attr attr)
{
    return ROWS[attr].mode;
}

bool tsm_attr_is_blob(enum tsm_attr attr)
{
    return ROWS[attr].blob;
}

int tsm_attr_by_name(const char *name)
{
    for (int i = 0; i < TSM_ATTR_COUNT; i++) {
        if (strcmp(ROWS[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

bool tsm_entry_has(const struct tsm_entry *entry, enum tsm_attr attr)
{
    return entry->service || !ROWS[attr].service;
}

int tsm_show(struct tsm_entry *entry, enum tsm_attr attr,
             char text[TSM_TEXT_MAX + 1])
{
    const struct tsm_provider *provider;
    int n;

    if (attr == TSM_GENERATION) { /* nobody else is asked */
        return snprintf(text, TSM_TEXT_MAX + 1, "%llu\n",
                        (unsigned long long)entry->write_generation);
    }
    provider = tsm_provider_begin(entry);
    if (provider == NULL) {
        return -ENXIO;
    }
    n = ROWS[attr].show(entry, provider, text);
    tsm_provider_end(entry);
    return n;
}

int tsm_store(struct tsm_entry *entry, enum tsm_attr attr, const char *text)
{
    return ROWS[attr].store(entry, text);
}

int tsm_store_inblob(struct tsm_entry *entry, const uint8_t *data, size_t size)
{
    int err = advance(entry);

    if (err == 0) {
        entry->desc.inblob_size = size;
        if (size > 0) {
            memcpy(entry->desc.inblob, data, size);
        }
    }
    return err;
}
