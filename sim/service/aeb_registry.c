/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_registry.h"

#include "control_client.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 2000

struct aeb_registry {
    const char *path;
    pthread_mutex_t lock;
    bool connected;
    struct control_client client;
};

static int connect_to(struct aeb_registry *r, char *error)
{
    int err = control_connect(&r->client, r->path, error);

    r->connected = err == 0;
    if (err == 0) {
        r->client.wait_ms = WAIT_MS;
    }
    return err;
}

static void disconnect(struct aeb_registry *r)
{
    if (r->connected) {
        control_disconnect(&r->client);
        r->connected = false;
    }
}

int aeb_registry_open(const char *path, struct aeb_registry **out, char *error)
{
    struct aeb_registry *r = calloc(1, sizeof(*r));
    int err;

    if (r == NULL) {
        (void)snprintf(error, AEB_REGISTRY_ERROR, "out of memory");
        return -ENOMEM;
    }
    r->path = path;
    err = connect_to(r, error);
    if (err != 0) {
        free(r);
        return err;
    }
    (void)pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return 0;
}

void aeb_registry_close(struct aeb_registry *r)
{
    if (r != NULL) {
        disconnect(r);
        (void)pthread_mutex_destroy(&r->lock);
        free(r);
    }
}

/* The daemon closes connections that have been silent, and may have been
 * started again: one that broke is made anew, once. Takes @request over. */
static int call(struct aeb_registry *r, json_t *request, json_t **result)
{
    char error[CONTROL_ERROR_SIZE];
    int err = -ENOMEM;

    for (int i = 0; i < 2 && request != NULL; i++) {
        bool old = r->connected;

        err = old ? 0 : connect_to(r, error);
        if (err == 0) {
            err = control_call(&r->client, json_deep_copy(request), result,
                               error);
        }
        if (err == 0 || err == -EREMOTEIO) {
            break;
        }
        disconnect(r);
        if (!old || err == -ETIMEDOUT) {
            break;
        }
    }
    json_decref(request);
    return err;
}

static int take_guest(const json_t *shown, struct aeb_guest *out)
{
    const json_t *handle = json_object_get(shown, "handle");
    const json_t *generation = json_object_get(shown, "generation");

    if (!json_is_integer(handle) || json_integer_value(handle) <= 0 ||
        json_integer_value(handle) > UINT32_MAX) {
        return -ENOENT;
    }
    if (!json_is_integer(generation) || json_integer_value(generation) <= 0) {
        return -EPROTO;
    }
    out->handle = (uint32_t)json_integer_value(handle);
    out->generation = (uint64_t)json_integer_value(generation);
    return 0;
}

int aeb_registry_get(struct aeb_registry *r, const char *name,
                     struct aeb_guest *out)
{
    json_t *shown = NULL;
    int err;

    (void)pthread_mutex_lock(&r->lock);
    err = call(r, json_pack("{s:s, s:s}", "op", "guest.show", "guest", name),
               &shown);
    (void)pthread_mutex_unlock(&r->lock);
    if (err == 0) {
        err = take_guest(shown, out);
    }
    json_decref(shown);
    return err == -EREMOTEIO ? -ENOENT : err;
}

static int find_in(const json_t *guests, uint32_t handle,
                   char name[AEB_GUEST_NAME_SIZE], struct aeb_guest *out)
{
    const json_t *shown;
    size_t i;

    json_array_foreach(guests, i, shown)
    {
        const char *text = json_string_value(json_object_get(shown, "name"));

        if (text != NULL && take_guest(shown, out) == 0 &&
            out->handle == handle) {
            (void)snprintf(name, AEB_GUEST_NAME_SIZE, "%s", text);
            return 0;
        }
    }
    return -ENOENT;
}

int aeb_registry_find(struct aeb_registry *r, uint32_t handle,
                      char name[AEB_GUEST_NAME_SIZE], struct aeb_guest *out)
{
    json_int_t after = 0;
    int err;

    (void)pthread_mutex_lock(&r->lock);
    do {
        json_t *list = NULL;

        err =
            call(r, json_pack("{s:s, s:I}", "op", "guest.list", "after", after),
                 &list);
        if (err == 0) {
            after = json_integer_value(json_object_get(list, "next"));
            err = find_in(json_object_get(list, "guests"), handle, name, out);
        }
        json_decref(list);
    } while (err == -ENOENT && after != 0);
    (void)pthread_mutex_unlock(&r->lock);
    return err;
}
