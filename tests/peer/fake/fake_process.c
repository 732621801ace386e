/* SPDX-License-Identifier: Apache-2.0 */
/* The process, the log and the files of the fake runtime. */
#include "fake_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The descriptor that a runtime passes. */
#define PLUGIN_FD 3
#define LOG_SHOWN_BYTES 4000
#define PIPE_BYTES (1 << 20)

const char *fake_grapnel;

static int child_ended = -1; /* signalfd for SIGCHLD */

bool fake_find_grapnel(int argc, char **argv)
{
    fake_grapnel = argc > 1 ? argv[1] : getenv("GRAPNEL");
    if (fake_grapnel)
        return true;
    (void)fputs("usage: PROGRAM /path/of/grapnel (or GRAPNEL=...)\n", stderr);
    return false;
}

int64_t fake_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void fake_fail(struct fake *fake, const char *format, ...)
{
    size_t skip = fake->log_text.len > LOG_SHOWN_BYTES ? fake->log_text.len - LOG_SHOWN_BYTES : 0;
    struct gr_str log = gr_str_skip(gr_buf_view(&fake->log_text), skip);
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fprintf(stderr, "the plugin's log ends with:\n%.*s", GR_STR_FMT(log));
    fail_msg("%s", text);
    abort(); /* not reached */
}

/* ---- waiting ---- */

/* Takes what is in the log's pipe. */
static void read_log(struct fake *fake)
{
    for (;;) {
        char bytes[4096];
        ssize_t n = read(fake->log, bytes, sizeof(bytes));

        if (n > 0 && gr_buf_add(&fake->log_text, bytes, (size_t)n) == 0)
            continue;
        if (n == 0) {
            (void)close(fake->log);
            fake->log = -1;
        }
        return;
    }
}

void fake_wait_fd(struct fake *fake, int fd, short events, int64_t until_ms, const char *what)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = fake->log, .events = POLLIN}};
        int64_t left = until_ms - fake_now_ms();
        int n = poll(fds, 2, left > 0 ? (int)left : 0);

        if (n < 0 && errno != EINTR)
            fake_fail(fake, "poll: %s", strerror(errno));
        if (n > 0 && fds[1].revents)
            read_log(fake);
        /* Between the looks at one and the other something may have come: that was read above. */
        if (n > 0 && (fds[0].revents || (fds[1].revents && fds[1].fd == fd)))
            return;
        if (fake_now_ms() >= until_ms)
            fake_fail(fake, "waited in vain for %s", what);
    }
}

bool fake_has_logged(const struct fake *fake, const char *text)
{
    return fake->log_text.len > 0 &&
           memmem(fake->log_text.data, fake->log_text.len, text, strlen(text));
}

void fake_wait_log(struct fake *fake, const char *text)
{
    int64_t until = fake_now_ms() + FAKE_DEADLINE_MS;

    for (;;) {
        struct gr_str rest = gr_str_skip(gr_buf_view(&fake->log_text), fake->log_seen);
        const char *found = rest.n ? memmem(rest.p, rest.n, text, strlen(text)) : NULL;

        if (found) {
            fake->log_seen += (size_t)(found - rest.p) + strlen(text);
            return;
        }
        if (fake->log < 0)
            fake_fail(fake, "the log has ended without \"%s\"", text);
        fake_wait_fd(fake, fake->log, POLLIN, until, text);
        read_log(fake);
    }
}

int fake_wait_exit(struct fake *fake)
{
    int64_t until = fake_now_ms() + FAKE_DEADLINE_MS;
    int status = 0;

    for (;;) {
        struct signalfd_siginfo info;
        pid_t pid = waitpid(fake->pid, &status, WNOHANG);

        if (pid < 0)
            fake_fail(fake, "waitpid: %s", strerror(errno));
        if (pid > 0) {
            fake->pid = 0;
            if (fake->log >= 0)
                read_log(fake);
            return status;
        }
        fake_wait_fd(fake, child_ended, POLLIN, until, "the end of the process");
        (void)!read(child_ended, &info, sizeof(info));
    }
}

void fake_expect_exit(struct fake *fake)
{
    int status = fake_wait_exit(fake);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fake_fail(fake, "the process ended with wait status 0x%x", (unsigned int)status);
}

/* ---- files ---- */

