/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of the program: every key, what is refused and where, and which source wins.
 */
#include "testing.h"

#include "load/config.h"

#define TOP "apiVersion: grapnel/v1beta1\nkind: Config\nspec:\n"

/* GR_STR for the initialisers of static tables. */
#define BYTES(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

#define FINDINGS_MAX 8

struct found {
    struct gr_err items[FINDINGS_MAX];
    size_t n;
};

static void collect(void *user, enum gr_level level, const struct gr_err *err)
{
    struct found *found = user;

    assert_int_equal(level, GR_LEVEL_ERROR);
    assert_true(found->n < FINDINGS_MAX);
    found->items[found->n++] = *err;
}

static struct gr_arena arena;

static int decode(struct gr_str text, struct found *found, struct gr_config *config)
{
    const struct gr_reporter reporter = {.report = collect, .user = found};
    const struct gr_config_text source = {
        .text = text, .name = "NRI Configure", .source = GR_CONFIG_NRI};

    *found = (struct found){0};
    return gr_config_decode(&arena, &source, &reporter, config);
}

static struct gr_config decode_good(struct gr_str text)
{
    struct gr_config config = {0};
    struct found found;
    int r = decode(text, &found, &config);

    if (found.n > 0)
        fail_msg("%u:%u: %s", found.items[0].line, found.items[0].column, found.items[0].text);
    assert_int_equal(r, 0);
    return config;
}

static void test_built_in(void **state)
{
    struct gr_config config;

    (void)state;
    gr_config_init(&config);
    assert_int_equal(config.hooks_dirs_n, 3);
    assert_string_equal(config.hooks_dirs[0], "/usr/share/grapnel/hooks.d");
    assert_string_equal(config.hooks_dirs[2], "/run/grapnel/hooks.d");
    assert_string_equal(config.host_root, "/");
    assert_string_equal(config.node_name, "");
    assert_int_equal(config.log_level, GR_LEVEL_INFO);
    assert_int_equal(config.log_format, GR_LOG_LOGFMT);
    assert_int_equal(config.ambiguous_image, GR_IMAGE_TRUST);
    assert_int_equal(config.on_request_error, GR_REQUEST_ERROR_FAIL);
    assert_int_equal(config.rescan_interval_s, 30);
    assert_string_equal(config.last_good_dir, "/var/lib/grapnel/last-good");
    assert_string_equal(config.environment, "");
    assert_int_equal(config.oci_hooks_dirs_n, 0);
    assert_string_equal(config.request_annotation, "hooks.noderesource.dev");
    assert_int_equal(config.required_sets.n, 0);
    assert_string_equal(config.own_namespace, "");
    for (size_t i = 0; i < GR_SETTING_COUNT; i++) {
        assert_true(config.origins[i].has);
        assert_int_equal(config.origins[i].source, GR_CONFIG_BUILT_IN);
    }
}

