/* SPDX-License-Identifier: Apache-2.0 */
#include "parse.h"

#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    unsigned long long value;
    char *end = NULL;

    if (!isxdigit((unsigned char)digits[0])) {
        return false; /* strtoull would take spaces and signs */
    }
    errno = 0;
    value = strtoull(digits, &end, hex ? 16 : 10);
    if (errno != 0 || *end != '\0' || value > max) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_hex(const char *text, uint8_t *out, size_t size)
{
    return strlen(text) == 2 * size && psp_hex_decode(text, out, size);
}

static bool bytes_of_file(const char *path, uint8_t *out, size_t size,
                          char *why)
{
    size_t got = 0;
    uint8_t *file = parse_file(path, size, &got);
    bool ok = file != NULL && got == size;

    if (ok) {
        memcpy(out, file, size);
    } else if (file == NULL && errno != EFBIG) {
        snprintf(why, PARSE_WHY_SIZE, "%.100s: %s", path, strerror(errno));
    } else {
        snprintf(why, PARSE_WHY_SIZE, "%.100s: not a file of %zu bytes", path,
                 size);
    }
    if (file != NULL) {
        explicit_bzero(file, got);
    }
    free(file);
    return ok;
}

bool parse_bytes(const char *text, uint8_t *out, size_t size, char *why)
{
    if (text[0] == '@') {
        return bytes_of_file(text + 1, out, size, why);
    }
    if (parse_hex(text, out, size)) {
        return true;
    }
    snprintf(why, PARSE_WHY_SIZE, "need %zu hex digits, or @FILE of %zu bytes",
             2 * size, size);
    return false;
}

static uint8_t *read_all(FILE *f, size_t max, size_t *size)
{
    size_t room = 4096 < max + 2 ? 4096 : max + 2;
    uint8_t *buf = malloc(room);
    size_t n = 0;
    int why = 0;

    while (buf != NULL) {
        errno = 0;
        n += fread(buf + n, 1, room - n - 1, f);
        why = ferror(f) && errno != 0 ? errno : EIO;
        if (n + 1 < room || n > max) {
            break;
        }
        if (room == max + 2) {
            break;
        }
        room = room > (max + 2) / 2 ? max + 2 : room * 2;
        uint8_t *more = realloc(buf, room);

        if (more == NULL) {
            free(buf);
        }
        buf = more;
    }
    if (buf == NULL) {
        errno = ENOMEM;
    } else if (ferror(f) || n > max) {
        errno = ferror(f) ? why : EFBIG;
        free(buf);
        buf = NULL;
    } else {
        buf[n] = 0;
        *size = n;
    }
    return buf;
}

uint8_t *parse_file(const char *path, size_t max, size_t *size)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "rb");
    uint8_t *buf;
    int saved;

    if (f == NULL) {
        return NULL;
    }
    buf = read_all(f, max, size);
    saved = errno;
    if (!standard) {
        fclose(f);
    }
    errno = saved;
    return buf;
}
