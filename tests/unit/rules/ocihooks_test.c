/* SPDX-License-Identifier: Apache-2.0 */
/* oci-hooks(5) files: what each becomes, as YAML, and what is said about it. */
#include <sys/resource.h>

#include "foreign.h"

#include "base/limits.h"

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: stem}\nspec:\n"
#define ALWAYS "  match: {always: true}\n"
#define HOOK(stage)          \
    "    " stage ":\n"       \
    "      - path: /bin/x\n" \
    "        timeout: 5\n"

/* The parts of a file that a row is not about. */
#define V "\"version\": \"1.0.0\""
#define H "\"hook\": {\"path\": \"/bin/x\", \"timeout\": 5}"
#define W "\"when\": {\"always\": true}"
#define S "\"stages\": [\"createRuntime\"]"
#define PLAIN HEAD ALWAYS "  hooks:\n" HOOK("createRuntime")

#define NEVER HEAD "  match: {always: false}\n  hooks:\n" HOOK("createRuntime")
#define MATCH(text) HEAD "  match:\n" text "  hooks:\n" HOOK("createRuntime")

struct good_row {
    const char *name;
    const char *json;
    const char *yaml;
    const char *said; /* the only code; NULL: nothing */
};

static const struct good_row good_rows[] = {
    {"plain", "{" V "," H "," W "," S "}", PLAIN, NULL},
    {"keys in other letters",
     "{\"VERSION\":\"1.0.0\",\"Hook\":{\"PATH\":\"/bin/x\",\"Timeout\":5},\"wHen\":{\"Always\":"
     "true},\"STAGES\":[\"createRuntime\"]}",
     PLAIN, NULL},
    {"long s and the sign of kelvin",
     "{" V ",\"hoo\u212a\":{\"path\":\"/bin/x\",\"timeout\":5}," W
     ",\"\u017ftages\":[\"createRuntime\"]}",
     PLAIN, NULL},
    {"unknown keys", "{" V "," H "," W "," S ",\"x\":{\"y\":[1e999,null,\"\\ud800\"]}}", PLAIN,
     NULL},
    {"the last of equal keys wins", "{\"stages\":[\"poststop\"]," V "," H "," W "," S "}", PLAIN,
     NULL},
    {"also between two spellings",
     "{\"Stages\":[\"poststart\"],\"stages\":[\"poststop\"]," V "," H "," W
     ",\"Stages\":[\"createRuntime\"]}",
     PLAIN, NULL},
    {"objects of one key are laid over each other",
     "{" V ",\"hook\":{\"path\":\"/bin/y\",\"timeout\":5},\"hook\":{\"path\":\"/bin/x\"}," W "," S
     "}",
     PLAIN, NULL},
    {"null leaves an object and a text alone",
     "{" V ",\"version\":null," H ",\"hook\":null," W ",\"when\":null," S "}", PLAIN, NULL},
    {"null empties a list",
     "{" V ",\"hook\":{\"path\":\"/bin/x\",\"timeout\":5,\"args\":[\"-\"],\"args\":null,\"env\":"
     "null}," W "," S "}",
     PLAIN, NULL},
    {"null in a list keeps what stood there",
     "{" V "," H "," W ",\"stages\":[\"createRuntime\",\"poststop\"],\"stages\":[null]}", PLAIN,
     NULL},
    {"prestart is createRuntime", "{" V "," H "," W ",\"stages\":[\"prestart\"]}", PLAIN, NULL},
    {"each stage, in our order",
     "{" V "," H "," W ",\"stages\":[\"poststop\",\"createContainer\",\"startContainer\","
     "\"poststart\",\"createRuntime\"]}",
     HEAD ALWAYS "  hooks:\n" HOOK("createRuntime") HOOK("createContainer") HOOK("startContainer")
         HOOK("poststart") HOOK("poststop"),
     NULL},
    {"a stage twice is injected twice",
     "{" V "," H "," W ",\"stages\":[\"prestart\",\"createRuntime\"]}",
     HEAD ALWAYS "  hooks:\n" HOOK("createRuntime") "      - path: /bin/x\n        timeout: 5\n",
     NULL},
    {"no stage: no set", "{" V "," H "," W ",\"stages\":[]}", "", "no-stages"},
    {"no timeout: the longest", "{" V ",\"hook\":{\"path\":\"/bin/x\"}," W "," S "}",
     HEAD ALWAYS "  hooks:\n    createRuntime:\n      - path: /bin/x\n        timeout: 120\n",
     "no-timeout"},
    {"the edges of timeout",
     "{" V ",\"hook\":{\"path\":\"/bin/x\",\"timeout\":1,\"timeout\":120}," W "," S "}",
     HEAD ALWAYS "  hooks:\n    createRuntime:\n      - path: /bin/x\n        timeout: 120\n",
     NULL},
    {"args and env, braces are text",
     "{" V ",\"hook\":{\"path\":\"/bin/x\",\"timeout\":5,\"args\":[\"x\",\"{{.ID}} {{{\",\"}}\","
     "\"a\\tb\\nc\"],\"env\":[\"A=\",\"B={{\"]}," W "," S "}",
     HEAD ALWAYS "  hooks:\n    createRuntime:\n      - path: /bin/x\n        args:\n"
                 "          - x\n          - '{{\"{{\"}}.ID}} {{\"{{\"}}{'\n          - '}}'\n"
                 "          - |-\n            a\tb\n            c\n"
                 "        env: [A=, 'B={{\"{{\"}}']\n        timeout: 5\n",
     NULL},
    {"empty args and env are none",
     "{" V ",\"hook\":{\"path\":\"/bin/x\",\"timeout\":5,\"args\":[],\"env\":[]}," W "," S "}",
     PLAIN, NULL},
    {"no condition never matches", "{" V "," H "," S "}", NEVER, "never-matches"},
    {"an empty when never matches", "{" V "," H "," S ",\"when\":{}}", NEVER, "never-matches"},
    {"always: false", "{" V "," H "," S ",\"when\":{\"always\":false}}", NEVER, "never-matches"},
    {"hasBindMounts: false", "{" V "," H "," S ",\"when\":{\"hasBindMounts\":false}}", NEVER,
     "never-matches"},
    {"always beside a veto",
     "{" V "," H "," S ",\"when\":{\"hasBindMounts\":false,\"always\":true}}", NEVER,
     "never-matches"},
    {"bind mounts", "{" V "," H "," S ",\"when\":{\"hasBindMounts\":true,\"always\":true}}",
     MATCH("    mounts: {type: bind}\n"), NULL},
    {"a veto keeps the other conditions",
     "{" V "," H "," S ",\"when\":{\"hasBindMounts\":true,\"always\":false}}",
     MATCH("    always: false\n    mounts: {type: bind}\n"), "never-matches"},
    {"null conditions are none",
     "{" V "," H "," S ",\"when\":{\"always\":true,\"hasBindMounts\":true,\"hasBindMounts\":null,"
     "\"annotations\":null,\"commands\":null}}",
     PLAIN, NULL},
    {"commands", "{" V "," H "," S ",\"when\":{\"commands\":[\".*/sh$\",\"\"]}}",
     MATCH("    command: [{regex: '.*/sh$', search: true}, {regex: '.*', search: true}]\n"), NULL},
    {"one annotation", "{" V "," H "," S ",\"when\":{\"annotations\":{\"^a\\\\.b$\":null}}}",
     MATCH("    anyAnnotation:\n      key: {regex: '^a\\.b$', search: true}\n"
           "      value: {regex: '.*', search: true}\n"),
     NULL},
    {"all of all",
     "{" V "," H "," S
     ",\"when\":{\"always\":true,\"hasBindMounts\":true,\"annotations\":{\"a\":\"b\",\"c\":\"d\"},"
     "\"commands\":[\"e\"],\"annotations\":{\"a\":\"f\"}}}",
     MATCH("    mounts: {type: bind}\n"
           "    all:\n"
           "      - anyAnnotation: {key: {regex: a, search: true}, value: {regex: f, search: "
           "true}}\n"
           "      - anyAnnotation: {key: {regex: c, search: true}, value: {regex: d, search: "
           "true}}\n"
           "    command: {regex: e, search: true}\n"),
     NULL},
    {"0.1.0", "{\"hook\":\"/bin/x\",\"stages\":[\"prestart\"],\"hasbindmounts\":true}",
     HEAD "  match:\n    mounts: {type: bind}\n  hooks:\n    createRuntime:\n"
          "      - path: /bin/x\n        timeout: 120\n",
     "no-timeout"},
    {"0.1.0 by name, arguments",
     "{\"version\":\"0.1.0\",\"hook\":\"/bin/x\",\"stage\":[\"poststop\"],\"arguments\":[\"a\"],"
     "\"HasBindMounts\":true}",
     HEAD "  match:\n    mounts: {type: bind}\n  hooks:\n    poststop:\n      - path: /bin/x\n"
          "        args: [/bin/x, a]\n        timeout: 120\n",
     "no-timeout"},
    {"0.1.0: no arguments are still arguments",
     "{\"hook\":\"/bin/x\",\"stage\":[\"poststop\"],\"arguments\":[],\"hasbindmounts\":true}",
     HEAD "  match:\n    mounts: {type: bind}\n  hooks:\n    poststop:\n      - path: /bin/x\n"
          "        args: [/bin/x]\n        timeout: 120\n",
     "no-timeout"},
    {"0.1.0: any condition",
     "{\"hook\":\"/bin/x\",\"stage\":[\"poststop\"],\"cmd\":[\"a\"],\"annotation\":[\"b\",\"(c\","
     "\"d)\"],\"hasbindmounts\":true}",
     HEAD "  match:\n    any:\n      - mounts: {type: bind}\n"
          "      - anyAnnotation:\n          key: {regex: '.*', search: true}\n"
          "          value: {regex: 'b|(c|d)', search: true}\n"
          "      - command: {regex: a, search: true}\n"
          "  hooks:\n    poststop:\n      - path: /bin/x\n        timeout: 120\n",
     "no-timeout"},
    {"0.1.0: no annotation means any",
     "{\"hook\":\"/bin/x\",\"stage\":[\"poststop\"],\"annotation\":[],\"hasbindmounts\":false}",
     HEAD "  match:\n    anyAnnotation: {key: {regex: '.*', search: true}, value: {regex: '.*', "
          "search: true}}\n"
          "  hooks:\n    poststop:\n      - path: /bin/x\n        timeout: 120\n",
     "no-timeout"},
};

