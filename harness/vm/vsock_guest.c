/* SPDX-License-Identifier: Apache-2.0 */
/* usage: vsock_guest CID SOCKET PORT [IDLE]
 * A guest without a machine: drives /dev/vhost-vsock as the virtio driver of a
 * guest with this CID does, so that the host's kernel vouches for the CID.
 * Each connection to SOCKET (unix) becomes one of the guest to PORT of the
 * host. Prints "ready". Until SIGTERM. For tests. */
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_vsock.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HOST      2u
#define RX        0 /* queue numbers: host to guest, guest to host */
#define TX        1
#define SLOTS     64u
#define SLOT_SIZE 8192u
#define ROOM      65536u /* that we promise for each connection */
#define CONNS     32
#define FIRST     40000u /* the guest's ports: another run has others */

struct queue {
    struct vring ring;
    uint8_t *data; /* SLOTS buffers */
    uint16_t used; /* answers seen */
    uint16_t next; /* TX: slots handed over */
    int kick, call;
};

struct conn {
    int fd; /* -1: free */
    bool open, ended;
    uint32_t port;
    uint32_t sent, host_room, host_taken, taken;
};

struct guest {
    uint64_t cid;
    uint32_t port, last_port;
    int vhost;
    uint8_t *memory;
    size_t memory_size, memory_used;
    struct queue q[2];
    struct conn conns[CONNS];
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *take(struct guest *g, size_t size)
{
    void *p = g->memory + g->memory_used;

    g->memory_used += (size + 4095) & ~(size_t)4095;
    return p;
}

static void control(const struct guest *g, unsigned long request, void *arg,
                    const char *name)
{
    if (ioctl(g->vhost, request, arg) < 0) {
        die(name);
    }
}

/* --- queues --- */

static void set_up_queue(struct guest *g, unsigned int index)
{
    struct queue *q = &g->q[index];
    struct vhost_vring_state num = {.index = index, .num = SLOTS};
    struct vhost_vring_state base = {.index = index};
    struct vhost_vring_addr at = {.index = index};
    struct vhost_vring_file file = {.index = index};

    vring_init(&q->ring, SLOTS, take(g, vring_size(SLOTS, 4096)), 4096);
    q->data = take(g, (size_t)SLOTS * SLOT_SIZE);
    q->kick = eventfd(0, EFD_CLOEXEC);
    q->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    at.desc_user_addr = (uintptr_t)q->ring.desc;
    at.avail_user_addr = (uintptr_t)q->ring.avail;
    at.used_user_addr = (uintptr_t)q->ring.used;
    control(g, VHOST_SET_VRING_NUM, &num, "VHOST_SET_VRING_NUM");
    control(g, VHOST_SET_VRING_BASE, &base, "VHOST_SET_VRING_BASE");
    control(g, VHOST_SET_VRING_ADDR, &at, "VHOST_SET_VRING_ADDR");
    file.fd = q->kick;
    control(g, VHOST_SET_VRING_KICK, &file, "VHOST_SET_VRING_KICK");
    file.fd = q->call;
    control(g, VHOST_SET_VRING_CALL, &file, "VHOST_SET_VRING_CALL");
}

static void kick(const struct queue *q)
{
    const uint64_t one = 1;

    (void)!write(q->kick, &one, sizeof(one));
}

static void offer(struct queue *q, unsigned int slot, size_t size, bool write)
{
    uint16_t at = q->ring.avail->idx;

    q->ring.desc[slot].addr =
        (uint64_t)(uintptr_t)(q->data + (size_t)slot * SLOT_SIZE);
    q->ring.desc[slot].len = (uint32_t)size;
    q->ring.desc[slot].flags = write ? VRING_DESC_F_WRITE : 0;
    q->ring.avail->ring[at % SLOTS] = (uint16_t)slot;
    __atomic_store_n(&q->ring.avail->idx, (uint16_t)(at + 1), __ATOMIC_RELEASE);
}

static bool answered(struct queue *q, struct vring_used_elem *out)
{
    if (__atomic_load_n(&q->ring.used->idx, __ATOMIC_ACQUIRE) == q->used) {
        return false;
    }
    *out = q->ring.used->ring[q->used++ % SLOTS];
    return true;
}

static void start(struct guest *g)
{
    struct {
        struct vhost_memory head;
        struct vhost_memory_region region;
    } memory = {.head.nregions = 1};
    uint64_t features = 1ull << VIRTIO_F_VERSION_1;
    int on = 1;

    g->vhost = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
    if (g->vhost < 0) {
        die("/dev/vhost-vsock");
    }
    g->memory_size = 2u << 20;
    g->memory = mmap(NULL, g->memory_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->memory == MAP_FAILED) {
        die("mmap");
    }
    /* The guest's physical addresses are our own. */
    memory.region.guest_phys_addr = (uintptr_t)g->memory;
    memory.region.userspace_addr = (uintptr_t)g->memory;
    memory.region.memory_size = g->memory_size;
    control(g, VHOST_SET_OWNER, NULL, "VHOST_SET_OWNER");
    control(g, VHOST_SET_FEATURES, &features, "VHOST_SET_FEATURES");
    control(g, VHOST_SET_MEM_TABLE, &memory, "VHOST_SET_MEM_TABLE");
    set_up_queue(g, RX);
    set_up_queue(g, TX);
    for (unsigned int i = 0; i < SLOTS; i++) {
        offer(&g->q[RX], i, SLOT_SIZE, true);
    }
    control(g, VHOST_VSOCK_SET_GUEST_CID, &g->cid, "VHOST_VSOCK_SET_GUEST_CID");
    control(g, VHOST_VSOCK_SET_RUNNING, &on, "VHOST_VSOCK_SET_RUNNING");
    kick(&g->q[RX]);
}

/* --- packets --- */

/* Room in the queue for one more? */
static bool can_send(struct guest *g)
{
    struct queue *q = &g->q[TX];
    struct vring_used_elem used;

    while (answered(q, &used)) {
    }
    return (uint16_t)(q->next - q->used) < SLOTS;
}

static void send_packet(struct guest *g, struct conn *c, uint16_t op,
                        uint32_t flags, const uint8_t *data, size_t size)
{
    struct queue *q = &g->q[TX];
    unsigned int slot = q->next % SLOTS;
    struct virtio_vsock_hdr h = {
        .src_cid = g->cid,
        .dst_cid = HOST,
        .src_port = c->port,
        .dst_port = g->port,
        .len = (uint32_t)size,
        .type = VIRTIO_VSOCK_TYPE_STREAM,
        .op = op,
        .flags = flags,
        .buf_alloc = ROOM,
        .fwd_cnt = c->taken,
    };
    uint8_t *to = q->data + (size_t)slot * SLOT_SIZE;

    while (!can_send(g)) {
        usleep(1000);
    }
    memcpy(to, &h, sizeof(h));
    if (size > 0) {
        memcpy(to + sizeof(h), data, size);
    }
    q->next++;
    offer(q, slot, sizeof(h) + size, false);
    kick(q);
}

static void drop(struct conn *c)
{
    close(c->fd);
    c->fd = -1;
}

static void write_all(struct conn *c, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);

