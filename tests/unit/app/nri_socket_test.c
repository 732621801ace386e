/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/daemon/nri_socket.h"

static void test_connect_says_why(void **state)
{
    char path[200];

    (void)state;
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[108] = '\0';
    assert_int_equal(gr_nri_socket_connect(path), -ENAMETOOLONG);
    path[107] = '\0';
    assert_int_equal(gr_nri_socket_connect(path), -ENOENT);
}

static void test_adopt(void **state)
{
    int pair[2];
    int null = open("/dev/null", O_RDONLY);
    char text[16];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setenv("NRI_PLUGIN_SOCKET", "x", 1), 0);
    assert_int_equal(gr_nri_socket_adopt(GR_STR("")), -EINVAL);
    assert_int_equal(gr_nri_socket_adopt(GR_STR("-1")), -EINVAL);
    assert_int_equal(gr_nri_socket_adopt(GR_STR("3x")), -EINVAL);
    assert_int_equal(gr_nri_socket_adopt(GR_STR("1025")), -EINVAL);
    assert_int_equal(gr_nri_socket_adopt(GR_STR("1024")), -ENOTSOCK);
    (void)snprintf(text, sizeof(text), "%d", null);
    assert_int_equal(gr_nri_socket_adopt(gr_str_from(text)), -ENOTSOCK);
    assert_non_null(getenv("NRI_PLUGIN_SOCKET"));
    (void)snprintf(text, sizeof(text), "%d", pair[0]);
    assert_int_equal(gr_nri_socket_adopt(gr_str_from(text)), pair[0]);
    assert_true(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
    assert_null(getenv("NRI_PLUGIN_SOCKET"));
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(null);
}

int main(void)
{
    test_add("connect says why it failed", test_connect_says_why);
    test_add("only a socket is adopted, close-on-exec, variables gone", test_adopt);
    return test_run("nri_socket");
}
