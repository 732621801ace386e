/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decode_shell: no value that a pod controls becomes code of a shell or another interpreter.
 *
 * Layer: rules. "sh -c TEXT NAME ARG…" and "python SCRIPT ARG…": TEXT and SCRIPT are code, ARG… are
 * data, and so is nothing before them unless a table says so. An interpreter is looked for in the
 * path and in the arguments (env sh -c, timeout 5 sh -c, busybox sh -c). Where it cannot be told
 * whether an argument is code, it is taken for it: the worst of that is that the author has to
 * write the command in another way.
 */
#include "rules/decode_parts.h"
#include "rules/fields.h"

/* How the words behind an interpreter are to be read. */
enum kind {
    SHELL,   /* letters of options do not end at one that takes a word; behind the text: $0, data */
    SCRIPT,  /* the first word that is no option is code, unless a text was given; then data */
    PERMUTE, /* the same, and options may also stand behind other words */
    ALWAYS,  /* as SCRIPT, also where a text was given */
    LAUNCH,  /* the first word that is no option is a command */
    SU,      /* options may also stand behind other words; before the text nothing is data */
};

struct language {
    const char *name;
    enum kind kind;
    const char *text;  /* options whose word is the program, or the file that holds it */
    const char *code;  /* options whose word is not data, but no program either */
    const char *words; /* options whose word is data */
    const char *long_text[3];
    const char *long_code[5];
    const char *long_words[3];
    bool vague; /* its long options are too many to know which take a word */
};

#define SH(name)                                                                           \
    {                                                                                      \
        name, SHELL, "c", "", "oO", {"--command"}, {"--rcfile", "--init-file"}, {0}, false \
    }
#define SU_LONG                                                                   \
    {"--command", "--session-command"},                                           \
    {                                                                             \
        "--shell", "--user", "--group", "--supp-group", "--whitelist-environment" \
    }
#define NODE(name)                                           \
    {                                                        \
        name, SCRIPT, "ep", "r", "C", {"--eval", "--print"}, \
            {"--require", "--import", "--loader"}, {0}, true \
    }
#define AWK(name)                                                             \
    {                                                                         \
        name, SCRIPT, "feE", "il", "vF", {"--file", "--source", "--exec"},    \
            {"--include", "--load"}, {"--assign", "--field-separator"}, false \
    }

static const struct language languages[] = {
    SH("sh"),
    SH("bash"),
    SH("rbash"),
    SH("dash"),
    SH("ash"),
    SH("ksh"),
    SH("mksh"),
    SH("lksh"),
    SH("pdksh"),
    SH("oksh"),
    SH("zsh"),
    SH("yash"),
    SH("posh"),
    {"csh", SHELL, "c", "", "", {"--command"}, {0}, {0}, false},
    {"tcsh", SHELL, "c", "", "", {"--command"}, {0}, {0}, false},
    {"fish", SHELL, "cC", "odDf", "", {"--command"}, {"--init-command"}, {0}, false},
    {"su", SU, "c", "sgGw", "", SU_LONG, {0}, false},
    {"sg", SU, "c", "", "", SU_LONG, {0}, false},
    {"runuser", SU, "c", "sugGw", "", SU_LONG, {0}, false},
    {"busybox", LAUNCH, "", "", "", {0}, {0}, {0}, false},
    {"toybox", LAUNCH, "", "", "", {0}, {0}, {0}, false},
    {"env", LAUNCH, "S", "Ca", "u", {"--split-string"}, {"--chdir", "--argv0"}, {"--unset"}, false},
    {"nohup", LAUNCH, "", "", "", {0}, {0}, {0}, false},
    {"setsid", LAUNCH, "", "", "", {0}, {0}, {0}, false},
    {"python", SCRIPT, "cm", "WXQ", "", {0}, {"--check-hash-based-pycs"}, {0}, false},
    {"pypy", SCRIPT, "cm", "WXQ", "", {0}, {0}, {0}, false},
    {"perl", SCRIPT, "eE", "IMm", "", {0}, {0}, {0}, false},
    {"ruby", SCRIPT, "e", "rICE", "", {0}, {"--require"}, {0}, true},
    NODE("node"),
    NODE("nodejs"),
    {"php", SCRIPT, "rBREfF", "zdct", "S", {"--run", "--file"}, {"--define"}, {0}, true},
    {"lua", ALWAYS, "", "el", "", {0}, {0}, {0}, false},
    {"luajit", ALWAYS, "", "elj", "", {0}, {0}, {0}, false},
    AWK("awk"),
    AWK("gawk"),
    AWK("mawk"),
    AWK("nawk"),
    {"sed", PERMUTE, "ef", "", "l", {"--expression", "--file"}, {0}, {"--line-length"}, false},
    {"tclsh", SCRIPT, "", "g", "", {0}, {0}, {0}, false}, /* -encoding NAME */
    {"expect", ALWAYS, "", "cfD", "", {0}, {0}, {0}, false},
    {"Rscript", SCRIPT, "e", "", "", {0}, {0}, {0}, false},
};

