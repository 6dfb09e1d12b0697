/* SPDX-License-Identifier: Apache-2.0 */
/** An HTTP server on the loopback that says exactly what a test wants, whatever
 * it is asked. One connection at a time. */
#ifndef HTTP_SCRIPT_H
#define HTTP_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_step {
    const void *say; /* after the request's empty line */
    size_t size;     /* 0: strlen(say) */
    bool hang;       /* keep the connection open until the stop */
    bool deaf;       /* do not even wait for a request */
};

struct http_script;

/** The first connection gets the first step, and so on; the last step is for
 * all others. Borrowed. */
struct http_script *http_script_start(const struct http_step *steps,
                                      size_t count);
uint16_t http_script_port(const struct http_script *s);
/** Connections so far. */
unsigned int http_script_count(const struct http_script *s);
/** What the last client sent; valid until the stop. */
const char *http_script_heard(const struct http_script *s);
void http_script_stop(struct http_script *s);

#endif
