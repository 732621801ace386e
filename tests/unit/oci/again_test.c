/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole way, twice: a config.json is read, decided about, changed, read again and decided about
 * again, and then there is nothing left to do.
 */
#include "applying.h"
#include "rules/deciding.h"

#include "oci/input.h"

/* The one container of a config.json. */
static struct gr_subject read_one(struct gr_arena *arena, struct gr_str text)
{
    struct gr_input_text input = {text, "config.json"};
    struct gr_inputs inputs;

    assert_int_equal(gr_inputs_read(arena, &input, 1, GR_STR_NONE, NULL, &inputs), 0);
    assert_int_equal(inputs.n, 1);
    return inputs.subjects[0];
}

static void lay(struct gr_arena *arena, struct gr_str text, const struct gr_decision *decision,
                struct gr_buf *out)
{
    struct gr_err err = {0};
    size_t left_out;

    gr_buf_init(out, 1U << 20);
    if (gr_oci_spec_apply(arena, text, decision, out, &left_out, &err))
        fail_msg("%u:%u: %s", err.line, err.column, err.text);
}

static void nothing_is_left_to_do(void **state)
{
    static const char *const specs[] = {
        "{\"ociVersion\":\"1.0.2\"}",
        "{\n  \"ociVersion\": \"1.2.1\",\n  \"hooks\": {\n    \"poststop\": [\n      {\"path\": "
        "\"/opt/other\"}\n    ]\n  }\n}\n",
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(specs); i++) {
        struct gr_str text = gr_str_from(specs[i]);
        struct gr_hookset *set;
        struct gr_buf once, twice;
        struct rig rig;
        size_t before;

        rig_init(&rig);
        set = rig_add(&rig, "tap", make_always(true));
        make_hook(&rig.rules_arena, set, GR_STAGE_CREATE_RUNTIME, "/opt/h", NULL, NULL);
        make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
        rig.subject = read_one(&rig.arena, text);
        before = rig.subject.hooks_n;
        assert_int_equal(rig_decide(&rig)->hooks_n, 2);
        lay(&rig.arena, text, &rig.decision, &once);

        rig.subject = read_one(&rig.arena, gr_buf_view(&once));
        assert_int_equal(rig.subject.hooks_n, before + 2);
        assert_int_equal(rig_decide(&rig)->hooks_n, 0);
        assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_ALREADY);
        lay(&rig.arena, gr_buf_view(&once), &rig.decision, &twice);
        assert_true(gr_str_eq(gr_buf_view(&once), gr_buf_view(&twice)));
        gr_buf_fini(&once);
        gr_buf_fini(&twice);
        rig_fini(&rig);
    }
}

int main(void)
{
    test_add("nothing is left to do", nothing_is_left_to_do);
    return test_run("again");
}