/* Programs whose arguments name another program; shells and those of the table count too. */
static const char *const launchers[] = {
    "timeout", "nice",    "ionice", "chrt",    "taskset", "stdbuf", "nsenter",     "unshare",
    "chroot",  "setpriv", "sudo",   "doas",    "flock",   "strace", "time",        "exec",
    "xargs",   "numactl", "bwrap",  "prlimit", "cgexec",  "gosu",   "systemd-run", "tini",
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct gr_str last_part(struct gr_str path)
{
    size_t slash = gr_str_rfind(path, '/');

    return slash == path.n ? path : gr_str_skip(path, slash + 1);
}

/* "bash-static", "ksh93" and "busybox.static" are shells; "python3.11" is python, but
 * "node-exporter" is not node. */
static bool is_named(struct gr_str name, const struct language *language)
{
    struct gr_str known = gr_str_from(language->name);
    struct gr_str rest = gr_str_skip(name, known.n);

    if (!gr_str_has_prefix(name, known))
        return false;
    if (language->kind == SHELL || language->kind == SU || gr_str_is(known, "busybox"))
        return rest.n == 0 || !is_letter(rest.p[0]);
    for (size_t i = 0; i < rest.n; i++) {
        if (!strchr("0123456789.-", rest.p[i]))
            return false;
    }
    return true;
}

/* By the last component of the path; NULL: none. */
static const struct language *find_language(struct gr_str path)
{
    struct gr_str name = last_part(path);

    for (size_t i = 0; i < GR_ARRAY_LEN(languages); i++) {
        if (is_named(name, &languages[i]))
            return &languages[i];
    }
    return NULL;
}

static bool is_launcher(struct gr_str path)
{
    struct gr_str name = last_part(path);

    for (size_t i = 0; i < GR_ARRAY_LEN(launchers); i++) {
        if (gr_str_is(name, launchers[i]))
            return true;
    }
    return false;
}

/* The first field of an element that a pod controls; NULL: none. */
static const struct gr_template_part *foreign_part(const struct gr_hook_text *element)
{
    for (size_t i = 0; i < element->text.n; i++) {
        const struct gr_template_part *part = &element->text.parts[i];

        if (part->name.n > 0 && gr_template_field_is_foreign((enum gr_template_field)part->id))
            return part;
    }
    return NULL;
}

static int refuse(struct gr_decoder *d, const struct gr_hook *hook, size_t i,
                  const struct language *language, const struct gr_template_part *part)
{
    struct gr_place at = {.line = hook->args[i].line, .column = hook->args[i].column};
    const char *field = gr_template_field_name((enum gr_template_field)part->id);
    size_t before = gr_field_path_key(&d->path, GR_STR("args"));
    int r;

    (void)gr_field_path_index(&d->path, i);
    if (language->kind == SHELL || language->kind == SU)
        r = gr_decode_refuse(d, at, "unsafe-template",
                             "{{%s}} is chosen by whoever writes the pod and must not stand in "
                             "what a shell runs as code; write \"$1\" there and hand the value "
                             "over behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
                             field);
    else
        r = gr_decode_refuse(d, at, "unsafe-template",
                             "{{%s}} is chosen by whoever writes the pod and must not stand in "
                             "what %s runs as code: its program, its script, or an option before "
                             "them; hand the value over behind them, or in env",
                             field, language->name);
    gr_field_path_cut(&d->path, before);
    return r;
}

/* How far the words of a hook have been read. */
struct scan {
    const struct language *language; /* whose words are being read; NULL: none */
    bool launched;                   /* a later word may be another program */
    bool text_follows;               /* the next word is the program */
    bool code_follows;               /* the next word is code */
    bool word_follows;               /* the next word is data */
    bool text_seen;                  /* the program was given */
    bool perhaps_word;               /* the next word may belong to the option before it */
    bool operands;                   /* there are no more options */
    bool name_follows;               /* the next word is the $0 of a text */
    bool command_follows;            /* runuser -u USER: the next word is a command */
};

static void start(struct scan *scan, const struct language *language)
{
    bool launched = scan->launched;

    *scan = (struct scan){.language = language, .launched = launched};
    if (language)
        scan->launched = launched || language->kind == LAUNCH;
}

/* Also shortened, as GNU programs take it: --expr for --expression. */
static bool is_long_one(struct gr_str arg, const char *const *names, size_t n)
{
    struct gr_str name = gr_str_first(arg, gr_str_find(arg, '='));

    for (size_t i = 0; name.n > 2 && i < n && names[i]; i++) {
        if (gr_str_has_prefix(gr_str_from(names[i]), name))
            return true;
    }
    return false;
}

static void pass_long_option(struct scan *scan, struct gr_str arg)
{
    const struct language *language = scan->language;
    bool has_value = gr_str_find(arg, '=') < arg.n;

    if (is_long_one(arg, language->long_text, GR_ARRAY_LEN(language->long_text))) {
        scan->text_follows = scan->text_follows || !has_value;
        scan->text_seen = scan->text_seen || has_value;
    } else if (is_long_one(arg, language->long_code, GR_ARRAY_LEN(language->long_code))) {
        scan->code_follows = !has_value;
    } else if (is_long_one(arg, language->long_words, GR_ARRAY_LEN(language->long_words))) {
        scan->word_follows = !has_value;
    } else {
        scan->perhaps_word = language->vague && !has_value;
    }
}

/* -c, -ec, -Werror: letters, of which one may take the rest or the next word. Shells, and node -pe,
 * take the next word for any of them. */
static void pass_short_option(struct scan *scan, struct gr_str arg)
{
    const struct language *language = scan->language;
    bool cluster = language->kind == SHELL || gr_str_is(gr_str_first(arg, 3), "-pe");

    for (size_t i = 1; i < arg.n; i++) {
        bool last = i + 1 == arg.n || cluster;
        bool text = strchr(language->text, arg.p[i]) != NULL;
        bool code = strchr(language->code, arg.p[i]) != NULL;
        bool word = strchr(language->words, arg.p[i]) != NULL;

        scan->text_follows = scan->text_follows || (text && last);
        scan->text_seen = scan->text_seen || (text && !last);
        scan->code_follows = scan->code_follows || (code && last);
        scan->word_follows = scan->word_follows || (word && last);
        if ((text || code || word) && !cluster)
            break;
    }
}

static bool is_option(const struct scan *scan, struct gr_str arg)
{
    if (scan->operands || arg.n == 0)
        return false;
    return arg.p[0] == '-' || (arg.p[0] == '+' && scan->language->kind == SHELL);
}

static void pass_option(struct scan *scan, struct gr_str arg)
{
    if (gr_str_is(gr_str_from(scan->language->name), "runuser") &&
        (gr_str_has_prefix(arg, GR_STR("-u")) || gr_str_has_prefix(arg, GR_STR("--user"))))
        scan->command_follows = true;
    scan->perhaps_word = false;
    if (gr_str_is(arg, "--") || gr_str_is(arg, "-"))
        scan->operands = scan->language->kind != SU;
    else if (gr_str_has_prefix(arg, GR_STR("--")))
        pass_long_option(scan, arg);
    else
        pass_short_option(scan, arg);
}

/* A word where no language is being read: one may begin. */
static void look_for_program(struct scan *scan, struct gr_str arg)
{
    const struct language *found = find_language(arg);
    bool anywhere = found && (found->kind == SHELL || found->kind == SU ||
                              gr_str_is(gr_str_from(found->name), "busybox") ||
                              gr_str_is(gr_str_from(found->name), "toybox"));

    if (found && (anywhere || scan->launched || gr_str_find(arg, '/') < arg.n))
        start(scan, found);
    else if (is_launcher(arg))
        scan->launched = true;
}

/* env NAME=value COMMAND: what is no variable is a command. */
static bool pass_command(struct scan *scan, struct gr_str arg)
{
    size_t equals = gr_str_find(arg, '=');
    bool variable = equals < arg.n && gr_str_is(gr_str_from(scan->language->name), "env") &&
                    gr_str_find(gr_str_first(arg, equals), '{') == equals;

    if (variable)
        return gr_is_env_code(gr_str_first(arg, equals));
    scan->language = NULL;
    look_for_program(scan, arg);
    return true;
}

/* A word that is no option. True when it is code. */
static bool pass_operand(struct scan *scan, struct gr_str arg)
{
    const struct language *language = scan->language;
    bool seen = scan->text_seen;

    if (scan->perhaps_word) {
        scan->perhaps_word = false; /* either the option's or the script: looked at, not passed */
        return !seen;
    }
    switch (language->kind) {
    case LAUNCH:
        return pass_command(scan, arg);
    case SU:
        if (scan->command_follows) {
            scan->language = NULL;
            scan->launched = true;
            look_for_program(scan, arg);
        }
        return !seen;
    case PERMUTE:
        scan->text_seen = true;
        return !seen;
    case ALWAYS:
    case SHELL:
        scan->language = NULL;
        return true;
    case SCRIPT:
        scan->language = NULL;
        return !seen;
    }
    return true;
}

/* The text of a program: what follows it is data to shells, and may be options to others. */
static void pass_text(struct scan *scan)
{
    scan->text_follows = false;
    scan->text_seen = true;
    scan->name_follows = scan->language->kind == SHELL;
    if (scan->language->kind == SHELL)
        scan->language = NULL;
}

/* True when this word, or a part of it, could become code. */
static bool pass_arg(struct scan *scan, struct gr_str arg)
{
    if (scan->name_follows) {
        scan->name_follows = false;
        return false;
    }
    if (!scan->language) {
        look_for_program(scan, arg);
        return false;
    }
    if (scan->word_follows) {
        scan->word_follows = false;
        return false;
    }
    if (scan->code_follows) {
        scan->code_follows = false;
        return true;
    }
    if (scan->text_follows && (!is_option(scan, arg) || scan->language->kind != SHELL)) {
        pass_text(scan);
        return true;
    }
    if (!is_option(scan, arg))
        return pass_operand(scan, arg);
    pass_option(scan, arg);
    return true;
}

int gr_decode_check_shell(struct gr_decoder *d, const struct gr_hook *hook)
{
    struct scan scan = {.launched = is_launcher(hook->path)};

    start(&scan, find_language(hook->path));
    for (size_t i = 0; i < hook->args_n; i++) {
        struct gr_str arg = hook->args[i].text.source;
        const struct gr_template_part *foreign = foreign_part(&hook->args[i]);
        const struct language *language = scan.language;

        if (i == 0) {
            scan.launched = scan.launched || is_launcher(arg);
            if (find_language(arg))
                start(&scan, find_language(arg));
        } else if (pass_arg(&scan, arg) && foreign && language) {
            return refuse(d, hook, i, language, foreign);
        }
    }
    return 0;
}
