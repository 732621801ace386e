/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs the hook runner: read and checked in full, then refused with one finding for each
 * hook.
 */
#include "rules/decoding.h"

#include <errno.h>

#include "base/buf.h"
#include "rules/read/fields.h"

static struct decoded *decode_text(const char *before, const char *row, const char *after)
{
    struct decoded *decoded;
    struct gr_buf text;

    gr_buf_init(&text, 1U << 16);
    assert_int_equal(
        gr_buf_text(&text, before) || gr_buf_text(&text, row) || gr_buf_text(&text, after), 0);
    decoded = decode(gr_buf_view(&text));
    gr_buf_fini(&text);
    return decoded;
}

/* A hook of poststop in one line; the row is what stands between its braces. */
static struct decoded *decode_hook_row(const char *row)
{
    return decode_text(TOP SPEC MATCH "  hooks: {poststop: [{", row, "}]}\n");
}

#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define MINISIGN "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----\\n"
#define PEM_KEY "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define PEM_END "\\n-----END PUBLIC KEY-----"
#define X "path: /x, "

struct good_row {
    const char *row;
    const char *needs; /* as the message names it */
};

static const struct good_row good_rows[] = {
    {"builtin: log", "builtin needs"},
    {"builtin: dump", "builtin needs"},
    {"builtin: netdev", "builtin needs"},
    {"builtin: notify", "builtin needs"},
    {X "onFailure: Fail", "onFailure needs"},
    {X "onFailure: Ignore", "onFailure needs"},
    {X "retry: {attempts: 1}", "retry needs"},
    {X "retry: {attempts: 10, backoff: 0}", "retry needs"},
    {X "retry: {attempts: 3, backoff: 60s, on: {exitCodes: [1, 255], signals: true, timeout: "
       "false}}",
     "retry needs"},
    {X "limits: {cpuTime: 1}", "limits needs"},
    {X "limits: {cpuTime: 3600s, memory: 100Mi, addressSpace: 4Gi, fileSize: 0, openFiles: 8, "
       "processes: 1, nice: -20, ionice: idle}",
     "limits needs"},
    {X "limits: {memory: 1, addressSpace: '1k', fileSize: 10M, openFiles: 1048576, processes: "
       "4194304, nice: 19, ionice: best-effort}",
     "limits needs"},
    {X "limits: {ionice: realtime}", "limits needs"},
    {X "verify: {sha256: [" HEX64 ", " HEX64 "]}", "verify needs"},
    {X "verify: {minisign: {publicKey: " MINISIGN "}}", "verify needs"},
    {X "verify: {ed25519: {pem: \"" PEM_BEGIN PEM_KEY PEM_END "\\n\"}}", "verify needs"},
    {X "verify: {ed25519: {pem: \"" PEM_BEGIN PEM_KEY PEM_END "\"}}", "verify needs"},
    {X "capture: {output: true, state: false}", "capture needs"},
    {X "user: {uid: 0, gid: 4294967294}", "user needs"},
    {X "cwd: /", "cwd needs"},
    {X "cwd: /var/lib", "cwd needs"},
    {X "umask: \"0077\"", "umask needs"},
    {X "umask: \"022\"", "umask needs"},
    {X "killGrace: 0", "killGrace needs"},
    {X "killGrace: 60s", "killGrace needs"},
    {X "background: Keep", "background needs"},
    {X "background: Kill", "background needs"},
    {X "mountProgram: false", "mountProgram needs"},
    {X "args: [x, '{{.Pid}}']", "{{.Pid}} needs"},
    {X "args: [x, '{{.Bundle}} {{.ID}}']", "{{.Bundle}} needs"},
    {X "env: ['A={{.Rootfs}}']", "{{.Rootfs}} needs"},
    {X "env: ['A={{.Status}}', 'B={{.Status}}']", "{{.Status}} needs"},
    {X "cwd: /a, umask: '077', args: [x, '{{.Pid}}']", "cwd, umask, {{.Pid}} need"},
};

