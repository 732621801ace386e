/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names, hooks by themselves, and scripts that are no shell's: there a call is a quoted command
 * as the first argument of a function that is known to start one, run(["docker", …]).
 */
#include "rules/tell/engine_parts.h"

static const char *const clients[] = {"docker", "crictl",  "ctr",  "nerdctl", "podman",
                                      "isula",  "kubectl", "runc", "crun"};

static const char *const sockets[] = {"docker.sock", "containerd.sock", "crio.sock", "podman.sock"};

static const char *const shells[] = {"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"};

/* Functions of other languages that start a program. */
static const char *const starters[] = {
    "run",      "call",         "check_call", "check_output", "Popen",   "popen",
    "system",   "getoutput",    "spawn",      "spawnSync",    "exec",    "execSync",
    "execFile", "execFileSync", "execl",      "execlp",       "execv",   "execvp",
    "execute",  "capture2",     "capture2e",  "capture3",     "spawnvp", "spawnlp",
};

/* Functions that do nothing to a socket. */
static const char *const quiet_ones[] = {"print",  "println", "puts",    "log",   "debug",
                                         "info",   "warn",    "warning", "error", "exists",
                                         "isfile", "access",  "stat",    "lstat", "existsSync"};

static const char *find(struct gr_str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (gr_str_is(word, words[i]))
            return words[i];
    }
    return NULL;
}

struct gr_str gr_engine_name(struct gr_str path)
{
    size_t slash = gr_str_rfind(path, '/');

    return slash < path.n ? gr_str_skip(path, slash + 1) : path;
}

const char *gr_engine_client(struct gr_str word)
{
    return find(gr_engine_name(word), clients, GR_ARRAY_LEN(clients));
}

bool gr_engine_is_shell(struct gr_str name)
{
    return find(name, shells, GR_ARRAY_LEN(shells)) != NULL;
}

bool gr_engine_is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static const char *socket_at(struct gr_str text)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(sockets); i++) {
        size_t n = strlen(sockets[i]);

        if (gr_str_has_prefix(text, gr_str_from(sockets[i])) &&
            (text.n == n || !gr_engine_is_name_char(text.p[n])))
            return sockets[i];
    }
    return NULL;
}

const char *gr_engine_socket(struct gr_str word)
{
    const char *found = NULL;

    if (gr_str_find(word, ' ') < word.n)
        return NULL;
    while (word.n > 0 && !found) {
        word = gr_str_skip(word, gr_str_find(word, '/') + 1);
        found = socket_at(word);
    }
    return found;
}

/* ---- hooks ---- */

const char *gr_engine_of_hook(const struct gr_hook *hook)
{
    struct gr_engine_command command = {.place = GR_ENGINE_COMMAND};
    const char *found = gr_engine_take(&command, hook->path, 0);

    for (size_t i = 1; i < hook->args_n && !found; i++)
        found = gr_engine_take(&command, hook->args[i].text.source, 0);
    return found;
}

/* ---- scripts ---- */

/* Of the first line: #!/bin/sh, #!/usr/bin/env sh, #!/bin/busybox sh. */
static bool is_for_shell(struct gr_str text)
{
    struct gr_str line = gr_str_skip(gr_str_first(text, gr_str_find(text, '\n')), 2);
    struct gr_str name = gr_engine_name(gr_str_take_word(&line));

    while (line.n > 0 && (gr_str_is(name, "env") || gr_str_is(name, "busybox") ||
                          (name.n > 0 && name.p[0] == '-')))
        name = gr_engine_name(gr_str_take_word(&line));
    return gr_engine_is_shell(name);
}

/* The name of the function that a place of a line is the first argument of, or the first element of
 * a list that is; n == 0: of none. */
static struct gr_str function_before(struct gr_str line, size_t at)
{
    size_t end;

    while (at > 0 && (line.p[at - 1] == ' ' || line.p[at - 1] == '['))
        at--;
    if (at == 0 || line.p[at - 1] != '(')
        return GR_STR_NONE;
    end = --at;
    while (at > 0 && gr_engine_is_name_char(line.p[at - 1]) && line.p[at - 1] != '.' &&
           line.p[at - 1] != '-')
        at--;
    return gr_str_skip(gr_str_first(line, end), at);
}

/* What a quoted text that begins at a place of a line calls. */
static const char *quoted_calls(struct gr_str line, size_t at)
{
    struct gr_str text = gr_str_skip(line, at + 1);
    struct gr_str function = function_before(line, at);

    text = gr_str_first(text, gr_str_find(text, line.p[at]));
    if (find(function, starters, GR_ARRAY_LEN(starters)))
        return gr_engine_client(gr_str_first(text, gr_str_find(text, ' ')));
    if (find(function, quiet_ones, GR_ARRAY_LEN(quiet_ones)))
        return NULL;
    return gr_engine_socket(text);
}

static bool is_comment(struct gr_str line)
{
    return line.n == 0 || line.p[0] == '#' || line.p[0] == '*' ||
           gr_str_has_prefix(line, GR_STR("//")) || gr_str_has_prefix(line, GR_STR("--"));
}

static const char *line_calls(struct gr_str line)
{
    const char *found = NULL;
    char open = '\0';

    for (size_t i = 0; i < line.n && !found; i++) {
        if (line.p[i] == '\\') {
            i++;
        } else if (open != '\0') {
            open = line.p[i] == open ? '\0' : open;
        } else if (line.p[i] == '"' || line.p[i] == '\'') {
            open = line.p[i];
            found = quoted_calls(line, i);
        }
    }
    return found;
}

const char *gr_engine_of_script(struct gr_str text)
{
    const char *found = NULL;

    if (is_for_shell(text))
        return gr_engine_of_shell(text);
    while (text.n > 0 && !found) {
        size_t end = gr_str_find(text, '\n');
        struct gr_str line = gr_str_skip_blanks(gr_str_first(text, end));

        if (!is_comment(line))
            found = line_calls(line);
        text = gr_str_skip(text, end + 1);
    }
    return found;
}