static void reads(void **state)
{
    const struct good_row *row = *state;
    struct foreign *f;

    f = foreign_read("/d/Stem.json", "Stem", gr_str_from(row->json));
    if (f->errors > 0)
        fail_msg("%u:%u: %s", f->said[0].line, f->said[0].column, f->said[0].text);
    assert_str(gr_buf_view(&f->yaml), row->yaml);
    assert_int_equal(f->said_n, row->said ? 1 : 0);
    if (row->said)
        assert_string_equal(f->said[0].code, row->said);
    foreign_free(f);
}

struct bad_row {
    const char *name;
    const char *json;
    uint32_t line, column;
    const char *code;
    const char *part; /* of the message */
};

static const struct bad_row bad_rows[] = {
    {"nothing", "", 1, 1, "json-syntax", "expected a value"},
    {"a list", "[]", 1, 1, "wrong-type", "found a list"},
    {"null", "null", 1, 1, "wrong-type", "found null"},
    {"open object", "{\n \"a\": 1", 2, 8, "json-syntax", "a comma or the closing }, found the end"},
    {"open text", "{\"a\": \"b", 1, 7, "json-syntax", "never ends"},
    {"open escape", "{\"a\": \"b\\", 1, 7, "json-syntax", "never ends"},
    {"comma behind the last", "{\"a\": [1,]}", 1, 10, "json-syntax", "no comma behind the last"},
    {"a comment", "{ // x\n}", 1, 3, "json-syntax", "JSON has no comments"},
    {"single quotes", "{'a': 1}", 1, 2, "json-syntax", "double quotes"},
    {"two values", "{} {}", 1, 4, "json-syntax", "the end of the file"},
    {"a leading zero", "{\"a\": 01}", 1, 8, "json-syntax", "a comma"},
    {"no digits", "{\"a\": 1.}", 1, 9, "json-syntax", "a digit behind the point"},
    {"a bad word", "{\"a\": nul}", 1, 7, "json-syntax", "a value"},
    {"a line break in a text", "{\"a\nb\": 1}", 1, 4, "json-syntax", "a line break"},
    {"a bad escape", "{\"\\x\": 1}", 1, 4, "json-syntax", "behind a backslash"},
    {"half an escape", "{\"\\u12g4\": 1}", 1, 7, "json-syntax", "four hexadecimal digits"},
    {"no colon", "{\"a\" 1}", 1, 6, "json-syntax", "a colon"},
    {"a NUL byte", "{\"hook\":{\"path\":\"/\\u0000\"}," V "," W "," S "}", 1, 17,
     "control-character", "NUL"},
    {"a NUL byte in a list", "{\"stages\": [\"\\u0000\"]," V "," W "," H "}", 1, 13,
     "control-character", "NUL"},
    {"a NUL byte in a key", "{\"when\":{\"annotations\":{\"\\u0000\":\"x\"}}," V "," H "," S "}", 1,
     25, "control-character", "NUL"},
    {"no UTF-8", "{\"x\": \"\xff\"}", 1, 8, "bad-utf8", "0xFF"},
    {"version of another type", "{\"version\": 1}", 1, 13, "wrong-type", "found the number 1"},
    {"another version", "{\"version\": \"2.0.0\"}", 1, 13, "bad-version", "found \"2.0.0\""},
    {"no hook", "{" V "," W "," S "}", 1, 1, "missing-key", "path"},
    {"no stages", "{" V "," H "," W "}", 1, 1, "missing-key", "stages"},
    {"stages null again", "{" V "," H "," W "," S ",\"stages\":null}", 1, 1, "missing-key",
     "stages"},
    {"stages of another type", "{" V "," H "," W ",\"stages\":\"prestart\"}", 1, 96, "wrong-type",
     "expected a list"},
    {"a stage of another type", "{" V "," H "," W ",\n\"stages\":[true]}", 2, 11, "wrong-type",
     "found the boolean true"},
    {"a later good value does not mend a bad one", "{" V "," H "," W ",\n\"stages\":[1]," S "}", 2,
     11, "wrong-type", "found the number 1"},
    {"unknown stage", "{" V "," H "," W ",\n\"stages\":[\"prestrat\"]}", 2, 11, "bad-word",
     "did you mean prestart?"},
    {"podman's own stage", "{" V "," H "," W ",\n\"stages\":[\"precreate\"]}", 2, 11, "bad-word",
     "no stage of the OCI runtime-spec"},
    {"a stage in other letters", "{" V "," H "," W ",\n\"stages\":[\"PreStart\"]}", 2, 11,
     "bad-word", "did you mean prestart?"},
    {"the empty stage", "{" V "," H "," W ",\n\"stages\":[null]}", 2, 11, "bad-word", "known are"},
    {"hook of another type", "{" V ",\n\"hook\":\"/bin/x\"," W "," S "}", 2, 8, "wrong-type",
     "expected an object"},
    {"relative path", "{" V ",\n\"hook\":{\"path\":\"bin/x\"}," W "," S "}", 2, 16, "bad-path",
     "absolute"},
    {"path with dots", "{" V ",\n\"hook\":{\"path\":\"/bin/../x\"}," W "," S "}", 2, 16, "bad-path",
     ".."},
    {"path with braces", "{" V ",\n\"hook\":{\"path\":\"/bin/{{x\"}," W "," S "}", 2, 16,
     "unsafe-template", "path"},
    {"empty path", "{" V ",\n\"hook\":{\"path\":\"\"}," W "," S "}", 2, 8, "missing-key", "path"},
    {"timeout 0", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"timeout\":0}," W "," S "}", 2, 35,
     "bad-seconds", "found the number 0"},
    {"negative timeout", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"timeout\":-1}," W "," S "}", 2,
     35, "bad-seconds", "found the number -1"},
    {"timeout 121", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"timeout\":121}," W "," S "}", 2, 35,
     "bad-seconds", "from 1 to 120"},
    {"timeout beyond 64 bits",
     "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"timeout\":99999999999999999999}," W "," S "}", 2, 35,
     "bad-seconds", "from 1 to 120"},
    {"timeout with a fraction",
     "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"timeout\":5.0}," W "," S "}", 2, 35, "wrong-type",
     "a whole number"},
    {"timeout as text", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"timeout\":\"5\"}," W "," S "}", 2,
     35, "wrong-type", "a whole number"},
    {"empty args[0]", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"args\":[\"\"]}," W "," S "}", 2, 33,
     "bad-args", "must not be empty"},
    {"args[0] is an option",
     "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"args\":[\"-a\"]}," W "," S "}", 2, 33, "bad-args",
     "-a"},
    {"env without =", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"env\":[\"A\"]}," W "," S "}", 2, 32,
     "bad-env", "NAME=value"},
    {"env twice", "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"env\":[\"A=1\",\"A=2\"]}," W "," S "}",
     2, 38, "duplicate-env", "A"},
    {"env of ours",
     "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"env\":[\"GRAPNEL_X=1\"]}," W "," S "}", 2, 32,
     "reserved-env", "GRAPNEL_"},
    {"an escape character",
     "{" V ",\n\"hook\":{\"path\":\"/bin/x\",\"args\":[\"x\",\"\\u001b\"]}," W "," S "}", 2, 37,
     "control-character", "U+001B"},
    {"when of another type", "{" V "," H ",\n\"when\":[]," S "}", 2, 8, "wrong-type", "an object"},
    {"always of another type", "{" V "," H ",\n\"when\":{\"always\":\"true\"}," S "}", 2, 18,
     "wrong-type", "true or false"},
    {"annotations of another type", "{" V "," H ",\n\"when\":{\"annotations\":[]}," S "}", 2, 23,
     "wrong-type", "an object"},
    {"an annotation of another type", "{" V "," H ",\n\"when\":{\"annotations\":{\"a\":1}}," S "}",
     2, 28, "wrong-type", "a text"},
    {"commands of another type", "{" V "," H ",\n\"when\":{\"commands\":\"a\"}," S "}", 2, 20,
     "wrong-type", "a list"},
    {"a bad expression", "{" V "," H ",\n\"when\":{\"commands\":[\"(\"]}," S "}", 2, 21,
     "bad-regex", ""},
    {"0.1.0: stage and stages",
     "{\"hook\":\"/bin/x\",\"stages\":[\"poststop\"],\n\"stage\":[\"poststop\"]}", 2, 9,
     "duplicate-key", "\"stages\" and \"stage\""},
    {"0.1.0: cmd and cmds",
     "{\"hook\":\"/bin/x\",\"stages\":[\"poststop\"],\"hasbindmounts\":true,\"cmds\":[],\n\"cmd\":"
     "[]}",
     2, 7, "duplicate-key", "\"cmds\" and \"cmd\""},
    {"0.1.0: annotation and annotations",
     "{\"hook\":\"/bin/x\",\"stages\":[\"poststop\"],\"annotations\":[],\n\"annotation\":[]}", 2,
     14, "duplicate-key", "\"annotations\""},
    {"0.1.0: no hook", "{\"stages\":[\"poststop\"],\"hasbindmounts\":true}", 1, 1, "missing-key",
     "path"},
    {"0.1.0: no hook, but arguments", "{\"stages\":[\"poststop\"],\"arguments\":[\"\"]}", 1, 1,
     "missing-key", "path"},
    {"0.1.0: hook of the other version",
     "{\"hook\":{\"path\":\"/bin/x\"},\"stages\":[\"poststop\"]}", 1, 9, "wrong-type", "a text"},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct foreign *f = foreign_read("/d/stem.json", "stem", gr_str_from(row->json));
    const struct gr_err *err = &f->said[0];

    assert_int_equal(f->sets.n, 0);
    assert_int_equal(f->sets.rejected, 1);
    assert_true(f->said_n >= 1);
    if (strcmp(err->code, row->code) != 0 || !strstr(err->text, row->part))
        fail_msg("%s: %s", err->code, err->text);
    assert_string_equal(err->file, "/d/stem.json");
    assert_int_equal(err->line, row->line);
    assert_int_equal(err->column, row->column);
    foreign_free(f);
}

