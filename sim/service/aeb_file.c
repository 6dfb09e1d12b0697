/* SPDX-License-Identifier: Apache-2.0 */
#include "aeb_file.h"
#include "monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct opening {
    int fd;
    unsigned int users; /* commands, and the file while it is the newest */
};

struct aeb_file {
    const char *path;
    pthread_t closer;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t cond;  /* the closer has something to do */
    struct opening *now;  /* NULL: none */
    struct timespec until;
    bool stop;
};

/* May wait for a device that flushes: not under the lock. */
static void leave(struct aeb_file *f, struct opening *o)
{
    bool last;

    pthread_mutex_lock(&f->lock);
    last = --o->users == 0;
    pthread_mutex_unlock(&f->lock);
    if (last) {
        (void)close(o->fd);
        free(o);
    }
}

/* @o, if it is still the newest, serves no new command. */
static void forget(struct aeb_file *f, struct opening *o)
{
    bool ours;

    pthread_mutex_lock(&f->lock);
    ours = f->now == o;
    if (ours) {
        f->now = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    if (ours) {
        leave(f, o);
    }
}

static int open_now(struct aeb_file *f)
{
    struct opening *o = malloc(sizeof(*o));

    if (o == NULL) {
        return -ENOMEM;
    }
    *o = (struct opening){.fd = open(f->path, O_RDWR | O_CLOEXEC), .users = 1};
    if (o->fd < 0) {
        int err = -errno;

        free(o);
        return err;
    }
    f->until = monotonic_after(AEB_FILE_MS);
    f->now = o;
    pthread_cond_signal(&f->cond);
    return 0;
}

/* *fresh: nobody has used it before. */
static int enter(struct aeb_file *f, struct opening **out, bool *fresh)
{
    int err = 0;

    pthread_mutex_lock(&f->lock);
    *fresh = f->now == NULL;
    if (*fresh) {
        err = open_now(f);
    }
    if (err == 0) {
        *out = f->now;
        f->now->users++;
    }
    pthread_mutex_unlock(&f->lock);
    return err;
}

static int file_command(void *ctx, uint32_t cmd, void *data, uint32_t *fw)
{
    struct aeb_file *f = ctx;
    struct opening *o;
    bool fresh = false;
    int err = -ENOTCONN;

    while (err == -ENOTCONN && !fresh) {
        struct aeb_device dev;

        err = enter(f, &o, &fresh);
        if (err != 0) {
            return err;
        }
        dev = aeb_device_fd(&o->fd);
        err = dev.command(dev.ctx, cmd, data, fw);
        if (err == -ENOTCONN) {
            forget(f, o);
        }
        leave(f, o);
    }
    return err;
}

struct aeb_device aeb_file_device(struct aeb_file *f)
{
    return (struct aeb_device){.command = file_command, .ctx = f};
}

/* Under the lock. Sleeps until there is something to end, and then ends it. */
static void end_in_time(struct aeb_file *f)
{
    struct opening *o = f->now;
    struct timespec until = f->until;

    if (o == NULL) {
        pthread_cond_wait(&f->cond, &f->lock);
    } else if (pthread_cond_timedwait(&f->cond, &f->lock, &until) ==
               ETIMEDOUT) {
        pthread_mutex_unlock(&f->lock);
        forget(f, o);
        pthread_mutex_lock(&f->lock);
    }
}

static void *closer_main(void *ctx)
{
    struct aeb_file *f = ctx;

    pthread_mutex_lock(&f->lock);
    while (!f->stop) {
        end_in_time(f);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void discard(struct aeb_file *f)
{
    pthread_cond_destroy(&f->cond);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

int aeb_file_new(const char *path, struct aeb_file **out)
{
    struct aeb_file *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        return -ENOMEM;
    }
    f->path = path != NULL ? path : "/dev/sev";
    pthread_mutex_init(&f->lock, NULL);
    monotonic_cond_init(&f->cond);
    if (pthread_create(&f->closer, NULL, closer_main, f) != 0) {
        discard(f);
        return -EAGAIN;
    }
    *out = f;
    return 0;
}

void aeb_file_free(struct aeb_file *f)
{
    if (f == NULL) {
        return;
    }
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_signal(&f->cond);
    pthread_mutex_unlock(&f->lock);
    (void)pthread_join(f->closer, NULL);
    if (f->now != NULL) {
        leave(f, f->now);
    }
    discard(f);
}
