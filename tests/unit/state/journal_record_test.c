/* SPDX-License-Identifier: Apache-2.0 */
/* A record is written, read again, and says the same; what is left out is said. */
#include "journaling.h"

#include "state/journal_put.h"
#include "state/journal_record.h"

static const struct gr_journal_stamp stamp = {.time_s = 1700000000, .by = 0xabc};

struct round {
    struct gr_buf text;
    struct gr_arena arena;
    struct gr_journal_record record;
};

static void again(struct round *round, const struct gr_subject *subject,
                  const struct gr_decision *decision, const struct gr_err *err, bool refused)
{
    struct gr_str line;

    gr_arena_init(&round->arena, 4096, 0);
    gr_buf_init(&round->text, GR_JOURNAL_RECORD_MAX_BYTES);
    assert_int_equal(gr_journal_put_decision(&round->text, &stamp, subject, decision, err, refused),
                     0);
    line = gr_buf_view(&round->text);
    assert_true(line.n <= GR_JOURNAL_RECORD_MAX_BYTES);
    assert_int_equal(gr_str_find(line, '\n'), line.n - 1);
    assert_int_equal(
        gr_journal_record_read(&round->arena, gr_str_first(line, line.n - 1), &round->record), 0);
    assert_int_equal(round->record.kind, GR_JOURNAL_DECISION);
    assert_int_equal(round->record.time_s, 1700000000);
    assert_int_equal(round->record.by, 0xabc);
}

static void end(struct round *round)
{
    gr_arena_fini(&round->arena);
    gr_buf_fini(&round->text);
}

static void test_all_facts(void **state)
{
    const struct gr_kv pairs[] = {{GR_STR("a/b"), GR_STR("line\nfeed \"quoted\"")},
                                  {GR_STR("c"), GR_STR("")}};
    const struct gr_str args[] = {GR_STR("sh"), GR_STR("-c"), GR_STR("\x01\x7f{[")};
    const struct gr_str env[] = {GR_STR("PASSWORD=hush")};
    const struct gr_mount mounts[] = {
        {.destination = GR_STR("/d"), .source = GR_STR("/s"), .type = GR_STR("bind")}};
    const struct gr_decision decision = journal_decision(true);
    struct gr_subject subject = journal_subject("0123"), *read;
    struct round round;

    (void)state;
    subject.runtime_handler = GR_STR("kata");
    subject.pod_labels = (struct gr_kvs){pairs, 2};
    subject.container_annotations = (struct gr_kvs){pairs, 1};
    subject.args = (struct gr_strs){args, 3};
    subject.env = (struct gr_strs){env, 1};
    subject.mounts = mounts;
    subject.mounts_n = 1;
    subject.image.digest = GR_STR("sha256:00");
    again(&round, &subject, &decision, NULL, false);
    read = &round.record.decision.subject;
    assert_str(read->id, "0123");
    assert_str(read->name, "front");
    assert_str(read->pod_name, "shop");
    assert_str(read->pod_namespace, "web");
    assert_str(read->pod_uid, "u-1");
    assert_str(read->runtime, "containerd");
    assert_str(read->runtime_handler, "kata");
    assert_true(read->image.known);
    assert_str(read->image.tag, "1.27");
    assert_str(read->image.digest, "sha256:00");
    assert_int_equal(read->pod_labels.n, 2);
    assert_str(read->pod_labels.items[0].key, "a/b");
    assert_str(read->pod_labels.items[0].value, "line\nfeed \"quoted\"");
    assert_str(read->pod_labels.items[1].value, "");
    assert_int_equal(read->container_annotations.n, 1);
    assert_int_equal(read->pod_annotations.n, 0);
    assert_int_equal(read->args.n, 3);
    assert_str(read->args.items[2], "\x01\x7f{[");
    assert_int_equal(read->mounts_n, 1);
    assert_str(read->mounts[0].source, "/s");
    assert_true(read->recorded);
    assert_int_equal(read->unknown_fields, 1U << GR_FIELD_ENV);
    assert_null(memmem(round.text.data, round.text.len, "hush", 4));
    assert_null(memmem(round.text.data, round.text.len, "PASSWORD", 8));
    assert_str(round.record.decision.outcome, "injected");
    assert_int_equal(round.record.decision.sets_n, 1);
    assert_str(round.record.decision.sets[0].hash, "0000000000001234");
    assert_int_equal(round.record.decision.dropped_n, 0);
    end(&round);
}

