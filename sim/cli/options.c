/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "parse.h"

#include <psp/rmp.h>

#include <stdio.h>
#include <string.h>

enum {
    OPT_PROFILE = OPTION_PLATFORM,
    OPT_ASIDS,
    OPT_MIN_SEV_ASID,
    OPT_STATE,
    OPT_DEV_SEED,
    OPT_SEED_FILE,
    OPT_CHIP,
    OPT_LOOKALIKE,
    OPT_PRODUCT_NAME,
    OPT_GUEST,
    OPT_POLICY,
    OPT_HOST_DATA,
    OPT_VMPL,
    OPT_FAMILY_ID,
    OPT_IMAGE_ID,
    OPT_GUEST_SVN,
    OPT_CERTS,
    OPT_VLEK,
    OPT_MASK_CHIP_ID,
    OPT_MASK_CHIP_KEY,
    OPT_REPORTED_TCB,
    OPT_PLATFORM_INFO,
    OPT_KERNEL,
    OPT_VMPCK,
    OPT_LONG_KEY_REQUEST,
};

const struct option PLATFORM_OPTIONS[] = {
    {"profile", required_argument, NULL, OPT_PROFILE},
    {"asids", required_argument, NULL, OPT_ASIDS},
    {"min-sev-asid", required_argument, NULL, OPT_MIN_SEV_ASID},
    {"state", required_argument, NULL, OPT_STATE},
    {"insecure-dev-seed", no_argument, NULL, OPT_DEV_SEED},
    {"seed-file", required_argument, NULL, OPT_SEED_FILE},
    {"chip", required_argument, NULL, OPT_CHIP},
    {"lookalike", no_argument, NULL, OPT_LOOKALIKE},
    {"product-name", required_argument, NULL, OPT_PRODUCT_NAME},
    {"guest", required_argument, NULL, OPT_GUEST},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"host-data", required_argument, NULL, OPT_HOST_DATA},
    {"vmpl", required_argument, NULL, OPT_VMPL},
    {"family-id", required_argument, NULL, OPT_FAMILY_ID},
    {"image-id", required_argument, NULL, OPT_IMAGE_ID},
    {"guest-svn", required_argument, NULL, OPT_GUEST_SVN},
    {"certs", required_argument, NULL, OPT_CERTS},
    {"vlek", no_argument, NULL, OPT_VLEK},
    {"mask-chip-id", no_argument, NULL, OPT_MASK_CHIP_ID},
    {"mask-chip-key", no_argument, NULL, OPT_MASK_CHIP_KEY},
    {"reported-tcb", required_argument, NULL, OPT_REPORTED_TCB},
    {"platform-info", required_argument, NULL, OPT_PLATFORM_INFO},
    {"kernel", required_argument, NULL, OPT_KERNEL},
    {"vmpck", required_argument, NULL, OPT_VMPCK},
    {"long-key-request", no_argument, NULL, OPT_LONG_KEY_REQUEST},
    SEV_OPTION_ROWS};
const size_t PLATFORM_OPTION_COUNT =
    sizeof(PLATFORM_OPTIONS) / sizeof(PLATFORM_OPTIONS[0]);

const char PLATFORM_HELP[] =
    "platform options:\n"
    "  --profile NAME        naples, rome (no SNP: /dev/sev alone),\n"
    "                        milan-old, milan (default), genoa, turin\n"
    "  --asids N             ASIDs of the machine (default the profile's);\n"
    "                        more than a real part has go to SNP guests\n"
    "  --min-sev-asid N      ASIDs below are for SEV-ES and SNP guests\n"
    "  --state DIR           the installation (seed and keys)\n"
    "  --insecure-dev-seed   public seed instead: everybody has its keys\n"
    "  --seed-file FILE      32-byte seed: sessions are reproducible\n"
    "  --chip N              which chip of the installation (default 0)\n"
    "  --lookalike           AMD's names in every certificate (unsafe)\n"
    "  --product-name NAME   in VCEKs: Milan-B1 (default Milan-B0, Genoa, "
    "Turin)\n"
    "  --guest FILE          guest description (JSON)\n"
    "  --policy N  --host-data HEX  --vmpl N\n"
    "  --family-id HEX  --image-id HEX  --guest-svn N\n"
    "                        replace members of the guest description\n"
    "  --certs WHAT          vcek (default), vlek, none, or a table's file\n"
    "  --vlek                load a VLEK: it signs the reports\n"
    "  --mask-chip-id  --mask-chip-key  --reported-tcb HEX\n"
    "                        as SNP_CONFIG\n"
    "  --platform-info N     PLATFORM_INFO of reports (default the profile's)\n"
    "  --kernel ERA          5.19, 6.1, 6.3 or 6.13 (default)\n"
    "  --vmpck N             the guest driver's vmpck_id\n"
    "  --long-key-request    it reads LAUNCH_MIT_VECTOR, which Linux does not\n"
    "  --nodes LIST          sev,sev-guest (default), sev, or sev-guest\n"
    "  --sev-kernel ERA      of /dev/sev: 6.1, 6.10, 6.16, 6.12s (default)\n"
    "  --sev-abi NAME        mainline (default), aeb2022, amdese-rfc,\n"
    "                        amdese-6.6, rfc2021a\n"
    "  --sev-auto-report     command 9 may mean SEV_GET_REPORT as well\n"
    "  --sev-start-uninit    nobody has initialised the platform\n"
    "  --sev-init-ex FILE    the driver's init_ex_path\n"
    "  --nv FILE             what the platform keeps over a power cycle\n"
    "  --legacy-guest FILE   launch an SEV or SEV-ES guest (may be repeated)\n"
    "  --legacy-info FILE    write their handles and measurements (JSON)\n"
    "  --vm-handle MODE      what hypercall 13 tells legacy guests: kernel "
    "(default;\n"
    "                        user space gets -1), own, off, other, enotty, "
    "enosys.\n"
    "                        Given to run, the program finds it in\n"
    "                        $SWPSP_VM_HANDLE\n";

