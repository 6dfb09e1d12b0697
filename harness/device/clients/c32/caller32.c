/* SPDX-License-Identifier: Apache-2.0 */
/* usage: caller32 DEVICE REQUEST
 * A 32-bit program, without a library: ioctl(open(DEVICE), REQUEST, a buffer).
 * Exit status: its errno, 0 for success, 255 when the device cannot be opened.
 */
static char buffer[4096];

static long call(long number, long a, long b, long c)
{
    long r;

    __asm__ volatile("int $0x80"
                     : "=a"(r)
                     : "0"(number), "b"(a), "c"(b), "d"(c)
                     : "memory");
    return r;
}

static unsigned int parse_hex(const char *s)
{
    unsigned int v = 0;

    for (s += 2; *s != '\0'; s++) {
        v = v << 4 |
            (unsigned int)(*s <= '9' ? *s - '0' : (*s | 32) - 'a' + 10);
    }
    return v;
}

__attribute__((used)) static void run(char **argv)
{
    long fd = call(5, (long)argv[1], 2, 0);
    long r =
        fd < 0 ? -255 : call(54, fd, (long)parse_hex(argv[2]), (long)buffer);

    call(1, -r, 0, 0);
}

__asm__(".globl _start\n_start: lea 4(%esp), %eax\npush %eax\ncall run\nhlt");