static void test_unknown_stays_unknown(void **state)
{
    static const enum gr_field fields[] = {GR_FIELD_NAMESPACE,
                                           GR_FIELD_POD_NAME,
                                           GR_FIELD_CONTAINER_NAME,
                                           GR_FIELD_RUNTIME,
                                           GR_FIELD_RUNTIME_HANDLER,
                                           GR_FIELD_ARGS,
                                           GR_FIELD_MOUNTS,
                                           GR_FIELD_POD_LABELS,
                                           GR_FIELD_CONTAINER_LABELS,
                                           GR_FIELD_POD_ANNOTATIONS,
                                           GR_FIELD_CONTAINER_ANNOTATIONS};
    const struct gr_decision decision = journal_decision(false);

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(fields); i++) {
        struct gr_subject subject = journal_subject("0123");
        uint32_t bits = 1U << GR_FIELD_ENV | 1U << fields[i];
        struct round round;

        subject.unknown_fields = 1U << fields[i];
        if (fields[i] == GR_FIELD_ARGS)
            bits |= 1U << GR_FIELD_COMMAND;
        again(&round, &subject, &decision, NULL, false);
        assert_int_equal(round.record.decision.subject.unknown_fields, bits);
        end(&round);
    }
}

static void test_unknown_image(void **state)
{
    const struct gr_decision decision = journal_decision(false);
    struct gr_subject subject = journal_subject("0123");
    struct round round;

    (void)state;
    subject.image.known = false; /* somebody could choose among names */
    again(&round, &subject, &decision, NULL, false);
    assert_false(round.record.decision.subject.image.known);
    assert_str(round.record.decision.subject.image.name, "nginx:1.27");
    end(&round);
}

/* ---- what does not fit ---- */

static char much[1U << 20];

static void test_large_fields_are_dropped(void **state)
{
    const struct gr_kv large[] = {{GR_STR("k"), {much, sizeof(much)}}};
    const struct gr_kv small[] = {{GR_STR("k"), GR_STR("v")}};
    const struct gr_str args[] = {{much, 20000}};
    const struct gr_decision decision = journal_decision(true);
    struct gr_subject subject = journal_subject("0123");
    const struct gr_journal_decision *read;
    struct round round;

    (void)state;
    memset(much, 'x', sizeof(much));
    subject.pod_annotations = (struct gr_kvs){large, 1};
    subject.container_labels = (struct gr_kvs){small, 1};
    subject.args = (struct gr_strs){args, 1};
    subject.pod_uid = (struct gr_str){much, GR_JOURNAL_TEXT_MAX_BYTES + 1};
    again(&round, &subject, &decision, NULL, false);
    read = &round.record.decision;
    assert_int_equal(read->dropped_n, 3);
    assert_str(read->dropped[0].field, "podUid");
    assert_int_equal(read->dropped[0].bytes, GR_JOURNAL_TEXT_MAX_BYTES + 1);
    assert_str(read->dropped[1].field, "podAnnotations");
    assert_int_equal(read->dropped[1].bytes, sizeof(much) + 1);
    assert_str(read->dropped[2].field, "args");
    assert_int_equal(read->subject.unknown_fields,
                     1U << GR_FIELD_ENV | 1U << GR_FIELD_POD_ANNOTATIONS | 1U << GR_FIELD_ARGS |
                         1U << GR_FIELD_COMMAND);
    assert_int_equal(read->subject.container_labels.n, 1);
    end(&round);
}

static void test_text_at_its_limit(void **state)
{
    const struct gr_decision decision = journal_decision(false);
    struct gr_subject subject = journal_subject("0123");
    struct round round;

    (void)state;
    memset(much, 'x', sizeof(much));
    subject.pod_name = (struct gr_str){much, GR_JOURNAL_TEXT_MAX_BYTES};
    again(&round, &subject, &decision, NULL, false);
    assert_int_equal(round.record.decision.subject.pod_name.n, GR_JOURNAL_TEXT_MAX_BYTES);
    assert_int_equal(round.record.decision.dropped_n, 0);
    end(&round);
}

