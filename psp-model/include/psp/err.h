/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Whether the model itself worked. Never mixed with enum sev_status, which is
 * what the modelled firmware answers.
 */
#ifndef PSP_ERR_H
#define PSP_ERR_H

#define PSP_MUST_CHECK __attribute__((warn_unused_result))

enum psp_err {
    PSP_OK = 0,
    PSP_E_NOMEM,  /* allocation failed */
    PSP_E_CRYPTO, /* a crypto library call failed for no reason of the input */
    PSP_E_HOST,   /* a host callback failed */
    PSP_E_FORMAT, /* bytes from outside do not follow their format */
    PSP_E_VERIFY, /* a signature, tag or digest does not match */
    PSP_E_PARAM,  /* the caller asked for something that does not exist */
};

/** Short English text of @err, for example "out of memory". Static storage. */
const char *psp_err_text(enum psp_err err);

#endif
