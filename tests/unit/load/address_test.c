/* SPDX-License-Identifier: Apache-2.0 */
/* Where to listen: every form, and what is none. */
#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "load/address.h"

struct good_row {
    const char *text;
    int family;
    const char *host; /* as inet_ntop shows it; the path of a unix socket */
    uint16_t port;
    bool any;
};

static const struct good_row good_rows[] = {
    {"127.0.0.1:1", AF_INET, "127.0.0.1", 1, false},
    {"0.0.0.0:65535", AF_INET, "0.0.0.0", 65535, false},
    {"[::1]:9753", AF_INET6, "::1", 9753, false},
    {"[fe80::1:2]:80", AF_INET6, "fe80::1:2", 80, false},
    {"[::]:80", AF_INET6, "::", 80, false},
    {":9753", AF_INET6, "::", 9753, true},
    {"unix:/a", AF_UNIX, "/a", 0, false},
    {"unix:/run/grapnel/a:b", AF_UNIX, "/run/grapnel/a:b", 0, false},
};

static void parses(void **state)
{
    const struct good_row *row = *state;
    struct gr_address address;
    char host[128] = "";
    uint16_t port = 0;

    assert_true(gr_address_parse(gr_str_from(row->text), &address));
    assert_int_equal(address.to.ss_family, row->family);
    assert_int_equal(address.any, row->any);
    if (row->family == AF_INET) {
        const struct sockaddr_in *to = (const struct sockaddr_in *)&address.to;

        assert_non_null(inet_ntop(AF_INET, &to->sin_addr, host, sizeof(host)));
        assert_int_equal(address.bytes, sizeof(*to));
        port = ntohs(to->sin_port);
    } else if (row->family == AF_INET6) {
        const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)&address.to;

        assert_non_null(inet_ntop(AF_INET6, &to->sin6_addr, host, sizeof(host)));
        assert_int_equal(address.bytes, sizeof(*to));
        port = ntohs(to->sin6_port);
    } else {
        (void)snprintf(host, sizeof(host), "%s",
                       ((const struct sockaddr_un *)&address.to)->sun_path);
    }
    assert_string_equal(host, row->host);
    assert_int_equal(port, row->port);
}

struct bad_row {
    const char *text;
};

static const struct bad_row bad_rows[] = {
    {""},
    {":"},
    {":0"},
    {":65536"},
    {":080"},
    {": 80"},
    {"80"},
    {"1.2.3.4"},
    {"1.2.3.4:"},
    {"1.2.3:80"},
    {"1.2.3.4:a"},
    {"a:80"},
    {"::1:80"},
    {"[]:80"},
    {"[::1:80"},
    {"[:80"},
    {"[1.2.3.4]:80"},
    {"[::1]80"},
    {"[::1%lo]:80"},
    {"unix:"},
    {"unix:a"},
    {"unix:/"},
    {"unix:/a/"},
    {"unix"},
    {"tcp:1.2.3.4:80"},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:80"},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct gr_address address = {.bytes = 7};

    assert_false(gr_address_parse(gr_str_from(row->text), &address));
    assert_int_equal(address.bytes, 7);
}

/* Text of a setting may hold anything. */
static void test_nul_bytes(void **state)
{
    struct gr_address address;

    (void)state;
    assert_false(gr_address_parse(GR_STR("unix:/a\0b"), &address));
    assert_false(gr_address_parse(GR_STR("1.2.3.4\0:80"), &address));
    assert_false(gr_address_parse(GR_STR("1.2.3.4:80\0"), &address));
}

static void test_longest_path(void **state)
{
    char text[5 + 108 + 1] = "unix:/";
    struct gr_address address;

    (void)state;
    memset(text + 6, 'a', 107);
    assert_false(gr_address_parse(gr_str_first(gr_str_from(text), 5 + 108), &address));
    assert_true(gr_address_parse(gr_str_first(gr_str_from(text), 5 + 107), &address));
    assert_int_equal(strlen(((const struct sockaddr_un *)&address.to)->sun_path), 107);
}

int main(void)
{
    TEST_ADD_ROWS(parses, good_rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("NUL bytes", test_nul_bytes);
    test_add("the longest path", test_longest_path);
    return test_run("address");
}