void options_init(struct platform_options *o)
{
    *o = (struct platform_options){
        .profile = psp_profile_by_name("milan"),
        .era = SEV_GUEST_6_13,
        .vmpck_id = -1,
    };
    sev_options_init(&o->sev);
}

static bool complain(const char *command, const char *option, const char *arg,
                     const char *want)
{
    fprintf(stderr, "swpsp %s: --%s %s: %s\n", command, option, arg, want);
    return false;
}

static bool take_profile(struct platform_options *o, const char *command,
                         const char *arg)
{
    o->profile = psp_profile_by_name(arg);
    if (o->profile == NULL) {
        return complain(
            command, "profile", arg,
            "no such profile; naples, rome, milan-old, milan, genoa, "
            "turin");
    }
    return true;
}

static bool take_certs(struct platform_options *o, const char *arg)
{
    if (strcmp(arg, "vcek") == 0) {
        o->certs = CERTS_VCEK;
    } else if (strcmp(arg, "vlek") == 0) {
        o->certs = CERTS_VLEK;
    } else if (strcmp(arg, "none") == 0) {
        o->certs = CERTS_NONE;
    } else {
        o->certs = CERTS_FILE;
        o->certs_path = arg;
    }
    return true;
}

static bool take_number(const char *command, const char *option,
                        const char *arg, uint64_t max, uint64_t *out)
{
    char want[64];

    if (parse_number(arg, max, out)) {
        return true;
    }
    snprintf(want, sizeof(want), "need a number from 0 to %llu",
             (unsigned long long)max);
    return complain(command, option, arg, want);
}

static bool take_asid(const char *command, const char *option, const char *arg,
                      uint32_t min, uint32_t *out)
{
    char want[64];
    uint64_t n = 0;

    if (parse_number(arg, RMP_ASID_LIMIT, &n) && n >= min) {
        *out = (uint32_t)n;
        return true;
    }
    snprintf(want, sizeof(want), "need a number from %u to %u", min,
             RMP_ASID_LIMIT);
    return complain(command, option, arg, want);
}

/* RAPL_DIS and CIPHERTEXT_HIDING_DRAM_EN say what SNP_INIT_EX has chosen. */
#define INFO_OF_INIT 0x18u

static bool take_platform_info(struct platform_options *o, const char *command,
                               const char *arg)
{
    o->platform_info_set = parse_number(arg, UINT64_MAX, &o->platform_info) &&
                           (o->platform_info & INFO_OF_INIT) == 0;
    return o->platform_info_set ||
           complain(command, "platform-info", arg,
                    "need a number of 64 bits without bits 3 and 4, which "
                    "follow the platform's state");
}

static bool take_era(struct platform_options *o, const char *command,
                     const char *arg)
{
    int era = sev_guest_era_by_name(arg);

    if (era < 0) {
        return complain(command, "kernel", arg,
                        "no such era; 5.19, 6.1, 6.3, 6.13");
    }
    o->era = (enum sev_guest_era)era;
    return true;
}

