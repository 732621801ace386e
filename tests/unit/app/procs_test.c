/* SPDX-License-Identifier: Apache-2.0 */
/* app/doctor/procs: what other people's processes cost. */
#include "testing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "app/doctor/procs.h"

#define PROCESSES 40
#define LINE_BYTES 200000
#define ARENA_MAX_BYTES (1U << 20)

static void write_line(const char *root, int pid, const char *first, size_t n)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/proc/%d", root, pid);
    assert_int_equal(mkdir(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/proc/%d/cmdline", root, pid);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%s%c%0*d%c", first, 0, (int)n, 1, 0);
    assert_int_equal(fclose(file), 0);
}

/* Only those of the chosen stay. */
static void long_lines(void **state)
{
    char root[] = "/tmp/grapnel-procs-XXXXXX", command[64], proc[64];
    struct gr_doctor_host *host = calloc(1, sizeof(*host));
    struct gr_doctor_procs procs;
    struct gr_arena arena;

    (void)state;
    assert_non_null(host);
    assert_non_null(mkdtemp(root));
    (void)snprintf(proc, sizeof(proc), "%s/proc", root);
    assert_int_equal(mkdir(proc, 0755), 0);
    for (int i = 0; i < PROCESSES; i++)
        write_line(root, 100 + i, "/bin/x", LINE_BYTES);
    write_line(root, 99, "/usr/bin/containerd", 3);
    gr_arena_init(&arena, 4096, ARENA_MAX_BYTES);
    assert_int_equal(gr_doctor_host_open(host, root, &arena), 0);
    assert_int_equal(gr_doctor_procs_read(host, &procs), 0);
    assert_int_equal(procs.n, 1);
    assert_string_equal(procs.items[0].args[0], "/usr/bin/containerd");
    assert_string_equal(procs.items[0].args[1], "001");
    gr_doctor_host_close(host);
    gr_arena_fini(&arena);
    free(host);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    test_add("long lines", long_lines);
    return test_run("procs");
}
