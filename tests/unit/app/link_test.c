/* SPDX-License-Identifier: Apache-2.0 */
/* The connection's life as its owner sees it; what goes over it is in nri/session's tests. */
#include "testing.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/daemon/link.h"
#include "app/daemon/view.h"
#include "app/exit.h"

#define NOT_OVER (-1)

struct owner {
    struct event_base *base;
    struct gr_log log;
    struct gr_link *link;
    size_t settings_asked, closed;
    int reason, exit_code;
    bool told_lost; /* at GR_SESSION_CLOSED the view said why */
};

static struct gr_session_settings settings(void *user)
{
    struct owner *owner = user;

    owner->settings_asked++;
    return (struct gr_session_settings){0};
}

static void on_state(void *user, enum gr_session_state to)
{
    struct owner *owner = user;
    const struct gr_view_session *view = gr_link_view(owner->link);

    assert_int_equal(view->state, to);
    owner->told_lost = to == GR_SESSION_CLOSED && view->lost[0] != '\0';
}

static void on_closed(void *user, int reason)
{
    struct owner *owner = user;

    owner->closed++;
    owner->reason = reason;
}

static void on_over(void *user, int exit_code)
{
    struct owner *owner = user;

    owner->exit_code = exit_code;
    (void)event_base_loopbreak(owner->base);
}

/* The others answer requests, of which none comes here. */
static const struct gr_link_ops ops = {
    .settings = settings, .state = on_state, .closed = on_closed, .over = on_over};

static void begin_owner(struct owner *out_owner, const struct gr_link_options *options)
{
    *out_owner = (struct owner){.base = event_base_new(), .exit_code = NOT_OVER};
    assert_non_null(out_owner->base);
    gr_log_init(&out_owner->log, "test");
    assert_int_equal(
        gr_link_new(out_owner->base, options, &out_owner->log, &ops, out_owner, &out_owner->link),
        0);
}

static void end_owner(struct owner *owner)
{
    gr_link_free(owner->link);
    event_base_free(owner->base);
}

static void test_launched(void **state GR_UNUSED)
{
    const struct gr_view_session *view;
    struct gr_link_options options = {.socket = "", .name = "grapnel", .index = "10"};
    struct owner owner;
    int pair[2];
    char byte;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    options.launched_fd = pair[0];
    begin_owner(&owner, &options);
    view = gr_link_view(owner.link);
    assert_true(view->launched);
    assert_int_equal(view->state, GR_SESSION_CLOSED);
    gr_link_begin_within(owner.link, 3600 * 1000);
    gr_link_begin(owner.link);
    assert_int_equal(view->state, GR_SESSION_REGISTERING);
    assert_int_equal(view->sessions, 1);
    assert_int_equal(owner.settings_asked, 1);
    assert_int_equal(read(pair[1], &byte, 1), 1); /* of RegisterPlugin */
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    assert_int_equal(event_base_dispatch(owner.base), 0);
    assert_int_equal(owner.exit_code, GR_EXIT_OK);
    assert_int_equal(owner.closed, 1);
    assert_int_equal(owner.reason, 0);
    assert_true(owner.told_lost);
    assert_string_equal(view->lost, "end of file");
    assert_int_equal(view->state, GR_SESSION_CLOSED);
    /* Neither the wait for a beginning nor one for another connection is left. */
    assert_int_equal(event_base_get_num_events(owner.base, EVENT_BASE_COUNT_ADDED), 0);
    /* Without a session nothing happens. */
    gr_link_settings_changed(owner.link);
    gr_link_configured(owner.link);
    end_owner(&owner);
    (void)close(pair[1]);
}

static void test_begins_within(void **state GR_UNUSED)
{
    struct gr_link_options options = {
        .socket = "/nonexistent/nri.sock", .launched_fd = -1, .name = "grapnel", .index = "10"};
    const struct gr_view_session *view;
    struct owner owner;

    begin_owner(&owner, &options);
    view = gr_link_view(owner.link);
    gr_link_begin_within(owner.link, 0);
    assert_false(gr_link_has_begun(owner.link));
    assert_int_equal(event_base_loop(owner.base, EVLOOP_ONCE), 0);
    assert_true(gr_link_has_begun(owner.link));
    assert_int_equal(view->connect_errno, -ENOENT);
    assert_int_equal(view->sessions, 0);
    assert_false(view->launched);
    /* It tries on: neither over nor closed, and the next attempt waits in the loop. */
    assert_int_equal(owner.exit_code, NOT_OVER);
    assert_int_equal(owner.closed, 0);
    assert_int_equal(event_base_get_num_events(owner.base, EVENT_BASE_COUNT_ADDED), 1);
    end_owner(&owner);
}

int main(void)
{
    test_add("launched, it ends with its connection", test_launched);
    test_add("begins when the time has passed, and tries on", test_begins_within);
    return test_run("link");
}
