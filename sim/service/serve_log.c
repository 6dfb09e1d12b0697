/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 1024

static const struct {
    const char *name;
    int syslog;
} LEVELS[] = {
    [SERVE_ERROR] = {"error", 3},
    [SERVE_WARNING] = {"warning", 4},
    [SERVE_INFO] = {"info", 6},
    [SERVE_DEBUG] = {"debug", 7},
};

static atomic_int most_level = SERVE_INFO;

void serve_log_level(enum serve_level most)
{
    atomic_store(&most_level, (int)most);
}

int serve_level_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
        if (strcmp(LEVELS[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void serve_log(enum serve_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    size_t n;
    va_list args;

    if ((int)level > atomic_load(&most_level)) {
        return;
    }
    if (getenv("JOURNAL_STREAM") != NULL) {
        n = (size_t)snprintf(line, sizeof(line), "<%d>", LEVELS[level].syslog);
    } else {
        n = (size_t)snprintf(line, sizeof(line),
                             "swpsp serve: %s: ", LEVELS[level].name);
    }
    va_start(args, format);
    (void)vsnprintf(line + n, sizeof(line) - n - 1, format, args);
    va_end(args);
    for (n = 0; line[n] != '\0'; n++) {
        if ((unsigned char)line[n] < 0x20 || line[n] == 0x7f) {
            line[n] = '?';
        }
    }
    line[n++] = '\n';
    /* One call, one line: threads do not mix. */
    if (write(STDERR_FILENO, line, n) < 0) {
        return; /* nobody listens */
    }
}
