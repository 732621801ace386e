/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fd.h"

/* Several times what a pipe holds, so that one write does not take it all. */
#define LONG_BYTES (1U << 20)

struct reader {
    int fd;
    size_t n;
    bool same;
};

static void *read_all(void *arg)
{
    struct reader *reader = arg;
    char bytes[4096];
    ssize_t n;

    while ((n = read(reader->fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            reader->same = reader->same && bytes[i] == (char)((reader->n + (size_t)i) % 251);
        reader->n += (size_t)n;
    }
    return NULL;
}

static void test_writes_all(void **state GR_UNUSED)
{
    struct reader reader = {.same = true};
    char *text = malloc(LONG_BYTES);
    pthread_t thread;
    int ends[2];

    assert_non_null(text);
    for (size_t i = 0; i < LONG_BYTES; i++)
        text[i] = (char)(i % 251);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    reader.fd = ends[0];
    assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
    assert_int_equal(gr_fd_write_all(ends[1], (struct gr_str){.p = text, .n = LONG_BYTES}), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(reader.n, LONG_BYTES);
    assert_true(reader.same);
    (void)close(ends[0]);
    free(text);
}

static void test_says_why(void **state GR_UNUSED)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    assert_true(full >= 0);
    assert_int_equal(gr_fd_write_all(full, GR_STR("text")), -ENOSPC);
    assert_int_equal(gr_fd_write_all(full, GR_STR_NONE), 0);
    (void)close(full);
    assert_int_equal(gr_fd_write_all(-1, GR_STR("text")), -EBADF);
}

int main(void)
{
    test_add("writes all, also what one write does not take", test_writes_all);
    test_add("says why it could not", test_says_why);
    return test_run("fd");
}
