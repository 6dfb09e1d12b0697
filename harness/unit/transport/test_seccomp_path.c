/* SPDX-License-Identifier: Apache-2.0 */
/* The many names of a node. Each client starts in a new directory that holds
 * what make_tree() makes. */
#include "fake.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

static void must_link(const char *text, const char *name)
{
    EXPECT(symlink(text, name) == 0);
}

static void make_tree(void)
{
    EXPECT(mkdir("sub", 0700) == 0);
    EXPECT(mkdir("sub/deep", 0700) == 0);
    EXPECT(mkdir("other", 0700) == 0);
    must_link(NODE, "absolute");
    must_link("absolute", "twice");
    must_link("../twice", "sub/relative");
    must_link("/dev", "dev");
    must_link("../../other", "sub/deep/away");
    must_link("loop", "loop");
    must_link("/dev/swpsp-none", "dangling");
    must_link(NODE "/", "slash");
    must_link("/proc/self/root/dev", "magic");
}

static bool is_node(const char *path)
{
    int fd = open(path, O_RDWR);
    bool yes = fd >= 0 && ioctl(fd, FAKE_WRITABLE) == 1;

    if (fd >= 0) {
        close(fd);
    }
    return yes;
}

static bool is_node_at(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDWR);
    bool yes = fd >= 0 && ioctl(fd, FAKE_WRITABLE) == 1;

    if (fd >= 0) {
        close(fd);
    }
    return yes;
}

static void absolute__plain_or_not__found(void)
{
    EXPECT(is_node(NODE));
    EXPECT(is_node("/" NODE));
    EXPECT(is_node("//./dev/.//swpsp-fake"));
    EXPECT(is_node("/dev/../dev/swpsp-fake"));
    EXPECT(is_node("/../../dev/swpsp-fake"));
    EXPECT(is_node("/proc/../dev/swpsp-fake"));
    EXPECT(is_node("/proc/self/root" NODE));
    EXPECT(is_node("/proc/thread-self/root" NODE));
    EXPECT(is_node("/proc/self/root/proc/self/root" NODE));
    EXPECT(!is_node("/dev/swpsp-none/../swpsp-fake") && errno == ENOENT);
}

static void relative__to_current_directory__found(void)
{
    char path[64];

    EXPECT(chdir("/dev") == 0);
    EXPECT(is_node("swpsp-fake"));
    EXPECT(is_node("./swpsp-fake"));
    EXPECT(is_node("../dev/swpsp-fake"));
    EXPECT(is_node("/proc/self/cwd/swpsp-fake"));
    snprintf(path, sizeof(path), "/proc/%d/cwd/swpsp-fake", (int)getpid());
    EXPECT(is_node(path));
    EXPECT(access("swpsp-fake", F_OK) == 0);
    EXPECT(chdir("/") == 0);
    EXPECT(is_node("dev/swpsp-fake"));
    EXPECT(!is_node("swpsp-fake") && errno == ENOENT);
}

static void relative__to_descriptor__found(void)
{
    int dev = open("/dev", O_RDONLY | O_DIRECTORY);
    int root = open("/", O_PATH);
    struct stat st;

    EXPECT(is_node_at(dev, "swpsp-fake"));
    EXPECT(is_node_at(root, "dev/swpsp-fake"));
    EXPECT(is_node_at(dev, NODE));
    EXPECT(is_node_at(-77, NODE)); /* not looked at */
    EXPECT(!is_node_at(root, "swpsp-fake") && errno == ENOENT);
    EXPECT(!is_node_at(-77, "swpsp-fake") && errno == EBADF);
    EXPECT(fstatat(dev, "swpsp-fake", &st, 0) == 0 && S_ISCHR(st.st_mode));
    EXPECT(faccessat(dev, "swpsp-fake", R_OK, 0) == 0);
    EXPECT(!is_node_at(open_node(O_RDWR), "swpsp-fake") && errno == ENOTDIR);
}

static void symbolic_link__to_node__followed(void)
{
    struct stat st;

    EXPECT(is_node("absolute"));
    EXPECT(is_node("twice"));
    EXPECT(is_node("sub/relative"));
    EXPECT(is_node("dev/swpsp-fake"));
    EXPECT(is_node("dev/../dev/swpsp-fake"));
    EXPECT(is_node("magic/swpsp-fake"));
    EXPECT(stat("twice", &st) == 0 && S_ISCHR(st.st_mode));
    EXPECT(access("sub/relative", W_OK) == 0);
}