static void test_everything(void **state)
{
    struct gr_config config = decode_good(
        GR_STR(TOP "  hooksDirs: [/a, /b/c]\n  hostRoot: /host\n  nodeName: node-1.example.com\n"
                   "  logLevel: debug\n  logFormat: json\n  ambiguousImage: Unknown\n"
                   "  onRequestError: Ignore\n  rescanInterval: 60s\n  lastGoodDir: /var/x\n"
                   "  environment: staging\n  ociHooksDirs: [/o]\n"
                   "  requestAnnotation: example.com/hooks\n  requiredSets: [audit, net]\n"
                   "  ownNamespace: grapnel\n  runDir: /r\n  controlSocket: /r/c\n"
                   "  auditLog: stdout\n  sandbox: Full\n"
                   "  metricsAddress: 127.0.0.1:9753\n  metricsTextfile: /t/g.prom\n"
                   "  programsDir: /p\n  crioDir: /c\n"));

    (void)state;
    assert_int_equal(config.hooks_dirs_n, 2);
    assert_string_equal(config.hooks_dirs[1], "/b/c");
    assert_string_equal(config.host_root, "/host");
    assert_string_equal(config.node_name, "node-1.example.com");
    assert_int_equal(config.log_level, GR_LEVEL_DEBUG);
    assert_int_equal(config.log_format, GR_LOG_JSON);
    assert_int_equal(config.ambiguous_image, GR_IMAGE_UNKNOWN);
    assert_int_equal(config.on_request_error, GR_REQUEST_ERROR_IGNORE);
    assert_int_equal(config.rescan_interval_s, 60);
    assert_string_equal(config.last_good_dir, "/var/x");
    assert_string_equal(config.environment, "staging");
    assert_int_equal(config.oci_hooks_dirs_n, 1);
    assert_string_equal(config.oci_hooks_dirs[0], "/o");
    assert_string_equal(config.request_annotation, "example.com/hooks");
    assert_string_equal(config.run_dir, "/r");
    assert_string_equal(config.control_socket, "/r/c");
    assert_int_equal(config.audit_log, GR_AUDIT_STDOUT);
    assert_int_equal(config.sandbox, GR_SANDBOX_FULL);
    assert_string_equal(config.metrics_address, "127.0.0.1:9753");
    assert_string_equal(config.metrics_textfile, "/t/g.prom");
    assert_string_equal(config.programs_dir, "/p");
    assert_string_equal(config.crio_dir, "/c");
    assert_int_equal(config.required_sets.n, 2);
    assert_string_equal(config.required_sets.items[1].p, "net");
    assert_string_equal(config.own_namespace, "grapnel");
    for (uint32_t i = 0; i < GR_SETTING_COUNT; i++) {
        assert_true(config.origins[i].has);
        assert_int_equal(config.origins[i].source, GR_CONFIG_NRI);
        assert_int_equal(config.origins[i].line, 4 + i);
    }
}

static void test_other_words(void **state)
{
    struct gr_config config = decode_good(
        GR_STR(TOP "  hostRoot: /\n  logLevel: warning\n  logFormat: logfmt\n"
                   "  ambiguousImage: Trust\n  onRequestError: Fail\n  rescanInterval: 3600\n"
                   "  lastGoodDir: none\n  runDir: none\n"));

    (void)state;
    assert_string_equal(config.run_dir, "");
    assert_string_equal(config.host_root, "/");
    assert_int_equal(config.log_level, GR_LEVEL_WARNING);
    assert_int_equal(config.rescan_interval_s, 3600);
    assert_string_equal(config.last_good_dir, "");
    assert_false(config.origins[GR_SETTING_HOOKS_DIRS].has);
}

static void test_nothing(void **state)
{
    static const struct gr_str texts[] = {
        {NULL, 0}, BYTES(""), BYTES("# comment\n"), BYTES("---\n"), BYTES(TOP "  {}\n"),
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        struct gr_config config = decode_good(texts[i]);

        for (size_t k = 0; k < GR_SETTING_COUNT; k++)
            assert_false(config.origins[k].has);
    }
}

