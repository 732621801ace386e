/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What loading costs: milliseconds for 1 to 10,000 sets, in one file each or 1,000 to a file, with
 * one hook program for all or one for each; the first load (which keeps every text as last good),
 * the best of several later ones and the processor's share of it; and the memory of the rule set.
 * Printed, not asserted. The argument is a directory for temporary files, else /tmp.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "load/load.h"

#define PER_FILE_MAX 1000
#define BEST_OF 5

static char top[64];
static char rules[96];
static char programs[96];
static char last_good[96];

static double now_ms(clockid_t clock)
{
    struct timespec ts;

    (void)clock_gettime(clock, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static void count(void *user, enum gr_level level, const struct gr_err *err)
{
    size_t *n = user;
    char line[1024];

    if ((*n)++ >= 3)
        return;
    gr_err_format(err, level, line, sizeof(line));
    (void)fprintf(stderr, "%s\n", line);
}

static void write_set(FILE *file, size_t i, size_t program)
{
    (void)fprintf(file,
                  "---\n"
                  "apiVersion: grapnel/v1beta1\n"
                  "kind: HookSet\n"
                  "metadata:\n"
                  "  name: set-%05zu\n"
                  "spec:\n"
                  "  match:\n"
                  "    image: [\"registry.example.com/team-%zu/app-%zu:1.*\"]\n"
                  "    podAnnotations: {network.example.com/type-%zu: custom}\n"
                  "    namespace: {notIn: [kube-system]}\n"
                  "  hooks:\n"
                  "    createRuntime:\n"
                  "      - path: %s/program-%zu\n"
                  "        args: [program, --container-id, \"{{.ID}}\"]\n"
                  "        env: [MODE=bridge]\n"
                  "        timeout: 30\n",
                  i, i % 50, i, i, programs, program);
}

static void write_rules(size_t sets, size_t per_file, size_t programs_n)
{
    for (size_t first = 0; first < sets; first += per_file) {
        char path[160];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%05zu.yaml", rules, first);
        file = fopen(path, "w");
        need(file != NULL, path);
        for (size_t i = first; i < sets && i < first + per_file; i++)
            write_set(file, i, i % programs_n);
        need(fclose(file) == 0, path);
    }
    for (size_t i = 0; i < programs_n; i++) {
        char path[160];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/program-%zu", programs, i);
        file = fopen(path, "w");
        need(file != NULL, path);
        need(fclose(file) == 0 && chmod(path, 0755) == 0, path);
    }
}

struct cost {
    double wall_ms, cpu_ms;
    size_t bytes;
};

static struct cost load(const struct gr_load_options *options, size_t sets)
{
    size_t findings = 0;
    struct gr_reporter reporter = {.report = count, .user = &findings};
    struct gr_load_result result;
    struct mallinfo2 before = mallinfo2();
    struct mallinfo2 after;
    struct cost cost = {.wall_ms = -now_ms(CLOCK_MONOTONIC),
                        .cpu_ms = -now_ms(CLOCK_PROCESS_CPUTIME_ID)};

    need(gr_load(options, &reporter, &result) == 0, "gr_load");
    cost.wall_ms += now_ms(CLOCK_MONOTONIC);
    cost.cpu_ms += now_ms(CLOCK_PROCESS_CPUTIME_ID);
    after = mallinfo2();
    cost.bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    if (result.sets != sets || findings > 0)
        (void)fprintf(stderr, "expected %zu sets and no findings, found %zu and %zu\n", sets,
                      result.sets, findings);
    gr_ruleset_unref(result.ruleset);
    return cost;
}

static struct cost best_of(const struct gr_load_options *options, size_t sets)
{
    struct cost best = load(options, sets);

    for (int i = 1; i < BEST_OF; i++) {
        struct cost cost = load(options, sets);

        best.wall_ms = GR_MIN(best.wall_ms, cost.wall_ms);
        best.cpu_ms = GR_MIN(best.cpu_ms, cost.cpu_ms);
    }
    return best;
}

static void make_dirs(const char *below)
{
    (void)snprintf(top, sizeof(top), "%s/grapnel-bench-XXXXXX", below);
    need(mkdtemp(top) != NULL, "mkdtemp");
    (void)snprintf(rules, sizeof(rules), "%s/rules", top);
    (void)snprintf(programs, sizeof(programs), "%s/programs", top);
    (void)snprintf(last_good, sizeof(last_good), "%s/last-good", top);
    need(mkdir(rules, 0755) == 0 && mkdir(programs, 0755) == 0, "mkdir");
}

static void measure(const char *below, size_t sets, size_t per_file, size_t programs_n)
{
    const char *const dirs[] = {rules};
    struct gr_fs fs;
    struct gr_load_options options = {
        .fs = &fs,
        .dirs = dirs,
        .dirs_n = 1,
        .host_root = "/",
        .last_good_dir = last_good,
        .node_name = GR_STR("node"),
        .check_host = true,
    };
    char command[160];
    struct cost first;
    struct cost later;
    struct cost bare;

    gr_fs_posix(&fs);
    make_dirs(below);
    write_rules(sets, per_file, programs_n);
    first = load(&options, sets);
    later = best_of(&options, sets);
    options.last_good_dir = NULL;
    options.check_host = false;
    bare = best_of(&options, sets);
    (void)printf("%7zu %7zu %9zu %10.1f %10.1f %10.1f %10.1f %12.1f\n", sets,
                 (sets + per_file - 1) / per_file, programs_n, first.wall_ms, later.wall_ms,
                 later.cpu_ms, bare.cpu_ms, (double)later.bytes / 1024);
    (void)snprintf(command, sizeof(command), "rm -rf %s", top);
    need(system(command) == 0, command);
}

int main(int argc, char **argv)
{
    const char *below = argc > 1 ? argv[1] : "/tmp";

    (void)umask(022);
    (void)printf(
        "   sets   files  programs  first, ms  later, ms    its cpu   bare cpu  memory, KiB\n");
    measure(below, 1, PER_FILE_MAX, 1);
    measure(below, 100, PER_FILE_MAX, 1);
    measure(below, 1000, PER_FILE_MAX, 1);
    measure(below, 10000, PER_FILE_MAX, 1);
    measure(below, 10000, 1, 1);
    measure(below, 10000, 1, 10000);
    (void)printf("later: texts unchanged; bare: no last good texts, no look at the host\n");
    return 0;
}
