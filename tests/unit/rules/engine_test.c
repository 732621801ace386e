/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts and hooks call, and what they only talk about. */
#include "rules/tell/engine.h"

#include "decoding.h"

struct row {
    const char *name;
    const char *text;
    const char *called; /* NULL: nothing */
};

#define SH "#!/bin/sh\n"

static const struct row shells[] = {
    {"a command", SH "docker ps\n", "docker"},
    {"alone at the line's end", SH "docker", "docker"},
    {"exec at the line's end", SH "exec podman\n", "podman"},
    {"runc", SH "runc list\n", "runc"},
    {"crun by its path", SH "/usr/bin/crun list\n", "crun"},
    {"within quotes", SH "\"docker\" ps\n", "docker"},
    {"behind variables", SH "A=1 B=\"x y\" docker ps\n", "docker"},
    {"behind ;", SH "cd /;docker ps\n", "docker"},
    {"behind &&", SH "true && docker ps\n", "docker"},
    {"behind |", SH "echo x | docker load\n", "docker"},
    {"behind a redirection", SH "true 2>/dev/null >x; docker\n", "docker"},
    {"behind then", SH "if true; then docker ps; fi\n", "docker"},
    {"behind !", SH "while ! docker info; do sleep 1; done\n", "docker"},
    {"in a list of its own", SH "(docker ps)\n", "docker"},
    {"in $( )", SH "id=$(docker ps)\n", "docker"},
    {"in $( ) within quotes", SH "echo \"is $(docker ps) up\"\n", "docker"},
    {"in ` `", SH "id=`docker ps -q`\n", "docker"},
    {"in <( )", "#!/bin/bash\ndiff <(docker ps) x\n", "docker"},
    {"in a function", SH "f() { docker ps; }\n", "docker"},
    {"in a case", SH "case $1 in\n  a|b) docker ps;;\nesac\n", "docker"},
    {"behind a case", SH "case $1 in a) ;; esac\ndocker ps\n", "docker"},
    {"behind a here document", SH "cat <<-'E F'\nx\n\tE F\ndocker ps\n", "docker"},
    {"behind a here string", "#!/bin/bash\ncat <<<x\ndocker ps\n", "docker"},
    {"behind arithmetic", "#!/bin/bash\na=$((1 << 2))\ndocker ps\n", "docker"},
    {"behind [[ ]]", "#!/bin/bash\n[[ $a =~ x|y ]] && docker ps\n", "docker"},
    {"behind a line that goes on", SH "sudo \\\n  docker ps\n", "docker"},
    {"by sudo", SH "sudo -n docker ps\n", "docker"},
    {"by timeout", SH "timeout -k 1 5s docker ps\n", "docker"},
    {"by chroot", SH "chroot /host docker ps\n", "docker"},
    {"by nsenter", SH "nsenter -t 1 -m -- crictl ps\n", "crictl"},
    {"by a shell", SH "bash -ec 'cd /; ctr c ls'\n", "ctr"},
    {"a socket", SH "curl --unix-socket /var/run/docker.sock http://x/info\n", "docker.sock"},
    {"a socket of containerd", SH "x -a unix:///run/containerd/containerd.sock\n",
     "containerd.sock"},
    {"a socket in a variable", SH "SOCK=/run/crio/crio.sock\n", "crio.sock"},
    {"a socket with options", SH "socat - UNIX-CONNECT:/run/podman/podman.sock,x\n", "podman.sock"},
    {"a shell by env", "#!/usr/bin/env -S bash -e\ndocker ps\n", "docker"},

    {"in what is printed", SH "echo \"the docker daemon is up\"\n", NULL},
    {"printed without quotes", SH "echo docker ps\n", NULL},
    {"printed over lines", SH "echo 'first\ndocker ps\n'\n", NULL},
    {"in a comment", SH "  # docker ps\ntrue # docker ps\n", NULL},
    {"no comment behind it", SH "echo $# \"#\"\n", NULL},
    {"in a here document", SH "cat <<E >&2\ndocker ps\nE\n", NULL},
    {"as the pattern of a case", SH "case $1 in\n  docker|podman) true;;\n  (ctr) ;;\nesac\n",
     NULL},
    {"in the list of a for", SH "for e in docker podman; do\n  true $e\ndone\n", NULL},
    {"in a list of values", "#!/bin/bash\nengines=(docker podman\n  ctr)\n", NULL},
    {"in [[ ]]", "#!/bin/bash\n[[ $1 =~ a|docker ]] || [[ $1 == docker && x ]]\n", NULL},
    {"as an operand", SH "[ \"$1\" = docker ] || pkill -x docker\n", NULL},
    {"as a value", SH "ENGINE=docker\n", NULL},
    {"as a function of the script's own", SH "docker() {\n  true\n}\n", NULL},
    {"as a file", SH "true >docker 2>docker <docker\n", NULL},
    {"as a part of a name", SH "docker-report; my-docker; ctr.log; dockerd\n", NULL},
    {"asked for", SH "command -v docker >/dev/null && which docker && type docker\n", NULL},
    {"a command of another path", SH "exec /usr/bin/logger docker\n", NULL},
    {"a socket that is told of", SH "echo \"no /run/docker.sock\" /run/docker.sock\n", NULL},
    {"a socket that is looked for", SH "test -S /run/docker.sock || [ -e /run/docker.sock ]\n",
     NULL},
    {"a socket in a sentence", SH "die \"cannot reach /run/docker.sock\"\n", NULL},
    {"another socket", SH "curl --unix-socket /run/my-docker.sock /run/docker.sock.bak\n", NULL},
    {"what is within too much", SH "$($($($($($($($($($($($($($(docker))))))))))))))\n", NULL},
    {"a quote that does not end", SH "echo \"docker ps\n", NULL},
    {"a bracket that does not end", SH "x=$(echo\n", NULL},
    {"the first line only", SH, NULL},
};

