/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that are good: stages, paths, arguments, environment, templates, timeouts. */
#include "rules/decoding.h"

#include "rules/read/fields.h"

static struct decoded *decode_hook(const char *lines, const struct gr_hook **out_hook)
{
    char text[4096];
    int n = snprintf(text, sizeof(text), TOP SPEC MATCH STAGE "      - %s\n", lines);
    struct decoded *decoded = decode_good((struct gr_str){.p = text, .n = (size_t)n});

    *out_hook = &only_set(decoded)->hooks[GR_STAGE_POSTSTOP].items[0];
    return decoded;
}

static void test_stages(void **state)
{
    static const char text[] =
        TOP SPEC MATCH "  hooks:\n"
                       "    prestart: [{path: /a}]\n    createRuntime: [{path: /b}]\n"
                       "    createContainer: [{path: /c}]\n    startContainer: [{path: /d}]\n"
                       "    poststart: [{path: /e}]\n    poststop: [{path: /f}, {path: /g}]\n";
    static const char *const paths[] = {"/a", "/b", "/c", "/d", "/e", "/f"};
    struct decoded *decoded = decode_good(GR_STR(text));
    const struct gr_hookset *set = only_set(decoded);

    (void)state;
    for (size_t i = 0; i < GR_STAGE_COUNT; i++)
        assert_str(set->hooks[i].items[0].path, paths[i]);
    assert_int_equal(set->hooks[GR_STAGE_POSTSTOP].n, 2);
    assert_str(set->hooks[GR_STAGE_POSTSTOP].items[1].path, "/g");
    decoded_free(decoded);
}

static void test_stage_names(void **state)
{
    enum gr_stage stage = GR_STAGE_POSTSTART;

    (void)state;
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        assert_true(gr_stage_parse(gr_str_from(gr_stage_name((enum gr_stage)i)), &stage));
        assert_int_equal(stage, i);
    }
    assert_false(gr_stage_parse(GR_STR("reboot"), &stage));
    assert_int_equal(stage, GR_STAGE_POSTSTOP);
}

static void test_timeouts(void **state)
{
    static const struct {
        const char *text;
        uint32_t seconds;
    } rows[] = {
        {"1", 1}, {"120", 120}, {"1s", 1}, {"120s", 120}, {"\"30s\"", 30}, {"'5s'", 5},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        const struct gr_hook *hook;
        char lines[64];
        struct decoded *decoded;

        (void)snprintf(lines, sizeof(lines), "{path: /x, timeout: %s}", rows[i].text);
        decoded = decode_hook(lines, &hook);
        assert_int_equal(hook->timeout_s, rows[i].seconds);
        decoded_free(decoded);
    }
}

static void test_paths(void **state)
{
    static const char *const paths[] = {"/x",   "/.x",    "/x.",        "/..x",
                                        "/...", "/a b/c", "/a/b-c_d.e", "/{x}"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(paths); i++) {
        const struct gr_hook *hook;
        char lines[64];
        struct decoded *decoded;

        (void)snprintf(lines, sizeof(lines), "{path: \"%s\"}", paths[i]);
        decoded = decode_hook(lines, &hook);
        assert_str(hook->path, paths[i]);
        decoded_free(decoded);
    }
}

static void test_args(void **state)
{
    const struct gr_hook *hook;
    struct decoded *decoded = decode_hook("path: /x\n"
                                          "        args:\n"
                                          "          - x\n"
                                          "          - \"\"\n"
                                          "          - --flag\n"
                                          "          - |\n"
                                          "            line\n"
                                          "            \tline\n"
                                          "          - 'a{{.ID}}b{{annotation \"k\" \"d\"}}'\n"
                                          "          - '{{\"{{\"}}'\n",
                                          &hook);

    (void)state;
    assert_int_equal(hook->args_n, 6);
    assert_str(hook->args[1].text.source, "");
    assert_str(hook->args[3].text.source, "line\n\tline\n");
    assert_false(hook->args[3].text.has_fields);
    assert_int_equal(hook->args[2].line, 11);
    assert_int_equal(hook->args[2].column, 13);
    assert_true(hook->args[4].text.has_fields);
    assert_int_equal(hook->args[4].text.n, 4);
    assert_int_equal(hook->args[4].text.parts[1].id, GR_TEMPLATE_ID);
    assert_int_equal(hook->args[4].text.parts[3].id, GR_TEMPLATE_ANNOTATION);
    assert_str(hook->args[4].text.parts[3].arg, "k");
    assert_str(hook->args[4].text.parts[3].fallback, "d");
    assert_false(hook->args[5].text.has_fields);
    decoded_free(decoded);
}

