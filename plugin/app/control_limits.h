/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/control_limits: every limit of the control socket and of what it answers, with unit and
 * reason.
 *
 * Layer: app. Each is tested at its edge and one past it, and stands in specs/status.md.
 */
#ifndef GR_APP_CONTROL_LIMITS_H
#define GR_APP_CONTROL_LIMITS_H

/* Clients at one time. The next one is told to come again. Bounds memory: each has a request and a
 * reply. No evidence. */
#define GR_CONTROL_CLIENTS_MAX 16

/* A request without its line feed, in bytes. Names of thousands of sets fit. No evidence. */
#define GR_CONTROL_REQUEST_MAX_BYTES (64U << 10)

/* Values in one request: bounds what reading it costs. No evidence. */
#define GR_CONTROL_REQUEST_VALUES_MAX 4096

/* Bytes that may follow the line of a request that takes some: a container that explain is asked
 * about. Kubernetes allows 256 KiB of annotations, Linux some 2 MiB of arguments and environment,
 * of which containers use little. No evidence. */
#define GR_CONTROL_BODY_MAX_BYTES (1U << 20)

/* A reply without its line feed, in bytes: what does not fit is asked for in pages. No evidence. */
#define GR_CONTROL_REPLY_MAX_BYTES (1U << 20)

/* Bytes that may follow the line of a reply: what explain prints about one container. With 10,000
 * sets every one of them in words has 1.9 MB, and 4.1 MB as JSON. */
#define GR_CONTROL_REPLY_BODY_MAX_BYTES (8U << 20)

/* Explanations asked for at one time, until the last byte of each is taken. Bounds memory: each has
 * a container and an answer. No evidence. */
#define GR_CONTROL_EXPLAIN_MAX 4

/* Memory that one explanation may take beside its answer; one is made at a time. With 10,000 sets
 * it takes about 2 MiB. */
#define GR_CONTROL_EXPLAIN_MEMORY_BYTES (32U << 20)

/* From connecting to taking the last byte of the reply, in ms; then the connection is closed. */
#define GR_CONTROL_CLIENT_MAX_MS 5000

/* Between two looks at whether clients still reach us, in ms: an instance that took the path over
 * may be gone again. Kubelet's liveness probe gives up after 30 s if nobody chose less. */
#define GR_CONTROL_LOOK_MS 2000

/* Elements of one list in one reply: making it takes the loop about a millisecond. */
#define GR_STATUS_LIST_MAX 100

/* The same in bytes. A reply of status has four lists, policies and settings. */
#define GR_STATUS_LIST_MAX_BYTES (128U << 10)

#endif