static void test_merge(void **state)
{
    struct gr_config config;
    struct gr_config file = decode_good(GR_STR(TOP "  hooksDirs: [/a]\n  logLevel: error\n"));
    struct gr_config all = decode_good(GR_STR(
        TOP "  hooksDirs: [/x, /y]\n  hostRoot: /host\n  nodeName: node\n  logLevel: debug\n"
            "  logFormat: json\n  ambiguousImage: Unknown\n  onRequestError: Ignore\n"
            "  rescanInterval: 1\n  lastGoodDir: none\n  environment: e\n  ociHooksDirs: [/o]\n"
            "  requestAnnotation: r\n  requiredSets: [s]\n  ownNamespace: o\n"
            "  runDir: /r\n  controlSocket: none\n  auditLog: syslog\n  sandbox: None\n"
            "  metricsAddress: none\n  metricsTextfile: none\n"));

    (void)state;
    gr_config_init(&config);
    gr_config_merge(&config, &file);
    assert_int_equal(config.hooks_dirs_n, 1);
    assert_int_equal(config.log_level, GR_LEVEL_ERROR);
    assert_int_equal(config.origins[GR_SETTING_LOG_LEVEL].line, 5);
    assert_int_equal(config.origins[GR_SETTING_LOG_FORMAT].source, GR_CONFIG_BUILT_IN);
    assert_int_equal(config.rescan_interval_s, 30);
    gr_config_merge(&config, &all);
    assert_int_equal(config.hooks_dirs_n, 2);
    assert_string_equal(config.host_root, "/host");
    assert_string_equal(config.node_name, "node");
    assert_int_equal(config.log_level, GR_LEVEL_DEBUG);
    assert_int_equal(config.log_format, GR_LOG_JSON);
    assert_int_equal(config.ambiguous_image, GR_IMAGE_UNKNOWN);
    assert_int_equal(config.on_request_error, GR_REQUEST_ERROR_IGNORE);
    assert_int_equal(config.rescan_interval_s, 1);
    assert_string_equal(config.last_good_dir, "");
    assert_string_equal(config.environment, "e");
    assert_int_equal(config.oci_hooks_dirs_n, 1);
    assert_string_equal(config.request_annotation, "r");
    assert_int_equal(config.required_sets.n, 1);
    assert_string_equal(config.own_namespace, "o");
    assert_string_equal(config.run_dir, "/r");
    assert_string_equal(config.control_socket, "");
    assert_int_equal(config.audit_log, GR_AUDIT_SYSLOG);
    assert_int_equal(config.sandbox, GR_SANDBOX_NONE);
    assert_string_equal(config.metrics_address, "");
    assert_string_equal(config.metrics_textfile, "");
}

struct bad_row {
    const char *name;
    struct gr_str text;
    uint32_t line, column;
    const char *code;
    const char *field;
    const char *message;
};

#define SECONDS "expected whole seconds from 1 to 3600, such as 30 or \"30s\", found "

#define SIXTEEN "0123456789abcdef"