        if (n <= 0) {
            return; /* it has gone: poll() will say so */
        }
        data += n;
        size -= (size_t)n;
    }
}

static void got(struct guest *g, const uint8_t *packet, size_t size)
{
    struct virtio_vsock_hdr h;
    struct conn *c = NULL;

    memcpy(&h, packet, sizeof(h));
    for (int i = 0; i < CONNS && c == NULL; i++) {
        c = g->conns[i].fd >= 0 && g->conns[i].port == h.dst_port ? &g->conns[i]
                                                                  : NULL;
    }
    if (c == NULL || size < sizeof(h) || h.len > size - sizeof(h)) {
        return;
    }
    c->host_room = h.buf_alloc;
    c->host_taken = h.fwd_cnt;
    switch (h.op) {
    case VIRTIO_VSOCK_OP_RESPONSE:
        c->open = true;
        break;
    case VIRTIO_VSOCK_OP_RW:
        write_all(c, packet + sizeof(h), h.len);
        c->taken += h.len;
        send_packet(g, c, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
        break;
    case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
        send_packet(g, c, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0, NULL, 0);
        break;
    case VIRTIO_VSOCK_OP_SHUTDOWN:
        send_packet(g, c, VIRTIO_VSOCK_OP_RST, 0, NULL, 0);
        drop(c);
        break;
    case VIRTIO_VSOCK_OP_RST:
        drop(c);
        break;
    default:
        break;
    }
}

static void receive(struct guest *g)
{
    struct queue *q = &g->q[RX];
    struct vring_used_elem used;
    uint64_t n;

    (void)!read(q->call, &n, sizeof(n));
    while (answered(q, &used)) {
        got(g, q->data + (size_t)used.id * SLOT_SIZE, used.len);
        offer(q, used.id, SLOT_SIZE, true);
    }
    kick(q);
}

/* --- connections --- */

static void connect_one(struct guest *g, int fd)
{
    struct conn *c = NULL;

    for (int i = 0; i < CONNS && c == NULL; i++) {
        c = g->conns[i].fd < 0 ? &g->conns[i] : NULL;
    }
    if (c == NULL || fd < 0) {
        close(fd);
        return;
    }
    *c = (struct conn){.fd = fd, .port = FIRST + g->last_port++ % 10000};
    send_packet(g, c, VIRTIO_VSOCK_OP_REQUEST, 0, NULL, 0);
}

static uint32_t room(const struct conn *c)
{
    uint32_t flying = c->sent - c->host_taken;

    return c->open && !c->ended && c->host_room > flying ? c->host_room - flying
                                                         : 0;
}

static void forward(struct guest *g, struct conn *c)
{
    uint8_t data[4096];
    size_t most = room(c) < sizeof(data) ? room(c) : sizeof(data);
    ssize_t n = read(c->fd, data, most);

    if (n > 0) {
        send_packet(g, c, VIRTIO_VSOCK_OP_RW, 0, data, (size_t)n);
        c->sent += (uint32_t)n;
        return;
    }
    c->ended = true; /* the host answers with a reset */
    send_packet(g, c, VIRTIO_VSOCK_OP_SHUTDOWN,
                VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND, NULL,
                0);
}

static void serve(struct guest *g, int listener)
{
    struct pollfd p[CONNS + 2] = {{.fd = listener, .events = POLLIN},
                                  {.fd = g->q[RX].call, .events = POLLIN}};

    for (;;) {
        for (int i = 0; i < CONNS; i++) {
            p[i + 2].fd = room(&g->conns[i]) > 0 ? g->conns[i].fd : -1;
            p[i + 2].events = POLLIN;
            p[i + 2].revents = 0;
        }
        if (poll(p, CONNS + 2, -1) < 0 && errno != EINTR) {
            die("poll");
        }
        for (int i = 0; i < CONNS; i++) {
            if (p[i + 2].revents != 0) {
                forward(g, &g->conns[i]);
            }
        }
        if (p[1].revents != 0) {
            receive(g);
        }
        if (p[0].revents != 0) {
            connect_one(g, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        }
    }
}

int main(int argc, char **argv)
{
    static struct guest g;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc < 4 || argc > 5 || strlen(argv[2]) >= sizeof(at.sun_path)) {
        fprintf(stderr, "usage: vsock_guest CID SOCKET PORT [IDLE]\n");
        return 64;
    }
    g.cid = strtoul(argv[1], NULL, 0);
    g.port = (uint32_t)strtoul(argv[3], NULL, 0);
    memcpy(at.sun_path, argv[2], strlen(argv[2]));
    g.last_port = (uint32_t)getpid() * CONNS;
    for (int i = 0; i < CONNS; i++) {
        g.conns[i].fd = -1;
    }
    start(&g);
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(listener, CONNS) != 0) {
        die(argv[2]);
    }
    for (int i = argc > 4 ? atoi(argv[4]) : 0; i > 0; i--) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            die("socketpair");
        }
        connect_one(&g, pair[0]);
    }
    puts("ready");
    fflush(stdout);
    serve(&g, listener);
    return 0;
}
