/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hook of the tests: appends one line of JSON to a file that says that it ran, when, where,
 * with which arguments and environment and what it read from stdin; then exits as it was told.
 *
 *   hook-record --log FILE --tag TAG [--exit N] [--stderr TEXT]
 *
 * Everything comes in by argument, since hooks may have an empty environment. The line is one
 * write() to a file opened with O_APPEND, so that hooks running at the same time do not mix theirs.
 * Static, so that it also runs inside a container without a libc (startContainer).
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STDIN_MAX (1 << 20)

struct options {
    const char *log;
    const char *tag;
    const char *message;
    int status;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "hook-record: %s: %s\n", what, strerror(errno));
    exit(125);
}

static void put_string(FILE *out, const char *s, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_list(FILE *out, char *const *list)
{
    fputc('[', out);
    for (size_t i = 0; list[i]; i++) {
        if (i > 0)
            fputc(',', out);
        put_string(out, list[i], strlen(list[i]));
    }
    fputc(']', out);
}

static size_t read_stdin(char *buf, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t n = read(STDIN_FILENO, buf + used, size - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            fail("reading stdin");
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return used;
}

static struct options parse(int argc, char **argv)
{
    struct options opt = {.tag = "", .status = 0};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--log") == 0)
            opt.log = argv[i + 1];
        else if (strcmp(argv[i], "--tag") == 0)
            opt.tag = argv[i + 1];
        else if (strcmp(argv[i], "--exit") == 0)
            opt.status = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--stderr") == 0)
            opt.message = argv[i + 1];
    }
    if (!opt.log) {
        fprintf(stderr, "hook-record: --log FILE is required\n");
        exit(125);
    }
    return opt;
}

static void append(const char *path, const char *line, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0)
        fail(path);
    if (write(fd, line, len) != (ssize_t)len)
        fail("writing the record");
    close(fd);
}

int main(int argc, char **argv)
{
    static char state[STDIN_MAX];
    struct options opt = parse(argc, argv);
    size_t state_len = read_stdin(state, sizeof(state));
    struct timespec now;
    char cwd[PATH_MAX];
    char *line = NULL;
    size_t line_len = 0;
    FILE *out = open_memstream(&line, &line_len);

    if (!out)
        fail("open_memstream");
    if (!getcwd(cwd, sizeof(cwd)))
        fail("getcwd");
    clock_gettime(CLOCK_REALTIME, &now);
    fputs("{\"tag\":", out);
    put_string(out, opt.tag, strlen(opt.tag));
    fprintf(out, ",\"time_ns\":%lld,\"pid\":%d,\"cwd\":",
            (long long)now.tv_sec * 1000000000LL + now.tv_nsec, (int)getpid());
    put_string(out, cwd, strlen(cwd));
    fputs(",\"argv\":", out);
    put_list(out, argv);
    fputs(",\"env\":", out);
    put_list(out, environ);
    fputs(",\"stdin\":", out);
    put_string(out, state, state_len);
    fputs("}\n", out);
    if (fclose(out) != 0)
        fail("building the record");
    append(opt.log, line, line_len);
    free(line);
    if (opt.message)
        fprintf(stderr, "%s\n", opt.message);
    return opt.status;
}
