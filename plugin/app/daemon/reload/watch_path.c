/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/watch_path.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load/limits.h"

struct walk {
    char done[GR_LOAD_PATH_BYTES]; /* absolute, links replaced; "/" or without a slash at its end */
    char todo[GR_LOAD_PATH_BYTES]; /* what is left of the path */
    unsigned links;
};

/* Takes the first component of what is left; n == 0 at the end. Valid until todo changes. */
static struct gr_str next_name(struct gr_str *todo)
{
    struct gr_str name;

    while (todo->n > 0 && todo->p[0] == '/')
        *todo = gr_str_skip(*todo, 1);
    name = gr_str_first(*todo, gr_str_find(*todo, '/'));
    *todo = gr_str_skip(*todo, name.n);
    return name;
}

static void go_up(struct walk *w)
{
    size_t slash = gr_str_rfind(gr_str_from(w->done), '/');

    w->done[slash > 0 ? slash : 1] = '\0';
}

static bool join(const char *dir, struct gr_str name, char out[GR_LOAD_PATH_BYTES])
{
    int n = snprintf(out, GR_LOAD_PATH_BYTES, "%s/%.*s", strcmp(dir, "/") == 0 ? "" : dir,
                     GR_STR_FMT(name));

    return n > 0 && n < GR_LOAD_PATH_BYTES;
}

/* The link's text takes the place of its name in front of the rest. False: it leads nowhere. */
static bool follow(struct walk *w, struct gr_str link, struct gr_str rest)
{
    char text[GR_LOAD_PATH_BYTES];
    int n;

    if (++w->links > GR_WALK_LINKS_MAX || link.n == 0)
        return false;
    n = snprintf(text, sizeof(text), "%.*s/%.*s", GR_STR_FMT(link), GR_STR_FMT(rest));
    if (n <= 0 || n >= (int)sizeof(text))
        return false;
    if (text[0] == '/')
        memcpy(w->done, "/", sizeof("/"));
    memcpy(w->todo, text, (size_t)n + 1);
    return true;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Goes one component on. False: the walk is over. */
static bool go_on(struct walk *w, gr_watch_step_fn *step, void *user)
{
    struct gr_str rest = gr_str_from(w->todo);
    struct gr_str name = next_name(&rest);
    char link[GR_LOAD_PATH_BYTES];
    char path[GR_LOAD_PATH_BYTES];
    ssize_t n;

    if (name.n == 0) {
        if (is_directory(w->done))
            (void)step(user, w->done, GR_STR_NONE);
        return false;
    }
    if (gr_str_is(name, "..")) {
        go_up(w);
    } else if (!gr_str_is(name, ".")) {
        if (step(user, w->done, name) != 0 || !join(w->done, name, path))
            return false;
        n = readlink(path, link, sizeof(link));
        if (n >= 0)
            return follow(w, (struct gr_str){.p = link, .n = (size_t)n}, rest);
        memcpy(w->done, path, sizeof(path));
    }
    memmove(w->todo, rest.p, rest.n + 1);
    return true;
}

void gr_watch_walk(const char *path, gr_watch_step_fn *step, void *user)
{
    struct walk w = {.done = "/"};
    size_t n = strlen(path);

    if (path[0] != '/' || n >= sizeof(w.todo))
        return;
    memcpy(w.todo, path, n + 1);
    while (go_on(&w, step, user))
        ;
}
