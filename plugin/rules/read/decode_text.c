/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_text: the elements of args and of env of a hook.
 *
 * Layer: rules. Both hold templates. The name of a variable is always known here, because a field
 * stands only behind a literal NAME=.
 */
#include <errno.h>
#include <stdio.h>

#include "rules/read/decode_parts.h"
#include "rules/read/fields.h"
#include "rules/limits.h"

/* Reserved for what Grapnel tells the hook. */
#define OWN_ENV_PREFIX "GRAPNEL_"

/* Each reads one element whose template has been parsed. */
typedef int check_element_fn(struct gr_decoder *d, const struct gr_yaml_node *node,
                             const struct gr_hook_text *elements, size_t n);

static void add_field_need(struct gr_runner_needs *needs, struct gr_place at, const char *field)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "{{%s}}", field);
    gr_runner_needs_add(needs, at, name);
}

static int parse_element(struct gr_decoder *d, const struct gr_yaml_node *node,
                         struct gr_runner_needs *needs, struct gr_hook_text *element)
{
    struct gr_str text = GR_STR_NONE;
    const char *run_time = NULL;
    struct gr_err err = {0};
    int r = gr_decode_text_copy(d, node, GR_TEXT_BLOCK, GR_HOOK_ELEMENT_MAX_BYTES, &text);

    if (r != 0)
        return r;
    r = gr_template_parse(d->arena, text, gr_template_field_check, &run_time, &element->text, &err);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return gr_decode_refuse_err(d, node->at, &err);
    if (run_time)
        add_field_need(needs, node->at, run_time);
    element->line = node->at.line;
    element->column = node->at.column;
    if (!element->text.has_fields)
        return 0;
    /* The result of a template stays one line, so the text around its fields is one too. */
    return gr_decode_text(d, node, GR_TEXT_LINE, &text);
}

static int decode_elements(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max,
                           check_element_fn *check, struct gr_runner_needs *needs,
                           const struct gr_hook_text **out_items, size_t *out_n)
{
    struct gr_hook_text *items;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, max);

    if (r != 0)
        return r;
    items = gr_arena_array(d->arena, node->n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        size_t before = gr_field_path_index(&d->path, n);

        r = parse_element(d, item, needs, &items[n]);
        if (r == 0)
            r = check(d, item, items, n);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
        n++;
    }
    *out_items = items;
    *out_n = n;
    return 0;
}

static int check_arg(struct gr_decoder *d, const struct gr_yaml_node *node,
                     const struct gr_hook_text *elements, size_t n)
{
    struct gr_str text = elements[n].text.source;

    if (n == 0 && text.n == 0)
        return gr_decode_refuse(d, node->at, "bad-args",
                                "args[0] is the name that the program sees itself under; it must "
                                "not be empty");
    if (n == 0 && text.p[0] == '-')
        return gr_decode_refuse(d, node->at, "bad-args",
                                "args[0] is the name that the program sees itself under, not its "
                                "first option: found \"%s\"; put the program's name before it",
                                gr_show(text).text);
    return 0;
}

static bool is_env_name(struct gr_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.n > 0;
}

bool gr_is_env_reserved(struct gr_str name)
{
    return gr_str_has_prefix(name, GR_STR(OWN_ENV_PREFIX));
}

/* Variables through which a value becomes code of the hook, or of what the hook starts; also by
 * naming a directory or file, since a pod's volumes have a known place on the host. */
static const char *const code_names[] = {
    "PATH",
    "ENV",
    "BASH_ENV",
    "IFS",
    "PS4",
    "SHELL",
    "SHELLOPTS",
    "BASHOPTS",
    "PROMPT_COMMAND",
    "ZDOTDIR",
    "FPATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "PERLLIB",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONBREAKPOINT",
    "RUBYLIB",
    "RUBYOPT",
    "GEM_HOME",
    "GEM_PATH",
    "BUNDLE_GEMFILE",
    "NODE_OPTIONS",
    "NODE_PATH",
    "LUA_PATH",
    "LUA_CPATH",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "AWKPATH",
    "AWKLIBPATH",
    "TCLLIBPATH",
    "R_PROFILE",
    "R_PROFILE_USER",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "DOTNET_STARTUP_HOOKS",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_EXEC_PATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "WGETRC",
    "CURL_HOME",
};

