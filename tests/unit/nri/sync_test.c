/* SPDX-License-Identifier: Apache-2.0 */
/* nri/sync: counting what a SynchronizeRequest holds. */
#include "testing.h"

#include <errno.h>

#include "nri.pb-c.h"
#include "nri/sync.h"

struct row {
    const char *name;
    const char *hex;
    int result;
    size_t pods;
    size_t containers;
    bool more;
};

static const struct row rows[] = {
    {"empty", "", 0, 0, 0, false},
    {"one empty pod", "0a00", 0, 1, 0, false},
    {"one empty container", "1200", 0, 0, 1, false},
    {"more", "1801", 0, 0, 0, true},
    {"more, not so", "1800", 0, 0, 0, false},
    {"more twice: the last counts", "1801 1800", 0, 0, 0, false},
    {"more as a large number", "18ffffffffffffffffff01", 0, 0, 0, true},
    {"all in any order", "1200 1801 0a00 1200", 0, 1, 2, true},
    {"pods with content", "0a03 0a0161 0a03 0a0162", 0, 2, 0, false},
    {"an unknown field", "22021234 0a00", 0, 1, 0, false},
    {"fields of another wire type are unknown", "0801 1001 1a00", 0, 0, 0, false},
    {"field number 0", "0200", -EBADMSG, 0, 0, false},
    {"a group", "0b", -EBADMSG, 0, 0, false},
    {"cut in the tag", "8a", -EBADMSG, 0, 0, false},
    {"cut in the length", "0a80", -EBADMSG, 0, 0, false},
    {"cut in the content", "0a0500", -EBADMSG, 0, 0, false},
    {"cut before the value", "18", -EBADMSG, 0, 0, false},
};

static void counts(void **state)
{
    const struct row *row = *state;
    uint8_t bytes[64];
    size_t n = test_unhex(row->hex, bytes, sizeof(bytes));
    uint8_t *exact = test_exact(bytes, n);
    struct gr_nri_sync sync = {.pods = 7, .containers = 7, .more = true};

    assert_int_equal(gr_nri_sync_scan((struct gr_str){.p = (char *)exact, .n = n}, &sync),
                     row->result);
    free(exact);
    if (row->result != 0) {
        assert_int_equal(sync.pods, 7); /* left alone */
        return;
    }
    assert_int_equal(sync.pods, row->pods);
    assert_int_equal(sync.containers, row->containers);
    assert_int_equal(sync.more, row->more);
}

/* What the generated code writes is what is counted. */
static void test_generated(void **state)
{
    Nri__SynchronizeRequest request = NRI__SYNCHRONIZE_REQUEST__INIT;
    Nri__PodSandbox pod;
    Nri__Container container;
    Nri__PodSandbox *pods[] = {&pod, &pod, &pod};
    Nri__Container *containers[] = {&container, &container};
    struct gr_nri_sync sync;
    uint8_t bytes[256];
    char id[] = "0123456789";
    size_t n;

    (void)state;
    nri__pod_sandbox__init(&pod);
    nri__container__init(&container);
    pod.id = id;
    container.id = id;
    request.n_pods = 3;
    request.pods = pods;
    request.n_containers = 2;
    request.containers = containers;
    request.more = 1;
    n = nri__synchronize_request__get_packed_size(&request);
    assert_true(n <= sizeof(bytes));
    (void)nri__synchronize_request__pack(&request, bytes);
    assert_int_equal(gr_nri_sync_scan((struct gr_str){.p = (char *)bytes, .n = n}, &sync), 0);
    assert_int_equal(sync.pods, 3);
    assert_int_equal(sync.containers, 2);
    assert_true(sync.more);
}

int main(void)
{
    TEST_ADD_ROWS(counts, rows);
    test_add("a message of the generated code", test_generated);
    return test_run("sync");
}
