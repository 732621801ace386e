/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci/spec: what is asked for stands in the text afterwards, and nothing else has changed.
 */
#include "applying.h"

#include <errno.h>
#include <jansson.h>

#include "oci/limits.h"

#define HOOK                                                                         \
    "{\"path\":\"/opt/h\",\"args\":[\"h\",\"a \\\\\"],\"env\":[\"GRAPNEL_HOOKSET=s@" \
    "0000000000000001\"],\"timeout\":10}"
#define MOUNT "{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/srv\"," OPTIONS "}"
#define BELOW \
    "{\"destination\":\"/data/in/side\",\"type\":\"bind\",\"source\":\"/srv\"," OPTIONS "}"
#define OPTIONS "\"options\":[\"bind\",\"ro\"]"
#define VARIABLE "\"A=1 \\\"x\\\"\""
#define RULE "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\"}"
#define RLIMIT "{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":5}"

struct row {
    const char *name;
    const char *spec;
    const char *letters; /* applying.h */
    const char *expected;
};

static const struct row rows[] = {
    {"nothing asked for", " {\"hooks\" : null }\n", "", " {\"hooks\" : null }\n"},
    {"an empty object", "{}", "1", "{\"hooks\":{\"createRuntime\":[" HOOK "]}}"},
    {"an empty object with space in it", "{ \n}\n", "1",
     "{\"hooks\":{\"createRuntime\":[" HOOK "]} \n}\n"},
    {"the first hooks", "{\"a\":1}", "15",
     "{\"a\":1,\"hooks\":{\"createRuntime\":[" HOOK "],\"poststop\":[" HOOK "]}}"},
    {"hooks that are null", "{\"hooks\":null,\"a\":1}", "1",
     "{\"hooks\":{\"createRuntime\":[" HOOK "]},\"a\":1}"},
    {"hooks without any", "{\"hooks\":{}}", "2", "{\"hooks\":{\"createContainer\":[" HOOK "]}}"},
    {"a stage that is null", "{\"hooks\":{\"poststop\":null,\"prestart\":[]}}", "50",
     "{\"hooks\":{\"poststop\":[" HOOK "],\"prestart\":[" HOOK "]}}"},
    {"behind a hook that is there", "{\"hooks\":{\"poststart\":[{\"path\":\"/o\"}]}}", "44",
     "{\"hooks\":{\"poststart\":[{\"path\":\"/o\"}," HOOK "," HOOK "]}}"},
    {"a stage beside others, in lines",
     "{\n  \"hooks\": {\n    \"prestart\": [\n      {\"path\": \"/o\"}\n    ]\n  }\n}\n", "01",
     "{\n  \"hooks\": {\n    \"prestart\": [\n      {\"path\": \"/o\"},\n      " HOOK
     "\n    ],\n    \"createRuntime\": [" HOOK "]\n  }\n}\n"},
    {"lines that end with CR LF", "{\r\n\t\"a\" : 1\r\n}\r\n", "1",
     "{\r\n\t\"a\" : 1,\r\n\t\"hooks\" : {\"createRuntime\":[" HOOK "]}\r\n}\r\n"},
    {"an escaped key", "{\"h\\u006foks\":{}}", "1",
     "{\"h\\u006foks\":{\"createRuntime\":[" HOOK "]}}"},
    {"the same key elsewhere", "{\"x\":{\"hooks\":[]},\"y\":\"\\\"hooks\\\":{\"}", "1",
     "{\"x\":{\"hooks\":[]},\"y\":\"\\\"hooks\\\":{\",\"hooks\":{\"createRuntime\":[" HOOK "]}}"},
    {"numbers that nobody can hold and doubled keys of others",
     "{\"n\":1e400,\"n\":123456789012345678901234567890,\"z\":-0.10}", "1",
     "{\"n\":1e400,\"n\":123456789012345678901234567890,\"z\":-0.10,"
     "\"hooks\":{\"createRuntime\":[" HOOK "]}}"},

    {"the first variable", "{\"process\":{}}", "e", "{\"process\":{\"env\":[" VARIABLE "]}}"},
    {"env that is null", "{\"process\":{\"env\":null}}", "e",
     "{\"process\":{\"env\":[" VARIABLE "]}}"},
    {"a variable behind others", "{\"process\":{\"env\":[ \"AB=2\", \"a=1\" ]}}", "e",
     "{\"process\":{\"env\":[ \"AB=2\", \"a=1\", " VARIABLE " ]}}"},
    {"a variable in its place", "{\"process\":{\"env\":[\"A=0\",\"PATH=/bin\"]}}", "Pe",
     "{\"process\":{\"env\":[" VARIABLE ",\"PATH=/x\"]}}"},
    {"a variable whose name is escaped", "{\"process\":{\"env\":[\"\\u0041=0\",\"\"]}}", "e",
     "{\"process\":{\"env\":[" VARIABLE ",\"\"]}}"},
    {"a variable without a value", "{\"process\":{\"env\":[\"A\",null]}}", "e",
     "{\"process\":{\"env\":[" VARIABLE ",null]}}"},
    {"a variable that is there twice", "{\"process\":{\"env\":[\"A=0\",\"B=\",\"A=2\"]}}", "e",
     "{\"process\":{\"env\":[" VARIABLE ",\"B=\"," VARIABLE "]}}"},

    {"the first mount", "{}", "m", "{\"mounts\":[" MOUNT "]}"},
    {"a mount behind others", "{\"mounts\":[{\"destination\":\"/proc\"}]}", "m",
     "{\"mounts\":[{\"destination\":\"/proc\"}," MOUNT "]}"},
    {"a mount in its place",
     "{\"mounts\":[{\"destination\":\"/data/\",\"source\":\"/o\"},{\"destination\":\"/b\"}]}", "m",
     "{\"mounts\":[" MOUNT ",{\"destination\":\"/b\"}]}"},
    {"a mount before what lies below it",
     "{\"mounts\":[{\"destination\":\"/database\"}, {\"destination\":\"/data/in\"}]}", "m",
     "{\"mounts\":[{\"destination\":\"/database\"}, " MOUNT ", {\"destination\":\"/data/in\"}]}"},
    {"mounts in each other", "{\"mounts\":[{\"destination\":\"/data/in/side/x\"}]}", "Mm",
     "{\"mounts\":[" MOUNT "," BELOW ",{\"destination\":\"/data/in/side/x\"}]}"},
    {"new mounts in each other", "{}", "Mm", "{\"mounts\":[" MOUNT "," BELOW "]}"},
    {"a mount before another that is replaced",
     "{\"mounts\":[{\"destination\":\"/data/in/side\"}]}", "mM",
     "{\"mounts\":[" MOUNT "," BELOW "]}"},
    {"a mount that is there, behind one below it",
     "{\"mounts\":[{\"destination\":\"/data/in\"},{\"destination\":\"/data\"}]}", "m",
     "{\"mounts\":[{\"destination\":\"/data/in\"}," MOUNT "]}"},
    {"mounts without a destination", "{\"mounts\":[null,{},{\"destination\":null}]}", "m",
     "{\"mounts\":[null,{},{\"destination\":null}," MOUNT "]}"},

    {"the first annotation", "{\"annotations\":{}}", "a", "{\"annotations\":{\"k\":\"v\\u000a\"}}"},
    {"an annotation in its place, wherever it stands",
     "{\"annotations\":{\"k\":\"0\",\"K\":\"1\",\"\\u006b\":\"2\",\"\":\"3\"}}", "a",
     "{\"annotations\":{\"k\":\"v\\u000a\",\"K\":\"1\",\"\\u006b\":\"v\\u000a\",\"\":\"3\"}}"},

    {"a device and its leave", "{\"linux\":{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"b\"}]}}",
     "d",
     "{\"linux\":{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":10,\"minor\":229}],"
     "\"resources\":{\"devices\":[" RULE "]}}}"},
    {"a device behind others",
     "{\"linux\":{\"resources\":{\"devices\":[{\"allow\":false}]},\"devices\":[{\"path\":\"/d\"}]}"
     "}",
     "b",
     "{\"linux\":{\"resources\":{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"b\","
     "\"major\":8,\"minor\":1,\"access\":\"rwm\"}]},\"devices\":[{\"path\":\"/d\"},{\"path\":"
     "\"/dev/y\",\"type\":\"b\",\"major\":8,\"minor\":1,\"fileMode\":432,\"uid\":1,\"gid\":2}]}}"},
    {"a pipe needs no leave", "{\"linux\":{}}", "f",
     "{\"linux\":{\"devices\":[{\"path\":\"/dev/pipe\",\"type\":\"p\",\"major\":0,\"minor\":0}]}}"},

    {"the first rlimit", "{\"process\":{\"cwd\":\"/\"}}", "r",
     "{\"process\":{\"cwd\":\"/\",\"rlimits\":[" RLIMIT "]}}"},
    {"an rlimit in its place",
     "{\"process\":{\"rlimits\":[{\"hard\":1,\"type\":\"RLIMIT_CORE\"},{\"type\":\"X\"}]}}", "r",
     "{\"process\":{\"rlimits\":[" RLIMIT ",{\"type\":\"X\"}]}}"},

    {"memory", "{\"linux\":{\"resources\":{\"memory\":{\"limit\":5,\"kernel\":1}}}}", "@0@1@2",
     "{\"linux\":{\"resources\":{\"memory\":{\"limit\":-1,\"kernel\":1,\"reservation\":-1,"
     "\"swap\":-1}}}}"},
    {"cpu", "{\"linux\":{\"resources\":null}}", "@3@4@5@6@7",
     "{\"linux\":{\"resources\":{\"cpu\":{\"shares\":-1,\"quota\":-1,\"period\":-1,"
     "\"cpus\":\"0-1\",\"mems\":\"0-1\"}}}}"},
    {"pids and classes", "{}", "@8@9@:",
     "{\"linux\":{\"resources\":{\"pids\":{\"limit\":-1}},\"intelRdt\":{\"closID\":\"0-1\"}}}"},
    {"huge pages",
     "{\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":1},"
     "{\"pageSize\":\"2MB\",\"limit\":1}]}}}",
     "h",
     "{\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":1},"
     "{\"pageSize\":\"2MB\",\"limit\":7}]}}}"},
    {"unified", "{\"linux\":{\"resources\":{\"unified\":{\"memory.low\":\"0\"}}}}", "u",
     "{\"linux\":{\"resources\":{\"unified\":{\"memory.low\":\"0\",\"memory.high\":\"max\"}}}}"},
    {"CDI devices are left out", "{\"x\":1}", "CC", "{\"x\":1}"},
};

