/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_shell: no value that a pod controls becomes code of a shell or another
 * interpreter.
 *
 * Layer: rules. "sh -c TEXT NAME ARG…" and "python SCRIPT ARG…": TEXT and SCRIPT are code, ARG… are
 * data, and so is nothing before them unless a table says so. An interpreter is looked for in the
 * path and in the arguments (env sh -c, timeout 5 sh -c, busybox sh -c). Where it cannot be told
 * whether an argument is code, it is taken for it: the worst of that is that the author has to
 * write the command in another way.
 */
#include <limits.h>

#include "rules/read/decode_parts.h"
#include "rules/read/fields.h"

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

/* All its arguments may become code, or it cannot be told which. */
#define NO_DATA UINT_MAX

/* Programs whose arguments name another program, or are code in a way of their own. */
struct launcher {
    const char *name;
    unsigned int operands; /* before the command */
    bool path;             /* those are paths */
};

static const struct launcher launchers[] = {
    {"timeout", 1, false},
    {"nice", 0, false},
    {"ionice", 0, false},
    {"chrt", 1, false},
    {"taskset", 1, false},
    {"stdbuf", 0, false},
    {"nsenter", 0, false},
    {"unshare", 0, false},
    {"chroot", 1, true},
    {"setpriv", 0, false},
    {"sudo", 0, false},
    {"doas", 0, false},
    {"pkexec", 0, false},
    {"flock", 1, true},
    {"strace", 0, false},
    {"time", 0, false},
    {"exec", 0, false},
    {"xargs", 0, false},
    {"numactl", 0, false},
    {"prlimit", 0, false},
    {"cgexec", 0, false},
    {"gosu", 1, false},
    {"systemd-run", 0, false},
    {"tini", 0, false},
    {"dumb-init", 0, false},
    {"catatonit", 0, false},
    {"chpst", 0, false},
    {"setuidgid", 1, false},
    {"s6-setuidgid", 1, false},
    {"bpftrace", NO_DATA, false},
    {"bun", NO_DATA, false},
    {"bwrap", NO_DATA, false},
    {"deno", NO_DATA, false},
    {"elvish", NO_DATA, false},
    {"execlineb", NO_DATA, false},
    {"gdb", NO_DATA, false},
    {"gjs", NO_DATA, false},
    {"guile", NO_DATA, false},
    {"ipython3", NO_DATA, false},
    {"jimsh", NO_DATA, false},
    {"julia", NO_DATA, false},
    {"micropython", NO_DATA, false},
    {"parallel", NO_DATA, false},
    {"powershell", NO_DATA, false},
    {"pwsh", NO_DATA, false},
    {"qjs", NO_DATA, false},
    {"raku", NO_DATA, false},
    {"script", NO_DATA, false},
    {"sqlite3", NO_DATA, false},
    {"ssh", NO_DATA, false},
    {"stap", NO_DATA, false},
    {"tmux", NO_DATA, false},
    {"watch", NO_DATA, false},
    {"xonsh", NO_DATA, false},
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
    struct gr_str known;
    struct gr_str rest;

    /* Of most rules this is all that is compared, for each word of each hook. */
    if (name.n == 0 || name.p[0] != language->name[0])
        return false;
    known = gr_str_from(language->name);
    rest = gr_str_skip(name, known.n);
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

/* NULL: none. */
static const struct launcher *find_launcher(struct gr_str path)
{
    struct gr_str name = last_part(path);

    for (size_t i = 0; i < GR_ARRAY_LEN(launchers); i++) {
        if (name.n > 0 && name.p[0] == launchers[i].name[0] && gr_str_is(name, launchers[i].name))
            return &launchers[i];
    }
    return NULL;
}

/* Of the system's: hooks, too, are called "watch" or "time". */
static bool is_in_bin(struct gr_str path)
{
    size_t slash = gr_str_rfind(path, '/');

    return slash < path.n && gr_str_has_suffix(gr_str_first(path, slash), GR_STR("bin"));
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
                  const struct language *language, const struct launcher *launcher,
                  const struct gr_template_part *part)
{
    struct gr_place at = {.line = hook->args[i].line, .column = hook->args[i].column};
    const char *field = gr_template_field_name((enum gr_template_field)part->id);
    size_t before = gr_field_path_key(&d->path, GR_STR("args"));
    int r;

    (void)gr_field_path_index(&d->path, i);
    if (!language)
        r = gr_decode_refuse(d, at, "unsafe-template",
                             "{{%s}} is chosen by whoever writes the pod and must not stand in "
                             "what %s starts or runs%s",
                             field, launcher->name,
                             launcher->operands == NO_DATA
                                 ? "; hand the value over in env"
                                 : "; write the program's absolute path, behind -- where options "
                                   "come before it, and hand the value over behind that");
    else if (language->kind == SHELL || language->kind == SU)
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
    const struct launcher *launcher; /* the same, while its command has not come */
    unsigned int operands_left;      /* of the launcher, before its command */
    bool dashes;                     /* the launcher has no more options */
    bool option;                     /* the word before was an option of the launcher */
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

/* command: it stands where a program's name does, so that its directory does not matter. */
static bool launch(struct scan *scan, struct gr_str path, bool command)
{
    const struct launcher *launcher = find_launcher(path);

    scan->launched = scan->launched || launcher;
    if (!launcher || !(command || is_in_bin(path)))
        return false;
    scan->launcher = launcher;
    scan->operands_left = launcher->operands;
    scan->dashes = false;
    scan->option = false;
    return true;
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

/* A word where no language is being read: one may begin, or a launcher. command: as in launch. */
static bool look_for_program(struct scan *scan, struct gr_str arg, bool command)
{
    const struct language *found = find_language(arg);
    bool anywhere = found && (found->kind == SHELL || found->kind == SU ||
                              gr_str_is(gr_str_from(found->name), "busybox") ||
                              gr_str_is(gr_str_from(found->name), "toybox"));

    if (!found || !(anywhere || scan->launched || gr_str_find(arg, '/') < arg.n))
        return !found && launch(scan, arg, command);
    start(scan, found);
    return true;
}

/* A word before the command of a launcher, or that command. Which options take a word is not
 * known: the command is told by its absolute path, or by the "--" before it. */
static void pass_launcher(struct scan *scan, struct gr_str arg)
{
    const struct launcher *launcher = scan->launcher;
    bool absolute = gr_str_has_prefix(arg, GR_STR("/"));
    bool begins = !scan->dashes && gr_str_has_prefix(arg, GR_STR("-"));

    if (launcher->operands == NO_DATA)
        return;
    if (begins) {
        scan->dashes = gr_str_is(arg, "--");
        scan->option = !scan->dashes;
        return;
    }
    if (look_for_program(scan, arg, true))
        return;
    if (scan->dashes || (absolute && !scan->option)) {
        if (scan->operands_left > 0 && (scan->dashes || launcher->path))
            scan->operands_left--;
        else
            scan->launcher = NULL;
    }
    scan->option = false;
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
    (void)look_for_program(scan, arg, true);
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
            (void)look_for_program(scan, arg, true);
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
    if (scan->launcher) {
        pass_launcher(scan, arg);
        return true;
    }
    if (!scan->language) {
        (void)look_for_program(scan, arg, false);
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
    struct scan scan = {0};

    (void)launch(&scan, hook->path, false);
    if (find_language(hook->path))
        start(&scan, find_language(hook->path));
    for (size_t i = 0; i < hook->args_n; i++) {
        struct gr_str arg = hook->args[i].text.source;
        const struct gr_template_part *foreign = foreign_part(&hook->args[i]);
        const struct language *language = scan.language;
        const struct launcher *launcher = scan.launcher;

        if (i == 0) {
            scan.launched = scan.launched || find_launcher(arg);
            if (find_language(arg))
                start(&scan, find_language(arg));
        } else if (pass_arg(&scan, arg) && foreign && (language || launcher)) {
            return refuse(d, hook, i, language, launcher, foreign);
        }
    }
    return 0;
}
