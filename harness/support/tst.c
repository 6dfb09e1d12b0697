/* SPDX-License-Identifier: Apache-2.0 */
#include "tst.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void *tst_dup(const void *data, size_t size)
{
    void *p = malloc(size == 0 ? 1 : size);

    if (p == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(p, data, size);
    }
    return p;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t unhex(const char *hex, uint8_t *out, size_t size)
{
    size_t n = 0;

    while (*hex != '\0') {
        int hi, lo;

        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        hi = nibble(hex[0]);
        lo = hi < 0 ? -1 : nibble(hex[1]);
        if (lo < 0 || n == size) {
            return SIZE_MAX;
        }
        out[n++] = (uint8_t)(hi << 4 | lo);
        hex += 2;
    }
    return n;
}

void tst_hex(const char *hex, void *out, size_t size)
{
    if (unhex(hex, out, size) != size) {
        fail_msg("not %zu bytes of hex: %s", size, hex);
    }
}

void tst_assert_hex(const void *got, const char *hex, size_t size,
                    const char *file, int line)
{
    uint8_t *want = malloc(size + 1);
    const uint8_t *p = got;

    if (want == NULL || unhex(hex, want, size) != size) {
        free(want);
        print_error("%s:%d: not %zu bytes of hex: %s\n", file, line, size, hex);
        fail();
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (p[i] != want[i]) {
            print_error("%s:%d: byte %zu is %02x, not %02x\n", file, line, i,
                        p[i], want[i]);
            free(want);
            _fail(file, line);
            return;
        }
    }
    free(want);
}

uint8_t *tst_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = NULL;
    long end = -1;

    if (f != NULL && fseek(f, 0, SEEK_END) == 0) {
        end = ftell(f);
    }
    if (end >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        buf = malloc((size_t)end + 1);
    }
    if (buf == NULL || fread(buf, 1, (size_t)end, f) != (size_t)end) {
        fail_msg("cannot read %s: %s", path, strerror(errno));
        abort();
    }
    buf[end] = 0;
    fclose(f);
    *size = (size_t)end;
    return buf;
}

void tst_write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        fail_msg("cannot write %s: %s", path, strerror(errno));
    }
}

const char *tst_shared(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "../shared/data/%s", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

char *tst_mkdtemp(void)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = malloc(PATH_MAX);

    if (dir == NULL) {
        abort();
    }
    snprintf(dir, PATH_MAX, "%s/swpsp-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL) {
        fail_msg("mkdtemp %s: %s", dir, strerror(errno));
    }
    return dir;
}

void tst_rmdir(char *dir)
{
    const char *argv[] = {"rm", "-rf", "--", dir, NULL};

    (void)tst_run(NULL, argv);
    free(dir);
}

static char *drain(int fd)
{
    size_t size = 0, room = 4096;
    char *buf = malloc(room);
    ssize_t n;

    while (buf != NULL && (n = read(fd, buf + size, room - size - 1)) > 0) {
        size += (size_t)n;
        if (room - size < 2) {
            room *= 2;
            buf = realloc(buf, room);
        }
    }
    if (buf == NULL) {
        abort();
    }
    buf[size] = '\0';
    return buf;
}

int tst_run(char **output, const char *const argv[])
{
    int pipefd[2];
    int status = 0;
    char *text;
    pid_t pid;

    if (pipe(pipefd) != 0) {
        fail_msg("pipe: %s", strerror(errno));
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        union {
            const char *const *in;
            char *const *out;
        } args = {.in = argv};

        dup2(pipefd[1], 1);
        dup2(pipefd[1], 2);
        close(pipefd[0]);
        close(pipefd[1]);
        execvp(args.out[0], args.out);
        fprintf(stderr, "exec %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(pipefd[1]);
    text = drain(pipefd[0]);
    close(pipefd[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fail_msg("cannot run %s", argv[0]);
    }
    if (output != NULL) {
        *output = text;
    } else {
        free(text);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
