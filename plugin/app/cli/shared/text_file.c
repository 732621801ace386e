/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/exit.h"
#include "base/buf.h"

static int read_fd(int fd, struct gr_buf *buf)
{
    for (;;) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        if (gr_buf_add(buf, chunk, (size_t)n))
            return buf->broken;
    }
}

int gr_read_text(const char *verb, const char *path, size_t max, struct gr_arena *arena,
                 struct gr_str *out_text)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct gr_buf buf;
    int r;

    gr_buf_init(&buf, max);
    r = fd < 0 ? -errno : read_fd(fd, &buf);
    if (r == 0 && !gr_arena_str(arena, gr_buf_view(&buf), out_text))
        r = -ENOMEM;
    gr_buf_fini(&buf);
    if (fd >= 0 && !is_stdin)
        (void)close(fd);
    if (r == 0)
        return GR_EXIT_OK;
    if (r == -EMSGSIZE)
        (void)fprintf(stderr, "grapnel %s: %s has more than %zu bytes\n", verb, path, max);
    else
        (void)fprintf(stderr, "grapnel %s: %s cannot be read: %s\n", verb, path, strerror(-r));
    return GR_EXIT_HOST;
}
