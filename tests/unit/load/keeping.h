/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of last good texts share: a host with two files that were accepted. */
#ifndef GR_TESTS_LOAD_KEEPING_H
#define GR_TESTS_LOAD_KEEPING_H

#include "load/lastgood.h"
#include "load/limits.h"
#include "loading.h"

static struct memfs host;

#define A HOOKS "/a.yaml"
#define B HOOKS "/b.yaml"

static inline struct loaded *begin(void)
{
    struct loaded *l;

    host_init(&host);
    mem_file(&host, A, SET("a"));
    mem_file(&host, B, SET("b"));
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    return l;
}

static inline void end(struct loaded *l)
{
    loaded_free(l);
    memfs_fini(&host);
}

/* Everything that the process knew is gone; the disk stays. */
static inline struct loaded *restart(struct loaded *l)
{
    loaded_free(l);
    host.fs.token++;
    return load(&host);
}

/* The files in the directory; the only one when there is one. */
static inline size_t kept(struct mem_node **out)
{
    int dir = (int)(mem_at(&host, LAST_GOOD) - host.nodes);
    size_t n = 0;

    for (int i = 0; i < MEM_NODES_MAX; i++) {
        if (host.nodes[i].alive && host.nodes[i].parent == dir) {
            n++;
            if (out)
                *out = &host.nodes[i];
        }
    }
    return n;
}

#endif
