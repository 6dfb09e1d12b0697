/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_msg.h"

#include "ttrpc_unpack.h"

#include "aeb.pb-c.h"

#include <stdlib.h>
#include <string.h>

const char *const AEB_SERVICES[] = {"aeb.Aeb",        "aeb.AEB",
                                    "aeb.AebService", "aeb.AEBService",
                                    "AEBService",     "AebService"};
const size_t AEB_SERVICE_COUNT = sizeof(AEB_SERVICES) / sizeof(AEB_SERVICES[0]);

const char *aeb_rpc_name(enum aeb_rpc rpc)
{
    return rpc == AEB_RPC_SIZE ? AEB_METHOD_SIZE : AEB_METHOD_EVIDENCE;
}

static enum psp_err pack(const ProtobufCMessage *m, uint8_t **out, size_t *size)
{
    *size = protobuf_c_message_get_packed_size(m);
    *out = malloc(*size + 1);
    if (*out == NULL) {
        return PSP_E_NOMEM;
    }
    (void)protobuf_c_message_pack(m, *out);
    return PSP_OK;
}

static struct ttrpc_bytes view(ProtobufCBinaryData b)
{
    return (struct ttrpc_bytes){.data = b.data, .size = b.len};
}

static ProtobufCBinaryData binary(struct ttrpc_bytes b)
{
    /* Only packed, never written to. */
    return (ProtobufCBinaryData){.len = b.size,
                                 .data = (uint8_t *)(uintptr_t)b.data};
}

static void read_evidence_request(const Swpsp__Aeb__EvidenceRequest *m,
                                  struct aeb_request *out)
{
    out->handle = m->guest_handle;
    out->size = m->evidence_size;
    out->have_mnonce = m->n_mnonce > 0;
    if (out->have_mnonce) {
        out->mnonce = view(m->mnonce[m->n_mnonce - 1]); /* the last wins */
    }
    out->encoding = m->encoding;
    out->features = m->features;
}

enum psp_err aeb_request_decode(enum aeb_rpc rpc, struct ttrpc_bytes in,
                                struct aeb_request *out)
{
    memset(out, 0, sizeof(*out));
    if (rpc == AEB_RPC_SIZE) {
        Swpsp__Aeb__SizeRequest *m =
            (void *)ttrpc_unpack(&swpsp__aeb__size_request__descriptor, in);

        out->impl = m;
        out->handle = m != NULL ? m->guest_handle : 0;
        out->features = m != NULL ? m->features : 0;
    } else {
        Swpsp__Aeb__EvidenceRequest *m =
            (void *)ttrpc_unpack(&swpsp__aeb__evidence_request__descriptor, in);

        out->impl = m;
        if (m != NULL) {
            read_evidence_request(m, out);
        }
    }
    return out->impl != NULL ? PSP_OK : PSP_E_FORMAT;
}

void aeb_request_strip(struct aeb_request *req)
{
    req->have_mnonce = false;
    req->encoding = 0;
    req->features = 0;
}

void aeb_request_clear(struct aeb_request *req)
{
    if (req->impl != NULL) {
        protobuf_c_message_free_unpacked(req->impl, NULL);
    }
    memset(req, 0, sizeof(*req));
}

static void read_size_response(const Swpsp__Aeb__SizeResponse *m,
                               struct aeb_response *out)
{
    out->error = m->error_code;
    out->size = m->evidence_size;
    out->features = m->features;
    out->detail = view(m->detail);
}

static void read_evidence_response(const Swpsp__Aeb__EvidenceResponse *m,
                                   struct aeb_response *out)
{
    out->error = m->error_code;
    out->size = m->evidence_size;
    out->evidence = view(m->evidence);
    out->mnonce = view(m->mnonce);
    out->encoding = m->encoding;
    out->features = m->features;
    out->detail = view(m->detail);
}

enum psp_err aeb_response_decode(enum aeb_rpc rpc, struct ttrpc_bytes in,
                                 struct aeb_response *out)
{
    memset(out, 0, sizeof(*out));
    out->impl = ttrpc_unpack(rpc == AEB_RPC_SIZE
                                 ? &swpsp__aeb__size_response__descriptor
                                 : &swpsp__aeb__evidence_response__descriptor,
                             in);
    if (out->impl == NULL) {
        return PSP_E_FORMAT;
    }
    if (rpc == AEB_RPC_SIZE) {
        read_size_response(out->impl, out);
    } else {
        read_evidence_response(out->impl, out);
    }
    return PSP_OK;
}

void aeb_response_clear(struct aeb_response *resp)
{
    if (resp->impl != NULL) {
        protobuf_c_message_free_unpacked(resp->impl, NULL);
    }
    memset(resp, 0, sizeof(*resp));
}

enum psp_err aeb_request_encode(enum aeb_rpc rpc, const struct aeb_request *req,
                                uint8_t **out, size_t *size)
{
    Swpsp__Aeb__SizeRequest s = SWPSP__AEB__SIZE_REQUEST__INIT;
    Swpsp__Aeb__EvidenceRequest e = SWPSP__AEB__EVIDENCE_REQUEST__INIT;
    ProtobufCBinaryData mnonce = binary(req->mnonce);

    s.guest_handle = req->handle;
    s.features = req->features;
    e.guest_handle = req->handle;
    e.evidence_size = req->size;
    e.n_mnonce = req->have_mnonce ? 1 : 0;
    e.mnonce = &mnonce;
    e.encoding = req->encoding;
    e.features = req->features;
    return pack(rpc == AEB_RPC_SIZE ? &s.base : &e.base, out, size);
}

enum psp_err aeb_response_encode(enum aeb_rpc rpc,
                                 const struct aeb_response *resp, uint8_t **out,
                                 size_t *size)
{
    Swpsp__Aeb__SizeResponse s = SWPSP__AEB__SIZE_RESPONSE__INIT;
    Swpsp__Aeb__EvidenceResponse e = SWPSP__AEB__EVIDENCE_RESPONSE__INIT;

    s.error_code = resp->error;
    s.evidence_size = resp->size;
    s.features = resp->features;
    s.detail = binary(resp->detail);
    e.error_code = resp->error;
    e.evidence_size = resp->size;
    e.evidence = binary(resp->evidence);
    e.mnonce = binary(resp->mnonce);
    e.encoding = resp->encoding;
    e.features = resp->features;
    e.detail = binary(resp->detail);
    return pack(rpc == AEB_RPC_SIZE ? &s.base : &e.base, out, size);
}
