/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of app/setup/cleanup share: what it told, and a program store in a directory of
 * its own.
 */
#ifndef GR_TESTS_APP_CLEANING_H
#define GR_TESTS_APP_CLEANING_H

#include "app/setup/cleanup_parts.h"

#include "load/realfs.h"

#include <errno.h>

#include "load/store_limits.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

/* ---- what is told ---- */

static struct {
    size_t n[GR_CLEANUP_FAILED + 1];
    char text[8192]; /* of each: its path behind the top directory, and why */
} told;

static inline void on_item(void *user, const struct gr_cleanup_item *item)
{
    size_t used = strlen(told.text);
    size_t skip = strncmp(item->path, top, strlen(top)) == 0 ? strlen(top) : 0;

    (void)user;
    told.n[item->fate]++;
    (void)snprintf(told.text + used, sizeof(told.text) - used, "%d %s %s\n", (int)item->fate,
                   item->path + skip, item->why ? item->why : "");
}

static inline void on_waiting(void *user, const char *why)
{
    (void)user;
    (void)why;
}

static struct gr_cleanup cleanup = {.fs = &fs, .say = on_item, .waiting = on_waiting};
static struct gr_cleanup_place place;
static struct gr_holders holders;
static struct gr_err err;

static inline int enter(const char *path)
{
    static char full[512];

    (void)snprintf(full, sizeof(full), "%s", at(path));
    memset(&told, 0, sizeof(told));
    place = (struct gr_cleanup_place){.cleanup = &cleanup, .path = full};
    err = (struct gr_err){0};
    return gr_cleanup_enter(&place, "/", &err);
}

static inline void clean_store(void)
{
    assert_int_equal(enter("/p"), 0);
    assert_int_equal(gr_cleanup_store(&place, &holders), 0);
    gr_cleanup_leave(&place);
}

static inline bool is_ours(struct gr_str name)
{
    return gr_str_has_prefix(name, GR_STR("our"));
}

static inline void clean_files(void)
{
    assert_int_equal(enter("/run"), 0);
    assert_int_equal(gr_cleanup_files(&place, is_ours), 0);
    gr_cleanup_leave(&place);
}

static inline void assert_told(const char *line)
{
    if (!strstr(told.text, line))
        fail_msg("expected \"%s\", was told:\n%s", line, told.text);
}

static inline bool is_there(const char *path)
{
    return faccessat(AT_FDCWD, at(path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the store ---- */

#define SETUP_ONE "/p/net/" ONE "/bin/setup"
static const struct gr_oci_hook hook_one = {.path = {.p = SETUP_ONE, .n = sizeof(SETUP_ONE) - 1}};

static inline void hold(const struct gr_oci_hook *hook)
{
    const struct gr_subject subject = {.id = GR_STR("0123456789abcdef"),
                                       .name = GR_STR("c"),
                                       .pod_name = GR_STR("pod"),
                                       .pod_namespace = GR_STR("shop"),
                                       .hooks = hook,
                                       .hooks_n = 1};

    assert_int_equal(gr_holders_add(&holders, &subject, 1), 0);
}

static inline void fill_store(void)
{
    dir("/p", 0755);
    dir("/p/net", 0755);
    dir("/p/net/" ONE, 0755);
    dir("/p/net/" ONE "/bin", 0755);
    make("/p/net/" ONE "/bin/setup", "one", 0755);
    dir("/p/net/" TWO, 0755);
    make("/p/net/" TWO "/setup", "two", 0755);
    link_to("/p/net/current", TWO);
    link_to("/p/net/.owner", "a/b");
    dir("/p/net/.tmp-0123456789abcdef", 0755);
    make("/p/net/.tmp-0123456789abcdef/setup", "", 0755);
}

static inline void begin_store(void)
{
    begin();
    cleanup.dry_run = false;
    fill_store();
}

static inline void end_store(void)
{
    gr_holders_fini(&holders);
    end();
}

#endif