static void needs_runner(void **state)
{
    const struct good_row *row = *state;
    struct decoded *decoded = decode_hook_row(row->row);
    char expected[320];

    (void)snprintf(expected, sizeof(expected),
                   "this version of Grapnel has no hook runner, which %s; remove %s or use a "
                   "version that has one",
                   row->needs, strstr(row->needs, "needs") ? "it" : "them");
    if (decoded->findings_n != 1)
        fail_msg("%zu findings, the first: %s", decoded->findings_n, decoded->findings[0].text);
    assert_string_equal(decoded->findings[0].code, "needs-runner");
    assert_string_equal(decoded->findings[0].text, expected);
    assert_string_equal(decoded->findings[0].field, "spec.hooks.poststop[0]");
    assert_int_equal(decoded->findings[0].line, 5);
    assert_int_equal(decoded->sets.rejected, 1);
    assert_int_equal(decoded->sets.n, 0);
    decoded_free(decoded);
}

struct refused_row {
    const char *row;
    const char *code;
    const char *field; /* below the hook */
    bool alone;        /* no key was met that needs the runner */
};

static const struct refused_row refused_rows[] = {
    {"program: /opt/x", "bad-program", ".program", true},
    {"program: setup", "bad-program", ".program", true},
    {"program: net/", "bad-program", ".program", true},
    {"program: /setup", "bad-program", ".program", true},
    {"program: Net/a", "bad-program", ".program", true},
    {"program: a.b/c", "bad-program", ".program", true},
    {"program: net/..", "bad-program", ".program", true},
    {"program: net/.x", "bad-program", ".program", true},
    {"program: 'net/{{.Name}}'", "bad-program", ".program", true},
    {"program: 5", "not-a-text", ".program", true},
    {"builtin: shell", "bad-word", ".builtin"},
    {"builtin: [log]", "bad-word", ".builtin"},
    {X "builtin: log", "bad-form", ""},
    {"program: a/b, builtin: log", "bad-form", ""},
    {X "program: a/b, builtin: log", "bad-form", ""},
    {X "onFailure: fail", "bad-word", ".onFailure"},
    {X "retry: 3", "wrong-type", ".retry"},
    {X "retry: {}", "missing-key", ".retry.attempts"},
    {X "retry: {backoff: 1}", "missing-key", ".retry.attempts"},
    {X "retry: {attempts: 0}", "bad-number", ".retry.attempts"},
    {X "retry: {attempts: 11}", "bad-number", ".retry.attempts"},
    {X "retry: {attempts: '3'}", "bad-number", ".retry.attempts"},
    {X "retry: {attempts: 3, backoff: 61}", "bad-seconds", ".retry.backoff"},
    {X "retry: {attempts: 3, backoff: 1m}", "bad-seconds", ".retry.backoff"},
    {X "retry: {attempts: 3, on: {}}", "empty", ".retry.on"},
    {X "retry: {attempts: 3, on: {exitCodes: []}}", "empty", ".retry.on.exitCodes"},
    {X "retry: {attempts: 3, on: {exitCodes: 75}}", "wrong-type", ".retry.on.exitCodes"},
    {X "retry: {attempts: 3, on: {exitCodes: [0]}}", "bad-number", ".retry.on.exitCodes[0]"},
    {X "retry: {attempts: 3, on: {exitCodes: [256]}}", "bad-number", ".retry.on.exitCodes[0]"},
    {X "retry: {attempts: 3, on: {exitCodes: [1, 1]}}", "duplicate-entry",
     ".retry.on.exitCodes[1]"},
    {X "retry: {attempts: 3, on: {signals: 'true'}}", "not-a-boolean", ".retry.on.signals"},
    {X "retry: {attempts: 3, on: {stderr: x}}", "wrong-type", ".retry.on.stderr"},
    {X "retry: {attempts: 3, on: {stderr: {}}}", "missing-key", ".retry.on.stderr.regex"},
    {X "retry: {attempts: 3, on: {stderr: {regex: ''}}}", "empty", ".retry.on.stderr.regex"},
    {X "limits: {}", "empty", ".limits"},
    {X "limits: {cpu: 1}", "unknown-key", ".limits.cpu"},
    {X "limits: {cpuTime: 0}", "bad-seconds", ".limits.cpuTime"},
    {X "limits: {cpuTime: 3601}", "bad-seconds", ".limits.cpuTime"},
    {X "limits: {memory: 0}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: '100'}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: 100mi}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: 1.5Gi}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: 0Mi}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: 8Ei}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: 16Ei}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: 99999999999999999999Ki}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: unlimited}", "bad-quantity", ".limits.memory"},
    {X "limits: {memory: [1]}", "bad-quantity", ".limits.memory"},
    {X "limits: {fileSize: 0Mi}", "bad-quantity", ".limits.fileSize"},
    {X "limits: {fileSize: -1}", "bad-quantity", ".limits.fileSize"},
    {X "limits: {openFiles: 7}", "bad-number", ".limits.openFiles"},
    {X "limits: {openFiles: 1048577}", "bad-number", ".limits.openFiles"},
    {X "limits: {processes: 0}", "bad-number", ".limits.processes"},
    {X "limits: {processes: 4194305}", "bad-number", ".limits.processes"},
    {X "limits: {nice: -21}", "bad-number", ".limits.nice"},
    {X "limits: {nice: 20}", "bad-number", ".limits.nice"},
    {X "limits: {nice: '5'}", "bad-number", ".limits.nice"},
    {X "limits: {nice: -0}", "bad-number", ".limits.nice"},
    {X "limits: {ionice: Idle}", "bad-word", ".limits.ionice"},
    {X "verify: {}", "empty", ".verify"},
    {X "verify: {sha256: " HEX64 "}", "wrong-type", ".verify.sha256"},
    {X "verify: {sha256: []}", "empty", ".verify.sha256"},
    {X "verify: {sha256: [0" HEX64 "]}", "bad-digest", ".verify.sha256[0]"},
    {X "verify: {sha256: ['sha256:" HEX64 "']}", "bad-digest", ".verify.sha256[0]"},
    {X "verify: {sha256: [g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef]}",
     "bad-digest", ".verify.sha256[0]"},
    {X "verify: {minisign: " MINISIGN "}", "wrong-type", ".verify.minisign"},
    {X "verify: {minisign: {}}", "missing-key", ".verify.minisign.publicKey"},
    {X "verify: {minisign: {publicKey: " MINISIGN "A}}", "bad-public-key",
     ".verify.minisign.publicKey"},
    {X "verify: {minisign: {publicKey: RWAf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}}",
     "bad-public-key", ".verify.minisign.publicKey"},
    {X "verify: {minisign: {publicKey: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO=}}",
     "bad-public-key", ".verify.minisign.publicKey"},
    {X "verify: {ed25519: {pem: " PEM_KEY "}}", "bad-public-key", ".verify.ed25519.pem"},
    {X "verify: {ed25519: {pem: \"" PEM_BEGIN "A" PEM_KEY PEM_END "\"}}", "bad-public-key",
     ".verify.ed25519.pem"},
    {X "verify: {ed25519: {pem: \"" PEM_BEGIN
       "MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=" PEM_END "\"}}",
     "bad-public-key", ".verify.ed25519.pem"},
    {X "verify: {ed25519: {pem: \"" PEM_BEGIN
       "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuF=" PEM_END "\"}}",
     "bad-public-key", ".verify.ed25519.pem"},
    {X "verify: {sha256: [" HEX64 "], minisign: {publicKey: " MINISIGN "}}", "bad-form", ".verify"},
    {X "capture: {}", "empty", ".capture"},
    {X "capture: true", "wrong-type", ".capture"},
    {X "capture: {output: 1}", "not-a-boolean", ".capture.output"},
    {X "user: {uid: 0}", "missing-key", ".user.gid"},
    {X "user: {gid: 0}", "missing-key", ".user.uid"},
    {X "user: {uid: root, gid: 0}", "bad-number", ".user.uid"},
    {X "user: {uid: 0, gid: 4294967295}", "bad-number", ".user.gid"},
    {X "cwd: tmp", "bad-path", ".cwd"},
    {X "cwd: /tmp/", "bad-path", ".cwd"},
    {X "cwd: '/tmp/{{.ID}}'", "no-template", ".cwd"},
    {X "umask: 0077", "bad-rights", ".umask"},
    {X "umask: '77'", "bad-rights", ".umask"},
    {X "umask: '0078'", "bad-rights", ".umask"},
    {X "umask: '1077'", "bad-rights", ".umask"},
    {X "umask: [a]", "bad-rights", ".umask"},
    {X "killGrace: 61s", "bad-seconds", ".killGrace"},
    {X "background: keep", "bad-word", ".background"},
    {X "mountProgram: true", "misplaced-key", ".mountProgram"},
    {X "mountProgram: 'false'", "not-a-boolean", ".mountProgram"},
    {X "args: [x, '{{.Pid \"a\"}}']", "bad-template", ".args[1]", true},
    {X "args: [x, '{{.pid}}']", "unknown-field", ".args[1]", true},
};

