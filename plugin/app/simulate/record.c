/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runtimes throw away what hooks print. So in the bundle of a real container this program stands in
 * each hook's place: it notes that it was started, points stdout and stderr at a file, and becomes
 * the hook, with the input, environment, working directory and rights that the runtime gave it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/simulate/simulate.h"
#include "app/exit.h"

#define ORDER_NAME "order"

/* A line for each hook: its number and its pid. */
#define ORDER_MAX_BYTES (1U << 20)

static int open_in(const char *dir, const char *name, int flags)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC, 0600);
}

/* Our pid as the machine has it: /proc is still the machine's one inside a new pid namespace. */
static int note_start(const char *dir, const char *number)
{
    int fd = open_in(dir, ORDER_NAME, O_WRONLY | O_CREAT | O_APPEND);
    char pid[16] = "0";
    char line[32];
    ssize_t r = readlink("/proc/self", pid, sizeof(pid) - 1);
    int n = snprintf(line, sizeof(line), "%s %.*s\n", number, r > 0 ? (int)r : 1, pid);
    bool fine = fd >= 0 && write(fd, line, (size_t)n) == n;

    if (fd >= 0)
        (void)close(fd);
    return fine ? 0 : -1;
}

/* argv: --record DIR NUMBER PATH ARG0… */
int gr_sim_record(int argc, char **argv)
{
    int fd;

    if (argc < 5 || strlen(argv[2]) > 10)
        return GR_EXIT_USAGE;
    fd = open_in(argv[1], argv[2], O_WRONLY | O_CREAT | O_APPEND);
    if (fd < 0 || note_start(argv[1], argv[2]) != 0 || dup2(fd, STDOUT_FILENO) < 0 ||
        dup2(fd, STDERR_FILENO) < 0) {
        perror("grapnel simulate --record");
        return GR_EXIT_HOST;
    }
    (void)execv(argv[3], argv + 4);
    (void)fprintf(stderr, "%s cannot be started: %s\n", argv[3], strerror(errno));
    return 127;
}

/* ---- from outside ---- */

bool gr_sim_kill_recorded(const char *records)
{
    int fd = open_in(records, ORDER_NAME, O_RDONLY);
    char tail[64];
    struct gr_str line;
    uint64_t pid = 0;
    ssize_t n = -1;

    if (fd < 0)
        return false;
    if (lseek(fd, -(off_t)(sizeof(tail) - 1), SEEK_END) < 0)
        (void)lseek(fd, 0, SEEK_SET);
    n = read(fd, tail, sizeof(tail));
    (void)close(fd);
    if (n < 2 || tail[n - 1] != '\n')
        return false;
    line = (struct gr_str){.p = tail, .n = (size_t)n - 1};
    line = gr_str_skip(line, gr_str_rfind(line, ' ') + 1);
    if (gr_str_to_u64(line, &pid) != 0 || pid <= 1 || pid > INT_MAX)
        return false;
    return kill((pid_t)pid, SIGKILL) == 0;
}

static struct gr_str read_output(struct gr_sim *sim, const char *records, struct gr_str number,
                                 bool *out_cut)
{
    char name[16];
    char *bytes = gr_arena_alloc(&sim->arena, GR_SIM_OUTPUT_MAX_BYTES + 1);
    size_t n = 0;
    ssize_t got;
    int fd;

    (void)snprintf(name, sizeof(name), "%.*s", GR_STR_FMT(number));
    fd = open_in(records, name, O_RDONLY);
    if (fd < 0 || !bytes) {
        if (fd >= 0)
            (void)close(fd);
        return GR_STR_NONE;
    }
    while (n <= GR_SIM_OUTPUT_MAX_BYTES &&
           (got = read(fd, bytes + n, GR_SIM_OUTPUT_MAX_BYTES + 1 - n)) > 0)
        n += (size_t)got;
    (void)close(fd);
    *out_cut = n > GR_SIM_OUTPUT_MAX_BYTES;
    return (struct gr_str){.p = bytes, .n = GR_MIN(n, (size_t)GR_SIM_OUTPUT_MAX_BYTES)};
}

int gr_sim_read_records(struct gr_sim *sim, const char *records, struct gr_sim_container *c)
{
    char path[PATH_MAX];
    struct gr_str order;

    c->runs = gr_arena_array(&sim->arena, c->hooks_n, sizeof(*c->runs));
    if (!c->runs)
        return gr_sim_no_memory();
    (void)snprintf(path, sizeof(path), "%s/%s", records, ORDER_NAME);
    if (faccessat(AT_FDCWD, path, R_OK, 0) != 0)
        return GR_EXIT_OK; /* none was started */
    if (gr_sim_read(&sim->arena, path, ORDER_MAX_BYTES, &order) != GR_EXIT_OK)
        return GR_EXIT_HOST;
    while (order.n > 0 && c->runs_n < c->hooks_n) {
        size_t end = gr_str_find(order, '\n');
        struct gr_str number = gr_str_first(order, gr_str_find(gr_str_first(order, end), ' '));
        struct gr_sim_run *run = &c->runs[c->runs_n];
        uint64_t i;

        if (gr_str_to_u64(number, &i) == 0 && i < c->hooks_n) {
            *run = (struct gr_sim_run){.hook = &c->hooks[i]};
            run->end.output = read_output(sim, records, number, &run->end.cut);
            c->runs_n++;
        }
        order = gr_str_skip(order, end + 1);
    }
    return GR_EXIT_OK;
}
