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
#include "app/proc_stat.h"

#define STAT_BYTES 1024

struct stat_numbers {
    uint64_t user, system, start, virtual_bytes, resident_pages;
};

/* Tells whether all of them were there. */
static bool read_stat(struct stat_numbers *out)
{
    char text[STAT_BYTES];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct gr_str stat = {.p = text, .n = n > 0 ? (size_t)n : 0};

    if (fd >= 0)
        (void)close(fd);
    return gr_proc_stat(stat, GR_PROC_STAT_USER_TIME, &out->user) &&
           gr_proc_stat(stat, GR_PROC_STAT_SYSTEM_TIME, &out->system) &&
           gr_proc_stat(stat, GR_PROC_STAT_START, &out->start) &&
           gr_proc_stat(stat, GR_PROC_STAT_VIRTUAL_BYTES, &out->virtual_bytes) &&
           gr_proc_stat(stat, GR_PROC_STAT_RESIDENT_PAGES, &out->resident_pages);
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

static void write_stat(struct gr_metrics_out *out, const struct stat_numbers *stat)
{
    uint64_t tick = (uint64_t)GR_MAX(sysconf(_SC_CLK_TCK), 1L);
    uint64_t start = boot_ms() + stat->start * 1000 / tick;
    char text[48];

    begin(out, "process_cpu_seconds_total", "counter", "Time that the process spent on CPUs.");
    put_ticks(text, stat->user + stat->system);
    gr_metrics_line_text(out, "", text, NULL, 0);
    begin(out, "process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.");
    gr_metrics_line(out, "", stat->resident_pages * (uint64_t)sysconf(_SC_PAGESIZE), NULL, 0);
    begin(out, "process_virtual_memory_bytes", "gauge", "Address space of the process.");
    gr_metrics_line(out, "", stat->virtual_bytes, NULL, 0);
    begin(out, "process_start_time_seconds", "gauge", "When the process was started.");
    (void)snprintf(text, sizeof(text), "%llu.%03llu", (unsigned long long)(start / 1000),
                   (unsigned long long)(start % 1000));
    gr_metrics_line_text(out, "", text, NULL, 0);
}

int gr_metrics_write_process(struct gr_buf *to)
{
    struct gr_metrics_out out = {.to = to};
    struct stat_numbers stat;
    uint64_t fds;
    struct rlimit limit;

    if (read_stat(&stat))
        write_stat(&out, &stat);
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