static void applies(void **state)
{
    const struct row *row = *state;
    struct gr_err err = {0};
    struct gr_buf out;
    json_t *json;
    size_t left_out;

    if (apply(gr_str_from(row->spec), row->letters, &out, &left_out, &err))
        fail_msg("refused: %u:%u: %s", err.line, err.column, err.text);
    assert_str(gr_buf_view(&out), row->expected);
    json = json_loadb((const char *)out.data, out.len, 0, NULL);
    if (!json && !strstr(row->expected, "18446744073709551615") && !strstr(row->expected, "1e400"))
        fail_msg("no JSON: %s", row->expected);
    json_decref(json);
    gr_buf_fini(&out);
}

struct bad_row {
    const char *name;
    const char *spec;
    const char *letters;
    const char *code;
    uint32_t line, column;
};

static const struct bad_row bad_rows[] = {
    {"no JSON", "{\n 'a': 1}", "1", "json-syntax", 2, 2},
    {"nothing", "", "1", "json-syntax", 1, 1},
    {"something behind it", "{} {}", "1", "json-syntax", 1, 4},
    {"a list", "[]", "1", "wrong-type", 1, 1},
    {"hooks that are a list", "{\"hooks\":[]}", "1", "wrong-type", 1, 10},
    {"a stage that is an object", "{\"hooks\":{\"poststop\":{}}}", "5", "wrong-type", 1, 22},
    {"process that is a text", "{\"process\":\"\"}", "e", "wrong-type", 1, 12},
    {"no process", "{}", "e", "missing-key", 1, 1},
    {"process that is null", "{\"process\":null}", "r", "missing-key", 1, 1},
    {"a variable that is a number", "{\"process\":{\"env\":[\"A=1\",5]}}", "e", "wrong-type", 1,
     26},
    {"a mount that is a text", "{\"mounts\":[\"/data\"]}", "m", "wrong-type", 1, 12},
    {"a destination that is a number", "{\"mounts\":[{\"destination\":1}]}", "m", "wrong-type", 1,
     27},
    {"hooks twice", "{\"hooks\":{},\"a\":1,\n\"h\\u006foks\":{}}", "1", "ambiguous-key", 2, 1},
    {"hooks in other letters", "{\"Hooks\":{}}", "1", "ambiguous-key", 1, 2},
    {"hooks with the sign of Kelvin", "{\"hoo\xe2\x84\xaas\":{}}", "1", "ambiguous-key", 1, 2},
    {"hooks with a long s", "{\"hook\\u017f\":{}}", "1", "ambiguous-key", 1, 2},
    {"a stage twice", "{\"hooks\":{\"poststop\":[],\"poststop\":[]}}", "5", "ambiguous-key", 1, 25},
    {"a destination twice", "{\"mounts\":[{\"destination\":\"/a\",\"destination\":\"/data\"}]}",
     "m", "ambiguous-key", 1, 32},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct gr_err err = {0};
    struct gr_buf out;
    size_t left_out = 77;

    assert_int_equal(apply(gr_str_from(row->spec), row->letters, &out, &left_out, &err), -EINVAL);
    assert_string_equal(err.code, row->code);
    assert_int_equal(err.line, row->line);
    assert_int_equal(err.column, row->column);
    assert_int_equal(out.len, 0);
    assert_int_equal(left_out, 77);
    gr_buf_fini(&out);
}