static void symbolic_link__not_to_be_followed__itself(void)
{
    char text[32] = {0};
    struct stat st;

    EXPECT_ERRNO(open("absolute", O_RDWR | O_NOFOLLOW), ELOOP);
    EXPECT_ERRNO(open("absolute", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    EXPECT(lstat("absolute", &st) == 0 && S_ISLNK(st.st_mode));
    EXPECT(fstatat(AT_FDCWD, "absolute", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(st.st_mode));
    EXPECT(readlink("absolute", text, sizeof(text)) == (int)strlen(NODE));
    EXPECT(strcmp(text, NODE) == 0);
    EXPECT(readlink("twice", text, sizeof(text)) == (int)strlen("absolute"));
}

static void symbolic_link__elsewhere__as_it_is(void)
{
    EXPECT_ERRNO(open("loop", O_RDWR), ELOOP);
    EXPECT_ERRNO(open("dangling", O_RDWR), ENOENT);
    EXPECT_ERRNO(open("slash", O_RDWR), ENOTDIR);
    EXPECT_ERRNO(open("absolute/", O_RDWR), ENOTDIR);
}

/* "sub/deep/away/.." is the tree's root, not "sub/deep". */
static void dot_dot__after_a_link__where_it_leads(void)
{
    EXPECT(is_node("sub/deep/away/../dev/swpsp-fake"));
    EXPECT(!is_node("sub/deep/away/dev/swpsp-fake") && errno == ENOENT);
}

static void same_name__in_another_directory__not_ours(void)
{
    int fd = open("sub/swpsp-fake", O_RDWR | O_CREAT, 0600);
    struct stat st;

    EXPECT(fd >= 0 && write(fd, "x", 1) == 1);
    EXPECT_ERRNO(ioctl(fd, FAKE_NOP), ENOTTY);
    EXPECT(stat("sub/swpsp-fake", &st) == 0 && S_ISREG(st.st_mode));
    EXPECT(unlink("sub/swpsp-fake") == 0);
}

static void chroot__dev_inside__found(void)
{
    if (geteuid() != 0) {
        return;
    }
    EXPECT(mkdir("root", 0755) == 0 && mkdir("root/dev", 0755) == 0);
    EXPECT(chroot("root") == 0 && chdir("/dev") == 0);
    EXPECT(is_node(NODE));
    EXPECT(is_node("swpsp-fake"));
    EXPECT(!is_node("/swpsp-fake") && errno == ENOENT);
    EXPECT(!is_node("../swpsp-fake") && errno == ENOENT);
}

static void mount_namespace__own_dev__found(void)
{
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) !=
        0) {
        return; /* a container may forbid it */
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return; /* in a chroot "/" may be no mount point */
    }
    EXPECT(mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0);
    EXPECT(is_node(NODE));
    EXPECT(chdir("/dev") == 0);
    EXPECT(is_node("swpsp-fake"));
    EXPECT(access("/dev/null", F_OK) == -1);
}

static struct client clients[] = {
#define C(name)                                                                \
    {                                                                          \
#name, name                                                            \
    }
    C(absolute__plain_or_not__found),
    C(relative__to_current_directory__found),
    C(relative__to_descriptor__found),
    C(symbolic_link__to_node__followed),
    C(symbolic_link__not_to_be_followed__itself),
    C(symbolic_link__elsewhere__as_it_is),
    C(dot_dot__after_a_link__where_it_leads),
    C(same_name__in_another_directory__not_ours),
    C(chroot__dev_inside__found),
    C(mount_namespace__own_dev__found),
#undef C
};
#define CLIENTS (sizeof(clients) / sizeof(clients[0]))

static void test_in_tree(void **state)
{
    const struct client *c = *state;
    char *dir = tst_mkdtemp();
    char home[4096];

    assert_non_null(getcwd(home, sizeof(home)));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(run_client(NULL, c->name), 0);
    assert_int_equal(chdir(home), 0);
    tst_rmdir(dir);
}

int main(int argc, char **argv)
{
    struct CMUnitTest all[CLIENTS];

    if (argc == 3 && strcmp(argv[1], "client") == 0) {
        make_tree();
        be_client(argc, argv, clients, CLIENTS);
        return 1;
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        all[i] = client_test(&clients[i]);
        all[i].test_func = test_in_tree;
    }
    return cmocka_run_group_tests_name("seccomp_path", all, NULL, NULL);
}