static void refuses_row(void **state)
{
    const struct refused_row *row = *state;
    struct decoded *decoded = decode_hook_row(row->row);
    char field[128];

    (void)snprintf(field, sizeof(field), "spec.hooks.poststop[0]%s", row->field);
    assert_int_equal(decoded->findings_n, row->alone ? 1 : 2);
    assert_string_equal(decoded->findings[0].code, row->code);
    assert_string_equal(decoded->findings[0].field, field);
    if (!row->alone)
        assert_string_equal(decoded->findings[1].code, "needs-runner");
    decoded_free(decoded);
}

/* Each hook has its finding, at the first of the keys. */
static void test_hooks(void **state)
{
    struct decoded *decoded =
        decode(GR_STR(TOP SPEC MATCH HOOKS "        cwd: /\n        umask: \"022\"\n"
                                           "      - path: /y\n      - path: /z\n"
                                           "        args: [z,\n          '{{.Pid}}']\n"));

    (void)state;
    assert_int_equal(decoded->findings_n, 2);
    assert_int_equal(decoded->findings[0].line, 8);
    assert_int_equal(decoded->findings[0].column, 9);
    assert_string_equal(decoded->findings[1].field, "spec.hooks.poststop[2]");
    assert_int_equal(decoded->findings[1].line, 13);
    assert_int_equal(decoded->findings[1].column, 11);
    decoded_free(decoded);
}