static const struct bad_row bad_rows[] = {
    {"broken YAML", BYTES(TOP "  logLevel: [\n"), 5, 1, "yaml-syntax", "",
     "expected a value here; write one, or quote the text if it begins with a special "
     "character"},
    {"no kind", BYTES("apiVersion: grapnel/v1beta1\nspec: {}\n"), 1, 1, "missing-key", "kind",
     "the key \"kind\" is missing; write kind: Config"},
    {"no spec", BYTES("apiVersion: grapnel/v1beta1\nkind: Config\n"), 1, 1, "missing-key", "spec",
     "the key \"spec\" is missing; write spec: with the settings in it"},
    {"a rule", BYTES("apiVersion: grapnel/v1beta1\nkind: HookSet\n"), 2, 7, "bad-kind", "kind",
     "expected kind: Config, found a HookSet; rules belong into /etc/grapnel/hooks.d, or a "
     "directory that --hooks-dir names"},
    {"a list", BYTES("[]\n"), 1, 1, "wrong-type", "",
     "expected a mapping (key: value), found a list"},
    {"setting at the top",
     BYTES("apiVersion: grapnel/v1beta1\nkind: Config\nlogLevel: info\nspec: {}\n"), 3, 1,
     "misplaced-key", "logLevel",
     "\"logLevel\" does not belong here but below spec; mend the indentation"},
    {"two documents", BYTES(TOP "  logLevel: info\n---\n" TOP "  logLevel: info\n"), 6, 1,
     "too-many-documents", "",
     "a configuration is one document, found another one; put all settings into the first"},
    {"unknown setting", BYTES(TOP "  noSuchKey: 1\n"), 4, 3, "unknown-key", "spec.noSuchKey",
     "unknown key \"noSuchKey\" in spec; known here: hooksDirs, hostRoot, nodeName, logLevel, "
     "logFormat, ambiguousImage, onRequestError, rescanInterval, lastGoodDir, environment, "
     "ociHooksDirs, "
     "requestAnnotation, requiredSets, ownNamespace, runDir, controlSocket, auditLog, sandbox, "
     "metricsAddress, metricsTextfile, programsDir, crioDir, runner"},
    {"mistyped setting", BYTES(TOP "  loglevel: info\n"), 4, 3, "unknown-key", "spec.loglevel",
     "unknown key \"loglevel\" in spec; did you mean \"logLevel\"?"},
    {"the runner", BYTES(TOP "  runner: Always\n"), 4, 3, "needs-runner", "spec.runner",
     "\"runner\" needs the hook runner, which this version of Grapnel does not have; remove it or "
     "use a version that has it"},
    {"no environment", BYTES(TOP "  environment: \"\"\n"), 4, 16, "empty", "spec.environment",
     "an empty text means nothing here; write the name of an environment of spec.environments, or "
     "remove the key"},
    {"environment as a number", BYTES(TOP "  environment: 1\n"), 4, 16, "not-a-text",
     "spec.environment", "expected a text, found the number 1; write \"1\" in quotes"},
    {"no oci-hooks directory", BYTES(TOP "  ociHooksDirs: []\n"), 4, 17, "empty",
     "spec.ociHooksDirs", "an empty list means nothing here; add an element or remove the key"},
    {"annotation with a blank", BYTES(TOP "  requestAnnotation: a b\n"), 4, 22, "bad-name",
     "spec.requestAnnotation",
     "the name \"a b\" is refused: expected the key of an annotation, letters, digits, -, _, . "
     "and /, such as hooks.noderesource.dev"},
    {"annotation that ends badly", BYTES(TOP "  requestAnnotation: a/\n"), 4, 22, "bad-name",
     "spec.requestAnnotation",
     "the name \"a/\" is refused: expected the key of an annotation, letters, digits, -, _, . "
     "and /, such as hooks.noderesource.dev"},
    {"required set that is no name", BYTES(TOP "  requiredSets: [a, B]\n"), 4, 21, "bad-name",
     "spec.requiredSets[1]",
     "the name \"B\" is refused: expected the name of a HookSet, lower-case letters, digits, - "
     "and ."},
    {"own namespace", BYTES(TOP "  ownNamespace: a_b\n"), 4, 17, "bad-name", "spec.ownNamespace",
     "the name \"a_b\" is refused: expected the namespace that Grapnel itself runs in, lower-case "
     "letters, digits, - and ."},
    {"socket with a long path",
     BYTES(TOP "  controlSocket: /" SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN
               "01234567890\n"),
     4, 18, "bad-path", "spec.controlSocket",
     "the path of a socket may have 107 bytes, found 108; use a shorter one"},
    {"an address by name", BYTES(TOP "  metricsAddress: localhost:9753\n"), 4, 19, "bad-address",
     "spec.metricsAddress",
     "expected 127.0.0.1:PORT, [::1]:PORT, :PORT for all addresses, unix:/PATH, or none; found "
     "\"localhost:9753\""},
    {"an address that is relative", BYTES(TOP "  metricsAddress: unix:a\n"), 4, 19, "bad-path",
     "spec.metricsAddress",
     "the path \"a\" is refused: it must be absolute, that is, begin with /"},
    {"a textfile of another name", BYTES(TOP "  metricsTextfile: /t/grapnel\n"), 4, 20, "bad-path",
     "spec.metricsTextfile",
     "expected a path that ends in .prom, since the textfile collector reads no others; found "
     "\"/t/grapnel\""},
    {"a textfile without a name", BYTES(TOP "  metricsTextfile: /t/.prom\n"), 4, 20, "bad-path",
     "spec.metricsTextfile",
     "expected a path that ends in .prom, since the textfile collector reads no others; found "
     "\"/t/.prom\""},
    {"new setting at the top",
     BYTES("apiVersion: grapnel/v1beta1\nkind: Config\nrequiredSets: [a]\nspec: {}\n"), 3, 1,
     "misplaced-key", "requiredSets",
     "\"requiredSets\" does not belong here but below spec; mend the indentation"},
    {"directories as a text", BYTES(TOP "  hooksDirs: /a\n"), 4, 14, "wrong-type", "spec.hooksDirs",
     "expected a list, found the text \"/a\"; write [first, second], or one \"- \" line for each "
     "element"},
    {"no directory", BYTES(TOP "  hooksDirs: []\n"), 4, 14, "empty", "spec.hooksDirs",
     "an empty list means nothing here; add an element or remove the key"},
    {"relative directory", BYTES(TOP "  hooksDirs: [/a, hooks.d]\n"), 4, 19, "bad-path",
     "spec.hooksDirs[1]",
     "the path \"hooks.d\" is refused: it must be absolute, that is, begin with /"},
    {"host root that is relative", BYTES(TOP "  hostRoot: host\n"), 4, 13, "bad-path",
     "spec.hostRoot", "the path \"host\" is refused: it must be absolute, that is, begin with /"},
    {"node name with capitals", BYTES(TOP "  nodeName: Node\n"), 4, 13, "bad-name", "spec.nodeName",
     "the name \"Node\" is refused: expected the node's name in the cluster, lower-case letters, "
     "digits, - and ."},
    {"last good directory that is relative", BYTES(TOP "  lastGoodDir: None\n"), 4, 16, "bad-path",
     "spec.lastGoodDir",
     "the path \"None\" is refused: it must be absolute, that is, begin with /"},
    {"log level in capitals", BYTES(TOP "  logLevel: INFO\n"), 4, 13, "bad-word", "spec.logLevel",
     "expected error, warning, info or debug, found the text \"INFO\"; did you mean info?"},
    {"log format", BYTES(TOP "  logFormat: text\n"), 4, 14, "bad-word", "spec.logFormat",
     "expected logfmt or json, found the text \"text\""},
    {"ambiguousImage", BYTES(TOP "  ambiguousImage: yes\n"), 4, 19, "bad-word",
     "spec.ambiguousImage", "expected Trust or Unknown, found the boolean yes"},
    {"onRequestError", BYTES(TOP "  onRequestError: Fial\n"), 4, 19, "bad-word",
     "spec.onRequestError", "expected Fail or Ignore, found the text \"Fial\""},
    {"interval 0", BYTES(TOP "  rescanInterval: 0\n"), 4, 19, "bad-seconds", "spec.rescanInterval",
     SECONDS "the number 0"},
    {"interval 3601", BYTES(TOP "  rescanInterval: 3601\n"), 4, 19, "bad-seconds",
     "spec.rescanInterval", SECONDS "the number 3601"},
    {"interval in minutes", BYTES(TOP "  rescanInterval: 1m\n"), 4, 19, "bad-seconds",
     "spec.rescanInterval", SECONDS "the text \"1m\""},
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct gr_config config = {.node_name = "untouched"};
    struct found found;

    assert_int_equal(decode(row->text, &found, &config), GR_CONFIG_REFUSED);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].text, row->message);
    assert_string_equal(found.items[0].code, row->code);
    assert_string_equal(found.items[0].field, row->field);
    assert_string_equal(found.items[0].file, "NRI Configure");
    assert_int_equal(found.items[0].line, row->line);
    assert_int_equal(found.items[0].column, row->column);
    assert_string_equal(config.node_name, "untouched");
}

