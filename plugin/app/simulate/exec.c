/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process, as runc runs a hook: its input from a pipe, both outputs into one buffer, a deadline
 * after which it is killed. Unlike runc this kills the whole process group, and does not wait for
 * ever for an output that something left behind keeps open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/simulate/simulate.h"
#include "base/clock.h"

#define NS_PER_MS UINT64_C(1000000)

/* How often it is looked whether the process has ended while its output stays open. */
#define TICK_MS 50

/* How long output may stay open after a kill. */
#define AFTER_KILL_MS 500

/* How long something that is asked to end may take before it is killed. */
#define AFTER_ASKING_MS 5000

/* When it is said that something takes long, and again. */
#define PATIENCE_MS 2000
#define PATIENCE_AGAIN_MS 10000

struct process {
    const struct gr_sim_command *command;
    struct gr_sim_end *end;
    pid_t pid;
    int in, out; /* our ends; -1 once closed */
    size_t written;
    struct gr_buf output;
    uint64_t start_ns, deadline_ns, say_ns;
    bool has_deadline, exited, killed;
    bool asking, asked; /* to end */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void gr_sim_catch_signals(void)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < GR_ARRAY_LEN(numbers); i++)
        (void)sigaction(numbers[i], &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool gr_sim_interrupted(void)
{
    return interrupted != 0;
}

/* ---- the child ---- */

struct pipes {
    int in[2], out[2], errors[2];
};

_Noreturn static void be_child(const struct gr_sim_command *command, const struct pipes *pipes)
{
    int failed = 0;

    (void)setpgid(0, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(pipes->in[0], STDIN_FILENO) < 0 || dup2(pipes->out[1], STDOUT_FILENO) < 0 ||
        dup2(pipes->out[1], STDERR_FILENO) < 0 || chdir(command->cwd) != 0)
        failed = errno;
    if (failed == 0) {
        (void)execve(command->path, command->argv, command->envp);
        failed = errno;
    }
    (void)!write(pipes->errors[1], &failed, sizeof(failed));
    _exit(127);
}

static void close_pair(const int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            (void)close(pair[i]);
    }
}

