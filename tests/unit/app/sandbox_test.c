/* SPDX-License-Identifier: Apache-2.0 */
/* What a sandbox takes away: each case in a child of its own, since nothing gives it back. */
#include "testing.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/daemon/process/sandbox.h"

enum { EXIT_FINE = 0, EXIT_NOT_ENTERED = 10, EXIT_WRONG = 11 };

/* Runs probe in the sandbox; returns what waitpid tells. */
static int in_sandbox(enum gr_sandbox sandbox, int (*probe)(void))
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct gr_err err = {0};

        if (gr_sandbox_enter(sandbox, &err) != 0)
            _exit(EXIT_NOT_ENTERED);
        _exit(probe());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void assert_exits(int status, int code)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

/* A line of /proc/self/status, as a number of base 16. */
static unsigned long long status_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long long value = ~0ULL;
    char line[256];

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoull(line + strlen(name) + 1, NULL, 16);
    }
    if (file)
        (void)fclose(file);
    return value;
}

static int no_capabilities(void)
{
    bool bounding = geteuid() != 0 || status_of("CapBnd") == 0;

    return status_of("CapEff") == 0 && status_of("CapPrm") == 0 && status_of("CapInh") == 0 &&
                   status_of("CapAmb") == 0 && bounding && status_of("NoNewPrivs") == 1
               ? EXIT_FINE
               : EXIT_WRONG;
}

static void test_capabilities(void **state)
{
    (void)state;
    assert_exits(in_sandbox(GR_SANDBOX_CAPABILITIES, no_capabilities), EXIT_FINE);
}

/* As systemd leaves a unit: without capabilities, and with a filter that forbids to set them. */
static int make_a_unit(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = GR_ARRAY_LEN(code), .filter = code};
    struct gr_err err = {0};

    if (gr_sandbox_enter(GR_SANDBOX_CAPABILITIES, &err) != 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int enters_as_a_unit(enum gr_sandbox sandbox)
{
    struct gr_err err = {0};

    if (make_a_unit() != 0)
        return EXIT_NOT_ENTERED;
    return gr_sandbox_enter(sandbox, &err) == 0 ? no_capabilities() : EXIT_WRONG;
}

static int capabilities_as_a_unit(void)
{
    return enters_as_a_unit(GR_SANDBOX_CAPABILITIES);
}

static void test_unit(void **state)
{
    (void)state;
    assert_exits(in_sandbox(GR_SANDBOX_NONE, capabilities_as_a_unit), EXIT_FINE);
}

static int nothing_given_up(void)
{
    return status_of("NoNewPrivs") == (unsigned long long)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
               ? EXIT_FINE
               : EXIT_WRONG;
}

static void test_none(void **state)
{
    (void)state;
    assert_exits(in_sandbox(GR_SANDBOX_NONE, nothing_given_up), EXIT_FINE);
}

static int starts_a_program(void)
{
    char *const argv[] = {(char[]){"/bin/true"}, NULL};

    (void)execv(argv[0], argv);
    return EXIT_WRONG;
}

static int leaves_its_namespaces(void)
{
    (void)syscall(SYS_unshare, 0);
    return EXIT_WRONG;
}

static int asks_for_what_nobody_needs(void)
{
    return syscall(SYS_acct, NULL) == -1 && errno == ENOSYS ? EXIT_FINE : EXIT_WRONG;
}

static int opens_other_sockets(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    int local = socket(AF_UNIX, SOCK_STREAM, 0);

    return fd < 0 && errno == ENOSYS && local >= 0 ? EXIT_FINE : EXIT_WRONG;
}

static void *no_work(void *arg)
{
    return arg;
}

static int makes_a_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, no_work, NULL) == 0 && pthread_join(thread, NULL) == 0
               ? EXIT_FINE
               : EXIT_WRONG;
}

static int makes_a_process(void)
{
    long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (child == 0)
        _exit(EXIT_FINE);
    return child < 0 && errno == ENOSYS ? EXIT_FINE : EXIT_WRONG;
}

/* Its parent: of the same user, which is all that is asked for. */
static int reaches_others(void)
{
    struct rlimit limit;

    return syscall(SYS_tgkill, getppid(), getppid(), 0) == -1 && errno == ENOSYS &&
                   prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit) == -1 && errno == ENOSYS
               ? EXIT_FINE
               : EXIT_WRONG;
}

static int reaches_itself(void)
{
    struct rlimit limit;

    return syscall(SYS_tgkill, getpid(), getpid(), 0) == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0
               ? EXIT_FINE
               : EXIT_WRONG;
}

static int filter_as_a_unit(void)
{
    return enters_as_a_unit(GR_SANDBOX_FULL);
}

static void assert_ended_by_filter(int status)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_filter(void **state)
{
    (void)state;
    assert_exits(in_sandbox(GR_SANDBOX_FULL, no_capabilities), EXIT_FINE);
    assert_ended_by_filter(in_sandbox(GR_SANDBOX_FULL, starts_a_program));
    assert_ended_by_filter(in_sandbox(GR_SANDBOX_FULL, leaves_its_namespaces));
    assert_exits(in_sandbox(GR_SANDBOX_FULL, asks_for_what_nobody_needs), EXIT_FINE);
    assert_exits(in_sandbox(GR_SANDBOX_FULL, opens_other_sockets), EXIT_FINE);
    assert_exits(in_sandbox(GR_SANDBOX_FULL, makes_a_thread), EXIT_FINE);
    assert_exits(in_sandbox(GR_SANDBOX_FULL, makes_a_process), EXIT_FINE);
    assert_exits(in_sandbox(GR_SANDBOX_FULL, reaches_others), EXIT_FINE);
    assert_exits(in_sandbox(GR_SANDBOX_FULL, reaches_itself), EXIT_FINE);
    assert_exits(in_sandbox(GR_SANDBOX_NONE, filter_as_a_unit), EXIT_FINE);
}

int main(void)
{
    test_add("none", test_none);
    test_add("capabilities", test_capabilities);
    test_add("as a unit", test_unit);
    test_add("filter", test_filter);
    return test_run("sandbox");
}
