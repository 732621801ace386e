/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/completion: what a shell completes behind "grapnel".
 *
 * Layer: app. Made from the table of verbs and what getopt_long reads, so that no option is
 * forgotten and none is invented.
 */
#include <stdio.h>

#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] = "Usage: grapnel completion bash|zsh|fish\n"
                           "\n"
                           "Prints what makes the shell complete verbs, options and files.\n"
                           "\n"
                           "  -h, --help  this text\n"
                           "\n"
                           "Exit codes: 0 printed, 2 usage.\n"
                           "\n"
                           "Examples:\n"
                           "  grapnel completion bash > /etc/bash_completion.d/grapnel\n"
                           "  grapnel completion zsh > /usr/share/zsh/site-functions/_grapnel\n"
                           "  grapnel completion fish > /etc/fish/completions/grapnel.fish\n";

/* Options whose value is a file or a directory. */
static bool takes_file(const char *verb, const char *name)
{
    static const char *const names[] = {
        "hooks-dir",
        "oci-hooks-dir",
        "config",
        "host-root",
        "from",
        "spec",
        "last-good",
        "socket",
        "plugin",
        "policy",
        "control",
        "run-dir",
        "to",
        "programs-dir",
        "crio-dir",
        "out",
        "store",
        "old-oci-hooks-dir",
        "new-oci-hooks-dir",
        "runtime-config",
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return strcmp(verb, "simulate") == 0 && strcmp(name, "runtime") == 0; /* a program */
}

/* Options whose value is one of some words. */
static const char *words_of(const char *verb, const char *name)
{
    static const struct {
        const char *verb, *option, *words;
    } rows[] = {
        {"convert", "kind", "oci-hooks hook-spec toolkit"},
        {"diff", "runtime", "containerd cri-o"},
        {"doctor", "runtime", "auto containerd crio docker podman"},
        {"explain", "runtime", "containerd cri-o"},
        {"plugin", "log-format", "logfmt json"},
        {"plugin", "log-level", "error warning info debug"},
        {"render", "runtime", "containerd cri-o"},
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        if (strcmp(verb, rows[i].verb) == 0 && strcmp(name, rows[i].option) == 0)
            return rows[i].words;
    }
    return NULL;
}

static void put_verbs(void)
{
    for (size_t i = 0; i < gr_verbs_n; i++)
        (void)printf("%s%s", i ? " " : "", gr_verbs[i].name);
}

static void put_options(const struct gr_verb *verb)
{
    for (const struct option *option = verb->options; option->name; option++)
        (void)printf("%s--%s", option == verb->options ? "" : " ", option->name);
    (void)fputs(verb->outputs ? " -o -h" : " -h", stdout);
}

/* Patterns of a shell's case: the options of every verb with a value of that kind. */
static void put_values(bool files)
{
    const char *before = "";

    for (size_t i = 0; i < gr_verbs_n; i++) {
        for (const struct option *option = gr_verbs[i].options; option->name; option++) {
            const char *verb = gr_verbs[i].name;

            if (option->has_arg != required_argument || strcmp(option->name, "output") == 0 ||
                words_of(verb, option->name) || takes_file(verb, option->name) != files)
                continue;
            (void)printf("%s%s:--%s", before, verb, option->name);
            before = "|";
        }
    }
}

static void put_output_names(unsigned int outputs)
{
    const char *before = "";
    const char *name;

    for (unsigned int i = 0; (name = gr_output_name((enum gr_output)i)); i++) {
        if (!(outputs & 1U << i))
            continue;
        (void)printf("%s%s", before, name);
        before = " ";
    }
}

/* The cases of options whose values are words. */
static void put_words(const char *format, const char *end)
{
    for (size_t i = 0; i < gr_verbs_n; i++) {
        for (const struct option *option = gr_verbs[i].options; option->name; option++) {
            const char *words = words_of(gr_verbs[i].name, option->name);

            if (words)
                (void)printf("        %s:--%s) %s%s%s ;;\n", gr_verbs[i].name, option->name, format,
                             words, end);
        }
    }
}

static void put_outputs(const char *format, const char *end)
{
    put_words(format, end);
    for (size_t i = 0; i < gr_verbs_n; i++) {
        if (!gr_verbs[i].outputs)
            continue;
        (void)printf("        %s:-o|%s:--output) %s", gr_verbs[i].name, gr_verbs[i].name, format);
        put_output_names(gr_verbs[i].outputs);
        (void)printf("%s ;;\n", end);
    }
}

static void print_bash(void)
{
    (void)fputs("# bash completion of grapnel; made by grapnel completion bash\n"
                "_grapnel()\n{\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} words=\"\"\n"
                "    COMPREPLY=()\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        COMPREPLY=($(compgen -W \"",
                stdout);
    put_verbs();
    (void)fputs("\" -- \"$current\"))\n        return\n    fi\n"
                "    case ${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD-1]} in\n        ",
                stdout);
    put_values(true);
    (void)fputs(") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n        ", stdout);
    put_values(false);
    (void)fputs(") return ;;\n", stdout);
    put_outputs("COMPREPLY=($(compgen -W \"", "\" -- \"$current\")); return");
    (void)fputs("    esac\n    case ${COMP_WORDS[1]}:$current in\n", stdout);
    for (size_t i = 0; i < gr_verbs_n; i++) {
        (void)printf("        %s:-*) words=\"", gr_verbs[i].name);
        put_options(&gr_verbs[i]);
        (void)fputs("\" ;;\n", stdout);
        if (gr_verbs[i].words)
            (void)printf("        %s:*) words=\"%s\" ;;\n", gr_verbs[i].name, gr_verbs[i].words);
        else
            (void)printf("        %s:*) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n",
                         gr_verbs[i].name);
    }
    (void)fputs("    esac\n"
                "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                "}\n"
                "complete -o filenames -F _grapnel grapnel\n",
                stdout);
}