/* All close-on-exec and above the first three, so that the child can put them there. */
static int make_pipe(int pair[2])
{
    int raw[2];
    int failed = 0;

    if (pipe2(raw, O_CLOEXEC) != 0)
        return errno;
    for (int i = 0; i < 2; i++) {
        pair[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (pair[i] < 0)
            failed = errno;
    }
    close_pair(raw);
    return failed;
}

/* 0, or the errno for which there is no process. */
static int start(struct process *p)
{
    struct pipes pipes = {{-1, -1}, {-1, -1}, {-1, -1}};
    int failed = make_pipe(pipes.in);
    ssize_t n;

    if (failed == 0)
        failed = make_pipe(pipes.out);
    if (failed == 0)
        failed = make_pipe(pipes.errors);
    p->pid = failed == 0 ? fork() : -1;
    if (p->pid == 0)
        be_child(p->command, &pipes);
    if (p->pid > 0) {
        (void)close(pipes.errors[1]);
        pipes.errors[1] = -1;
        do {
            n = read(pipes.errors[0], &failed, sizeof(failed));
        } while (n < 0 && errno == EINTR);
        if (n == (ssize_t)sizeof(failed))
            (void)waitpid(p->pid, NULL, 0);
    } else if (failed == 0) {
        failed = errno;
    }
    close_pair(pipes.errors);
    if (failed) {
        close_pair(pipes.in);
        close_pair(pipes.out);
        return failed;
    }
    (void)close(pipes.in[0]);
    (void)close(pipes.out[1]);
    p->in = pipes.in[1];
    p->out = pipes.out[0];
    (void)fcntl(p->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(p->out, F_SETFL, O_NONBLOCK);
    return 0;
}

/* ---- the parent ---- */

static void close_in(struct process *p)
{
    if (p->in >= 0)
        (void)close(p->in);
    p->in = -1;
}

static void close_out(struct process *p)
{
    if (p->out >= 0)
        (void)close(p->out);
    p->out = -1;
}

static void write_input(struct process *p)
{
    struct gr_str rest = gr_str_skip(p->command->input, p->written);
    ssize_t n = rest.n ? write(p->in, rest.p, rest.n) : 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        p->written += (size_t)n;
    /* A process need not read its input. */
    if (n < 0 || p->written == p->command->input.n)
        close_in(p);
}

static void read_output(struct process *p)
{
    char chunk[8192];
    ssize_t n = read(p->out, chunk, sizeof(chunk));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_out(p);
        return;
    }
    if ((size_t)n > p->output.max - p->output.len) {
        p->end->cut = true;
        n = (ssize_t)(p->output.max - p->output.len);
    }
    (void)gr_buf_add(&p->output, chunk, (size_t)n);
}

static void kill_all(struct process *p)
{
    if (!p->exited || p->out >= 0) {
        (void)kill(-p->pid, SIGKILL);
        if (!p->exited)
            (void)kill(p->pid, SIGKILL);
    }
    p->killed = true;
    p->deadline_ns = gr_now_ns() + AFTER_KILL_MS * NS_PER_MS;
    p->has_deadline = true;
}

/* Its time is over, or ours. */
static void end_it(struct process *p)
{
    if (p->command->ask_to_end && !p->asking) {
        p->asking = true;
        p->has_deadline = true;
        p->deadline_ns = gr_now_ns() + AFTER_ASKING_MS * NS_PER_MS;
    } else {
        kill_all(p);
    }
}

static void look_at_time(struct process *p)
{
    uint64_t now_ns = gr_now_ns();
    bool late = p->has_deadline && now_ns >= p->deadline_ns;

    if (late && p->killed) {
        close_out(p); /* something that left the group keeps it open */
        return;
    }
    if (late && !p->asking)
        p->end->timed_out = true;
    if (late || (interrupted && !p->killed && !p->asking && !p->command->cleans_up))
        end_it(p);
    if (p->asking && !p->asked)
        p->asked = p->command->ask_to_end(p->command->user);
    if (now_ns < p->say_ns)
        return;
    (void)fprintf(stderr, "still running: %s (%llu s)\n", p->command->what,
                  (unsigned long long)((now_ns - p->start_ns) / NS_PER_MS / 1000));
    p->say_ns = now_ns + PATIENCE_AGAIN_MS * NS_PER_MS;
}

static void wait_for_end(struct process *p)
{
    while (!p->exited || p->out >= 0) {
        struct pollfd fds[] = {{.fd = p->in, .events = POLLOUT}, {.fd = p->out, .events = POLLIN}};

        if (poll(fds, 2, p->out >= 0 && !p->exited ? TICK_MS : TICK_MS / 10) > 0) {
            if (fds[0].revents)
                write_input(p);
            if (p->out >= 0 && fds[1].revents)
                read_output(p);
        }
        if (!p->exited && waitpid(p->pid, &p->end->status, WNOHANG) == p->pid)
            p->exited = true;
        if (!p->exited || p->out >= 0)
            look_at_time(p);
    }
    close_in(p);
    /* What a process leaves running is its own affair, unless it failed. */
    if (p->killed || p->end->status != 0)
        (void)kill(-p->pid, SIGKILL);
}

void gr_sim_run_command(struct gr_arena *arena, const struct gr_sim_command *command,
                        struct gr_sim_end *out_end)
{
    struct process p = {.command = command, .end = out_end, .in = -1, .out = -1};

    *out_end = (struct gr_sim_end){0};
    gr_buf_init(&p.output, GR_SIM_OUTPUT_MAX_BYTES);
    p.start_ns = gr_now_ns();
    p.say_ns = p.start_ns + PATIENCE_MS * NS_PER_MS;
    p.has_deadline = command->has_timeout;
    p.deadline_ns = p.start_ns;
    if (command->timeout_ms > 0)
        p.deadline_ns += (uint64_t)command->timeout_ms * NS_PER_MS;
    out_end->start_errno = start(&p);
    if (out_end->start_errno == 0)
        wait_for_end(&p);
    out_end->took_ms = (gr_now_ns() - p.start_ns) / NS_PER_MS;
    if (!gr_arena_str(arena, gr_buf_view(&p.output), &out_end->output) && !out_end->start_errno)
        out_end->start_errno = ENOMEM;
    gr_buf_fini(&p.output);
}
