/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/probe/wait_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/exit.h"
#include "base/fd.h"

#define WHY_BYTES 512

struct waiting {
    const struct gr_wait_run *job;
    int kept;         /* what the program says on stderr; -1: it is not kept */
    sigset_t signals; /* SIGTERM, SIGINT and SIGCHLD, blocked */
    bool told_to_end;
    char said[WHY_BYTES]; /* what was said last */
};

static void say(struct waiting *w, const char *text)
{
    if (strcmp(w->said, text) == 0)
        return;
    (void)snprintf(w->said, sizeof(w->said), "%s", text);
    (void)fprintf(stderr, "grapnel %s: %s\n", w->job->verb, text);
}

/* Children that are not the program: of one that ended before them. */
static void take_in(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* The next signal; 0: the time is over. seconds < 0: there is no end. */
static int next_signal(struct waiting *w, int seconds)
{
    const struct timespec time = {.tv_sec = seconds};
    int number;

    do
        number = sigtimedwait(&w->signals, NULL, seconds < 0 ? NULL : &time);
    while (number < 0 && errno == EINTR);
    w->told_to_end = w->told_to_end || number == SIGTERM || number == SIGINT;
    return number < 0 ? 0 : number;
}

static void pause_for(struct waiting *w, int seconds)
{
    while (!w->told_to_end && next_signal(w, seconds) == SIGCHLD)
        take_in();
}

/* Returns what waitpid says of the program; -1: it could not be waited for. */
static int wait_for(struct waiting *w, pid_t program)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);

        if (pid == program)
            return status;
        if (pid > 0)
            continue;
        if (pid < 0 && errno != EINTR)
            return -1;
        if (next_signal(w, -1) != SIGCHLD)
            (void)kill(program, SIGTERM);
    }
}

/* A file in memory that cannot grow: it holds what fits. */
static int keep_stderr(struct waiting *w)
{
    w->kept = memfd_create("stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (w->kept < 0 || ftruncate(w->kept, GR_WAIT_RUN_STDERR_BYTES) != 0 ||
        fcntl(w->kept, F_ADD_SEALS, F_SEAL_GROW) != 0)
        return errno;
    return 0;
}

/* Passes on what was kept, unless it is what the job accepts of a run that failed. Returns whether
 * it is. */
static bool let_go(struct waiting *w, bool failed)
{
    const char *accept = w->job->accept;
    char text[GR_WAIT_RUN_STDERR_BYTES];
    off_t end = lseek(w->kept, 0, SEEK_CUR); /* the program's own place */
    ssize_t n = end > 0 ? pread(w->kept, text, GR_MIN((size_t)end, sizeof(text)), 0) : 0;
    bool accepted = failed && n > 0 && memmem(text, (size_t)n, accept, strlen(accept));

    if (n > 0 && !accepted)
        (void)!gr_fd_write_all(STDERR_FILENO, gr_str_bytes(text, (size_t)n));
    (void)close(w->kept);
    w->kept = -1;
    return accepted;
}

static int start(struct waiting *w, pid_t *out_pid)
{
    char *const *command = w->job->command;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int r = posix_spawnattr_init(&attributes);

    if (r)
        return r;
    (void)posix_spawn_file_actions_init(&actions);
    if (w->kept >= 0)
        r = posix_spawn_file_actions_adddup2(&actions, w->kept, STDERR_FILENO);
    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (r == 0)
        r = posix_spawnp(out_pid, command[0], &actions, &attributes, command, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return r;
}

/* Whether it succeeded. */
static bool run(struct waiting *w)
{
    const char *name = w->job->command[0];
    char why[WHY_BYTES];
    pid_t program;
    int r = w->job->accept ? keep_stderr(w) : 0;
    int status = 0;
    bool accepted = false;

    r = r ? r : start(w, &program);
    if (r == 0)
        status = wait_for(w, program);
    if (w->kept >= 0)
        accepted = let_go(w, r == 0 && WIFEXITED(status) && status != 0);
    if (r)
        (void)snprintf(why, sizeof(why), "%s cannot be run: %s; trying again", name, strerror(r));
    else if (status == 0 || accepted)
        return true;
    else if (WIFSIGNALED(status))
        (void)snprintf(why, sizeof(why), "%s was ended by signal %d; trying again", name,
                       WTERMSIG(status));
    else
        (void)snprintf(why, sizeof(why), "%s ended with %d; trying again", name,
                       WEXITSTATUS(status));
    if (!w->told_to_end)
        say(w, why);
    return false;
}

static void block_signals(struct waiting *w)
{
    (void)sigemptyset(&w->signals);
    (void)sigaddset(&w->signals, SIGTERM);
    (void)sigaddset(&w->signals, SIGINT);
    (void)sigaddset(&w->signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &w->signals, NULL);
}

/* Returns whether it is so, or it was told to end before. */
static bool wait_until_so(struct waiting *w)
{
    const char *why;

    while (!w->job->ask(w->job->user, &why)) {
        say(w, why);
        pause_for(w, GR_WAIT_RUN_S);
        if (w->told_to_end)
            return false;
    }
    return true;
}

/* Returns whether it succeeded, or it was told to end before. */
static bool run_until_it_succeeds(struct waiting *w)
{
    int wait_s = GR_WAIT_RUN_S;

    while (!run(w)) {
        pause_for(w, wait_s);
        if (w->told_to_end)
            return false;
        wait_s = GR_MIN(wait_s * 2, GR_WAIT_RUN_MAX_S);
    }
    return true;
}

/* Whether it is so and the command, if any, has succeeded; else it was told to end before. */
static bool round_done(struct waiting *w)
{
    return wait_until_so(w) && (!w->job->command[0] || run_until_it_succeeds(w));
}

int gr_wait_run(const struct gr_wait_run *job)
{
    struct waiting w = {.job = job, .kept = -1};

    block_signals(&w);
    if (!round_done(&w))
        return GR_EXIT_FAILED;
    while (job->command[0] && !w.told_to_end) {
        say(&w, "done; staying until it is told to end");
        pause_for(&w, job->again_s > 0 ? (int)job->again_s : -1);
        if (!w.told_to_end && job->again_s > 0)
            (void)round_done(&w);
    }
    return GR_EXIT_OK;
}