/* Everything at its worst, every byte of it escaped. */
static void test_never_too_long(void **state)
{
    const struct gr_str worst = {much, GR_JOURNAL_TEXT_MAX_BYTES};
    const struct gr_decision decision = {
        .refuse = true, .refusal = worst, .results = &journal_injected, .results_n = 1};
    struct gr_subject subject = {.id = worst,
                                 .name = worst,
                                 .pod_name = worst,
                                 .pod_namespace = worst,
                                 .pod_uid = worst,
                                 .runtime = worst,
                                 .runtime_handler = worst,
                                 .image = {.name = worst, .digest = worst}};
    const struct gr_kv pair = {worst, worst};
    struct round round;

    (void)state;
    memset(much, '\x01', sizeof(much));
    subject.pod_labels = subject.pod_annotations = (struct gr_kvs){&pair, 1};
    subject.container_labels = subject.container_annotations = (struct gr_kvs){&pair, 1};
    again(&round, &subject, &decision, NULL, true);
    assert_true(round.record.decision.dropped_n > 5);
    assert_str(round.record.decision.outcome, "refused");
    end(&round);
}

static void test_no_utf8(void **state)
{
    const struct gr_str args[] = {GR_STR("a\xff")};
    const struct gr_decision decision = journal_decision(false);
    struct gr_subject subject = journal_subject("0123");
    struct round round;

    (void)state;
    subject.args = (struct gr_strs){args, 1};
    again(&round, &subject, &decision, NULL, false);
    assert_int_equal(round.record.decision.dropped_n, 1);
    assert_str(round.record.decision.dropped[0].field, "args");
    end(&round);
}

/* Sets that are skipped may be thousands: what was done comes first. */
static void test_many_sets(void **state)
{
    static struct gr_set_result results[3000];
    const struct gr_decision decision = {.hooks = &journal_hook,
                                         .hooks_n = 1,
                                         .results = results,
                                         .results_n = GR_ARRAY_LEN(results)};
    struct gr_subject subject = journal_subject("0123");
    const struct gr_journal_decision *read;
    struct round round;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(results); i++)
        results[i] = (struct gr_set_result){.set = &journal_set,
                                            .truth = GR_UNKNOWN,
                                            .verdict = GR_VERDICT_SKIPPED,
                                            .reason = GR_STR("it cannot be told")};
    results[2999] = journal_injected;
    again(&round, &subject, &decision, NULL, false);
    read = &round.record.decision;
    assert_str(read->sets[0].verdict, "injected");
    assert_str(read->sets[1].verdict, "skipped");
    assert_str(read->sets[1].match, "unknown");
    assert_str(read->sets[1].reason, "it cannot be told");
    assert_true(read->sets_n > 50);
    assert_int_equal(read->sets_n + read->sets_left_out, GR_ARRAY_LEN(results));
    assert_true(read->has_facts);
    end(&round);
}

static void test_outcomes(void **state)
{
    const struct gr_objection objection = {.kind = GR_OBJECTION_REQUEST,
                                           .verdict = GR_VERDICT_REFUSED,
                                           .set = GR_STR("tap"),
                                           .reason = GR_STR("not granted")};
    const struct gr_subject subject = journal_subject("0123");
    const struct gr_err err = {.text = "no memory"};
    struct gr_decision decision = {.exempt = true};
    struct round round;

    (void)state;
    again(&round, &subject, &decision, NULL, false);
    assert_str(round.record.decision.outcome, "exempt");
    end(&round);
    decision = (struct gr_decision){.adjust_n = 1};
    again(&round, &subject, &decision, NULL, false);
    assert_str(round.record.decision.outcome, "adjusted");
    assert_int_equal(round.record.decision.adjusted, 1);
    end(&round);
    decision = (struct gr_decision){
        .refuse = true, .refusal = GR_STR("because"), .objections = &objection, .objections_n = 1};
    again(&round, &subject, &decision, NULL, true);
    assert_str(round.record.decision.outcome, "refused");
    assert_str(round.record.decision.refusal, "because");
    assert_true(round.record.decision.refused);
    assert_int_equal(round.record.decision.objections_n, 1);
    assert_str(round.record.decision.objections[0].reason, "not granted");
    end(&round);
    again(&round, NULL, NULL, &err, false);
    assert_str(round.record.decision.outcome, "error");
    assert_str(round.record.decision.error, "no memory");
    assert_false(round.record.decision.has_facts);
    assert_false(round.record.decision.refused);
    end(&round);
}