static void test_all_errors_are_said(void **state)
{
    struct foreign *f =
        foreign_read("/d/a.json", "a",
                     GR_STR("{" V ",\"hook\":{\"path\":\"x\",\"env\":[\"A\",\"B\"]}," W
                            ",\"stages\":[\"a\",\"b\"]}"));

    (void)state;
    assert_int_equal(f->errors, 5); /* the path, two variables, two stages */
    foreign_free(f);
}

static void test_set(void **state)
{
    static const char json[] = "{" V "," H "," W "," S "}";
    struct foreign *f = foreign_read("/d/10-Über.X_y.json", "10-Über.X_y", GR_STR(json));
    const struct gr_hookset *set = &f->sets.items[0];

    (void)state;
    assert_int_equal(f->sets.n, 1);
    assert_str(set->name, "10-ber.x-y");
    assert_str(set->file, "/d/10-Über.X_y.json");
    assert_str(set->file_name, "10-Über.x_y.json");
    assert_int_equal(set->format, GR_FORMAT_OCI_HOOKS);
    assert_int_equal(set->order, 50);
    assert_int_equal(set->failure_policy, GR_FAIL);
    assert_int_equal(set->on_unknown, GR_UNKNOWN_SKIP);
    assert_int_equal(set->mode, GR_MODE_ENFORCE);
    assert_int_equal(set->line, 1);
    assert_true(set->hooks[GR_STAGE_CREATE_RUNTIME].items[0].timeout_given);
    foreign_free(f);
}

