/* SPDX-License-Identifier: Apache-2.0 */
/* SNP_GUEST_REQUEST. The first byte chooses: bit 0, the request page is taken
 * as it is (the envelope), or a header and a payload from the input are sealed
 * with the guest's key (the message), so that fuzzing goes past the tag. */
#include "fz.h"
#include "raw_guest.h"

#include <psp/status.h>

#include <string.h>

static uint64_t send_raw(struct raw_guest *g, struct fz_in *in,
                         uint8_t request[0x1000])
{
    struct vm_guest_request req = {
        .exit_code = VM_EXIT_GUEST_REQUEST,
        .request_gpa = g->request_gpa,
        .response_gpa = g->response_gpa,
    };

    fz_bytes(in, request, 0x1000);
    fz_check(vm_shared_write(g->vm, g->request_gpa, request, 0x1000) == 0);
    fz_check(vm_exit_guest_request(g->vm, &req) == 0);
    return req.exitinfo2;
}

static uint64_t send_sealed(struct raw_guest *g, struct fz_in *in,
                            uint8_t request[0x1000], uint8_t response[0x1000],
                            size_t *size)
{
    uint8_t payload[0xfa0];
    uint8_t vmpck = fz_u8(in) & 3;
    uint8_t type = fz_u8(in);
    uint8_t version = fz_u8(in);
    size_t n = fz_u32(in) % (sizeof(payload) + 1);
    struct raw_message msg;

    if (type == 0xff) {
        type = 5;
    }
    fz_bytes(in, payload, n);
    msg = raw_next(g, vmpck, type, version, payload, n);
    return raw_send(g, &msg, request, response, size);
}

/* Whatever happened, the guest's next proper request is answered, unless the
 * message was one that ends or replaces the guest. */
static void still_alive(struct raw_guest *g)
{
    static const uint8_t payload[0x60];
    uint8_t request[0x1000], response[0x1000], plain[0xfa0];
    struct raw_message msg = raw_next(g, 0, 5, 1, payload, sizeof(payload));
    size_t size = 0;

    fz_check(raw_send(g, &msg, request, response, &size) == 0);
    fz_check(raw_open(g, 0, response, plain) == 0x4c0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fz_in in = {data, size};
    uint8_t request[0x1000], response[0x1000];
    struct raw_guest g;
    bool raw = (fz_u8(&in) & 1) != 0;

    raw_guest_open(&g, "milan", NULL);
    for (int i = 0; i < 4 && in.size > 0; i++) {
        uint8_t plain[0xfa0];
        size_t response_size = 0;
        uint64_t status =
            raw ? send_raw(&g, &in, request)
                : send_sealed(&g, &in, request, response, &response_size);

        fz_check(status <= SEV_INVALID_KEY);
        if (status == 0 && !raw) {
            fz_check(response[0x34] == request[0x34] + 1);
            fz_check(response_size ==
                     0x60 + raw_open(&g, request[0x3c], response, plain));
        }
        if (status == 0 && request[0x34] >= 7 && request[0x34] <= 16) {
            raw_guest_close(&g);
            return 0; /* a migration message may have ended the guest */
        }
        if (status != 0) {
            still_alive(&g);
        }
    }
    raw_guest_close(&g);
    return 0;
}
