/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Collect evidence from artefacts of any packing, and sort it by what each part
 * claims to be. Sorting is no trust: verify_snp() judges what was chosen.
 */
#ifndef VERIFIER_EVIDENCE_H
#define VERIFIER_EVIDENCE_H

#include "blocks.h"
#include "verifier.h"

#include <psp/err.h>

#include <stddef.h>
#include <stdint.h>

struct evidence {
    uint8_t *report; /* owned; NULL: none yet */
    size_t report_size;
    struct block_list blocks; /* certificates and CRLs, in order of arrival */
};

/**
 * Take in a report, report and table, report response, certificate table, or
 * certificates and CRLs. Of two reports the first counts. Entries of a table
 * that are no certificate are passed over, as its readers do.
 *
 * PSP_OK; PSP_E_FORMAT (unknown, damaged, a response without a report, more
 * than BLOCKS_MAX certificates): @ev is as it was; PSP_E_NOMEM.
 */
PSP_MUST_CHECK enum psp_err evidence_add(struct evidence *ev,
                                         const uint8_t *data, size_t size);
void evidence_clear(struct evidence *ev);

/**
 * Point @in's report, leaf, ask, ark and crl at the parts that fit best:
 * the leaf is of the kind that the report's KEY_INFO names if there is one, the
 * ASK the one that the leaf names as its issuer if there is one, else the
 * first of a kind. Members that are set already stay. Borrowed from @ev.
 */
void evidence_choose(const struct evidence *ev, struct verify_input *in);

/** The ASK or ASVK in @ev that issued @in's leaf by name, if @in has no ASK;
 * for chains that came with the trusted root. */
void evidence_choose_ask(const struct evidence *ev, struct verify_input *in);

/** Product of the evidence: by the report, else by the leaf's extensions;
 * PSP_GENERATION_COUNT when neither tells. */
enum psp_generation evidence_generation(const struct verify_input *in);

#endif
