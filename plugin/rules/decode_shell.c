/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decode_shell: no value that a pod controls becomes text of a shell.
 *
 * Layer: rules. "sh -c TEXT NAME ARG…": TEXT is code, ARG… are data. A shell is looked for in the
 * path and in every argument (env sh -c, timeout 5 sh -c, busybox sh -c). Where it cannot be told
 * whether an argument is the text, it is taken for it: the worst of that is that the author has to
 * write the command in another way.
 */
#include "rules/decode_parts.h"
#include "rules/fields.h"

struct shell {
    const char *name;
    bool loose; /* its options may also follow other words: su USER -c TEXT, busybox sh -c TEXT */
};

static const struct shell shells[] = {
    {"sh", false},     {"bash", false},   {"rbash", false}, {"dash", false},  {"ash", false},
    {"ksh", false},    {"mksh", false},   {"lksh", false},  {"pdksh", false}, {"oksh", false},
    {"zsh", false},    {"csh", false},    {"tcsh", false},  {"fish", false},  {"yash", false},
    {"posh", false},   {"busybox", true}, {"toybox", true}, {"su", true},     {"sg", true},
    {"runuser", true},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* By the last component of the path; "bash-static", "ksh93" and "busybox.static" count too. NULL:
 * no shell. */
static const struct shell *find_shell(struct gr_str path)
{
    size_t slash = gr_str_rfind(path, '/');
    struct gr_str name = slash == path.n ? path : gr_str_skip(path, slash + 1);

    for (size_t i = 0; i < GR_ARRAY_LEN(shells); i++) {
        struct gr_str shell = gr_str_from(shells[i].name);

        if (gr_str_has_prefix(name, shell) && (name.n == shell.n || !is_letter(name.p[shell.n])))
            return &shells[i];
    }
    return NULL;
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

/* -c, -ec, -xec, --command: the text of the command follows. */
static bool announces_text(struct gr_str arg)
{
    if (arg.n < 2 || arg.p[0] != '-')
        return false;
    if (arg.p[1] == '-')
        return gr_str_has_prefix(arg, GR_STR("--command"));
    return gr_str_find(arg, 'c') < arg.n;
}

static bool is_option(struct gr_str arg)
{
    return arg.n > 0 && (arg.p[0] == '-' || arg.p[0] == '+');
}

static bool is_long_option(struct gr_str arg)
{
    return gr_str_has_prefix(arg, GR_STR("--"));
}

/* -o pipefail, -O extglob, --rcfile FILE: the next word belongs to the option. */
static bool takes_word(struct gr_str arg)
{
    char last = arg.p[arg.n - 1];

    if (is_long_option(arg))
        return gr_str_is(arg, "--rcfile") || gr_str_is(arg, "--init-file");
    return last == 'o' || last == 'O';
}

static int refuse(struct gr_decoder *d, const struct gr_hook *hook, size_t i,
                  const struct gr_template_part *part)
{
    struct gr_place at = {.line = hook->args[i].line, .column = hook->args[i].column};
    size_t before = gr_field_path_key(&d->path, GR_STR("args"));
    int r;

    (void)gr_field_path_index(&d->path, i);
    r = gr_decode_refuse(d, at, "unsafe-template",
                         "{{%s}} is chosen by whoever writes the pod and must not stand in what a "
                         "shell runs as code; write \"$1\" there and hand the value over behind "
                         "it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
                         gr_template_field_name((enum gr_template_field)part->id));
    gr_field_path_cut(&d->path, before);
    return r;
}

/* How far the words of a hook have been read. */
struct scan {
    const struct shell *shell; /* whose options are being read; NULL: none */
    bool text_follows;         /* -c was among them */
    bool word_follows;         /* the next word belongs to the option before it */
    bool name_follows;         /* the next word is the $0 of a text */
};

/* A word that is no option of the shell that is being read: its text, its script, or a shell. */
static void pass_word(struct scan *scan, struct gr_str arg)
{
    const struct shell *found = scan->name_follows ? NULL : find_shell(arg);
    bool was_text = scan->shell && scan->text_follows;

    scan->name_follows = was_text;
    scan->text_follows = false;
    if (found && !was_text)
        scan->shell = found;
    else if (scan->shell && !scan->shell->loose)
        scan->shell = NULL;
}

/* True when this word, or a part of it, could become code. */
static bool pass_arg(struct scan *scan, struct gr_str arg)
{
    bool could_be_text;

    if (scan->word_follows) {
        scan->word_follows = false;
        return false;
    }
    if (!scan->shell || !is_option(arg)) {
        could_be_text = scan->text_follows;
        pass_word(scan, arg);
        return could_be_text;
    }
    /* A cluster that a pod completes may turn into -c, or (su -cTEXT) hold the text itself. */
    could_be_text = announces_text(arg) || !is_long_option(arg);
    scan->text_follows = scan->text_follows || announces_text(arg);
    scan->word_follows = takes_word(arg);
    return could_be_text;
}

int gr_decode_check_shell(struct gr_decoder *d, const struct gr_hook *hook)
{
    struct scan scan = {.shell = find_shell(hook->path)};

    for (size_t i = 0; i < hook->args_n; i++) {
        struct gr_str arg = hook->args[i].text.source;
        const struct gr_template_part *foreign = foreign_part(&hook->args[i]);
        const struct shell *named = i == 0 ? find_shell(arg) : NULL;

        if (named)
            scan.shell = named;
        else if (i > 0 && pass_arg(&scan, arg) && foreign)
            return refuse(d, hook, i, foreign);
    }
    return 0;
}
