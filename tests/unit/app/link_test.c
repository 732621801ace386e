/* SPDX-License-Identifier: Apache-2.0 */
/* The waits between connections, and the descriptor that a runtime passes. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/daemon/link.h"

static void test_connect_waits_double(void **state)
{
    static const uint32_t expected[] = {500, 1000, 2000, 4000, 5000, 5000};
    struct gr_backoff backoff;

    (void)state;
    gr_backoff_init(&backoff);
    for (size_t i = 0; i < GR_ARRAY_LEN(expected); i++)
        assert_int_equal(gr_backoff_connect_failed(&backoff, 0), expected[i]);
}

static void test_young_sessions_wait_longer(void **state)
{
    static const uint32_t expected[] = {5000, 10000, 20000, 40000, 60000, 60000};
    struct gr_backoff backoff;

    (void)state;
    gr_backoff_init(&backoff);
    for (size_t i = 0; i < GR_ARRAY_LEN(expected); i++)
        assert_int_equal(gr_backoff_session_ended(&backoff, 59999, 0), expected[i]);
    assert_int_equal(gr_backoff_session_ended(&backoff, 60000, 0), 500);
    assert_int_equal(gr_backoff_session_ended(&backoff, 0, 0), 5000);
}

static void test_a_session_resets_the_connect_wait(void **state)
{
    struct gr_backoff backoff;

    (void)state;
    gr_backoff_init(&backoff);
    (void)gr_backoff_connect_failed(&backoff, 0);
    (void)gr_backoff_connect_failed(&backoff, 0);
    (void)gr_backoff_session_ended(&backoff, 0, 0);
    assert_int_equal(gr_backoff_connect_failed(&backoff, 0), 500);
}

static void test_jitter_takes_at_most_a_quarter(void **state)
{
    (void)state;
    for (uint32_t random = 0; random < 10000; random++) {
        struct gr_backoff backoff;
        uint32_t wait_ms;

        gr_backoff_init(&backoff);
        wait_ms = gr_backoff_session_ended(&backoff, 0, random * 429497U);
        assert_in_range(wait_ms, 3750, 5000);
    }
}

static void test_connect_says_why(void **state)
{
    char path[200];

    (void)state;
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[108] = '\0';
    assert_int_equal(gr_link_connect(path), -ENAMETOOLONG);
    path[107] = '\0';
    assert_int_equal(gr_link_connect(path), -ENOENT);
}

static void test_adopt(void **state)
{
    int pair[2];
    int null = open("/dev/null", O_RDONLY);
    char text[16];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setenv("NRI_PLUGIN_SOCKET", "x", 1), 0);
    assert_int_equal(gr_link_adopt(GR_STR("")), -EINVAL);
    assert_int_equal(gr_link_adopt(GR_STR("-1")), -EINVAL);
    assert_int_equal(gr_link_adopt(GR_STR("3x")), -EINVAL);
    assert_int_equal(gr_link_adopt(GR_STR("1025")), -EINVAL);
    assert_int_equal(gr_link_adopt(GR_STR("1024")), -ENOTSOCK);
    (void)snprintf(text, sizeof(text), "%d", null);
    assert_int_equal(gr_link_adopt(gr_str_from(text)), -ENOTSOCK);
    assert_non_null(getenv("NRI_PLUGIN_SOCKET"));
    (void)snprintf(text, sizeof(text), "%d", pair[0]);
    assert_int_equal(gr_link_adopt(gr_str_from(text)), pair[0]);
    assert_true(fcntl(pair[0], F_GETFD) & FD_CLOEXEC);
    assert_null(getenv("NRI_PLUGIN_SOCKET"));
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(null);
}

int main(void)
{
    test_add("waits after failed connects double up to 5 s", test_connect_waits_double);
    test_add("waits after young sessions double up to 60 s", test_young_sessions_wait_longer);
    test_add("a session resets the wait for connect", test_a_session_resets_the_connect_wait);
    test_add("jitter takes at most a quarter", test_jitter_takes_at_most_a_quarter);
    test_add("connect says why it failed", test_connect_says_why);
    test_add("only a socket is adopted, close-on-exec, variables gone", test_adopt);
    return test_run("link");
}
