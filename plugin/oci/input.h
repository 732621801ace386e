/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/input: documents about containers to subjects.
 *
 * Layer: oci. What people have at hand when they ask why a hook was or was not injected: a pod
 * manifest (also a List, or kubectl get -o json), crictl inspect and crictl inspectp, the
 * config.json of a bundle. The kind is found from the content. Several documents are laid over each
 * other: each adds what it knows, and the more specific one counts. Reading is lenient: keys that
 * are not ours are passed over. Spec: specs/inputs.md.
 */
#ifndef GR_OCI_INPUT_H
#define GR_OCI_INPUT_H

#include "base/err.h"
#include "rules/subject.h"

enum gr_input_kind {
    GR_INPUT_MANIFEST,  /* a Pod, or several, or what has a pod template */
    GR_INPUT_CONTAINER, /* crictl inspect */
    GR_INPUT_SANDBOX,   /* crictl inspectp */
    GR_INPUT_BUNDLE,    /* config.json */
};

/* "pod manifest", "crictl inspect", "crictl inspectp", "config.json". */
const char *gr_input_kind_name(enum gr_input_kind kind);

struct gr_input_text {
    struct gr_str text; /* borrowed for the call */
    const char *name;   /* for messages: a path, or "stdin" */
};

struct gr_inputs {
    struct gr_subject *subjects; /* one per container; unknown_fields says what nobody told */
    size_t n;
};

#define GR_INPUT_REFUSED 1

/*
 * Reads all documents and joins them. Several manifests give all their containers (init containers
 * first, as they run). A container document, sandbox document or bundle belongs to the container of
 * that id, or pod and container name; where there is no other document to join it is one container
 * of its own. A sandbox alone is a container of which nothing but the pod is known.
 * runtime: "containerd", "cri-o": whose annotations are believed for the image's name; n == 0: as
 * the documents say, else unknown.
 * Two different images are a warning. Everything lives in arena. Returns 0; GR_INPUT_REFUSED
 * (reported); -ENOMEM.
 */
GR_CHECKED int gr_inputs_read(struct gr_arena *arena, const struct gr_input_text *texts, size_t n,
                              struct gr_str runtime, const struct gr_reporter *reporter,
                              struct gr_inputs *out_inputs);

#endif
