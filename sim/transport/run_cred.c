/* SPDX-License-Identifier: Apache-2.0 */
#include "run_cred.h"

#include <linux/capability.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cred {
    uint32_t uid[4], gid[4]; /* real, effective, saved, file system */
    uint64_t caps;           /* effective */
    bool in_group;           /* a supplementary group is the object's */
};

#define REAL 0
#define FS   3

static bool ids(const char *text, uint32_t id[4])
{
    return sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, &id[0],
                  &id[1], &id[2], &id[3]) == 4;
}

static bool listed(const char *text, uint32_t gid)
{
    char *end;

    for (;; text = end) {
        unsigned long v = strtoul(text, &end, 10);

        if (end == text) {
            return false;
        }
        if (v == gid) {
            return true;
        }
    }
}

static bool load(pid_t tid, uint32_t gid, struct cred *c)
{
    char path[64];
    char *line = NULL;
    size_t size = 0;
    unsigned int seen = 0;
    FILE *f;

    *c = (struct cred){0};
    snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
    f = fopen(path, "re");
    if (f == NULL) {
        return false;
    }
    while (getline(&line, &size, f) > 0) {
        if (strncmp(line, "Uid:", 4) == 0) {
            seen |= ids(line + 4, c->uid) ? 1u : 0;
        } else if (strncmp(line, "Gid:", 4) == 0) {
            seen |= ids(line + 4, c->gid) ? 2u : 0;
        } else if (strncmp(line, "Groups:", 7) == 0) {
            c->in_group = listed(line + 7, gid);
        } else if (strncmp(line, "CapEff:", 7) == 0) {
            c->caps = strtoull(line + 7, NULL, 16);
            seen |= 4;
        }
    }
    free(line);
    fclose(f);
    return seen == 7;
}

static bool capable(const struct cred *c, unsigned int cap)
{
    return (c->caps >> cap & 1) != 0;
}

bool run_cred_allows(pid_t tid, const struct run_object *o, int want, bool real)
{
    uint32_t need = (uint32_t)want & 7;
    uint32_t bits = o->mode;
    int which = real ? REAL : FS;
    struct cred c;

    if ((need & ~(bits & bits >> 3 & bits >> 6)) == 0) {
        return true; /* everybody may */
    }
    if (!load(tid, o->gid, &c)) {
        return false;
    }
    if (c.uid[which] == o->uid) {
        bits >>= 6;
    } else if (c.gid[which] == o->gid || c.in_group) {
        bits >>= 3;
    }
    if ((need & ~bits) == 0) {
        return true;
    }
    /* access() for a real user other than root counts no capability. */
    if (real && c.uid[REAL] != 0) {
        return false;
    }
    return capable(&c, CAP_DAC_OVERRIDE) &&
           ((need & X_OK) == 0 || S_ISDIR(o->mode) || (o->mode & 0111) != 0);
}

bool run_cred_owns(pid_t tid, const struct run_object *o)
{
    struct cred c;

    return load(tid, o->gid, &c) &&
           (c.uid[FS] == o->uid || capable(&c, CAP_FOWNER));
}
