/* SPDX-License-Identifier: Apache-2.0 */
/* What was found about running containers while memory runs out: figures are right, names may lack.
 */
#include "failing.h"

#include "testing.h"

#include <errno.h>

#include "app/daemon/running/running_found.h"

#define ROUNDS 200

static int scenario(void *user)
{
    const struct gr_subject subject = {.id = GR_STR("id"), .pod_namespace = GR_STR("prod")};
    struct gr_found found;
    size_t left_out;

    (void)user;
    gr_found_init(&found);
    for (size_t i = 0; i < ROUNDS; i++) {
        gr_found_add(&found, &subject, GR_STR("a-set-with-a-name"), GR_RUNNING_MISSED);
        gr_found_count(&found, GR_RUNNING_MISSED);
    }
    gr_found_finish(&found);
    left_out = ROUNDS - found.items_n;
    assert_int_equal(found.missed, ROUNDS);
    if (left_out > 0 && found.items_n > 0)
        assert_false(gr_found_names_all_missed(&found));
    for (size_t i = 0; i < found.items_n; i++)
        assert_str(found.items[i].set, "a-set-with-a-name");
    gr_found_fini(&found);
    return left_out > 0 ? -ENOMEM : 0;
}

static void test_each(void **state)
{
    (void)state;
    failing_begin(0, false);
    assert_int_equal(scenario(NULL), 0);
    assert_true(failing_end() >= 3);
    failing_run(scenario, NULL);
}

int main(void)
{
    test_add("each allocation fails", test_each);
    return test_run("found_fault");
}