static void counts_what_is_left_out(void **state)
{
    struct gr_err err = {0};
    struct gr_buf out;
    size_t left_out = 0;

    (void)state;
    assert_int_equal(apply(GR_STR("{}"), "CeC@9", &out, &left_out, &err), -EINVAL);
    gr_buf_fini(&out);
    assert_int_equal(apply(GR_STR("{}"), "CaC@9", &out, &left_out, &err), 0);
    assert_int_equal(left_out, 3);
    gr_buf_fini(&out);
}

/* A text of just the size that is allowed, and of one byte more. */
static void size_has_a_limit(void **state)
{
    struct gr_buf text, out;
    struct gr_err err = {0};
    size_t left_out;

    (void)state;
    gr_buf_init(&text, SIZE_MAX / 2);
    assert_int_equal(gr_buf_text(&text, "{\"a\":1"), 0);
    memset(gr_buf_grow(&text, GR_OCI_SPEC_MAX_BYTES - 7), ' ', GR_OCI_SPEC_MAX_BYTES - 7);
    assert_int_equal(gr_buf_text(&text, "}"), 0);
    assert_int_equal(apply(gr_buf_view(&text), "1", &out, &left_out, &err), 0);
    gr_buf_fini(&out);
    assert_int_equal(gr_buf_text(&text, " "), 0);
    assert_int_equal(apply(gr_buf_view(&text), "1", &out, &left_out, &err), -E2BIG);
    assert_string_equal(err.code, "file-too-big");
    gr_buf_fini(&out);
    gr_buf_fini(&text);
}

