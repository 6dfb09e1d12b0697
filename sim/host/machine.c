/* SPDX-License-Identifier: Apache-2.0 */
/* Power on, power off, and what the secure processor asks of its platform. */
#include "machine_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DEFAULT_MEMORY (1ull << 40)
#define MIN_MEMORY     (16ull << 20)

static int host_mem_read(void *machine, uint64_t spa, void *buf, size_t size)
{
    struct machine *m = machine;

    return dram_read(m->dram, spa, buf, size);
}

static int host_mem_write(void *machine, uint64_t spa, const void *buf,
                          size_t size)
{
    struct machine *m = machine;

    return dram_write(m->dram, spa, buf, size);
}

static int os_random(void *buf, size_t size)
{
    uint8_t *p = buf;

    while (size > 0) {
        ssize_t n = getrandom(p, size, 0);

        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n > 0) {
            p += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int machine_locked_random(void *machine, void *buf, size_t size)
{
    struct machine *m = machine;

    if (!m->seeded) {
        return os_random(buf, size);
    }
    return psp_drbg_bytes(&m->drbg, buf, size) == PSP_OK ? 0 : -1;
}

static int host_nv_load(void *machine, uint8_t *blob)
{
    struct machine *m = machine;

    return m->nv_load(m->nv_ctx, blob);
}

static int host_nv_store(void *machine, const uint8_t *blob)
{
    struct machine *m = machine;

    return m->nv_store(m->nv_ctx, blob);
}

static int power_on(struct machine *m, const struct machine_config *from)
{
    struct psp_config config = {
        .profile = m->profile,
        .chip = from->chip,
        .memory_size = m->memory_size,
        .sev = from->sev,
    };
    enum psp_err err;

    config.sev.snp_enabled = m->profile.has_snp;
    m->ops = (struct psp_host_ops){
        .mem_read = host_mem_read,
        .mem_write = host_mem_write,
        .entropy = machine_locked_random,
        .nv_load = m->nv_load == NULL ? NULL : host_nv_load,
        .nv_store = m->nv_store == NULL ? NULL : host_nv_store,
    };
    err = psp_create(&config, &m->ops, m, &m->psp);
    explicit_bzero(&config, sizeof(config));
    if (err == PSP_OK) {
        return 0;
    }
    return err == PSP_E_NOMEM ? -ENOMEM : -EINVAL;
}

static bool config_ok(const struct machine_config *config, uint64_t memory_size)
{
    return config->profile != NULL && memory_size % DRAM_PAGE_SIZE == 0 &&
           memory_size >= MIN_MEMORY && memory_size <= DRAM_MAX_SIZE;
}

static int build(struct machine *m, const struct machine_config *config)
{
    size_t page_count =
        (size_t)((m->memory_size - MACHINE_FIRST_PAGE) / DRAM_PAGE_SIZE);

    if (config->seed != NULL) {
        m->seeded = true;
        if (psp_drbg_init(&m->drbg, config->seed, "machine entropy") !=
            PSP_OK) {
            return -EINVAL;
        }
    }
    page_map_init(&m->pages, page_count);
    m->dram = dram_create(m->memory_size);
    m->asids = calloc((size_t)m->profile.asid_count + 1, 1);
    if (m->dram == NULL || m->asids == NULL) {
        return -ENOMEM;
    }
    return power_on(m, config);
}

int machine_create(const struct machine_config *config, struct machine **out)
{
    uint64_t memory_size =
        config->memory_size == 0 ? DEFAULT_MEMORY : config->memory_size;
    struct machine *m;
    int err;

    *out = NULL;
    if (!config_ok(config, memory_size)) {
        return -EINVAL;
    }
    m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->recycling, NULL);
    m->profile = *config->profile;
    m->memory_size = memory_size;
    m->nv_load = config->nv_load;
    m->nv_store = config->nv_store;
    m->nv_ctx = config->nv_ctx;
    m->trace = config->trace;
    err = build(m, config);
    if (err != 0) {
        machine_destroy(m);
        return err;
    }
    *out = m;
    return 0;
}

void machine_destroy(struct machine *m)
{
    if (m == NULL) {
        return;
    }
    machine_slots_clear(m);
    machine_guests_clear(m);
    if (m->psp != NULL) {
        psp_destroy(m->psp);
    }
    dram_destroy(m->dram);
    page_map_clear(&m->pages);
    free(m->asids);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->recycling);
    psp_drbg_wipe(&m->drbg);
    free(m);
}

const struct psp_profile *machine_profile(const struct machine *m)
{
    return &m->profile;
}

int machine_random(struct machine *m, void *buf, size_t size)
{
    int err;

    pthread_mutex_lock(&m->lock);
    err = machine_locked_random(m, buf, size);
    pthread_mutex_unlock(&m->lock);
    return err == 0 ? 0 : -EIO;
}