static void print_zsh(void)
{
    (void)fputs("#compdef grapnel\n# zsh completion of grapnel; made by grapnel completion zsh\n"
                "if (( CURRENT == 2 )); then\n    compadd -- ",
                stdout);
    put_verbs();
    (void)fputs("\n    return\nfi\ncase ${words[2]}:${words[CURRENT-1]} in\n        ", stdout);
    put_values(true);
    (void)fputs(") _files; return ;;\n        ", stdout);
    put_values(false);
    (void)fputs(") return ;;\n", stdout);
    put_outputs("compadd -- ", "; return");
    (void)fputs("esac\ncase ${words[2]}:${words[CURRENT]} in\n", stdout);
    for (size_t i = 0; i < gr_verbs_n; i++) {
        (void)printf("        %s:-*) compadd -- ", gr_verbs[i].name);
        put_options(&gr_verbs[i]);
        (void)fputs(" ;;\n", stdout);
        if (!gr_verbs[i].words)
            (void)printf("        %s:*) _files ;;\n", gr_verbs[i].name);
        else if (gr_verbs[i].words[0])
            (void)printf("        %s:*) compadd -- %s ;;\n", gr_verbs[i].name, gr_verbs[i].words);
    }
    (void)fputs("esac\n", stdout);
}

static void fish_option(const struct gr_verb *verb, const struct option *option)
{
    const char *words = words_of(verb->name, option->name);

    (void)printf("complete -c grapnel -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
                 option->name);
    if (strcmp(option->name, "output") == 0) {
        (void)fputs(" -s o -x -a '", stdout);
        put_output_names(verb->outputs);
        (void)fputc('\'', stdout);
    } else if (words)
        (void)printf(" -x -a '%s'", words);
    else if (option->has_arg == required_argument)
        (void)fputs(takes_file(verb->name, option->name) ? " -r -F" : " -x", stdout);
    else if (option->val == 'h')
        (void)fputs(" -s h", stdout);
    (void)fputc('\n', stdout);
}

static void print_fish(void)
{
    (void)fputs("# fish completion of grapnel; made by grapnel completion fish\n"
                "complete -c grapnel -f\n"
                "complete -c grapnel -n __fish_use_subcommand -a '",
                stdout);
    put_verbs();
    (void)fputs("'\n", stdout);
    for (size_t i = 0; i < gr_verbs_n; i++) {
        for (const struct option *option = gr_verbs[i].options; option->name; option++)
            fish_option(&gr_verbs[i], option);
        if (!gr_verbs[i].words)
            (void)printf("complete -c grapnel -n '__fish_seen_subcommand_from %s' -F\n",
                         gr_verbs[i].name);
        else if (gr_verbs[i].words[0])
            (void)printf("complete -c grapnel -n '__fish_seen_subcommand_from %s' -a '%s'\n",
                         gr_verbs[i].name, gr_verbs[i].words);
    }
}

int gr_verb_completion(int argc, char **argv)
{
    const char *shell = argc > 1 ? argv[1] : "";

    if (strcmp(shell, "-h") == 0 || strcmp(shell, "--help") == 0) {
        (void)fputs(help, stdout);
        return GR_EXIT_OK;
    }
    if (argc > 2)
        return gr_usage("completion", "one shell", argv[2]);
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return gr_usage("completion", "bash, zsh or fish", shell);
    return GR_EXIT_OK;
}
