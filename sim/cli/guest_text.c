/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_text.h"

#include "parse.h"
#include "spec.h"

#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUEST_FILE_MAX (16u << 20)

static bool complain(const char *command, const char *where, const char *what)
{
    fprintf(stderr, "swpsp %s: %s: %s\n", command, where, what);
    return false;
}

static bool parse_text(const char *text, size_t size, const char *dir,
                       const struct platform_options *o, const char *command,
                       struct vm_spec *spec)
{
    char error[SPEC_ERROR_SIZE] = "";

    if (vm_spec_parse(text, size, dir, o->profile, spec, error) == 0) {
        return true;
    }
    return complain(command,
                    o->guest_path != NULL ? o->guest_path : "guest options",
                    error);
}

/* A number of an option as the description takes it: "0x...". */
static json_t *number_member(const char *text)
{
    uint64_t n = 0;
    char hex[24];

    if (!parse_number(text, UINT64_MAX, &n)) {
        return json_string(text); /* the parser says what is wrong with it */
    }
    snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)n);
    return json_string(hex);
}

void guest_text_replace(const struct platform_options *o, json_t *guest)
{
    const struct {
        const char *name;
        const char *text;
        bool number;
    } members[] = {
        {"policy", o->policy, true},      {"host_data", o->host_data, false},
        {"vmpl", o->vmpl, true},          {"family_id", o->family_id, false},
        {"image_id", o->image_id, false}, {"guest_svn", o->guest_svn, true},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i].text != NULL) {
            json_object_set_new(guest, members[i].name,
                                members[i].number
                                    ? number_member(members[i].text)
                                    : json_string(members[i].text));
        }
    }
}

/* The file is checked as it is first, so that a mistake in it is reported where
 * it stands; then its members are replaced. */
static bool merge(const struct platform_options *o, const char *command,
                  const char *text, size_t size, const char *dir,
                  struct vm_spec *spec)
{
    json_t *guest;
    char *merged;
    bool ok;

    if (!parse_text(text, size, dir, o, command, spec)) {
        return false;
    }
    vm_spec_clear(spec);
    guest = json_loadb(text, size, 0, NULL);
    guest_text_replace(o, guest);
    merged = json_dumps(guest, JSON_COMPACT);
    json_decref(guest);
    ok = merged != NULL &&
         parse_text(merged, strlen(merged), dir, o, command, spec);
    free(merged);
    return ok;
}

bool guest_spec_make(const struct platform_options *o, const char *command,
                     struct vm_spec *spec)
{
    size_t size = 0;
    char *text, *path;
    bool ok;

    if (o->guest_path == NULL) {
        return merge(o, command, "{}", 2, ".", spec);
    }
    text = (char *)parse_file(o->guest_path, GUEST_FILE_MAX, &size);
    path = strdup(o->guest_path);
    if (text == NULL || path == NULL) {
        ok = complain(command, o->guest_path, strerror(errno));
    } else {
        ok = merge(o, command, text, size, dirname(path), spec);
    }
    free(path);
    free(text);
    return ok;
}
