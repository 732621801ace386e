/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/daemon/reload/watch: says that files may have changed, by inotify.
 *
 * Layer: app. It watches the directories of rule files whole, and of every path the directories
 * that it leads through, so that a missing one is noticed when it appears and a link when it is put
 * elsewhere. It trusts nothing that it sees: an event only means "look again", and the load decides
 * what counts. Where inotify does not work, everything goes on by the rescan.
 *
 * For the loop's thread, unless a function says otherwise: finding the directories looks at file
 * systems, and one that hangs must not keep containers waiting.
 */
#ifndef GR_APP_DAEMON_RELOAD_WATCH_H
#define GR_APP_DAEMON_RELOAD_WATCH_H

#include "app/log.h"

struct event_base;
struct gr_watch;

/* The owner is told when nothing happened for so long: an editor or a package manager does several
 * things to one file, and kubelet to one directory. */
#define GR_WATCH_QUIET_MS 100

/* The longest wait after the first of several changes; a burst that goes on longer is cut into
 * loads of this distance. As long once more for a file that somebody is writing. */
#define GR_WATCH_LATEST_MS 1000

/* Bytes of events that are read in one turn of the loop, about 100 of them, so that requests are
 * answered in between. The kernel keeps the rest. */
#define GR_WATCH_READ_BYTES 4096

/* How long what was read is not trusted yet, in milliseconds: see gr_watch_is_stirred. The second
 * one before a last good text is dropped: a file system may hold up whoever truncates a file after
 * everybody can see that it is empty. No evidence. */
#define GR_WATCH_TRUST_MS 10
#define GR_WATCH_TRUST_DROP_MS 100

/* The system calls, so that tests can make them fail. user comes first. */
struct gr_watch_sys {
    void *user;
    int (*open)(void *user); /* a non-blocking descriptor of events; negative errno */
    /* A watch on a directory. Returns its number; negative errno. */
    int (*add)(void *user, int fd, const char *dir, uint32_t mask);
};

/* For status, metrics and doctor; problem is borrowed until the loop's next turn. */
struct gr_watch_status {
    bool working;        /* everything that was to be watched is */
    bool pending;        /* a change was seen that the owner is not told of yet */
    size_t watches;      /* directories */
    uint64_t events;     /* read, whatever they were */
    uint64_t overflows;  /* events were lost, and everything was read again */
    const char *problem; /* what does not work and how to mend it; NULL: nothing */
};

/* Files may have changed: after the wait above, never from inside a call. The owner calls
 * gr_watch_look, and gr_watch_search before it reads them. */
typedef void gr_watch_changed_fn(void *user);

/*
 * sys: NULL for the real calls; else it and log are borrowed for the object. That inotify does not
 * work is no failure: it is logged once, and tried again at each look. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_watch_new(struct event_base *base, const struct gr_log *log,
                            const struct gr_watch_sys *sys, gr_watch_changed_fn *changed,
                            void *user, struct gr_watch **out_watch);
void gr_watch_free(struct gr_watch *watch); /* NULL is fine */

/*
 * The files and directories to be watched from the next search on, copied; relative paths count
 * from the working directory. Equal ones cost nothing. Without memory the old ones stay until the
 * next call.
 */
void gr_watch_set(struct gr_watch *watch, const char *const *paths, size_t n);

/* What was told so far is for the caller to read now. */
void gr_watch_look(struct gr_watch *watch);

/*
 * For any thread, one at a time: finds the directories of all paths. What changes in them from here
 * on is told; the caller reads them after it.
 */
void gr_watch_search(struct gr_watch *watch);

/* Whether a search found other directories for the same paths. What the caller had read before that
 * search may be old then. Forgets it. */
bool gr_watch_has_moved(struct gr_watch *watch);

/*
 * For any thread, while the object lives: whether something may have changed since the last look.
 * Waits wait_ms for that, at most twice as long: the kernel tells of a change after it was made,
 * and whoever makes it may be held up in between. An event that the loop has not read by then
 * counts, whatever it is.
 */
bool gr_watch_is_stirred(const struct gr_watch *watch, int wait_ms);

/* As if something had changed: the owner is told. */
void gr_watch_stir(struct gr_watch *watch);

void gr_watch_status(struct gr_watch *watch, struct gr_watch_status *out_status);

#endif