struct limit_row {
    const char *name;
    const char *key, *item;
    int max;
};

static const struct limit_row limit_rows[] = {
    {"directories", "hooksDirs", "/a,", GR_CONFIG_DIRS_MAX},
    {"oci-hooks directories", "ociHooksDirs", "/a,", GR_CONFIG_DIRS_MAX},
    {"required sets", "requiredSets", "a,", GR_CONFIG_REQUIRED_MAX},
};

static void at_the_limit_and_past_it(void **state)
{
    const struct limit_row *row = *state;
    char text[1024];
    struct gr_config config = {0};
    struct found found;

    for (int over = 0; over < 2; over++) {
        size_t n = (size_t)snprintf(text, sizeof(text), TOP "  %s: [", row->key);

        for (int i = 0; i < row->max + over; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", row->item);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "]\n");
        assert_int_equal(decode((struct gr_str){.p = text, .n = n}, &found, &config),
                         over ? GR_CONFIG_REFUSED : 0);
        if (over)
            assert_string_equal(found.items[0].code, "too-many");
    }
}

#define POLICY "apiVersion: grapnel/v1beta1\nkind: Policy\nspec: {hooksPerContainer: 1}\n"

/* In what Configure carries, policies are for another reader, wherever they stand. */
static void test_policies_beside(void **state)
{
    struct found found;
    struct gr_config config =
        decode_good(GR_STR(POLICY "---\n" TOP "  logLevel: debug\n---\n" POLICY));

    (void)state;
    assert_int_equal(config.log_level, GR_LEVEL_DEBUG);
    (void)decode_good(GR_STR(POLICY));
    /* A policy that is bad is none of our findings, but what is no YAML in it is. */
    config = decode_good(GR_STR("kind: Policy\nspec: {x: y}\n---\n" TOP "  logLevel: error\n"));
    assert_int_equal(config.log_level, GR_LEVEL_ERROR);
    assert_int_equal(decode(GR_STR("kind: Policy\na: 1\na: 2\n"), &found, &config), 0);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].code, "duplicate-key");
    assert_int_equal(
        decode(GR_STR(TOP "  logLevel: debug\n---\n" POLICY "x: [\n"), &found, &config),
        GR_CONFIG_REFUSED);
    assert_string_equal(found.items[0].code, "yaml-syntax");
}

