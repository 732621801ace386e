/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hook of the quick start: appends one line to a file of the host that says for which container
 * it ran, in which stage, and what the runtime says of the container's state.
 *
 *   hello [FILE]        without FILE to stdout, to try it by hand
 *
 * What is worth taking over into a hook of your own:
 * - It is static and calls nothing but the kernel: there may be no libraries and no shell on the
 * node.
 * - It reads stdin to its end, within a bound, and takes from it nothing but letters: annotations
 * in there are the pod author's words.
 * - The file's path comes from the rule, which is root's, and never from the container. A link in
 * its place is not followed. One line is one write(), so that hooks at the same time do not mix
 * theirs.
 * - It never waits: no network, no lock, no child. The whole pod waits for it.
 * - What goes wrong is said on stderr, which runtimes put into the pod's events, with exit code 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAX_BYTES (1 << 20)
#define NAME_MAX_BYTES 253

/* The whole of stdin as text; 0, or -1 when there is more than a state can have, or it cannot be
 * read. */
static int read_state(char *state, size_t size)
{
    size_t used = 0;

    while (used < size - 1) {
        ssize_t n = read(STDIN_FILENO, state + used, size - 1 - used);

        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    state[used] = '\0';
    return used < size - 1 ? 0 : -1;
}

/* The end of a JSON string that begins behind a quote: at its closing quote, or at the end of the
 * text. */
static const char *string_end(const char *at)
{
    while (*at && *at != '"')
        at += *at == '\\' && at[1] ? 2 : 1;
    return at;
}

/* Copies the letters of the state's "status". Only the outermost object counts, so that an
 * annotation of the same name is not taken for it. */
static void status_of(const char *state, char *out, size_t size)
{
    size_t used = 0;
    int depth = 0;

    for (const char *at = state; *at; at++) {
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        if (*at != '"')
            continue;
        const char *end = string_end(at + 1);
        const char *value = end;

        if (*value)
            value += 1 + strspn(value + 1, " \t\r\n");
        if (depth == 1 && *value == ':' && strncmp(at, "\"status\"", 8) == 0) {
            value += 1 + strspn(value + 1, " \t\r\n");
            for (value += *value == '"'; *value >= 'a' && *value <= 'z' && used < size - 1; value++)
                out[used++] = *value;
            break;
        }
        if (!*end)
            break;
        at = end;
    }
    out[used] = '\0';
}

/* What Grapnel puts into every hook's environment; "?" where somebody else starts the program. */
static const char *told(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : "?";
}

int main(int argc, char **argv)
{
    static char state[STATE_MAX_BYTES];
    char line[4 * NAME_MAX_BYTES + 128];
    char status[16];
    int out = STDOUT_FILENO;

    if (read_state(state, sizeof(state)) != 0) {
        fprintf(stderr, "hello: expected the container's state on stdin, at most %d bytes\n",
                STATE_MAX_BYTES);
        return 1;
    }
    status_of(state, status, sizeof(status));
    int n = snprintf(line, sizeof(line), "%.32s: %.253s/%.253s/%.253s, id %.12s, is %s\n",
                     told("GRAPNEL_STAGE"), told("GRAPNEL_POD_NAMESPACE"), told("GRAPNEL_POD_NAME"),
                     told("GRAPNEL_CONTAINER_NAME"), told("GRAPNEL_CONTAINER_ID"), status);

    if (argc > 1)
        out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (out < 0 || write(out, line, (size_t)n) != n) {
        perror(argc > 1 ? argv[1] : "stdout");
        return 1;
    }
    return 0;
}