/* Inside the container there is no store. */
static void test_program_in_container(void **state)
{
    struct decoded *decoded =
        decode(GR_STR(TOP SPEC MATCH "  hooks: {startContainer: [{program: net/setup}]}\n"));

    (void)state;
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "needs-runner");
    assert_non_null(strstr(decoded->findings[0].text, "which program needs"));
    decoded_free(decoded);
}

static void test_mount_program(void **state)
{
    struct decoded *decoded = decode(
        GR_STR(TOP SPEC MATCH "  hooks: {startContainer: [{path: /x, mountProgram: true}]}\n"));

    (void)state;
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "needs-runner");
    decoded_free(decoded);
}

/* All that a hook may have: nothing of it is wrong but that there is no runner. (stderr is left
 * out: its expression is looked at by rules/regex.) */
static void test_everything(void **state)
{
    struct decoded *decoded = decode(GR_STR(
        TOP SPEC MATCH HOOKS
        "        args: [x, \"{{.ID}}\"]\n        timeout: 30\n        onFailure: Fail\n"
        "        retry: {attempts: 3, backoff: 1s, on: {exitCodes: [75], signals: true, timeout: "
        "true}}\n"
        "        limits: {cpuTime: 30s, memory: 100Mi, addressSpace: 4Gi, fileSize: 10Mi, "
        "openFiles: 256, processes: 64, nice: 10, ionice: idle}\n"
        "        verify: {sha256: [" HEX64 "]}\n        capture: {output: true, state: false}\n"
        "        user: {uid: 0, gid: 0}\n        cwd: /\n        umask: \"0077\"\n"
        "        killGrace: 2s\n        background: Keep\n        mountProgram: false\n"
        "  breaker: {failures: 5, window: 60s}\n"));

    (void)state;
    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].text,
                        "this version of Grapnel has no hook runner, which onFailure, retry, "
                        "limits, verify, capture, user, cwd, umask, killGrace, background, "
                        "mountProgram need; remove them or use a version that has one");
    decoded_free(decoded);
}

/* Who does not ask for run-time fields does not get any: nothing here could fill them in. */
static void test_fields(void **state)
{
    static const char *const texts[] = {"{{.Pid}}", "{{.Bundle}}", "{{.Rootfs}}", "{{.Status}}"};
    struct gr_template template;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        const char *run_time = NULL;
        struct gr_err err = {0};

        assert_int_equal(gr_template_parse(&arena, gr_str_from(texts[i]), gr_template_field_check,
                                           NULL, &template, &err),
                         -EINVAL);
        assert_string_equal(err.code, "unknown-field");
        assert_int_equal(gr_template_parse(&arena, gr_str_from(texts[i]), gr_template_field_check,
                                           &run_time, &template, &err),
                         0);
        assert_int_equal(strncmp(run_time, texts[i] + 2, strlen(run_time)), 0);
        assert_int_equal(template.parts[0].id, GR_TEMPLATE_FIELD_COUNT + i);
        assert_false(gr_template_field_is_foreign((enum gr_template_field) template.parts[0].id));
    }
    gr_arena_fini(&arena);
}