/* In the settings file they are in the wrong place. */
static void test_policy_in_the_file(void **state)
{
    struct found found = {0};
    const struct gr_reporter reporter = {.report = collect, .user = &found};
    const struct gr_config_text source = {.text = GR_STR(TOP "  logLevel: debug\n---\n" POLICY),
                                          .name = "config.yaml",
                                          .source = GR_CONFIG_FILE};
    const struct gr_config_text alone = {
        .text = GR_STR(POLICY), .name = "config.yaml", .source = GR_CONFIG_FILE};
    struct gr_config config = {0};

    (void)state;
    assert_int_equal(gr_config_decode(&arena, &alone, &reporter, &config), GR_CONFIG_REFUSED);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0].code, "bad-kind");
    assert_string_equal(found.items[0].text,
                        "expected kind: Config, found a Policy; guard rails belong into "
                        "/etc/grapnel/policy.yaml, or the file that --policy names");
    assert_int_equal(gr_config_decode(&arena, &source, &reporter, &config), GR_CONFIG_REFUSED);
}

static void test_names(void **state)
{
    enum gr_level level = GR_LEVEL_INFO;
    enum gr_log_format format = GR_LOG_LOGFMT;

    (void)state;
    assert_string_equal(gr_setting_name(GR_SETTING_RESCAN_INTERVAL), "rescanInterval");
    assert_string_equal(gr_config_source_name(GR_CONFIG_NRI), "NRI Configure");
    assert_string_equal(gr_config_source_name(GR_CONFIG_BUILT_IN), "built-in");
    assert_true(gr_log_level_parse(GR_STR("warning"), &level));
    assert_int_equal(level, GR_LEVEL_WARNING);
    assert_false(gr_log_level_parse(GR_STR("WARN"), &level));
    assert_true(gr_log_format_parse(GR_STR("json"), &format));
    assert_int_equal(format, GR_LOG_JSON);
    assert_false(gr_log_format_parse(GR_STR("xml"), &format));
}

int main(void)
{
    int r;

    gr_arena_init(&arena, 4096, 0);
    test_add("built-in", test_built_in);
    test_add("everything", test_everything);
    test_add("other words", test_other_words);
    test_add("nothing", test_nothing);
    test_add("merge", test_merge);
    TEST_ADD_ROWS(refuses, bad_rows);
    TEST_ADD_ROWS(at_the_limit_and_past_it, limit_rows);
    test_add("policies beside the settings", test_policies_beside);
    test_add("a policy in the settings file", test_policy_in_the_file);
    test_add("names", test_names);
    r = test_run("config");
    gr_arena_fini(&arena);
    return r;
}