/* 1 MB of mounts, each of which must be looked at, some of them very deep paths. */
static void many_mounts(void **state)
{
    struct gr_buf text, out;
    struct gr_err err = {0};
    size_t left_out, n = 0;

    (void)state;
    gr_buf_init(&text, 4U << 20);
    (void)gr_buf_text(&text, "{\"mounts\":[{\"destination\":\"");
    while (text.len < (256U << 10))
        (void)gr_buf_text(&text, "/a");
    (void)gr_buf_text(&text, "\"}");
    while (text.len < (1U << 20))
        (void)gr_buf_printf(&text, ",{\"destination\":\"/m/%zu\",\"source\":\"/s\"}", n++);
    assert_int_equal(gr_buf_text(&text, ",{\"destination\":\"/data/x\"}]}"), 0);
    assert_int_equal(apply(gr_buf_view(&text), "mM", &out, &left_out, &err), 0);
    assert_int_equal(out.len, text.len + strlen(MOUNT) + strlen(BELOW) + 2);
    gr_buf_fini(&out);
    gr_buf_fini(&text);
}

/* What stands before a hook is kept, whatever it is: the original is what is left when the new
 * bytes are taken out again. */
static void keeps_every_byte(void **state)
{
    static const char *const specs[] = {
        "{}",
        "\t{\r\n \"a\" :[ 1 ,{ } ] , \"hooks\":\n{ \"prestart\" : [ ] ,\"x\":0}\n "
        ",\"b\":\"\\/\"}\n\n",
        "{\"linux\":{\"seccomp\":{\"x\":[{},[],\"\\ud83d\\ude00\"]}},\"hooks\":{\"poststop\":[{}]}"
        "}",
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(specs); i++) {
        struct gr_str text = gr_str_from(specs[i]);
        struct gr_err err = {0};
        struct gr_buf out;
        size_t left_out, at = 0;

        assert_int_equal(apply(text, "0123451", &out, &left_out, &err), 0);
        assert_true(out.len >= text.n + 7 * strlen(HOOK));
        for (size_t j = 0; j < out.len && at < text.n; j++)
            at += out.data[j] == (uint8_t)text.p[at];
        assert_int_equal(at, text.n);
        gr_buf_fini(&out);
    }
}

