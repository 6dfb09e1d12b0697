/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_guest.h"

#include "crypto.h"
#include "pki.h"
#include "spec.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t RAW_SEED[PSP_SEED_SIZE] = "swpsp conformance vectors v1";

void raw_need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "raw_guest: %s failed\n", what);
        exit(1);
    }
}

void raw_guest_open(struct raw_guest *g, const char *profile, const char *text)
{
    struct machine_config config = {
        .profile = psp_profile_by_name(profile),
        .seed = RAW_SEED,
    };
    char error[SPEC_ERROR_SIZE] = "";
    enum sev_status status = SEV_SUCCESS;
    struct vm_spec spec;

    memset(g, 0, sizeof(*g));
    raw_need(config.profile != NULL, profile);
    pki_chip_make(RAW_SEED, config.profile->generation, 0, &config.chip);
    g->chip = config.chip;
    raw_need(machine_create(&config, &g->m) == 0, "machine");
    raw_need(machine_platform_init(g->m) == SEV_SUCCESS, "platform init");
    if (text == NULL) {
        raw_need(vm_spec_default(&spec, config.profile) == 0, "spec");
    } else {
        raw_need(vm_spec_parse(text, strlen(text), NULL, config.profile, &spec,
                               error) == 0,
                 error);
    }
    raw_need(vm_launch(g->m, &spec, &g->vm, &status) == 0, "launch");
    vm_spec_clear(&spec);
    raw_need(vm_read(g->vm, vm_secrets_gpa(g->vm) + 0x20, g->vmpck,
                     sizeof(g->vmpck)) == 0,
             "secrets page");
    g->request_gpa = vm_shared_alloc(g->vm, 1);
    g->response_gpa = vm_shared_alloc(g->vm, 1);
    raw_need(g->request_gpa != 0 && g->response_gpa != 0, "shared pages");
}

void raw_guest_close(struct raw_guest *g)
{
    vm_shared_free(g->vm, g->request_gpa, 1);
    vm_shared_free(g->vm, g->response_gpa, 1);
    vm_destroy(g->vm);
    machine_destroy(g->m);
    psp_wipe(g, sizeof(*g));
}

struct raw_message raw_next(const struct raw_guest *g, uint8_t vmpck,
                            uint8_t type, uint8_t version,
                            const uint8_t *payload, size_t size)
{
    return (struct raw_message){
        .seqno = g->seqno[vmpck] + 1,
        .algo = 1,
        .hdr_version = 1,
        .hdr_size = 0x60,
        .type = type,
        .version = version,
        .vmpck = vmpck,
        .payload = payload,
        .size = size,
    };
}

static void message_iv(uint8_t iv[GCM_IV_SIZE], uint64_t seqno)
{
    struct psp_wr w = psp_wr(iv, GCM_IV_SIZE);

    psp_wr_le64(&w, seqno);
    psp_wr_pad_to(&w, GCM_IV_SIZE);
}

static size_t seal(const struct raw_guest *g, const struct raw_message *msg,
                   uint8_t page[0x1000])
{
    struct psp_wr w = psp_wr(page, 0x1000);
    uint8_t iv[GCM_IV_SIZE];

    memset(page, 0, 0x1000);
    psp_wr_pad_to(&w, 0x20);
    psp_wr_le64(&w, msg->seqno);
    psp_wr_pad_to(&w, 0x30);
    psp_wr_u8(&w, msg->algo);
    psp_wr_u8(&w, msg->hdr_version);
    psp_wr_le16(&w, msg->hdr_size);
    psp_wr_u8(&w, msg->type);
    psp_wr_u8(&w, msg->version);
    psp_wr_le16(&w, (uint16_t)msg->size);
    psp_wr_zero(&w, 4);
    psp_wr_u8(&w, msg->vmpck);
    message_iv(iv, msg->seqno);
    psp_gcm_seal(g->vmpck[msg->vmpck & 3], iv, page + 0x30, 0x30, msg->payload,
                 msg->size, page + 0x60, page);
    if (msg->break_tag) {
        page[0] ^= 1;
    }
    return 0x60 + msg->size;
}

uint64_t raw_send(struct raw_guest *g, const struct raw_message *msg,
                  uint8_t request[0x1000], uint8_t response[0x1000],
                  size_t *response_size)
{
    struct vm_guest_request req = {
        .exit_code = VM_EXIT_GUEST_REQUEST,
        .request_gpa = g->request_gpa,
        .response_gpa = g->response_gpa,
    };

    (void)seal(g, msg, request);
    raw_need(vm_shared_write(g->vm, g->request_gpa, request, 0x1000) == 0,
             "request page");
    raw_need(vm_exit_guest_request(g->vm, &req) == 0, "VM exit");
    if (req.exitinfo2 == 0) {
        raw_need(vm_shared_read(g->vm, g->response_gpa, response, 0x1000) == 0,
                 "response page");
        *response_size = 0x60u + (size_t)(response[0x36] | response[0x37] << 8);
        g->seqno[msg->vmpck] = msg->seqno + 1;
    }
    return req.exitinfo2;
}

size_t raw_open(const struct raw_guest *g, uint8_t vmpck,
                const uint8_t *response, uint8_t payload[0xfa0])
{
    size_t size = (size_t)(response[0x36] | response[0x37] << 8);
    struct psp_rd r = psp_rd(response, 0x60);
    uint8_t iv[GCM_IV_SIZE];

    psp_rd_skip(&r, 0x20);
    message_iv(iv, psp_rd_le64(&r));
    raw_need(size <= 0xfa0 &&
                 psp_gcm_open(g->vmpck[vmpck], iv, response + 0x30, 0x30,
                              response + 0x60, size, response, payload),
             "response tag");
    return size;
}
