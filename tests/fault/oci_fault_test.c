/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents are read and a decision is laid into one while allocations fail: the result is -ENOMEM,
 * nothing leaks, and outputs stay as they were.
 */
#include "failing.h"
#include "oci/applying.h"

#include <errno.h>

#include "oci/input.h"

/* Small blocks, so that about every step of the code asks for one. */
#define BLOCK_BYTES 64

#define POD                                                                             \
    "kind: Pod\nmetadata: {name: w, uid: u, labels: {a: b}}\nspec:\n  containers:\n"    \
    "  - {name: c, image: b, command: [a, b], args: [c], env: [{name: A, value: b}],\n" \
    "     volumeMounts: [{name: v, mountPath: /m, readOnly: true}]}\n"                  \
    "  volumes: [{name: v, hostPath: {path: /v}}]\n"
#define INSPECT                                                                              \
    "{\"status\":{\"id\":\"abc\",\"metadata\":{\"name\":\"c\"},\"labels\":{\"io.kubernetes." \
    "pod.name\":\"w\",\"io.kubernetes.pod.namespace\":\"default\"},\"annotations\":{\"a\":"  \
    "\"b\\n\"}},\"info\":{\"runtimeSpec\":" SPEC "}}"
#define SPEC                                                                                   \
    "{\"ociVersion\":\"1\",\"annotations\":{\"k\":\"\\u0041\"},\"process\":{\"args\":[\"a\"]," \
    "\"env\":[\"A=\\u0042\"],\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":1}]}," \
    "\"mounts\":[{\"destination\":\"/data/x\",\"options\":[\"ro\"]}],\"hooks\":{\"poststop\":" \
    "[{\"path\":\"/x\",\"args\":[\"y\"]}]},\"linux\":{\"devices\":[{\"path\":\"/dev/x\"}],"    \
    "\"resources\":{\"unified\":{\"a\":\"b\"}}}}"

static int read_inputs(void *user)
{
    struct gr_input_text texts[] = {{GR_STR(POD), "a"}, {GR_STR(INSPECT), "b"}};
    struct gr_inputs inputs = {.n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_inputs_read(&arena, texts, 2, GR_STR_NONE, NULL, &inputs);
    assert_int_equal(inputs.n, r == 0 ? 1 : 77);
    gr_arena_fini(&arena);
    return r;
}

static int lay(void *user)
{
    struct applying a;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf out;
    size_t left_out = 77;
    int r;

    (void)user;
    make_decision("015emMadrhu@0@7C", &a);
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    gr_buf_init(&out, 1U << 20);
    r = gr_oci_spec_apply(&arena, GR_STR(SPEC), &a.decision, &out, &left_out, &err);
    assert_int_equal(left_out, r == 0 ? 1 : 77);
    if (r == 0)
        assert_true(out.len > strlen(SPEC));
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
    return r;
}

static void reading_fails(void **state)
{
    (void)state;
    failing_run(read_inputs, NULL);
}

static void applying_fails(void **state)
{
    (void)state;
    failing_run(lay, NULL);
}

int main(void)
{
    test_add("reading documents", reading_fails);
    test_add("laying a decision into a bundle", applying_fails);
    return test_run("oci fault");
}