bool options_take(struct platform_options *o, const char *command, int val,
                  const char *arg)
{
    uint64_t n = 0;
    bool ok = true;

    switch (val) {
    case OPT_PROFILE:
        return take_profile(o, command, arg);
    case OPT_ASIDS:
        return take_asid(command, "asids", arg, 1, &o->asid_count);
    case OPT_MIN_SEV_ASID:
        return take_asid(command, "min-sev-asid", arg, 2, &o->min_sev_asid);
    case OPT_STATE:
        o->state_dir = arg;
        break;
    case OPT_DEV_SEED:
        o->dev_seed = true;
        break;
    case OPT_SEED_FILE:
        o->seed_file = arg;
        break;
    case OPT_CHIP:
        ok = take_number(command, "chip", arg, 1023, &n);
        o->chip_index = (uint32_t)n;
        break;
    case OPT_LOOKALIKE:
        o->lookalike = true;
        break;
    case OPT_PRODUCT_NAME:
        o->product_name = arg;
        break;
    case OPT_GUEST:
        o->guest_path = arg;
        break;
    case OPT_POLICY:
        o->policy = arg;
        break;
    case OPT_HOST_DATA:
        o->host_data = arg;
        break;
    case OPT_VMPL:
        o->vmpl = arg;
        break;
    case OPT_FAMILY_ID:
        o->family_id = arg;
        break;
    case OPT_IMAGE_ID:
        o->image_id = arg;
        break;
    case OPT_GUEST_SVN:
        o->guest_svn = arg;
        break;
    case OPT_CERTS:
        return take_certs(o, arg);
    case OPT_VLEK:
        o->vlek = true;
        break;
    case OPT_MASK_CHIP_ID:
        o->mask_chip_id = true;
        break;
    case OPT_MASK_CHIP_KEY:
        o->mask_chip_key = true;
        break;
    case OPT_REPORTED_TCB:
        o->reported_tcb_set =
            parse_hex(arg, o->reported_tcb.b, sizeof(o->reported_tcb.b));
        return o->reported_tcb_set ||
               complain(command, "reported-tcb", arg, "need 16 hex digits");
    case OPT_PLATFORM_INFO:
        return take_platform_info(o, command, arg);
    case OPT_KERNEL:
        return take_era(o, command, arg);
    case OPT_VMPCK:
        ok = take_number(command, "vmpck", arg, 3, &n);
        o->vmpck_id = (int)n;
        break;
    case OPT_LONG_KEY_REQUEST:
        o->long_key_request = true;
        break;
    default:
        return sev_options_take(&o->sev, command, val, arg);
    }
    return ok;
}

static bool wants_snp(const struct platform_options *o)
{
    return o->guest_path != NULL || o->policy != NULL || o->host_data != NULL ||
           o->vmpl != NULL || o->family_id != NULL || o->image_id != NULL ||
           o->guest_svn != NULL || o->certs != CERTS_DEFAULT || o->vlek ||
           o->mask_chip_id || o->mask_chip_key || o->reported_tcb_set ||
           o->platform_info_set || o->vmpck_id >= 0 || o->long_key_request;
}

/* What is beyond the profile's number goes to SEV-ES and SNP guests, as when
 * the SEV-ES ASID space limit is raised in the firmware's setup. */
static bool resize(const struct platform_options *o, struct psp_profile *p,
                   const char *command)
{
    if (o->asid_count > p->asid_count) {
        p->min_sev_asid += o->asid_count - p->asid_count;
    }
    if (o->asid_count != 0) {
        p->asid_count = o->asid_count;
    }
    if (o->min_sev_asid != 0) {
        p->min_sev_asid = o->min_sev_asid;
    } else if (p->min_sev_asid > p->asid_count + 1) {
        p->min_sev_asid = p->asid_count + 1;
    }
    if (p->min_sev_asid > p->asid_count + 1) {
        fprintf(stderr,
                "swpsp %s: --min-sev-asid %u: the machine has %u ASIDs\n",
                command, p->min_sev_asid, p->asid_count);
        return false;
    }
    return true;
}

static bool change_profile(struct platform_options *o, const char *command)
{
    const bool resized = o->asid_count != 0 || o->min_sev_asid != 0;

    if (!resized && !o->platform_info_set) {
        return true;
    }
    o->changed = *o->profile;
    if (resized && !resize(o, &o->changed, command)) {
        return false;
    }
    if (o->platform_info_set) {
        o->changed.platform_info = o->platform_info;
    }
    o->profile = &o->changed;
    return true;
}

bool options_finish(struct platform_options *o, const char *command)
{
    if (o->dev_seed && (o->seed_file != NULL || o->state_dir != NULL)) {
        fprintf(stderr,
                "swpsp %s: --insecure-dev-seed cannot be combined with "
                "--state or --seed-file\n",
                command);
        return false;
    }
    if (!o->profile->has_snp && wants_snp(o)) {
        fprintf(stderr,
                "swpsp %s: profile %s has no SNP: options of SNP and of its "
                "guest mean nothing\n",
                command, o->profile->name);
        return false;
    }
    return change_profile(o, command) &&
           sev_options_finish(&o->sev, command, o->profile);
}