static void test_hash_is_of_the_text(void **state)
{
    struct foreign *a = foreign_read("/d/a.json", "a", GR_STR("{" V "," H "," W "," S "}"));
    struct foreign *b = foreign_read("/d/a.json", "a", GR_STR("{" V "," H "," W "," S "} "));

    (void)state;
    assert_true(a->sets.items[0].hash != b->sets.items[0].hash);
    foreign_free(a);
    foreign_free(b);
}

struct name_row {
    const char *name, *stem, *out; /* NULL: refused */
};

static const struct name_row name_rows[] = {
    {"as it is", "10-oci-umount", "10-oci-umount"},
    {"letters", "01-UPPER", "01-upper"},
    {"underscores", "a_b__c", "a-b-c"},
    {"dots", "a.b..c", "a.b-c"},
    {"a dot beside a hyphen", "a.-b", "a-b"},
    {"hyphens", "a--b", "a--b"},
    {"edges", "-_a_.", "a"},
    {"other letters", "caf\xc3\xa9", "caf"},
    {"nothing left", "\xc3\xa9", NULL},
    {"empty", "", NULL},
};

static void names(void **state)
{
    const struct name_row *row = *state;
    struct gr_str name = GR_STR_NONE;
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 4096, 0);
    r = gr_ocihooks_name(&arena, gr_str_from(row->stem), &name);
    assert_int_equal(r, row->out ? 0 : 1);
    if (row->out)
        assert_str(name, row->out);
    gr_arena_fini(&arena);
}

