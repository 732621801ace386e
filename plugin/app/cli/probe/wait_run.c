/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/probe/wait_run.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/exit.h"

#define WHY_BYTES 512

struct waiting {
    const char *verb;
    sigset_t signals; /* SIGTERM, SIGINT and SIGCHLD, blocked */
    bool told_to_end;
    char said[WHY_BYTES]; /* what was said last */
};

static void say(struct waiting *w, const char *text)
{
    if (strcmp(w->said, text) == 0)
        return;
    (void)snprintf(w->said, sizeof(w->said), "%s", text);
    (void)fprintf(stderr, "grapnel %s: %s\n", w->verb, text);
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

static int start(char *const command[], pid_t *out_pid)
{
    posix_spawnattr_t attributes;
    sigset_t none;
    int r = posix_spawnattr_init(&attributes);

    if (r)
        return r;
    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    r = posix_spawnp(out_pid, command[0], NULL, &attributes, command, environ);
    (void)posix_spawnattr_destroy(&attributes);
    return r;
}

/* Whether it succeeded. */
static bool run(struct waiting *w, char *const command[])
{
    char why[WHY_BYTES];
    pid_t program;
    int r = start(command, &program);
    int status = r ? 0 : wait_for(w, program);

    if (r)
        (void)snprintf(why, sizeof(why), "%s cannot be run: %s; trying again", command[0],
                       strerror(r));
    else if (status == 0)
        return true;
    else if (WIFSIGNALED(status))
        (void)snprintf(why, sizeof(why), "%s was ended by signal %d; trying again", command[0],
                       WTERMSIG(status));
    else
        (void)snprintf(why, sizeof(why), "%s ended with %d; trying again", command[0],
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

int gr_wait_run(const char *verb, gr_wait_run_ask_fn *ask, void *user, char *const command[])
{
    struct waiting w = {.verb = verb};
    int wait_s = GR_WAIT_RUN_S;
    const char *why;

    block_signals(&w);
    while (!ask(user, &why)) {
        say(&w, why);
        pause_for(&w, GR_WAIT_RUN_S);
        if (w.told_to_end)
            return GR_EXIT_FAILED;
    }
    if (!command[0])
        return GR_EXIT_OK;
    while (!run(&w, command)) {
        pause_for(&w, wait_s);
        if (w.told_to_end)
            return GR_EXIT_FAILED;
        wait_s = GR_MIN(wait_s * 2, GR_WAIT_RUN_MAX_S);
    }
    say(&w, "done; staying until it is told to end");
    while (!w.told_to_end)
        pause_for(&w, -1);
    return GR_EXIT_OK;
}
