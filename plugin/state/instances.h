/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/instances: the file "instances" of the run directory: which plugin processes of this node
 * live now, and how each came to it.
 *
 * Layer: state. Each has one of GR_INSTANCES_MAX places in the file and holds a lock on it (one of
 * the open file, F_OFD_SETLK): the kernel drops it with the process, however that ends, so that
 * what a dead one wrote never counts and nothing has to be tidied up. It works between containers
 * that share nothing but the directory. Only root can open the file (mode 0600): with a lock on all
 * places, which takes no more than reading, nobody else can join. Format: specs/status.md.
 */
#ifndef GR_STATE_INSTANCES_H
#define GR_STATE_INSTANCES_H

#include "base/err.h"
#include "state/limits.h"

#define GR_INSTANCES_FILE "instances"

/* How a plugin process came to a node. */
enum gr_way {
    GR_WAY_EXTERNAL, /* by hand, or nothing tells how */
    GR_WAY_LAUNCHED, /* the runtime started it from its directory of plugins */
    GR_WAY_UNIT,     /* systemd */
    GR_WAY_POD,      /* Kubernetes */
};
#define GR_WAY_COUNT 4

/* "external", "launched", "unit", "pod". */
const char *gr_way_name(enum gr_way way);

#define GR_INSTANCE_TEXT_BYTES 64

struct gr_instance {
    enum gr_way way;
    uint64_t pid;      /* as it sees itself: in a pod that is no number of the host */
    int64_t started_s; /* since 1970 */
    /* None is empty but unit; what is too long is cut. */
    char name[GR_INSTANCE_TEXT_BYTES]; /* as it registers: NN-NAME */
    char version[GR_INSTANCE_TEXT_BYTES];
    char unit[GR_INSTANCE_TEXT_BYTES]; /* the name of the unit, where it is one */
};

struct gr_instance_list {
    bool known; /* the file could be read, or there is none: then nobody has joined */
    size_t n;
    struct gr_instance items[GR_INSTANCES_MAX];
};

/* Our own place. */
struct gr_instances {
    int fd; /* -1: none */
};

void gr_instances_init(struct gr_instances *out_instances);

/*
 * Takes a place in the file of this run directory, which is made where it is missing, and gives up
 * another one. Where we have one there already nothing is done. Returns 0; -EAGAIN: all places are
 * taken; another negative errno after filling err.
 */
GR_CHECKED int gr_instances_join(struct gr_instances *instances, const char *run_dir,
                                 const struct gr_instance *self, struct gr_err *err);

/* Gives our place up. */
void gr_instances_leave(struct gr_instances *instances);

/* Those that live now beside us. */
void gr_instances_others(const struct gr_instances *instances, struct gr_instance_list *out_list);

/* All that live now, of the run directory that is open as dir. */
void gr_instances_read(int dir, struct gr_instance_list *out_list);

#endif