static void no_utf8_is_refused(void **state)
{
    struct applying a;
    struct gr_err err = {0};
    struct gr_arena arena;
    struct gr_buf out;
    size_t left_out;

    (void)state;
    make_decision("a", &a);
    a.entries[0].text = GR_STR("\xff");
    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&out, 1024);
    assert_int_equal(gr_oci_spec_apply(&arena, GR_STR("{}"), &a.decision, &out, &left_out, &err),
                     -EINVAL);
    assert_string_equal(err.code, "bad-utf8");
    a.entries[0].text = GR_STR("v");
    a.entries[0].key = GR_STR("\xff");
    assert_int_equal(gr_oci_spec_apply(&arena, GR_STR("{}"), &a.decision, &out, &left_out, &err),
                     -EINVAL);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

static void out_has_a_limit(void **state)
{
    struct applying a;
    struct gr_err err = {0};
    struct gr_arena arena;
    struct gr_buf out;
    size_t left_out;

    (void)state;
    make_decision("a", &a);
    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&out, 8);
    assert_int_equal(gr_oci_spec_apply(&arena, GR_STR("{}"), &a.decision, &out, &left_out, &err),
                     -EMSGSIZE);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

int main(void)
{
    TEST_ADD_ROWS(applies, rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    test_add("what is left out is counted", counts_what_is_left_out);
    test_add("size has a limit", size_has_a_limit);
    test_add("1 MB of mounts", many_mounts);
    test_add("every byte is kept", keeps_every_byte);
    test_add("what is no UTF-8 is not added", no_utf8_is_refused);
    test_add("the limit of the output", out_has_a_limit);
    return test_run("spec");
}
