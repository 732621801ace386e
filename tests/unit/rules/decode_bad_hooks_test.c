/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents whose hooks are refused: each with its exact place and text.
 */
#include "rules/decoding.h"

static const struct bad_row rows[] = {
    /* hooks */
    {"no hooks", BYTES(TOP SPEC MATCH), 4, 3, "missing-key", "spec.hooks",
     "the key \"hooks\" is missing; write hooks: {createRuntime: [{path: "
     "/opt/hooks/program}]}, or adjust: {env: {NAME: value}}",
     DOCUMENT},
    {"empty hooks", BYTES(TOP SPEC MATCH "  hooks: {}\n"), 5, 10, "empty", "spec.hooks",
     "an empty mapping means nothing here; fill it in or remove the key", DOCUMENT},
    {"hooks is a list",
     BYTES(TOP SPEC MATCH "  hooks:\n"
                          "    - path: /opt/x\n"),
     6, 5, "wrong-type", "spec.hooks", "expected a mapping (key: value), found a list", DOCUMENT},
    {"unknown stage", BYTES(TOP SPEC MATCH "  hooks: {createruntime: [{path: /opt/x}]}\n"), 5, 11,
     "unknown-key", "spec.hooks.createruntime",
     "unknown key \"createruntime\" in spec.hooks; did you mean "
     "\"createRuntime\"?",
     DOCUMENT},
    {"stage of nothing", BYTES(TOP SPEC MATCH "  hooks: {reboot: [{path: /opt/x}]}\n"), 5, 11,
     "unknown-key", "spec.hooks.reboot",
     "unknown key \"reboot\" in spec.hooks; known here: prestart, "
     "createRuntime, createContainer, startContainer, poststart, poststop",
     DOCUMENT},
    {"empty stage", BYTES(TOP SPEC MATCH "  hooks: {poststop: []}\n"), 5, 21, "empty",
     "spec.hooks.poststop", "an empty list means nothing here; add an element or remove the key",
     DOCUMENT},
    {"stage is one hook", BYTES(TOP SPEC MATCH "  hooks: {poststop: {path: /opt/x}}\n"), 5, 21,
     "wrong-type", "spec.hooks.poststop",
     "expected a list, found a mapping; write [first, second], or one \"- \" "
     "line for each element",
     DOCUMENT},
    {"hook is a text", BYTES(TOP SPEC MATCH "  hooks: {poststop: [/opt/x]}\n"), 5, 22, "wrong-type",
     "spec.hooks.poststop[0]", "expected a mapping (key: value), found the text \"/opt/x\"",
     DOCUMENT},
    {"empty hook", BYTES(TOP SPEC MATCH "  hooks: {poststop: [{}]}\n"), 5, 22, "missing-key",
     "spec.hooks.poststop[0].path", "the key \"path\" is missing; write path: /opt/hooks/program",
     DOCUMENT},
    {"hook without a path", BYTES(TOP SPEC MATCH STAGE "      - args: [x]\n"), 7, 9, "missing-key",
     "spec.hooks.poststop[0].path", "the key \"path\" is missing; write path: /opt/hooks/program",
     DOCUMENT},
    {"unknown key in a hook", BYTES(TOP SPEC MATCH HOOKS "        timout: 5\n"), 8, 9,
     "unknown-key", "spec.hooks.poststop[0].timout",
     "unknown key \"timout\" in spec.hooks.poststop[0]; did you mean "
     "\"timeout\"?",
     DOCUMENT},
    {"relative path", BYTES(TOP SPEC MATCH STAGE "      - path: opt/x\n"), 7, 15, "bad-path",
     "spec.hooks.poststop[0].path",
     "the path \"opt/x\" is refused: it must be absolute, that is, begin with "
     "/",
     DOCUMENT},
    {"empty path", BYTES(TOP SPEC MATCH STAGE "      - path: \"\"\n"), 7, 15, "bad-path",
     "spec.hooks.poststop[0].path",
     "the path \"\" is refused: it must be absolute, that is, begin with /", DOCUMENT},
    {"root as a path", BYTES(TOP SPEC MATCH STAGE "      - path: /\n"), 7, 15, "bad-path",
     "spec.hooks.poststop[0].path", "the path \"/\" is refused: / itself is no file", DOCUMENT},
    {"path with ..", BYTES(TOP SPEC MATCH STAGE "      - path: /opt/../x\n"), 7, 15, "bad-path",
     "spec.hooks.poststop[0].path",
     "the path \"/opt/../x\" is refused: it must not hold . or .. as a part; "
     "write the path that is meant",
     DOCUMENT},
    {"path with .", BYTES(TOP SPEC MATCH STAGE "      - path: /opt/./x\n"), 7, 15, "bad-path",
     "spec.hooks.poststop[0].path",
     "the path \"/opt/./x\" is refused: it must not hold . or .. as a part; "
     "write the path that is meant",
     DOCUMENT},
    {"path with //", BYTES(TOP SPEC MATCH STAGE "      - path: /opt//x\n"), 7, 15, "bad-path",
     "spec.hooks.poststop[0].path", "the path \"/opt//x\" is refused: it must not hold //",
     DOCUMENT},
    {"path with a slash at its end", BYTES(TOP SPEC MATCH STAGE "      - path: /opt/x/\n"), 7, 15,
     "bad-path", "spec.hooks.poststop[0].path",
     "the path \"/opt/x/\" is refused: it must not end with /", DOCUMENT},
    {"path with a control character", BYTES(TOP SPEC MATCH STAGE "      - path: \"/opt/\\nx\"\n"),
     7, 15, "control-character", "spec.hooks.poststop[0].path",
     "the control character U+000A is not allowed in this text; remove it", DOCUMENT},
    {"path with a template", BYTES(TOP SPEC MATCH STAGE "      - path: \"/opt/{{.Name}}\"\n"), 7,
     15, "unsafe-template", "spec.hooks.poststop[0].path",
     "templates are not allowed in path, so that nobody but the author of "
     "this file chooses the program; write the path itself",
     DOCUMENT},
    {"timeout 0", BYTES(TOP SPEC MATCH HOOKS "        timeout: 0\n"), 8, 18, "bad-seconds",
     "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "number 0",
     DOCUMENT},
    {"timeout -1", BYTES(TOP SPEC MATCH HOOKS "        timeout: -1\n"), 8, 18, "bad-seconds",
     "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "number -1",
     DOCUMENT},
    {"timeout 121", BYTES(TOP SPEC MATCH HOOKS "        timeout: 121\n"), 8, 18, "bad-seconds",
     "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "number 121",
     DOCUMENT},
    {"timeout 1.5", BYTES(TOP SPEC MATCH HOOKS "        timeout: 1.5\n"), 8, 18, "bad-seconds",
     "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "number 1.5",
     DOCUMENT},
    {"timeout 5 minutes", BYTES(TOP SPEC MATCH HOOKS "        timeout: 5 minutes\n"), 8, 18,
     "bad-seconds", "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "text \"5 minutes\"",
     DOCUMENT},
    {"timeout 2m", BYTES(TOP SPEC MATCH HOOKS "        timeout: 2m\n"), 8, 18, "bad-seconds",
     "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "text \"2m\"",
     DOCUMENT},
    {"timeout in quotes", BYTES(TOP SPEC MATCH HOOKS "        timeout: \"30\"\n"), 8, 18,
     "bad-seconds", "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "text \"30\"",
     DOCUMENT},
    {"timeout 121s", BYTES(TOP SPEC MATCH HOOKS "        timeout: 121s\n"), 8, 18, "bad-seconds",
     "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "text \"121s\"",
     DOCUMENT},
    {"timeout with a leading zero", BYTES(TOP SPEC MATCH HOOKS "        timeout: 030\n"), 8, 18,
     "bad-seconds", "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found the "
     "number 030",
     DOCUMENT},
    {"timeout without a value", BYTES(TOP SPEC MATCH HOOKS "        timeout:\n"), 8, 17,
     "bad-seconds", "spec.hooks.poststop[0].timeout",
     "expected whole seconds from 1 to 120, such as 30 or \"30s\", found "
     "nothing",
     DOCUMENT},
    /* args and env */
    {"args is a text", BYTES(TOP SPEC MATCH HOOKS "        args: --id x\n"), 8, 15, "wrong-type",
     "spec.hooks.poststop[0].args",
     "expected a list, found the text \"--id x\"; write [first, second], or "
     "one \"- \" line for each element",
     DOCUMENT},
    {"empty args", BYTES(TOP SPEC MATCH HOOKS "        args: []\n"), 8, 15, "empty",
     "spec.hooks.poststop[0].args",
     "an empty list means nothing here; add an element or remove the key", DOCUMENT},
    {"number in args", BYTES(TOP SPEC MATCH HOOKS "        args: [sleep, 5]\n"), 8, 23,
     "not-a-text", "spec.hooks.poststop[0].args[1]",
     "expected a text, found the number 5; write \"5\" in quotes", DOCUMENT},
    {"boolean in args", BYTES(TOP SPEC MATCH HOOKS "        args: [x, yes]\n"), 8, 19, "not-a-text",
     "spec.hooks.poststop[0].args[1]",
     "expected a text, found the boolean yes; write \"yes\" in quotes", DOCUMENT},
    {"mapping in args", BYTES(TOP SPEC MATCH HOOKS "        args: [x, {a: b}]\n"), 8, 19,
     "wrong-type", "spec.hooks.poststop[0].args[1]", "expected a text, found a mapping", DOCUMENT},
    {"args[0] is an option", BYTES(TOP SPEC MATCH HOOKS "        args: [--id, x]\n"), 8, 16,
     "bad-args", "spec.hooks.poststop[0].args[0]",
     "args[0] is the name that the program sees itself under, not its first "
     "option: found \"--id\"; put the program's name before it",
     DOCUMENT},
    {"args[0] is empty", BYTES(TOP SPEC MATCH HOOKS "        args: [\"\"]\n"), 8, 16, "bad-args",
     "spec.hooks.poststop[0].args[0]",
     "args[0] is the name that the program sees itself under; it must not be "
     "empty",
     DOCUMENT},
    {"control character in args", BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"a\\eb\"]\n"), 8,
     19, "control-character", "spec.hooks.poststop[0].args[1]",
     "the control character U+001B is not allowed in this text; remove it", DOCUMENT},
    {"env is a mapping", BYTES(TOP SPEC MATCH HOOKS "        env: {A: b}\n"), 8, 14, "wrong-type",
     "spec.hooks.poststop[0].env",
     "expected a list, found a mapping; write [first, second], or one \"- \" "
     "line for each element",
     DOCUMENT},
    {"env without =", BYTES(TOP SPEC MATCH HOOKS "        env: [A]\n"), 8, 15, "bad-env",
     "spec.hooks.poststop[0].env[0]", "expected NAME=value, found \"A\"", DOCUMENT},
    {"env without a name", BYTES(TOP SPEC MATCH HOOKS "        env: [=b]\n"), 8, 15, "bad-env",
     "spec.hooks.poststop[0].env[0]",
     "the variable's name \"\" is refused: expected letters, digits and _, not "
     "beginning with a digit",
     DOCUMENT},
    {"env name with a dash", BYTES(TOP SPEC MATCH HOOKS "        env: [A-B=c]\n"), 8, 15, "bad-env",
     "spec.hooks.poststop[0].env[0]",
     "the variable's name \"A-B\" is refused: expected letters, digits and _, "
     "not beginning with a digit",
     DOCUMENT},
    {"env name begins with a digit", BYTES(TOP SPEC MATCH HOOKS "        env: [1A=c]\n"), 8, 15,
     "bad-env", "spec.hooks.poststop[0].env[0]",
     "the variable's name \"1A\" is refused: expected letters, digits and _, "
     "not beginning with a digit",
     DOCUMENT},
    {"env name twice", BYTES(TOP SPEC MATCH HOOKS "        env: [A=b, C=d, A=e]\n"), 8, 25,
     "duplicate-env", "spec.hooks.poststop[0].env[2]",
     "the variable A is set a second time, first at line 8; keep one of the "
     "two",
     DOCUMENT},
    {"env of our own", BYTES(TOP SPEC MATCH HOOKS "        env: [GRAPNEL_HOOKSET=a]\n"), 8, 15,
     "reserved-env", "spec.hooks.poststop[0].env[0]",
     "the variable GRAPNEL_HOOKSET is refused: names that begin with "
     "GRAPNEL_ are set by Grapnel itself; choose another name",
     DOCUMENT},
    /* templates */
    {"unknown field", BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"{{.PodNme}}\"]\n"), 8, 19,
     "unknown-field", "spec.hooks.poststop[0].args[1]",
     "unknown template field {{.PodNme}}; did you mean {{.PodName}}?", DOCUMENT},
    {"field without its dot", BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"{{ID}}\"]\n"), 8, 19,
     "unknown-field", "spec.hooks.poststop[0].args[1]",
     "unknown template field {{ID}}; did you mean {{.ID}}?", DOCUMENT},
    {"field that is far from all",
     BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"{{.Colour}}\"]\n"), 8, 19, "unknown-field",
     "spec.hooks.poststop[0].args[1]",
     "unknown template field {{.Colour}}; known are .ID, .Name, .Image, "
     ".PodName, .PodNamespace, .PodUID, .RuntimeHandler, .NodeName, .Stage, "
     ".HookSet, annotation \"KEY\" and label \"KEY\"",
     DOCUMENT},
    {"field never closed", BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"{{.ID\"]\n"), 8, 19,
     "bad-template", "spec.hooks.poststop[0].args[1]",
     "{{ has no closing }}; add it, or write {{\"{{\"}} for a literal {{", DOCUMENT},
    {"empty field", BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"{{}}\"]\n"), 8, 19,
     "bad-template", "spec.hooks.poststop[0].args[1]",
     "expected the name of a field such as .ID or annotation \"KEY\" after {{; "
     "a literal {{ is written {{\"{{\"}}",
     DOCUMENT},
    {"annotation without a key",
     BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"{{annotation}}\"]\n"), 8, 19, "bad-template",
     "spec.hooks.poststop[0].args[1]",
     "{{annotation}} needs the key to look up, in double quotes: "
     "{{annotation \"KEY\"}}",
     DOCUMENT},
    {"annotation with an empty key",
     BYTES(TOP SPEC MATCH HOOKS "        args: [x, '{{annotation \"\"}}']\n"), 8, 19,
     "bad-template", "spec.hooks.poststop[0].args[1]",
     "{{annotation}} needs the key to look up, in double quotes: "
     "{{annotation \"KEY\"}}",
     DOCUMENT},
    {"label with three texts",
     BYTES(TOP SPEC MATCH HOOKS "        args: [x, '{{label \"a\" \"b\" \"c\"}}']\n"), 8, 19,
     "bad-template", "spec.hooks.poststop[0].args[1]",
     "expected }}: a field takes a key and a default and no more", DOCUMENT},
    {"field with a key", BYTES(TOP SPEC MATCH HOOKS "        args: [x, '{{.ID \"a\"}}']\n"), 8, 19,
     "bad-template", "spec.hooks.poststop[0].args[1]",
     "{{.ID}} stands alone; only annotation and label take a key", DOCUMENT},
    {"line feed beside a field", BYTES(TOP SPEC MATCH HOOKS "        args: [x, \"a\\n{{.ID}}\"]\n"),
     8, 19, "control-character", "spec.hooks.poststop[0].args[1]",
     "the control character U+000A is not allowed in this text; remove it", DOCUMENT},
    {"field as a variable's name", BYTES(TOP SPEC MATCH HOOKS "        env: [\"{{.Name}}=x\"]\n"),
     8, 15, "unsafe-template", "spec.hooks.poststop[0].env[0]",
     "expected NAME=value with a literal NAME= before the first {{field}}, "
     "found \"{{.Name}}=x\"",
     DOCUMENT},
    {"field inside a variable's name",
     BYTES(TOP SPEC MATCH HOOKS "        env: [\"A{{.ID}}=x\"]\n"), 8, 15, "unsafe-template",
     "spec.hooks.poststop[0].env[0]",
     "expected NAME=value with a literal NAME= before the first {{field}}, "
     "found \"A{{.ID}}=x\"",
     DOCUMENT},
    {"variable that is only a field", BYTES(TOP SPEC MATCH HOOKS "        env: [\"{{.Name}}\"]\n"),
     8, 15, "bad-env", "spec.hooks.poststop[0].env[0]", "expected NAME=value, found \"{{.Name}}\"",
     DOCUMENT},
    {"pod's value in LD_PRELOAD",
     BYTES(TOP SPEC MATCH HOOKS "        env: ['LD_PRELOAD={{annotation \"a\"}}']\n"), 8, 15,
     "unsafe-template", "spec.hooks.poststop[0].env[0]",
     "{{annotation}} is chosen by whoever writes the pod and must not stand "
     "in LD_PRELOAD, which decides what code runs; hand it over in a "
     "variable of another name",
     DOCUMENT},
    {"pod's value in PATH",
     BYTES(TOP SPEC MATCH HOOKS "        env: [\"PATH=/bin:/{{.PodName}}\"]\n"), 8, 15,
     "unsafe-template", "spec.hooks.poststop[0].env[0]",
     "{{.PodName}} is chosen by whoever writes the pod and must not stand in "
     "PATH, which decides what code runs; hand it over in a variable of "
     "another name",
     DOCUMENT},
    /* shells */
    {"sh -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/sh\n"
                                "        args: [sh, -c, \"echo {{.Name}}\"]\n"),
     8, 24, "unsafe-template", "spec.hooks.poststop[0].args[2]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"bash -ec",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/bash\n"
                                "        args: [bash, -ec, \"echo {{.Image}}\"]\n"),
     8, 27, "unsafe-template", "spec.hooks.poststop[0].args[2]",
     "{{.Image}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"dash -e -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/dash\n"
                                "        args: [dash, -e, -c, \"echo {{.PodName}}\"]\n"),
     8, 30, "unsafe-template", "spec.hooks.poststop[0].args[3]",
     "{{.PodName}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"shell by args[0]",
     BYTES(TOP SPEC MATCH STAGE "      - path: /opt/multi\n"
                                "        args: [ash, -c, \"echo {{.PodNamespace}}\"]\n"),
     8, 25, "unsafe-template", "spec.hooks.poststop[0].args[2]",
     "{{.PodNamespace}} is chosen by whoever writes the pod and must not "
     "stand in what a shell runs as code; write \"$1\" there and hand the "
     "value over behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"busybox sh -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/busybox\n"
                                "        args: [busybox, sh, -c, 'x {{annotation \"a\"}}']\n"),
     8, 33, "unsafe-template", "spec.hooks.poststop[0].args[3]",
     "{{annotation}} is chosen by whoever writes the pod and must not stand "
     "in what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"env bash -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /usr/bin/env\n"
                                "        args: [env, bash, -c, 'x {{label \"a\"}}']\n"),
     8, 31, "unsafe-template", "spec.hooks.poststop[0].args[3]",
     "{{label}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"zsh -c --",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/zsh\n"
                                "        args: [zsh, -c, --, \"x {{.Name}}\"]\n"),
     8, 29, "unsafe-template", "spec.hooks.poststop[0].args[3]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"bash -o pipefail -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/bash\n"
                                "        args: [bash, -o, pipefail, -c, \"x {{.Name}}\"]\n"),
     8, 40, "unsafe-template", "spec.hooks.poststop[0].args[4]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"bash -c -o pipefail",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/bash\n"
                                "        args: [bash, -c, -o, pipefail, \"x {{.Name}}\"]\n"),
     8, 40, "unsafe-template", "spec.hooks.poststop[0].args[4]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"ksh93 -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/ksh93\n"
                                "        args: [ksh93, -c, \"x {{.Name}}\"]\n"),
     8, 27, "unsafe-template", "spec.hooks.poststop[0].args[2]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"su -c",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/su\n"
                                "        args: [su, nobody, -c, \"x {{.Name}}\"]\n"),
     8, 32, "unsafe-template", "spec.hooks.poststop[0].args[3]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"su --command",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/su\n"
                                "        args: [su, nobody, \"--command=x {{.Name}}\"]\n"),
     8, 28, "unsafe-template", "spec.hooks.poststop[0].args[2]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
    {"an option that a pod completes",
     BYTES(TOP SPEC MATCH STAGE "      - path: /bin/sh\n"
                                "        args: [sh, \"-{{.Name}}\", \"x\"]\n"),
     8, 20, "unsafe-template", "spec.hooks.poststop[0].args[1]",
     "{{.Name}} is chosen by whoever writes the pod and must not stand in "
     "what a shell runs as code; write \"$1\" there and hand the value over "
     "behind it: [sh, -c, 'program \"$1\"', sh, '{{…}}']",
     DOCUMENT},
};

int main(void)
{
    add_bad_rows(rows, GR_ARRAY_LEN(rows));
    return test_run("decode_bad_hooks");
}