static void test_no_name(void **state)
{
    struct foreign *f =
        foreign_read("/d/\xc3\xa9.json", "\xc3\xa9", GR_STR("{" V "," H "," W "," S "}"));

    (void)state;
    assert_int_equal(f->sets.rejected, 1);
    assert_string_equal(f->said[0].code, "bad-name");
    foreign_free(f);
}

/* ---- limits ---- */

static char *repeat(const char *before, const char *part, size_t n, const char *after)
{
    size_t bytes = strlen(before) + n * strlen(part) + strlen(after) + 1;
    char *text = malloc(bytes);
    char *end;

    assert_non_null(text);
    end = stpcpy(text, before);
    for (size_t i = 0; i < n; i++)
        end = stpcpy(end, part);
    (void)stpcpy(end, after);
    return text;
}

static long peak_kib(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* A short list under a key that had a long one: each of them once took room for the long one, so
 * that a file of 100 KB took gigabytes. */
static void test_key_again_and_again(void **state)
{
    char *first = repeat("{" V ",\"hook\":{\"path\":\"/bin/x\",\"timeout\":5,\"args\":[", "\"a\",",
                         3000, "\"a\"]");
    char *all = repeat(first, ",\"args\":[\"b\",null]", 3000, "}," W "," S "}");
    long before = peak_kib();
    struct foreign *f = foreign_read("/d/a.json", "a", gr_str_from(all));

    (void)state;
    assert_int_equal(f->sets.n, 1);
    assert_non_null(strstr((const char *)f->yaml.data, "args: [b, a]")); /* as Go has it */
    assert_true(peak_kib() - before < 64 << 10);
    foreign_free(f);
    free(first);
    free(all);
}

/* At the limit it is read, one past it refused with the code. */
static void expect_limit(const char *before, const char *part, size_t max, const char *after,
                         const char *code)
{
    for (size_t n = max; n <= max + 1; n++) {
        char *text = repeat(before, part, n, after);
        struct foreign *f = foreign_read("/d/a.json", "a", gr_str_from(text));

        if (n == max && f->errors > 0)
            fail_msg("%zu: %s", n, f->said[0].text);
        if (n > max) {
            assert_int_equal(f->sets.rejected, 1);
            assert_string_equal(f->said[0].code, code);
        }
        foreign_free(f);
        free(text);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (size_t n = GR_JSON_DEPTH_MAX - 1; n <= GR_JSON_DEPTH_MAX; n++) {
        char *open = repeat("{" V "," H "," W "," S ",\"x\":", "[", n, "");
        char *all = repeat(open, "]", n, "}");
        struct foreign *f = foreign_read("/d/a.json", "a", gr_str_from(all));

        assert_int_equal(f->sets.n, n < GR_JSON_DEPTH_MAX ? 1 : 0);
        if (n == GR_JSON_DEPTH_MAX)
            assert_string_equal(f->said[0].code, "too-deep");
        foreign_free(f);
        free(open);
        free(all);
    }
}

static void test_counts(void **state)
{
    (void)state;
    /* root, version, hook, its path and timeout, when, always, stages, a stage, x: ten nodes */
    expect_limit("{" V "," H "," W "," S ",\"x\":[0", ",0", GR_YAML_NODES_MAX - 11, "]}",
                 "too-many-nodes");
    expect_limit("{" V "," H "," W ",\"stages\":[\"poststop\"", ",\"poststop\"",
                 GR_HOOKS_PER_STAGE_MAX - 1, "]}", "too-many");
    expect_limit("{" V ",\"hook\":{\"path\":\"/x\",\"args\":[\"a\"", ",\"a\"", GR_HOOK_ARGS_MAX - 1,
                 "]}," W "," S "}", "too-many");
    expect_limit("{" V ",\"hook\":{\"path\":\"/x\",\"args\":[\"", "a", GR_YAML_SCALAR_MAX_BYTES,
                 "\"]}," W "," S "}", "too-long");
    expect_limit("{" V ",\"hook\":{\"path\":\"/x\",\"args\":[\"", "{{", GR_TEMPLATE_PARTS_MAX,
                 "\"]}," W "," S "}", "bad-template");
}

static void test_file_size(void **state)
{
    static const char before[] = "{" V "," H "," W "," S "}";

    (void)state;
    expect_limit(before, " ", GR_YAML_FILE_MAX_BYTES - (sizeof(before) - 1), "", "file-too-big");
}

static void test_conditions(void **state)
{
    (void)state;
    expect_limit("{" V "," H "," S ",\"when\":{\"commands\":[\"a\"", ",\"a\"", GR_VALUES_MAX - 1,
                 "]}}", "too-many");
}

/* Keys that differ, so that none writes over another. */
static void test_annotations(void **state)
{
    (void)state;
    for (size_t n = GR_VALUES_MAX; n <= GR_VALUES_MAX + 1; n++) {
        char *text = malloc(n * 16 + 256);
        struct foreign *f;
        char *end;

        assert_non_null(text);
        end = stpcpy(text, "{" V "," H "," S ",\"when\":{\"annotations\":{");
        for (size_t i = 0; i < n; i++)
            end += sprintf(end, "%s\"k%zu\":\"\"", i ? "," : "", i);
        (void)stpcpy(end, "}}}");
        f = foreign_read("/d/a.json", "a", gr_str_from(text));
        assert_int_equal(f->sets.n, n == GR_VALUES_MAX ? 1 : 0);
        if (n > GR_VALUES_MAX)
            assert_string_equal(f->said[0].code, "too-many");
        foreign_free(f);
        free(text);
    }
}

int main(void)
{
    TEST_ADD_ROWS(reads, good_rows);
    TEST_ADD_ROWS(refuses, bad_rows);
    TEST_ADD_ROWS(names, name_rows);
    test_add("all errors are said", test_all_errors_are_said);
    test_add("the set", test_set);
    test_add("the hash is of the text", test_hash_is_of_the_text);
    test_add("no name", test_no_name);
    test_add("a key again and again", test_key_again_and_again);
    test_add("depth", test_depth);
    test_add("counts", test_counts);
    test_add("file size", test_file_size);
    test_add("commands", test_conditions);
    test_add("annotations", test_annotations);
    return test_run("ocihooks");
}
