/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_msg.h"

#define ERROR_CLASS 0xffff0000u
#define ERROR_LOW   0x0000ffffu

static const struct {
    uint32_t error;
    const char *text;
} TEXTS[] = {
    {0, "success"},
    {1, "firmware: the platform is in the wrong state"},
    {2, "firmware: the guest is in the wrong state"},
    {4, "firmware: a length is wrong"},
    {6, "firmware: a certificate is wrong"},
    {9, "firmware: an address is wrong"},
    {0x10, "firmware: there is no guest with this handle"},
    {0x11, "firmware: unknown command"},
    {0x13, "firmware: hardware failure, the platform is safe"},
    {0x14, "firmware: hardware failure, the platform is unsafe"},
    {0x15, "firmware: the command is not supported"},
    {0x16, "firmware: a parameter is wrong"},
    {0x17, "firmware: out of resources"},
    {AEB_ERROR_HOST + 2, "host: there is no SEV device"},
    {AEB_ERROR_HOST + 5, "host: input/output error without a status"},
    {AEB_ERROR_HOST + 13, "host: access to the SEV device is denied"},
    {AEB_ERROR_HOST + 16, "host: the SEV device is busy"},
    {AEB_ERROR_HOST + 19, "host: the SEV device has gone"},
    {AEB_ERROR_HOST + 22, "host: this kernel has no report for guests"},
    {AEB_ERROR_HOST + 110, "host: the SEV device does not answer"},
    {AEB_KDS_TRANSPORT, "key server: cannot be reached or trusted"},
    {AEB_KDS_TIMEOUT, "key server: does not answer"},
    {AEB_KDS_BODY, "key server: the answer is no CEK certificate"},
    {AEB_ERROR_KDS + 404, "key server: does not know this chip"},
    {AEB_ERROR_KDS + 429, "key server: too many requests, try later"},
    {AEB_ERROR_KDS + 503, "key server: not available, try later"},
    {AEB_KDS_OTHER_KEY, "key server: the CEK is not this platform's"},
    {AEB_BROKER_GENERATION, "device type is not supported"},
    {AEB_BROKER_HANDLE, "this handle is not this guest's"},
    {AEB_BROKER_NO_PEER, "nobody said which guest this is"},
    {AEB_BROKER_MNONCE, "mnonce is not 16 bytes long"},
    {AEB_BROKER_ENCODING, "unknown encoding"},
    {AEB_BROKER_RATE, "too many requests"},
    {AEB_BROKER_SELF_CHECK, "the evidence does not verify"},
    {AEB_BROKER_LIED, "the driver made no report for this request"},
};

const char *aeb_error_text(uint32_t error)
{
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        if (TEXTS[i].error == error) {
            return TEXTS[i].text;
        }
    }
    switch (error & ERROR_CLASS) {
    case 0:
        return "firmware: the command failed";
    case AEB_ERROR_HOST:
        return "host: the SEV device cannot be used";
    case AEB_ERROR_KDS:
        return (error & ERROR_LOW) < 400
                   ? "key server: redirects, which is not followed"
                   : "key server: refused";
    default:
        return "unknown error";
    }
}