void fake_write(struct fake *fake, const char *name, const char *text)
{
    char path[256], next[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", fake->dir, name);
    (void)snprintf(next, sizeof(next), "%s/next", fake->dir);
    file = fopen(next, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(next, path), 0);
}

void fake_remove(struct fake *fake, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", fake->dir, name);
    assert_int_equal(unlink(path), 0);
}

void fake_write_rule(struct fake *fake, const char *match, const char *env)
{
    char text[2048];

    (void)snprintf(text, sizeof(text),
                   "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: tap}\nspec:\n"
                   "  match: %s\n  hooks:\n    createRuntime:\n      - path: /bin/true\n%s%s%s",
                   match, env ? "        env: " : "", env ? env : "", env ? "\n" : "");
    fake_write(fake, "hooks.d/tap.yaml", text);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void watch_children(void)
{
    sigset_t set;

    if (child_ended >= 0)
        return;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    child_ended = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    assert_true(child_ended >= 0);
}

void fake_init(struct fake *fake)
{
    char hooks[80];

    watch_children();
    *fake = (struct fake){.dir = "/tmp/grapnel-fake-XXXXXX", .listener = -1, .conn = -1, .log = -1};
    gr_buf_init(&fake->log_text, 64U << 20);
    gr_buf_init(&fake->payload, 64U << 20);
    for (size_t i = 0; i < GR_ARRAY_LEN(fake->streams); i++)
        gr_buf_init(&fake->streams[i].bytes, 16U << 20);
    assert_non_null(mkdtemp(fake->dir));
    (void)snprintf(hooks, sizeof(hooks), "%s/hooks.d", fake->dir);
    assert_int_equal(mkdir(hooks, 0755), 0);
    fake_write(
        fake, "config.yaml",
        "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {runDir: none, controlSocket: none}\n");
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void fake_fini(struct fake *fake)
{
    if (fake->pid > 0) {
        (void)kill(fake->pid, SIGKILL);
        (void)waitpid(fake->pid, NULL, 0);
        fake->pid = 0;
    }
    close_fd(&fake->listener);
    close_fd(&fake->conn);
    close_fd(&fake->log);
    gr_buf_fini(&fake->log_text);
    gr_buf_fini(&fake->payload);
    for (size_t i = 0; i < GR_ARRAY_LEN(fake->streams); i++)
        gr_buf_fini(&fake->streams[i].bytes);
    if (fake->dir[0])
        (void)nftw(fake->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    fake->dir[0] = '\0';
}

/* ---- sockets ---- */

void fake_listen(struct fake *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/nri.sock", fake->dir);
    (void)unlink(address.sun_path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fake->listener >= 0);
    assert_int_equal(bind(fake->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fake->listener, 8), 0);
}

void fake_stop_listening(struct fake *fake)
{
    close_fd(&fake->listener);
}

static void begin_connection(struct fake *fake)
{
    fake->stream = 0;
    for (size_t i = 0; i < GR_ARRAY_LEN(fake->streams); i++) {
        gr_buf_reset(&fake->streams[i].bytes, SIZE_MAX);
        fake->streams[i].frames = 0;
        fake->streams[i].taken = false;
    }
}

void fake_accept(struct fake *fake)
{
    int64_t until = fake_now_ms() + FAKE_DEADLINE_MS;

    close_fd(&fake->conn);
    begin_connection(fake);
    while (fake->conn < 0) {
        fake_wait_fd(fake, fake->listener, POLLIN, until, "a connection");
        fake->conn = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
    }
}

void fake_close(struct fake *fake)
{
    close_fd(&fake->conn);
}

/* ---- the process ---- */

/* In the child: runs argv with these descriptors; env is NULL for our own. */
__attribute__((noreturn)) static void become(const char *const *argv, const char *const *env,
                                             int err, int passed, pid_t parent)
{
    /* exec does not change them; only its prototype is older than const. */
    union {
        const char *const *in;
        char *const *out;
    } args = {.in = argv}, vars = {.in = env};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0)
        _exit(126);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(err >= 0 ? err : null, 2) < 0)
        _exit(126);
    if (passed >= 0) {
        /* dup2 onto itself would leave close-on-exec set. */
        if (passed == PLUGIN_FD ? fcntl(PLUGIN_FD, F_SETFD, 0) < 0 : dup2(passed, PLUGIN_FD) < 0)
            _exit(126);
    }
    (void)close_range(passed >= 0 ? PLUGIN_FD + 1 : PLUGIN_FD, ~0U, 0);
    if (env)
        (void)execve(fake_grapnel, args.out, vars.out);
    else
        (void)execv(fake_grapnel, args.out);
    _exit(127);
}

static void spawn(struct fake *fake, const char *const *argv, const char *const *env, bool with_log,
                  int passed)
{
    pid_t parent = getpid();
    int fds[2] = {-1, -1};

    if (with_log) {
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        (void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
        assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    }
    fake->pid = fork();
    assert_true(fake->pid >= 0);
    if (fake->pid == 0)
        become(argv, env, fds[1], passed, parent);
    if (with_log)
        (void)close(fds[1]);
    fake->log = fds[0];
}

void fake_start(struct fake *fake)
{
    char socket_path[80], hooks[80], config[80], run_dir[80];
    const char *const argv[] = {"grapnel",      "plugin", "--socket",    socket_path,
                                "--hooks-dir",  hooks,    "--config",    config,
                                "--last-good",  "none",   "--node-name", "node-a",
                                "--log-format", "logfmt", "--run-dir",   run_dir,
                                "--control",    "none",   NULL};

    (void)snprintf(socket_path, sizeof(socket_path), "%s/nri.sock", fake->dir);
    (void)snprintf(hooks, sizeof(hooks), "%s/hooks.d", fake->dir);
    (void)snprintf(config, sizeof(config), "%s/config.yaml", fake->dir);
    (void)snprintf(run_dir, sizeof(run_dir), "%s/run", fake->dir);
    fake->launched = false;
    spawn(fake, argv, NULL, true, -1);
}

void fake_start_connected(struct fake *fake)
{
    if (fake->listener < 0)
        fake_listen(fake);
    fake_start(fake);
    fake_wait_log(fake, "msg=\"rules loaded\"");
    fake_accept(fake);
}

void fake_launch(struct fake *fake, enum fake_launch how)
{
    char config[80];
    const char *const bare[] = {"10-grapnel", NULL};
    const char *const apart[] = {"10-grapnel", "plugin",   "--last-good", "none", "--run-dir",
                                 "none",       "--config", config,        NULL};
    const char *const env[] = {"NRI_PLUGIN_SOCKET=3", "NRI_PLUGIN_IDX=10",
                               "NRI_PLUGIN_NAME=grapnel", NULL};
    int pair[2];

    (void)snprintf(config, sizeof(config), "%s/config.yaml", fake->dir);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fake->conn = pair[0];
    begin_connection(fake);
    if (how == FAKE_APART_AND_CLOSED)
        fake_close(fake);
    fake->launched = true;
    spawn(fake, how == FAKE_AS_RUNTIME ? bare : apart, env, how == FAKE_APART_WITH_LOG, pair[1]);
    (void)close(pair[1]);
}