static void test_every_template_field(void **state)
{
    static const char *const foreign[] = {".Name",         ".Image",     ".PodName",
                                          ".PodNamespace", "annotation", "label"};

    (void)state;
    for (size_t i = 0; i < GR_TEMPLATE_FIELD_COUNT; i++) {
        enum gr_template_field field = (enum gr_template_field)i;
        const char *name = gr_template_field_name(field);
        const struct gr_hook *hook;
        struct decoded *decoded;
        char lines[128];
        bool is_foreign = false;

        (void)snprintf(lines, sizeof(lines), "{path: /x, args: [x, '{{%s%s}}']}", name,
                       name[0] == '.' ? "" : " \"k\"");
        decoded = decode_hook(lines, &hook);
        assert_int_equal(hook->args[1].text.parts[0].id, field);
        decoded_free(decoded);
        for (size_t k = 0; k < GR_ARRAY_LEN(foreign); k++)
            is_foreign = is_foreign || strcmp(foreign[k], name) == 0;
        assert_int_equal(gr_template_field_is_foreign(field), is_foreign);
    }
}

static void test_env(void **state)
{
    const struct gr_hook *hook;
    struct decoded *decoded =
        decode_hook("{path: /x, env: [A=b, a=, _1=c=d, 'POD={{.PodNamespace}}/{{.PodName}}', "
                    "'PATH=/opt/{{.NodeName}}', \"TWO=a\\nb\", 'ID={{.ID}}']}",
                    &hook);

    (void)state;
    assert_int_equal(hook->env_n, 7);
    assert_str(hook->env[1].text.source, "a=");
    assert_int_equal(hook->env[3].text.n, 4);
    assert_str(hook->env[3].text.parts[0].literal, "POD=");
    decoded_free(decoded);
}

/* What is near the rule about shells and yet allowed. */
static void allows_shell(void **state)
{
    const char *const *row = *state;
    const struct gr_hook *hook;

    decoded_free(decode_hook(*row, &hook));
}

static const char *const shell_rows[] = {
    "{path: /bin/sh, args: [sh, -c, 'echo \"$1\"', sh, '{{annotation \"k\"}}']}",
    "{path: /bin/sh, args: [sh, -c, 'exec \"$@\"', sh, --name, '--pod={{.PodName}}']}",
    "{path: /bin/sh, args: [sh, -c, 'echo {{.ID}} {{.PodUID}} {{.NodeName}} {{.Stage}}']}",
    "{path: /bin/sh, args: [sh, /opt/x.sh, '--pod={{.PodName}}', '{{.Name}}']}",
    "{path: /bin/sh, args: [sh, /opt/x.sh, -c, '{{.Name}}']}",
    "{path: /bin/bash, args: [bash, -o, pipefail, /opt/x.sh, '{{.Name}}']}",
    "{path: /opt/x, args: [x, -c, '{{.Name}}']}",
    "{path: /opt/shell, args: [shell, -c, '{{.Name}}']}",
    "{path: /usr/bin/env, args: [env, 'A={{.Name}}', sh, -c, 'echo \"$A\"']}",
};

int main(void)
{
    test_add("stages", test_stages);
    test_add("names of stages", test_stage_names);
    test_add("timeouts", test_timeouts);
    test_add("paths", test_paths);
    test_add("args", test_args);
    test_add("template fields", test_every_template_field);
    test_add("env", test_env);
    TEST_ADD_ROWS(allows_shell, shell_rows);
    return test_run("decode_hooks");
}
