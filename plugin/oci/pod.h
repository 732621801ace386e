/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/pod: what a manifest says of a pod.
 *
 * Layer: oci. Nothing is added that kubelet or the cluster would add. Spec: Kubernetes core/v1.
 */
#ifndef GR_OCI_POD_H
#define GR_OCI_POD_H

#include "oci/node.h"

enum gr_pod_role {
    GR_POD_INIT,
    GR_POD_MAIN,
    GR_POD_EPHEMERAL,
};

/* Where a container wants one of the pod's volumes. */
struct gr_pod_mount {
    struct gr_str volume;
    struct gr_str path;
    struct gr_str sub_path; /* n == 0: the volume's root */
    bool read_only;
    struct gr_place at;
};

struct gr_pod_volume {
    struct gr_str name;
    struct gr_str kind; /* the key beside its name: "hostPath", "emptyDir", …; n == 0: none */
    struct gr_str host_path; /* of a hostPath */
};

struct gr_pod_container {
    enum gr_pod_role role;
    struct gr_str name, image;
    struct gr_strs command, args;
    struct gr_strs env; /* NAME=value, of those that have a value of their own */
    const struct gr_pod_mount *mounts;
    size_t mounts_n;
    struct gr_place at;
};

struct gr_pod {
    struct gr_str name; /* of a template: of the object that has it */
    bool is_template;   /* pods made of it have names of their own, that begin with name and "-" */
    struct gr_str namespace; /* n == 0: not given */
    struct gr_str uid;
    struct gr_str runtime_class;
    struct gr_kvs labels, annotations;
    const struct gr_pod_volume *volumes;
    size_t volumes_n;
    struct gr_pod_container *containers; /* in the order in which they run */
    size_t n;
};

/* Whether an object's kind is Pod, or it has a template of pods: Deployment, DaemonSet,
 * StatefulSet, ReplicaSet, ReplicationController, Job, CronJob. */
bool gr_pod_is(const struct gr_yaml_node *object);

/* Reads such an object. Everything lives in d's arena and in the nodes; texts are NUL-terminated
 * where those of the nodes are. Results as in oci/node. */
GR_CHECKED int gr_pod_read(struct gr_decoder *d, const struct gr_yaml_node *object,
                           struct gr_pod *out_pod);

#endif
