/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/node: looking things up in documents of others.
 *
 * Layer: oci. YAML and JSON both become trees of rules/read/yaml (rules/read/yaml_json). Keys that
 * nobody asks for are passed over; null counts as absent; what is asked for and has another type
 * than the document's own specification says is a finding. Results as in rules/read/strict: 0;
 * GR_DECODE_REFUSED (reported, the output untouched); -ENOMEM.
 */
#ifndef GR_OCI_NODE_H
#define GR_OCI_NODE_H

#include "rules/read/strict.h"

/* The value of a key, the last one where it stands several times; NULL when it is absent or null,
 * or node is no mapping (also NULL). */
const struct gr_yaml_node *gr_node_get(const struct gr_yaml_node *node, const char *key);

/* The list or mapping under a key; NULL when it is absent. */
GR_CHECKED int gr_node_collection(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                                  const char *key, enum gr_yaml_kind kind,
                                  const struct gr_yaml_node **out_node);

/* Borrowed from the node; without NUL bytes. */
GR_CHECKED int gr_node_text(struct gr_decoder *d, const struct gr_yaml_node *node,
                            struct gr_str *out);

/* The text under a key; an absent one leaves *out alone. */
GR_CHECKED int gr_node_text_at(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                               const char *key, struct gr_str *out);

/* A whole number under a key; an absent one leaves *out alone. */
GR_CHECKED int gr_node_number_at(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                                 const char *key, int64_t *out, bool *out_has);

/* The same up to 2^64-1. */
GR_CHECKED int gr_node_unsigned_at(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                                   const char *key, uint64_t *out, bool *out_has);

/* A mapping of texts; empty when it is absent. */
GR_CHECKED int gr_node_map_at(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                              const char *key, struct gr_kvs *out);

/* A list of texts; empty when it is absent. */
GR_CHECKED int gr_node_texts_at(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                                const char *key, struct gr_strs *out);

/*
 * Calls read for each element of the list under a key, with its place in the path. An element that
 * is refused does not end it; -ENOMEM does.
 */
typedef int gr_node_read_fn(struct gr_decoder *d, const struct gr_yaml_node *node, void *user);
GR_CHECKED int gr_node_each(struct gr_decoder *d, const struct gr_yaml_node *mapping,
                            const char *key, gr_node_read_fn *read, void *user);

/* Elements of the list or mapping under a key, 0 when there is none. */
size_t gr_node_count(const struct gr_yaml_node *mapping, const char *key);

#endif