/* ---- what is damaged ---- */

static const struct {
    const char *name, *line;
} damaged[] = {
    {"empty object", "{}"},
    {"a list", "[]"},
    {"a list of objects", "[{\"kind\":\"decision\"}]"},
    {"two values", "{\"kind\":\"x\"} {}"},
    {"no end", "{\"kind\":\"x\""},
    {"kind is no text", "{\"kind\":1}"},
    {"time is no number", "{\"kind\":\"x\",\"time\":\"1\"}"},
    {"time is no whole number", "{\"kind\":\"x\",\"time\":1.5}"},
    {"time is negative", "{\"kind\":\"x\",\"time\":-1}"},
    {"time is beyond reason", "{\"kind\":\"x\",\"time\":9999999999999999}"},
    {"by is no number", "{\"kind\":\"x\",\"by\":\"xyz\"}"},
    {"by is too long", "{\"kind\":\"x\",\"by\":\"00000000000000001\"}"},
    {"a decision without an outcome", "{\"kind\":\"decision\",\"id\":\"a\"}"},
    {"sets are no objects", "{\"kind\":\"decision\",\"outcome\":\"x\",\"sets\":[[1]]}"},
    {"a NUL byte", "{\"kind\":\"decision\",\"outcome\":\"x\",\"id\":\"a\\u0000\"}"},
    {"a NUL byte in a key",
     "{\"kind\":\"decision\",\"outcome\":\"x\",\"facts\":{\"podLabels\":{\"\\u0000\":\"\"}}}"},
    {"a label that is no text",
     "{\"kind\":\"decision\",\"outcome\":\"x\",\"facts\":{\"podLabels\":{\"a\":1}}}"},
    {"a mount that is no object",
     "{\"kind\":\"decision\",\"outcome\":\"x\",\"facts\":{\"mounts\":[\"/\"]}}"},
    {"another event of a session", "{\"kind\":\"session\",\"event\":\"paused\"}"},
    {"missed without an id", "{\"kind\":\"missed\",\"set\":\"tap\"}"},
    {"ids without a part", "{\"kind\":\"known\",\"ids\":[]}"},
    {"a part beyond the last", "{\"kind\":\"known\",\"part\":2,\"of\":1,\"ids\":[]}"},
    {"an id of no state",
     "{\"kind\":\"known\",\"part\":1,\"of\":1,\"ids\":[\"x0000000000000004\"]}"},
    {"an id with other bits",
     "{\"kind\":\"known\",\"part\":1,\"of\":1,\"ids\":[\"s0000000000000001\"]}"},
    {"an empty id", "{\"kind\":\"known\",\"part\":1,\"of\":1,\"ids\":[\"\"]}"},
};

static void is_damaged(void **state)
{
    const char *const *row = *state;
    struct gr_journal_record record = {.kind = GR_JOURNAL_RULES, .sets = 77};
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_journal_record_read(&arena, gr_str_from(row[1]), &record),
                     GR_JOURNAL_DAMAGED);
    assert_int_equal(record.sets, 77);
    gr_arena_fini(&arena);
}

int main(void)
{
    test_add("all facts", test_all_facts);
    test_add("unknown stays unknown", test_unknown_stays_unknown);
    test_add("an unknown image", test_unknown_image);
    test_add("large fields are dropped", test_large_fields_are_dropped);
    test_add("a text at its limit", test_text_at_its_limit);
    test_add("never too long", test_never_too_long);
    test_add("no UTF-8", test_no_utf8);
    test_add("many sets", test_many_sets);
    test_add("outcomes", test_outcomes);
    TEST_ADD_ROWS(is_damaged, damaged);
    return test_run("journal record");
}
