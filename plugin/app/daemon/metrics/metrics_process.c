/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/metrics/metrics_process: process_*, as Prometheus's own client libraries have them.
 *
 * Layer: app. From /proc/self; what cannot be read there is left out.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/metrics/metrics.h"
#include "app/daemon/metrics/metrics_text.h"

/* proc(5), counted from behind the name, which may hold anything but ends in the last ")". */
#define STAT_UTIME 11
#define STAT_STIME 12
#define STAT_START 19
#define STAT_VSIZE 20
#define STAT_RSS 21
#define STAT_FIELDS 22

#define STAT_BYTES 1024

/* Tells whether all of them were there. */
static bool read_stat(uint64_t out_fields[STAT_FIELDS])
{
    char text[STAT_BYTES];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct gr_str rest = {.p = text, .n = n > 0 ? (size_t)n : 0};

    if (fd >= 0)
        (void)close(fd);
    rest = gr_str_skip(rest, gr_str_rfind(rest, ')') + 2);
    for (size_t i = 0; i < STAT_FIELDS; i++) {
        size_t end = gr_str_find(rest, ' ');

        out_fields[i] = 0;
        /* The state is a letter and some may be negative: none of those that are looked at. */
        if (gr_str_to_u64(gr_str_first(rest, end), &out_fields[i]) != 0)
            out_fields[i] = 0;
        if (end == rest.n)
            return false;
        rest = gr_str_skip(rest, end + 1);
    }
    return true;
}

/* The directory's own descriptor is not counted. */
static bool count_fds(uint64_t *out_n)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (!dir)
        return false;
    *out_n = 0;
    while ((entry = readdir(dir)) != NULL)
        *out_n += entry->d_name[0] != '.';
    *out_n -= *out_n > 0;
    (void)closedir(dir);
    return true;
}

static void put_ticks(char out[48], uint64_t ticks)
{
    uint64_t per_second = (uint64_t)GR_MAX(sysconf(_SC_CLK_TCK), 1L);

    (void)snprintf(out, 48, "%llu.%03llu", (unsigned long long)(ticks / per_second),
                   (unsigned long long)(ticks % per_second * 1000 / per_second));
}

/* Both clocks are read once, so that the start does not move with each correction of the time. */
static uint64_t boot_ms(void)
{
    static uint64_t boot;
    struct timespec now, up;

    if (boot == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0 &&
        clock_gettime(CLOCK_BOOTTIME, &up) == 0)
        boot = ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) -
               ((uint64_t)up.tv_sec * 1000 + (uint64_t)up.tv_nsec / 1000000);
    return boot;
}

static void begin(struct gr_metrics_out *out, const char *name, const char *type, const char *help)
{
    const struct gr_metrics_family family = {.name = name, .type = type, .help = help};

    gr_metrics_begin(out, &family);
}

static void write_stat(struct gr_metrics_out *out, const uint64_t fields[STAT_FIELDS])
{
    uint64_t tick = (uint64_t)GR_MAX(sysconf(_SC_CLK_TCK), 1L);
    uint64_t start = boot_ms() + fields[STAT_START] * 1000 / tick;
    char text[48];

    begin(out, "process_cpu_seconds_total", "counter", "Time that the process spent on CPUs.");
    put_ticks(text, fields[STAT_UTIME] + fields[STAT_STIME]);
    gr_metrics_line_text(out, "", text, NULL, 0);
    begin(out, "process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.");
    gr_metrics_line(out, "", fields[STAT_RSS] * (uint64_t)sysconf(_SC_PAGESIZE), NULL, 0);
    begin(out, "process_virtual_memory_bytes", "gauge", "Address space of the process.");
    gr_metrics_line(out, "", fields[STAT_VSIZE], NULL, 0);
    begin(out, "process_start_time_seconds", "gauge", "When the process was started.");
    (void)snprintf(text, sizeof(text), "%llu.%03llu", (unsigned long long)(start / 1000),
                   (unsigned long long)(start % 1000));
    gr_metrics_line_text(out, "", text, NULL, 0);
}

int gr_metrics_write_process(struct gr_buf *to)
{
    struct gr_metrics_out out = {.to = to};
    uint64_t fields[STAT_FIELDS], fds;
    struct rlimit limit;

    if (read_stat(fields))
        write_stat(&out, fields);
    if (count_fds(&fds)) {
        begin(&out, "process_open_fds", "gauge", "Descriptors that are open.");
        gr_metrics_line(&out, "", fds, NULL, 0);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        begin(&out, "process_max_fds", "gauge", "Descriptors that may be open.");
        gr_metrics_line(&out, "", limit.rlim_cur, NULL, 0);
    }
    return to->broken;
}