static const struct refused_row breaker_rows[] = {
    {"{failures: 0, window: 1}", "bad-number", ".failures"},
    {"{failures: 1001, window: 1}", "bad-number", ".failures"},
    {"{failures: 5, window: 0}", "bad-seconds", ".window"},
    {"{failures: 5, window: 86401}", "bad-seconds", ".window"},
    {"{failures: 5}", "missing-key", ".window"},
    {"{window: 5}", "missing-key", ".failures"},
    {"true", "wrong-type", ""},
    {"{}", "missing-key", ".failures"},
};

static void breaker(void **state)
{
    const struct refused_row *row = *state;
    struct decoded *decoded = decode_text(TOP SPEC MATCH "  breaker: ", row->row, "\n" HOOKS);
    char field[128];

    (void)snprintf(field, sizeof(field), "spec.breaker%s", row->field);
    assert_string_equal(decoded->findings[0].code, row->code);
    assert_string_equal(decoded->findings[0].field, field);
    assert_int_equal(decoded->sets.n, 0);
    decoded_free(decoded);
}

/* It needs no runner to be read: who reports failed runs is not its affair. */
static void test_breaker_kept(void **state)
{
    static const struct {
        const char *text;
        uint32_t failures, window_s;
    } rows[] = {
        {"{failures: 1, window: 1}", 1, 1},
        {"{failures: 1000, window: 86400s}", 1000, 86400},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct decoded *decoded =
            decode_text(TOP SPEC MATCH "  breaker: ", rows[i].text, "\n" HOOKS);

        assert_int_equal(decoded->findings_n, 0);
        assert_int_equal(decoded->sets.n, 1);
        assert_int_equal(decoded->sets.items[0].breaker.failures, rows[i].failures);
        assert_int_equal(decoded->sets.items[0].breaker.window_s, rows[i].window_s);
        decoded_free(decoded);
    }
}

/* Lists at their limit and one past it. */
static void test_limits(void **state)
{
    static const struct {
        const char *before, *part, *after;
        size_t most;
    } rows[] = {
        {X "verify: {sha256: [", HEX64 ", ", "]}", GR_VERIFY_DIGESTS_MAX},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        for (size_t over = 0; over < 2; over++) {
            struct decoded *decoded;
            struct gr_buf row;

            gr_buf_init(&row, 1U << 16);
            assert_int_equal(gr_buf_text(&row, rows[i].before), 0);
            for (size_t k = 0; k < rows[i].most + over; k++)
                assert_int_equal(gr_buf_text(&row, rows[i].part), 0);
            assert_int_equal(
                gr_buf_text(&row, rows[i].after) || gr_buf_str(&row, (struct gr_str){"", 1}), 0);
            decoded = decode_hook_row(gr_buf_view(&row).p);
            assert_int_equal(decoded->findings_n, 1 + over);
            decoded_free(decoded);
            gr_buf_fini(&row);
        }
    }
}

/* Every exit code there is; one more cannot be another. */
static void test_exit_codes(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct decoded *decoded;
        struct gr_buf row;

        gr_buf_init(&row, 1U << 16);
        assert_int_equal(gr_buf_text(&row, X "retry: {attempts: 2, on: {exitCodes: ["), 0);
        for (int code = 1; code <= GR_EXIT_CODES_MAX + over; code++)
            assert_int_equal(gr_buf_printf(&row, "%d, ", code), 0);
        assert_int_equal(gr_buf_text(&row, "]}}") || gr_buf_str(&row, (struct gr_str){"", 1}), 0);
        decoded = decode_hook_row(gr_buf_view(&row).p);
        assert_string_equal(decoded->findings[0].code, over ? "too-many" : "needs-runner");
        decoded_free(decoded);
        gr_buf_fini(&row);
    }
}

int main(void)
{
    TEST_ADD_ROWS(needs_runner, good_rows);
    TEST_ADD_ROWS(refuses_row, refused_rows);
    TEST_ADD_ROWS(breaker, breaker_rows);
    test_add("a breaker is kept", test_breaker_kept);
    test_add("hooks", test_hooks);
    test_add("program in the container", test_program_in_container);
    test_add("mountProgram", test_mount_program);
    test_add("everything", test_everything);
    test_add("fields", test_fields);
    test_add("limits", test_limits);
    test_add("exit codes", test_exit_codes);
    return test_run("decode_runner");
}
