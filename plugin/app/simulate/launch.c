/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's process, started as NRI's Go code starts it (pkg/adaptation, os/exec): the
 * connection on descriptor 3, three environment variables, /dev/null on the first three
 * descriptors, nothing else open, argv[0] as in a plugin directory, and no arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/simulate/simulate.h"
#include "app/exit.h"
#include "base/clock.h"

#define PLUGIN_FD 3
#define ERROR_FD 4 /* closed by exec: tells the parent that it failed */

/* Above the descriptors that are set, and above those that a process is likely to have. */
#define HIGH_FD 10
#define FEW_FDS 1024

/* A plugin that has lost its connection ends; runtimes kill one that does not. */
#define END_WAIT_MS 3000

struct start {
    char path[PATH_MAX];
    char argv0[256];
    char index[32];
    char name[256];
    char *argv[9];
    char *envp[4];
};

int gr_sim_own_path(char *out)
{
    union {
        unsigned long number;
        const char *text;
    } exec_name = {.number = getauxval(AT_EXECFN)};
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

    if (n > 0) {
        out[n] = '\0';
        return 0;
    }
    /* Where /proc is not mounted: the name that was given to exec. */
    return exec_name.number && realpath(exec_name.text, out) ? 0 : -ENOENT;
}

/*
 * This program as plugin, whatever its settings say: what belongs to the node's own plugin is left
 * alone when somebody simulates. Flags count over what Configure carries.
 */
static void keep_apart(char *argv[])
{
    static char verb[] = "plugin", control[] = "--control", last_good[] = "--last-good",
                run_dir[] = "--run-dir", none[] = "none";

    argv[1] = verb;
    argv[2] = control;
    argv[3] = none;
    argv[4] = last_good;
    argv[5] = none;
    argv[6] = run_dir;
    argv[7] = none;
}

static int prepare(const struct gr_sim *sim, struct start *start)
{
    static char socket[] = "NRI_PLUGIN_SOCKET=3";

    if (sim->options.plugin)
        (void)snprintf(start->path, sizeof(start->path), "%s", sim->options.plugin);
    else if (gr_sim_own_path(start->path) != 0)
        return ENOENT;
    (void)snprintf(start->argv0, sizeof(start->argv0), "%s-%s", sim->index, sim->name);
    (void)snprintf(start->index, sizeof(start->index), "NRI_PLUGIN_IDX=%s", sim->index);
    (void)snprintf(start->name, sizeof(start->name), "NRI_PLUGIN_NAME=%s", sim->name);
    start->argv[0] = start->argv0;
    if (!sim->options.plugin)
        keep_apart(start->argv);
    start->envp[0] = socket;
    start->envp[1] = start->index;
    start->envp[2] = start->name;
    return 0;
}

static void close_above(int last)
{
    if (close_range((unsigned)last + 1, ~0U, 0) == 0)
        return;
    /* Kernels before 5.9, and sandboxes that do not know the call. */
    for (int fd = last + 1; fd < FEW_FDS; fd++)
        (void)close(fd);
}

/*
 * In the child: only async-signal-safe calls. The descriptors are all above HIGH_FD, so that none
 * is overwritten before its turn. Returns the errno for which it failed; *error_fd moves.
 */
static int become_plugin(struct start *start, int fd, int *error_fd, int null)
{
    if (dup3(*error_fd, ERROR_FD, O_CLOEXEC) < 0)
        return errno;
    *error_fd = ERROR_FD;
    if (dup2(fd, PLUGIN_FD) < 0)
        return errno;
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (dup2(null, i) < 0)
            return errno;
    }
    close_above(ERROR_FD);
    /* So that it does not outlive us when we are killed. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)execve(start->path, start->argv, start->envp);
    return errno;
}

_Noreturn static void be_child(struct start *start, int fd, int error_fd)
{
    int high_error = fcntl(error_fd, F_DUPFD_CLOEXEC, HIGH_FD);
    int high_fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int high_null = null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, HIGH_FD);
    int failed = errno;

    if (high_error >= 0 && high_fd >= 0 && high_null >= 0) {
        error_fd = high_error;
        failed = become_plugin(start, high_fd, &error_fd, high_null);
    }
    (void)!write(error_fd, &failed, sizeof(failed));
    _exit(127);
}

/* 0, or the errno for which the child could not become the plugin. */
static int wait_for_exec(int error_fd)
{
    int failed = 0;
    ssize_t n;

    do {
        n = read(error_fd, &failed, sizeof(failed));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(failed) ? failed : 0;
}

static int fork_plugin(struct start *start, int fd, pid_t *out_pid)
{
    int errors[2];
    int failed;

    if (pipe2(errors, O_CLOEXEC) != 0)
        return errno;
    *out_pid = fork();
    if (*out_pid == 0)
        be_child(start, fd, errors[1]);
    failed = *out_pid < 0 ? errno : 0;
    (void)close(errors[1]);
    if (failed == 0) {
        failed = wait_for_exec(errors[0]);
        if (failed)
            (void)waitpid(*out_pid, NULL, 0);
    }
    (void)close(errors[0]);
    return failed;
}

int gr_sim_launch(const struct gr_sim *sim, struct gr_sim_plugin *out_plugin)
{
    struct start start = {0};
    int failed = prepare(sim, &start);
    int fds[2];

    if (failed == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        failed = errno;
    else if (failed == 0) {
        failed = fork_plugin(&start, fds[1], &out_plugin->pid);
        (void)close(fds[1]);
        out_plugin->fd = fds[0];
        if (failed)
            (void)close(fds[0]);
    }
    if (failed == 0)
        return GR_EXIT_OK;
    (void)fprintf(stderr, "grapnel simulate: the plugin %s cannot be started: %s\n", start.path,
                  strerror(failed));
    return GR_EXIT_HOST;
}

/* Whether the child has ended within the time. */
static bool wait_for_end(pid_t pid, int *out_status)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    uint64_t until_ns = gr_now_ns() + END_WAIT_MS * UINT64_C(1000000);

    while (gr_now_ns() < until_ns) {
        pid_t r = waitpid(pid, out_status, WNOHANG);

        if (r != 0)
            return r == pid;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

void gr_sim_reap(const struct gr_sim *sim, struct gr_sim_plugin *plugin, bool failed)
{
    int status = 0;

    if (!wait_for_end(plugin->pid, &status)) {
        (void)kill(plugin->pid, SIGKILL);
        (void)waitpid(plugin->pid, NULL, 0);
        (void)fprintf(stderr,
                      "grapnel simulate: the plugin %s-%s did not end within %d s after its "
                      "connection was closed, and was killed\n",
                      sim->index, sim->name, END_WAIT_MS / 1000);
    } else if (WIFSIGNALED(status)) {
        (void)fprintf(stderr, "grapnel simulate: the plugin %s-%s was ended by signal %d (%s)\n",
                      sim->index, sim->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (failed && WEXITSTATUS(status) != 0) {
        (void)fprintf(stderr, "grapnel simulate: the plugin %s-%s ended with exit code %d\n",
                      sim->index, sim->name, WEXITSTATUS(status));
    }
}
