/* SPDX-License-Identifier: Apache-2.0 */
/* Where the control socket lies, and whose it is: instances, settings, what somebody removed. */
#include "app/controlled.h"

static void assert_asks(const char *who)
{
    char expected[96];
    int fd = client();

    (void)snprintf(expected, sizeof(expected), "{\"ok\":true,\"who\":\"%s\",\"uid\":0,\"pid\":7}\n",
                   who);
    say(fd, WHO);
    assert_hears(fd, expected);
    (void)close(fd);
}

static void test_mode(void **state)
{
    mode_t before = umask(0);
    struct gr_control *control = listening();
    struct stat st;

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    (void)umask(before);
    gr_control_free(control);
    assert_int_equal(stat(path, &st), -1);
}

static void test_two_instances(void **state)
{
    struct gr_control *first = listening(), *second;
    int early = client();

    (void)state;
    say(early, "{\"command\":");
    second = control_new("second", 60000);
    assert_asks("second");
    assert_string_equal(gr_control_path(first), "");
    say(early, "\"who\"}\n");
    assert_hears(early, FIRST);
    (void)close(early);
    /* A reload of the first one leaves the second alone, while that lives. */
    gr_control_follow(first, path);
    assert_asks("second");
    gr_control_free(second);
    assert_int_equal(access(path, F_OK), -1);
    gr_control_follow(first, path);
    assert_asks("first");
    gr_control_free(first);
}

/* Nobody reloads anything: the first one sees for itself that it is alone again. */
static void test_the_later_ends(void **state)
{
    struct gr_control *first, *second;
    struct gr_listener left;
    struct gr_err err = {0};

    (void)state;
    look_ms = 1;
    first = listening();
    look_ms = 3600000;
    second = control_new("second", 60000);
    gr_control_free(second);
    until_reached(first);
    assert_asks("first");
    /* One that is killed leaves its socket. */
    gr_listener_init(&left);
    assert_int_equal(gr_listener_open(&left, path, &err), 0);
    assert_string_equal(gr_control_path(first), "");
    (void)close(left.fd);
    until_reached(first);
    assert_asks("first");
    gr_control_free(first);
}

/* The first one ends and does not take the second one's socket with it. */
static void test_the_older_ends(void **state)
{
    struct gr_control *first = listening(), *second = control_new("second", 60000);

    (void)state;
    gr_control_free(first);
    assert_asks("second");
    gr_control_free(second);
}

static void test_stale(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    gr_control_free(listening());
}

static void test_somebody_removes_it(void **state)
{
    struct gr_control *control = listening();

    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_string_equal(gr_control_path(control), "");
    gr_control_follow(control, path);
    assert_served();
    gr_control_free(control);
}

static void test_follows_settings(void **state)
{
    struct gr_control *control = listening();
    char other[80];

    (void)state;
    (void)snprintf(other, sizeof(other), "%s.2", path);
    gr_control_follow(control, other);
    assert_string_equal(gr_control_path(control), other);
    assert_int_equal(access(path, F_OK), -1);
    gr_control_follow(control, "");
    assert_string_equal(gr_control_path(control), "");
    assert_int_equal(access(other, F_OK), -1);
    gr_control_follow(control, path);
    assert_served();
    gr_control_free(control);
}

/* One line, and again when it would say something else; the next call tries again. */
static void test_cannot_be_made(void **state)
{
    FILE *file = fopen(path, "w");
    struct gr_control *control;
    struct captured c;

    (void)state;
    assert_non_null(file);
    (void)fclose(file);
    capture_begin(&c);
    control = control_new("first", 60000);
    gr_control_follow(control, path);
    capture_end(&c);
    assert_non_null(strstr(c.text, "code=socket"));
    assert_non_null(strstr(c.text, "expected a socket or nothing"));
    assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(top, 0777), 0);
    capture_begin(&c);
    gr_control_follow(control, path);
    capture_end(&c);
    assert_non_null(strstr(c.text, "others than root may change it"));
    assert_int_equal(chmod(top, 0755), 0);
    gr_control_follow(control, path);
    assert_served();
    gr_control_free(control);
}

static void test_no_descriptors(void **state)
{
    struct gr_control *control = listening();
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
    int fds[64], fd = client();
    size_t n = 0;

    (void)state;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0); /* the last test: for good */
    say(fd, "{");
    while (n < GR_ARRAY_LEN(fds) && (fds[n] = dup(fd)) >= 0)
        n++;
    assert_int_equal(errno, EMFILE);
    (void)close(fds[--n]);
    fds[n] = client(); /* the last one; the server has none for its end */
    turn();
    say(fd, "\"command\":\"who\"}\n");
    assert_hears(fd, FIRST);
    for (size_t i = 0; i < n; i++)
        (void)close(fds[i]);
    (void)send(fds[n], WHO, sizeof(WHO) - 1, 0);
    for (;;) {
        char *text = hear(fds[n]);
        bool done = text && text[0];

        assert_non_null(text);
        free(text);
        if (done)
            break;
        assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
    }
    (void)close(fds[n]);
    (void)close(fd);
    gr_control_free(control);
}

int main(void)
{
    test_add("mode", test_mode);
    test_add("two instances", test_two_instances);
    test_add("the later ends", test_the_later_ends);
    test_add("the older ends", test_the_older_ends);
    test_add("stale", test_stale);
    test_add("somebody removes it", test_somebody_removes_it);
    test_add("follows settings", test_follows_settings);
    test_add("cannot be made", test_cannot_be_made);
    test_add("no descriptors", test_no_descriptors);
    return controlled_run("control_path");
}
