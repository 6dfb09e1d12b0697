/* SPDX-License-Identifier: Apache-2.0 */
#include "run_facts.h"

#include "wire.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MISC_MAJOR 10u
#define MSR_MAJOR  202u

#define MSR_SYSCFG     0xc0010010u
#define MSR_SEV_STATUS 0xc0010131u

/* SYSCFG: memory encryption, SNP, VMPLs. */
#define SYSCFG_SME 0x00800000u
#define SYSCFG_SNP 0x03000000u

/* SEV_STATUS: SEV and SEV-ES, then SEV_FEATURES of the save area. */
#define STATUS_SEV_ES         0x3u
#define STATUS_FEATURES_SHIFT 2u

void run_facts_init(struct run_facts *f, bool force, uint32_t mode)
{
    *f = (struct run_facts){.force = force, .mode = mode};
}

/* What this machine has itself stays: it is no device of ours. */
static bool is_taken(const struct run_facts *f, const char *path)
{
    return !f->force && access(path, F_OK) == 0;
}

static void add(struct run_facts *f, struct run_probe probe)
{
    assert(f->count < RUN_FACTS_MAX);
    f->probes[f->count++] = probe;
}

static void add_directory(struct run_facts *f, const char *path)
{
    if (!is_taken(f, path)) {
        add(f, (struct run_probe){.path = path, .directory = true});
    }
}

static void add_text(struct run_facts *f, const char *path, const char *format,
                     unsigned int a, unsigned int b)
    __attribute__((format(printf, 3, 0)));
static void add_text(struct run_facts *f, const char *path, const char *format,
                     unsigned int a, unsigned int b)
{
    char *text = f->text[f->count];

    if (!is_taken(f, path)) {
        int n = snprintf(text, RUN_FACTS_TEXT, format, a, b);

        add(f, (struct run_probe){
                   .path = path, .contents = text, .contents_size = (size_t)n});
    }
}

static void add_msr(struct run_facts *f, uint32_t msr, uint64_t value)
{
    struct psp_wr w =
        psp_wr(f->msr + (msr - RUN_FACTS_MSR_FIRST), sizeof(uint64_t));

    psp_wr_le64(&w, value);
    f->has_msr = true;
}

static void add_parameter(struct run_facts *f, const char *path, bool on)
{
    add_text(f, path, on ? "Y\n" : "N\n", 0, 0);
}

void run_facts_host(struct run_facts *f, bool snp, uint32_t minor)
{
    add_parameter(f, "/sys/module/kvm_amd/parameters/sev", true);
    add_parameter(f, "/sys/module/kvm_amd/parameters/sev_es", true);
    add_parameter(f, "/sys/module/kvm_amd/parameters/sev_snp", snp);
    add_directory(f, "/sys/class/misc/sev");
    add_text(f, "/sys/class/misc/sev/dev", "%u:%u\n", MISC_MAJOR, minor);
    add_msr(f, MSR_SYSCFG, SYSCFG_SME | (snp ? SYSCFG_SNP : 0));
}

void run_facts_guest(struct run_facts *f, const struct serve_driver *guest,
                     uint32_t minor)
{
    add(f, (struct run_probe){.path = "/sys/devices/platform/sev-guest",
                              .directory = true});
    add_directory(f, "/sys/class/misc/sev-guest");
    add_text(f, "/sys/class/misc/sev-guest/dev", "%u:%u\n", MISC_MAJOR, minor);
    if (guest->era >= SEV_GUEST_6_13) { /* since 6.11 */
        add_directory(f, "/sys/devices/system/cpu/sev");
        add_text(f, "/sys/devices/system/cpu/sev/vmpl", "%u\n", guest->vmpl, 0);
    }
    add_msr(f, MSR_SEV_STATUS,
            STATUS_SEV_ES | guest->sev_features << STATUS_FEATURES_SHIFT);
}

/* The file is as long as the registers' numbers are high, though all holes. */
static bool may_be_long(uint64_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= size;
}

void run_facts_end(struct run_facts *f)
{
    static const char path[] = "/dev/cpu/0/msr";
    const uint64_t end = (uint64_t)RUN_FACTS_MSR_FIRST + RUN_FACTS_MSR_SIZE;

    if (f->has_msr && may_be_long(end) && !is_taken(f, path)) {
        add(f, (struct run_probe){.path = path,
                                  .contents = f->msr,
                                  .contents_size = sizeof(f->msr),
                                  .contents_at = RUN_FACTS_MSR_FIRST,
                                  .device = makedev(MSR_MAJOR, 0),
                                  .mode = f->mode});
    }
}