#define PY "#!/usr/bin/env python3\n"

static const struct row others[] = {
    {"a list", PY "subprocess.run([\"docker\", \"ps\"])\n", "docker"},
    {"a list with blanks", PY "x = check_output( [ '/usr/bin/docker', 'ps' ] )\n", "docker"},
    {"a text", PY "os.system('crictl ps')\n", "crictl"},
    {"node", "#!/usr/bin/node\nspawn(\"podman\", [\"ps\"])\n", "podman"},
    {"behind another text", PY "x = 'it\\'s'; call(['ctr'])\n", "ctr"},
    {"a socket", PY "s.connect('/run/docker.sock')\n", "docker.sock"},
    {"a socket in an address", PY "c = Client(base_url=\"unix://var/run/docker.sock\")\n",
     "docker.sock"},

    {"in what is printed", PY "print(\"docker ps\")\n", NULL},
    {"in a comment", PY "  # run([\"docker\"])\n", NULL},
    {"in a comment of another language", "#!/usr/bin/node\n// spawn(\"docker\")\n", NULL},
    {"in a list of names", PY "for e in [\"docker\", \"podman\"]:\n", NULL},
    {"in a comparison", PY "if engine == \"docker\":\n", NULL},
    {"of another function", PY "prune(\"docker\")\n", NULL},
    {"as an operand", PY "run([\"pkill\", \"docker\"])\n", NULL},
    {"as a part of a name", PY "run([\"docker-report\"])\n", NULL},
    {"as a text in a text", PY "x = \"run(['docker'])\"\n", NULL},
    {"a socket that is looked for", PY "os.path.exists(\"/run/docker.sock\")\n", NULL},
    {"a socket in a sentence", PY "x = \"no /run/docker.sock here\"\n", NULL},
    {"a quote that does not end", PY "run(\"", NULL},
    {"no first line", "", NULL},
};

static void assert_called(const char *called, const char *expected)
{
    assert_string_equal(called ? called : "nothing", expected ? expected : "nothing");
}

/* From a buffer of exactly its size: nothing beyond it is read (the sanitizers see it). */
static void calls(void **state)
{
    const struct row *row = *state;
    size_t n = strlen(row->text);
    char *text = (char *)test_exact(row->text, n);

    assert_called(gr_engine_of_script((struct gr_str){text, n}), row->called);
    free(text);
}

/* Wherever a script ends, its end is found, and nothing beyond it is read. */
static void cut_off(void **state)
{
    const struct row *row = *state;

    for (size_t n = 0; n < strlen(row->text); n++) {
        char *text = (char *)test_exact(row->text, n);
        const char *called = gr_engine_of_script((struct gr_str){text, n});

        assert_true(!called || strlen(called) <= n);
        free(text);
    }
}