/* The same, whatever follows. LUA_INIT_5_4 goes before LUA_INIT; so do those of the other two. */
static const char *const code_prefixes[] = {"LD_", "LUA_INIT", "LUA_PATH_", "LUA_CPATH_"};

bool gr_is_env_code(struct gr_str name)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(code_prefixes); i++) {
        if (gr_str_has_prefix(name, gr_str_from(code_prefixes[i])))
            return true;
    }
    for (size_t i = 0; i < GR_ARRAY_LEN(code_names); i++) {
        if (gr_str_is(name, code_names[i]))
            return true;
    }
    return false;
}

/* The literal text before the first =; false when a field comes first or there is no =. */
static bool env_name(const struct gr_template *text, struct gr_str *out_name)
{
    struct gr_str first = GR_STR_NONE;
    size_t at;

    if (text->n == 0 || text->parts[0].name.n > 0)
        return false;
    first = text->parts[0].literal;
    at = gr_str_find(first, '=');
    if (at == first.n)
        return false;
    *out_name = gr_str_first(first, at);
    return true;
}

static int check_env_is_new(struct gr_decoder *d, const struct gr_yaml_node *node,
                            const struct gr_hook_text *elements, size_t n, struct gr_str name)
{
    for (size_t i = 0; i < n; i++) {
        struct gr_str other = GR_STR_NONE;

        if (env_name(&elements[i].text, &other) && gr_str_eq(other, name))
            return gr_decode_refuse(d, node->at, "duplicate-env",
                                    "the variable %s is set a second time, first at line %u; keep "
                                    "one of the two",
                                    gr_show(name).text, elements[i].line);
    }
    return 0;
}

static int check_env_fields(struct gr_decoder *d, const struct gr_yaml_node *node,
                            const struct gr_template *text, struct gr_str name)
{
    for (size_t i = 0; i < text->n; i++) {
        const struct gr_template_part *part = &text->parts[i];

        if (part->name.n == 0 || !gr_template_field_is_foreign((enum gr_template_field)part->id) ||
            !gr_is_env_code(name))
            continue;
        return gr_decode_refuse(d, node->at, "unsafe-template",
                                "{{%s}} is chosen by whoever writes the pod and must not stand in "
                                "%s, which decides what code runs; hand it over in a variable of "
                                "another name",
                                gr_template_field_name((enum gr_template_field)part->id),
                                gr_show(name).text);
    }
    return 0;
}

static int check_env(struct gr_decoder *d, const struct gr_yaml_node *node,
                     const struct gr_hook_text *elements, size_t n)
{
    const struct gr_template *text = &elements[n].text;
    struct gr_str name = GR_STR_NONE;
    int r;

    if (!env_name(text, &name)) {
        bool field_first = text->n > 0 && gr_str_find(text->source, '=') < text->source.n;

        return gr_decode_refuse(d, node->at, field_first ? "unsafe-template" : "bad-env",
                                "expected NAME=value%s, found \"%s\"",
                                field_first ? " with a literal NAME= before the first {{field}}"
                                            : "",
                                gr_show(text->source).text);
    }
    if (!is_env_name(name))
        return gr_decode_refuse(d, node->at, "bad-env",
                                "the variable's name \"%s\" is refused: expected letters, digits "
                                "and _, not beginning with a digit",
                                gr_show(name).text);
    if (gr_is_env_reserved(name))
        return gr_decode_refuse(d, node->at, "reserved-env",
                                "the variable %s is refused: names that begin with " OWN_ENV_PREFIX
                                " are set by Grapnel itself; choose another name",
                                gr_show(name).text);
    r = check_env_is_new(d, node, elements, n, name);
    return r ? r : check_env_fields(d, node, text, name);
}

int gr_decode_args(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook_reading *reading = target;

    return decode_elements(d, node, GR_HOOK_ARGS_MAX, check_arg, &reading->needs,
                           &reading->hook->args, &reading->hook->args_n);
}

int gr_decode_env(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hook_reading *reading = target;

    return gr_decode_env_list(d, node, &reading->needs, &reading->hook->env, &reading->hook->env_n);
}

int gr_decode_env_list(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_runner_needs *needs, const struct gr_hook_text **out_items,
                       size_t *out_n)
{
    return decode_elements(d, node, GR_HOOK_ENV_MAX, check_env, needs, out_items, out_n);
}