/* ---- limits ---- */

#define LONG_BYTES 1024

/* before, n times one, after, n times other. */
static void fill(char *out, const char *before, const char *one, size_t n, const char *after,
                 const char *other)
{
    size_t at = (size_t)snprintf(out, LONG_BYTES, "%s", before);

    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, LONG_BYTES - at, "%s", one);
    at += (size_t)snprintf(out + at, LONG_BYTES - at, "%s", after);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, LONG_BYTES - at, "%s", other);
    assert_true(at < LONG_BYTES);
}

static void texts_within_texts(void **state)
{
    char text[LONG_BYTES];

    (void)state;
    fill(text, SH, "$(", 12, "docker", ")");
    assert_called(gr_engine_of_script(gr_str_from(text)), "docker");
    fill(text, SH, "$(", 13, "docker", ")");
    assert_called(gr_engine_of_script(gr_str_from(text)), NULL);
}

/* The text behind -c has 512 bytes, or 513. */
static void long_words(void **state)
{
    char text[LONG_BYTES];

    (void)state;
    fill(text, SH "sh -c '", ";", 512 - 6, "docker'\n", "");
    assert_called(gr_engine_of_script(gr_str_from(text)), "docker");
    fill(text, SH "sh -c '", ";", 513 - 6, "docker'\n", "");
    assert_called(gr_engine_of_script(gr_str_from(text)), NULL);
}

static void marks_of_documents(void **state)
{
    char text[LONG_BYTES];

    (void)state;
    fill(text, SH "cat <<", "E", 64, "\n", "E");
    strcat(text, "\ndocker\n");
    assert_called(gr_engine_of_script(gr_str_from(text)), "docker");
    fill(text, SH "cat <<", "E", 65, "\n", "E");
    strcat(text, "\ndocker\n");
    assert_called(gr_engine_of_script(gr_str_from(text)), NULL);
}

/* ---- hooks ---- */

static const struct row hooks[] = {
    {"the client itself", "{path: /usr/bin/docker}", "docker"},
    {"a runtime itself", "{path: /usr/sbin/runc, args: [runc, list]}", "runc"},
    {"the text of a shell", "{path: /bin/sh, args: [sh, -c, \"docker ps\"]}", "docker"},
    {"the text of a shell, with a field", "{path: /bin/sh, args: [sh, -ec, \"docker rm {{.ID}}\"]}",
     "docker"},
    {"by env", "{path: /usr/bin/env, args: [env, A=1, podman, ps]}", "podman"},
    {"by nsenter", "{path: /usr/bin/nsenter, args: [nsenter, -t, \"1\", -m, crictl, ps]}",
     "crictl"},
    {"a socket", "{path: /opt/x, args: [x, --socket=/run/containerd/containerd.sock]}",
     "containerd.sock"},

    {"another program", "{path: /opt/docker/report}", NULL},
    {"a client's name as an operand", "{path: /opt/x, args: [docker, --engine, docker]}", NULL},
    {"printed by a shell", "{path: /bin/sh, args: [sh, -c, 'echo \"docker is up\"', docker]}",
     NULL},
    {"behind the text", "{path: /bin/sh, args: [sh, -c, 'logger \"$@\"', sh, docker ps]}", NULL},
    {"a script and its operand", "{path: /bin/sh, args: [sh, /opt/x.sh, docker]}", NULL},
};

static void hook_calls(void **state)
{
    const struct row *row = *state;
    struct decoded *decoded;
    char text[512];

    (void)snprintf(text, sizeof(text), TOP SPEC MATCH "  hooks: {poststop: [%s]}\n", row->text);
    decoded = decode_good(gr_str_from(text));
    assert_called(gr_engine_of_hook(&only_set(decoded)->hooks[GR_STAGE_POSTSTOP].items[0]),
                  row->called);
    decoded_free(decoded);
}

int main(void)
{
    TEST_ADD_ROWS(calls, shells);
    TEST_ADD_ROWS(calls, others);
    TEST_ADD_ROWS(cut_off, shells);
    TEST_ADD_ROWS(cut_off, others);
    test_add("texts within texts", texts_within_texts);
    test_add("long words", long_words);
    test_add("marks of documents", marks_of_documents);
    TEST_ADD_ROWS(hook_calls, hooks);
    return test_run("engine");
}
