# SPDX-License-Identifier: Apache-2.0
"""Files and containers for the comparison with the Go library.

A case is some directories of files, and containers. Where we refuse what the library loads, or the
other way round, the case names the file with the reason (specs/oci-hooks.md has the same list).
"""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Content = str | bytes | dict[str, Any]

# Programs that are there on every host: the library looks, we leave that to the loader.
HOOK = {"path": "/bin/true", "timeout": 7}
BASE = {"version": "1.0.0", "hook": HOOK, "when": {"always": True}, "stages": ["createRuntime"]}


def container(command: str | None = "/bin/sh", mounts: bool = False, **annotations: str) -> dict:
    return {"args": [] if command is None else [command, "-c", "true"], "bindMounts": mounts,
            "annotations": {key.replace("__", "/").replace("_", "."): value
                            for key, value in annotations.items()}}


PLAIN = container()
SEVERAL = [PLAIN, container("/usr/lib/systemd/systemd"), container("/sbin/init", mounts=True),
           container(a="b"), container(a="c", com_example__key="x"), container(b="b", mounts=True),
           container(com_example_department="fluid-dynamics"), container("", a="")]


@dataclass
class Case:
    name: str
    directories: list[dict[str, Content]]
    containers: list[dict] = field(default_factory=lambda: list(SEVERAL))
    only_library: dict[str, str] = field(default_factory=dict)  # file: why we refuse it
    only_ours: dict[str, str] = field(default_factory=dict)  # file: why it does not load there
    by_chance: bool = False  # what its files lack is not known


def text(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def one(name: str, content: Content, **more: Any) -> Case:
    return Case(name, [{"a.json": content}], **more)


def with_(**parts: Any) -> dict:
    return {**BASE, **parts}


def when(**conditions: Any) -> dict:
    return with_(when=conditions)


def hook(**parts: Any) -> dict:
    return with_(hook={**HOOK, **parts})


def raw(before: str) -> str:
    """Entries written by hand, before the usual ones but stages and when."""
    return '{"version":"1.0.0","hook":{"path":"/bin/true","timeout":7},' + before + "}"


MATCHING = [
    one("always", BASE),
    one("never", when(always=False)),
    one("no condition", when()),
    one("when is missing", {k: v for k, v in BASE.items() if k != "when"}),
    one("when is null", with_(when=None)),
    one("bind mounts", when(hasBindMounts=True)),
    one("no bind mounts", when(hasBindMounts=False)),
    one("always and bind mounts", when(always=True, hasBindMounts=True)),
    one("veto by always", when(always=False, hasBindMounts=True)),
    one("veto by bind mounts", when(always=True, hasBindMounts=False)),
    one("null conditions", when(always=None, hasBindMounts=None, annotations=None, commands=None)),
    one("always beside nulls", when(always=True, hasBindMounts=None)),
    one("commands", when(commands=[".*/init$", ".*/systemd$"])),
    one("commands, one of them", when(commands=["nothing", "sh"])),
    one("no commands", when(commands=[])),
    one("always and no commands", when(always=True, commands=[])),
    one("the empty command", when(commands=[""])),
    one("null commands", when(commands=[None])),
    one("commands and veto", when(commands=["sh"], always=False)),
    one("commands and mounts", when(commands=["init"], hasBindMounts=True)),
    one("annotation", when(annotations={"^a$": "^b$"})),
    one("annotation by part", when(annotations={"a": "b"})),
    one("annotation, any value", when(annotations={"a": ""})),
    one("annotation, any key", when(annotations={"": "b"})),
    one("annotation, anything", when(annotations={"": ""})),
    one("annotation of null", when(annotations={"a": None})),
    one("no annotations", when(annotations={})),
    one("always and no annotations", when(always=True, annotations={})),
    one("two annotations", when(annotations={"^a$": "c", "example": "x"})),
    one("two annotations, one missing", when(annotations={"^a$": "c", "nope": "x"})),
    one("two that one annotation meets", when(annotations={"a": "c", "^a": "^c"})),
    one("annotation and command", when(annotations={"a": "b"}, commands=["sh"])),
    one("annotation and mounts", when(annotations={"b": "b"}, hasBindMounts=True)),
    one("everything", when(annotations={"b": "b"}, hasBindMounts=True, commands=["sh"], always=True)),
    one("everything but always",
        when(annotations={"b": "b"}, hasBindMounts=True, commands=["sh"], always=False)),
    one("department", when(annotations={r"^com\.example\.department$": ".*fluid-dynamics$"})),
    one("no args, but no match before",
        when(annotations={"none": ""}, commands=["sh"]), containers=[container(None)]),
    one("no args, and no commands", when(hasBindMounts=True),
        containers=[container(None), container(None, mounts=True)]),
    one("the last element of args is not looked at", when(commands=["true"])),
]

OLD = {"hook": "/bin/true", "stages": ["prestart"]}
OLD_VERSION = [
    one("0.1.0: mounts", {**OLD, "hasbindmounts": True}),
    one("0.1.0: no mounts", {**OLD, "hasbindmounts": False}),
    one("0.1.0: nothing", OLD),
    one("0.1.0: by its version", {**OLD, "version": "0.1.0", "hasbindmounts": True}),
    one("0.1.0: by the empty version", {**OLD, "version": "", "hasbindmounts": True}),
    one("0.1.0: cmds", {**OLD, "cmds": ["sh$"]}),
    one("0.1.0: cmd", {**OLD, "cmd": ["sh$", "init"]}),
    one("0.1.0: no cmds", {**OLD, "cmds": []}),
    one("0.1.0: annotations", {**OLD, "annotations": ["^b$", "dynamics"]}),
    one("0.1.0: annotation", {**OLD, "annotation": ["^c$"]}),
    one("0.1.0: no annotation", {**OLD, "annotations": []}),
    one("0.1.0: a null annotation", {**OLD, "annotations": [None]}),
    one("0.1.0: joined", {**OLD, "annotations": ["(b", "c)"]}),
    one("0.1.0: an open group", {**OLD, "annotations": ["(b"]}),
    one("0.1.0: any of them",
        {**OLD, "annotations": ["^c$"], "cmds": ["systemd"], "hasbindmounts": True}),
    one("0.1.0: mounts false is no veto",
        {**OLD, "annotations": ["^b$"], "cmds": ["systemd"], "hasbindmounts": False}),
    one("0.1.0: arguments", {**OLD, "arguments": ["a", "b"], "hasbindmounts": True}),
    one("0.1.0: empty arguments", {**OLD, "arguments": [], "hasbindmounts": True}),
    one("0.1.0: null arguments", {**OLD, "arguments": None, "hasbindmounts": True}),
    one("0.1.0: stage", {"hook": "/bin/true", "stage": ["poststop"], "hasbindmounts": True}),
    one("0.1.0: both stages", {**OLD, "stage": ["poststop"]}),
    one("0.1.0: stage and stages null", {"hook": "/bin/true", "stages": None, "stage": ["poststop"],
                                         "hasbindmounts": True}),
    one("0.1.0: both cmds", {**OLD, "cmd": [], "cmds": []}),
    one("0.1.0: both annotations", {**OLD, "annotation": [], "annotations": []}),
    one("0.1.0: no stages", {"hook": "/bin/true"}),
    one("0.1.0: no hook", {"stages": ["prestart"]}),
    one("0.1.0: null hook", {"hook": None, "stages": ["prestart"]}),
    one("0.1.0: empty hook", {"hook": "", "stages": ["prestart"]}),
    one("0.1.0: always means nothing", {**OLD, "always": True}),
    one("0.1.0: a hook of 1.0.0", {k: v for k, v in BASE.items() if k != "version"}),
    one("0.1.0: capitals", {"Hook": "/bin/true", "STAGE": ["poststop"], "HasBindMounts": True}),
]

JSON = [
    one("capitals", {"VERSION": "1.0.0", "Hook": {"Path": "/bin/true", "TIMEOUT": 5},
                     "When": {"ALWAYS": True}, "Stages": ["poststop"]}),
    one("folded letters", raw('"when":{"always":true},"\u017ftage\u017f":["poststop"]')),
    one("kelvin", '{"version":"1.0.0","hoo\u212a":{"path":"/bin/true"},"when":{"always":true},'
                  '"stages":["poststop"]}'),
    one("unknown keys", with_(x={"y": [1, None, "z"]}, comment="", hooks=[])),
    one("unknown keys everywhere", with_(hook={**HOOK, "x": 1}, when={"always": True, "image": "a"})),
    one("the last wins", raw('"when":{"always":true},"stages":["poststart"],"stages":["poststop"]')),
    one("the last wins over spellings",
        raw('"when":{"always":true},"Stages":["poststart"],"stages":["poststop"],'
            '"Stages":["createRuntime"]')),
    one("objects are laid over", raw('"when":{"always":true},"hook":{"args":["x"]},'
                                     '"stages":["poststop"]')),
    one("conditions are laid over",
        raw('"when":{"always":true},"when":{"hasBindMounts":true},"stages":["poststop"]')),
    one("a condition is taken back",
        raw('"when":{"always":true,"always":null},"stages":["poststop"]')),
    one("maps are laid over",
        raw('"when":{"annotations":{"a":"b"},"annotations":{"b":"b"}},"stages":["poststop"]')),
    one("the last value of a key",
        raw('"when":{"annotations":{"a":"b","a":"c"}},"stages":["poststop"]')),
    one("keys of a map are told apart",
        raw('"when":{"annotations":{"a":"c","A":"x"}},"stages":["poststop"]')),
    one("null in a list that was there",
        raw('"when":{"always":true},"stages":["poststop","poststart"],"stages":[null]')),
    one("null behind a shorter list",
        raw('"when":{"always":true},"stages":["poststop","poststart"],"stages":["prestart"],'
            '"stages":[null,null]')),
    one("a list that was emptied",
        raw('"when":{"always":true},"stages":["poststop"],"stages":[],"stages":[null]')),
    one("a list that was null",
        raw('"when":{"always":true},"stages":["poststop"],"stages":null,"stages":["poststart"]')),
    one("null over objects", raw('"hook":null,"when":{"always":true},"when":null,'
                                 '"version":null,"stages":["poststop"]')),
    one("escapes", raw(r'"when":{"\u0061lways":true},"stages":["post\u0073top"]')),
    one("half a pair", hook(args=["x", "Y"])),
    one("half a pair, really",
        '{"version":"1.0.0","hook":{"path":"/bin/true","args":["x","\\ud800","\\udc00x",'
        '"\\ud83d\\ude00"]},"when":{"always":true},"stages":["poststop"]}'),
    one("a huge number elsewhere", raw('"x":18446744073709551616,"y":1e999,"when":{"always":true},'
                                       '"stages":["poststop"]')),
    one("white space", "\n\t " + json.dumps(BASE, indent=3) + "\r\n"),
    one("nothing", ""), one("a list", "[]"), one("null", "null"), one("a text", '"x"'),
    one("a number", "1"), one("an empty object", "{}"),
    one("a comma too many", '{"hook":"/bin/true","stages":["prestart"],}'),
    one("a comment", "// x\n" + json.dumps(BASE)),
    one("two values", json.dumps(BASE) + "{}"),
    one("an open text", json.dumps(BASE)[:-3]),
    one("single quotes", "{'hook':'/bin/true'}"),
    one("a tab in a text", '{"x":"\t",' + json.dumps(BASE)[1:]),
    one("a mark at the beginning", "\ufeff" + json.dumps(BASE)),
    one("01", raw('"x":01')), one("1.", raw('"x":1.')), one(".5", raw('"x":.5')),
    one("-", raw('"x":-')), one("+1", raw('"x":+1')), one("1e", raw('"x":1e')),
    one("Infinity", raw('"x":Infinity')), one("True", raw('"x":True')),
    one("a bad escape", raw('"x":"\\x"')), one("a short escape", raw('"x":"\\u12"')),
    one("a key without quotes", "{hook:1}"), one("a number as key", "{1:1}"),
]

TYPES = [
    one(f"{name} is {json.dumps(value)}", with_(**{name: value}))
    for name in ("version", "hook", "when", "stages")
    for value in (1, True, "x", [], ["x"], [1], {}, {"x": 1})
] + [
    one(f"hook.{name} is {json.dumps(value)}", hook(**{name: value}),
        only_library={"a.json": why} if why else {})
    for name, value, why in (
        ("path", 1, ""), ("path", None, ""), ("path", "", ""), ("path", ["/bin/true"], ""),
        ("args", "x", ""), ("args", [1], ""), ("args", {}, ""), ("args", None, ""), ("args", [], ""),
        ("args", ["x", None], ""), ("args", [None], "args[0] would be empty"),
        ("env", "A=b", ""), ("env", [True], ""), ("env", None, ""), ("env", [], ""),
        ("env", [None], "no variable"),
        ("timeout", "5", ""), ("timeout", 5.5, ""), ("timeout", True, ""), ("timeout", None, ""),
        ("timeout", [5], ""), ("timeout", 1, ""), ("timeout", 120, ""),
        ("timeout", 0, "runc kills such a hook at once, crun waits for ever"),
        ("timeout", -1, "a runtime kills such a hook at once"),
        ("timeout", 121, "beyond what a HookSet can say"),
        ("timeout", 10 ** 18, "beyond what a HookSet can say"), ("timeout", 10 ** 19, ""),
    )
] + [
    one(f"when.{name} is {json.dumps(value)}", when(**{name: value}))
    for name, value in (
        ("always", "true"), ("always", 1), ("always", []), ("hasBindMounts", 0),
        ("hasBindMounts", "x"), ("annotations", []), ("annotations", "x"), ("annotations", {"a": 1}),
        ("annotations", {"a": ["b"]}), ("annotations", {"a": {}}), ("commands", "sh"),
        ("commands", {}), ("commands", [1]), ("commands", [["sh"]]))
] + [
    one("timeout 5.0", raw('"hook":{"timeout":5.0}')), one("timeout 1e1", raw('"hook":{"timeout":1e1}')),
    one("timeout beyond 64 bits", raw('"hook":{"timeout":99999999999999999999}')),
    one("a later good value", raw('"when":{"always":true},"stages":[1],"stages":["poststop"]')),
]

STAGES = [
    one(f"stages {json.dumps(stages)}", with_(stages=stages))
    for stages in (
        ["prestart"], ["createRuntime"], ["createContainer"], ["startContainer"], ["poststart"],
        ["poststop"], ["poststop", "prestart"], ["prestart", "createRuntime"],
        ["poststop", "poststop", "poststop"], [], ["precreate"], ["PreStart"], ["x"], [""], [None],
        ["prestart", "x"],
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
] + [one("no stages", {k: v for k, v in BASE.items() if k != "stages"})]

LONG = "x" * 16385
HOOKS = [
    one("args and env", hook(args=["true", "--a", "", "a b", "'\"\\"], env=["A=b", "C=", "D==e f"])),
    one("braces", hook(args=["x", "{{.ID}}", "{{", "}}", "{{{{", "{{{", '{{"{{"}}'],
                       env=["A={{.Name}}", "B={{"])),
    one("line breaks", hook(args=["x", "a\nb\n", "\n", "\t", " a\n b", "a\n\n\nb", "-\n-"])),
    one("words of YAML", hook(args=["yes", "null", "~", "5", "1e3", "*a", "&a", "!a", "%a", "@a", "#a",
                                    "- a", "? a", "a: b", "[", "{", "|", ">", "---", "...", "<<"])),
    one("other letters", hook(args=["x", "\u00e9\u4e2d\U0001f433", "\u202e", "\ufeff", "\uffff"])),
    one("a program that is missing", hook(path="/none/such"),
        only_ours={"a.json": "the loader looks, and blocks the set"}),
    one("relative", hook(path="bin/true"), only_library={"a.json": "whose directory?"}),
    one("double slash", hook(path="//bin/true"), only_library={"a.json": "not normalised"}),
    one("dots", hook(path="/bin/../bin/true"), only_library={"a.json": "not normalised"}),
    one("a directory", hook(path="/bin/"), only_library={"a.json": "not normalised"}),
    one("empty args[0]", hook(args=[""]), only_library={"a.json": "no name"}),
    one("args[0] is an option", hook(args=["-a"]), only_library={"a.json": "no name"}),
    one("no =", hook(env=["A"]), only_library={"a.json": "no value"}),
    one("no name", hook(env=["=a"]), only_library={"a.json": "no name"}),
    one("a name that shells refuse", hook(env=["A-B=c"]), only_library={"a.json": "no name"}),
    one("a variable twice", hook(env=["A=1", "A=2"]), only_library={"a.json": "which one?"}),
    one("a variable of ours", hook(env=["GRAPNEL_X=1"]), only_library={"a.json": "reserved"}),
    one("a control character", hook(args=["x", "\x1b"]), only_library={"a.json": "no HookSet has it"}),
    one("a NUL byte", hook(args=["x", "\0"]), only_library={"a.json": "no argv has it"}),
    one("a long text", hook(args=["x", LONG]), only_library={"a.json": "limit"}),
    one("a text at the limit", hook(args=["x", LONG[1:]])),
    one("many args", hook(args=["x"] * 257), only_library={"a.json": "limit"}),
    one("args at the limit", hook(args=["x"] * 256)),
    one("many stages", with_(stages=["poststop"] * 65), only_library={"a.json": "limit"}),
    one("stages at the limit", with_(stages=["poststop"] * 64)),
    one("nested", '{"x":' + "[" * 70 + "]" * 70 + "," + json.dumps(BASE)[1:],
        only_library={"a.json": "limit"}),
    one("no UTF-8", b'{"x":"\xff",' + json.dumps(BASE)[1:].encode(),
        only_library={"a.json": "the library replaces it"}),
]

NAMES = [
    Case("order", [{name: hook(args=[name]) for name in
                    ("b.json", "A.json", "10-z.json", "9-a.json", "a-b.json", "B2.json", "_x.json",
                     "Zz.json", "a.b.json", "01.json")}], [PLAIN]),
    Case("masking", [{"a.json": hook(args=["low"]), "b.json": hook(args=["low-b"])},
                     {"a.json": hook(args=["high"]), "c.json": hook(args=["high-c"])}], [PLAIN]),
    Case("masking by a file that never matches",
         [{"a.json": BASE}, {"a.json": when(always=False)}], [PLAIN]),
    Case("masking by a file without stages",
         [{"a.json": BASE}, {"a.json": with_(stages=[])}], [PLAIN]),
    Case("a file that is refused masks nothing",
         [{"a.json": hook(args=["low"])}, {"a.json": "{"}], [PLAIN]),
    Case("masking tells letters apart",
         [{"A1.json": hook(args=["low"])}, {"a2.json": hook(args=["high"])}], [PLAIN]),
    Case("three directories", [{"a.json": hook(args=["1"])}, {"a.json": hook(args=["2"])},
                               {"a.json": hook(args=["3"])}], [PLAIN]),
    Case("other files", [{"a.json": BASE, "b.yaml": "x", "c.json.bak": "x", "json": "x",
                          "d.JSON": "x", ".json5": "x"}], [PLAIN]),
    Case("one stage from several", [{f"{i}.json": with_(stages=["poststop", "prestart"],
                                                        hook={**HOOK, "args": [str(i)]})
                                     for i in range(9)}], [PLAIN]),
    Case("old and new", [{"a.json": {**OLD, "cmds": ["sh"]}, "b.json": when(commands=["sh"]),
                          "c.json": {**OLD, "hasbindmounts": True}}]),
]

# Each is looked for in the values, as a command and as an annotation.
EXPRESSIONS = [
    "a", "^a", "a$", "^a$", "a.c", "a.*c", "a*?", "(a|b)c", "a|", "|a", "()", "(?:)", "[abc]", "[^a]",
    r"\d", r"\D+", r"\w+$", r"\s", r"\bword\b", r"\Bx", "(?i)ABC", "(?i:A)b", "a(?i)B", "(?s)a.b", "a.b",
    "(?m)^b$", "^b$", "(?U)a+", "a{2}", "a{2,}", "a{2,3}", "a{,3}", "a{0}", "x{1000}", "x{1001}",
    r"\Qa.c\E", r"\Qa", r"\pL", r"\p{Greek}", r"\P{L}", "[[:alpha:]]", "[[:^digit:]]+$", r"[\d\-x]",
    r"\x41", r"\x{1F433}", r"\101", r"\a|\f|\t|\n|\r|\v", r"\A", r"b\z", r"\Z", r"\C", "é", "[é-ü]", "中",
    "(?P<n>a)b", "(?<n>a)b", "(?P=n)", r"(a)\1", "(?=a)", "(?!a)", "(?<=a)b", "(?>a)", "a++", "a**", "a*+",
    "(", ")", "[", "]", "[a", "[z-a]", "*", "+a", "?", "a{1", "{", "}", "\\", r"\y", "(?i", "(?z)", "(?-)",
    "^*", "$*", r"\b+", "(a*)*", "(a|b)+$",
    "a.{0,200}b", "((a{0,5}){0,5}){0,5}", "(?i)ſ", "(?i)k", "[[:word:]]", "[[:foo:]]", r"[\w-z]",
    r"\pN{2}", "[^\\n]", "(?s).", ".", "", " ", "\\.", "/", "^/bin/.*sh$", "[a-c&&b]", "[]a]", "[^]a]",
    "a|b|c|d|e", "x*", "(?:a|(b))", "(?i)İ", "[\\x{10000}-\\x{10FFFF}]", "[\\Q]\\E]",
]
# RE2 takes linear time for any; ours may run out of its steps, which is an error and never a "no".
HOSTILE = ["(a*)*b", "(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)x", "(x+x+)+y", "^(([a-z])+.)+[A-Z]",
           "(?:x?){500}x{500}", "(.*?){20}z"]
HOSTILE_VALUES = ["a" * 30 + "!", "x" * 25, "x" * 1000, "x" * 1000 + "y", "a" * 65536, "", "b"]
VALUES = ["", "a", "b", "ab", "abc", "ABC", "aB", "aaa", "aaaa", "a.c", "axc", "a\nb", "b\n", "x\nb", "a b",
          "a word b", "x", "xx", "X", "5", "55", "é", "É", "αβγ", "中文", "🐳", "k", "\u212a", "s", "ſ", "İ",
          "/bin/bash", "/bin/sh -", "-", "]", "\\", "{", "a{,3}", "a{1", "\t", "x" * 1000,
          "a" * 40 + "!", "a" + "-" * 150 + "b"]


def expressions(name: str, make: Any, containers: list[dict]) -> Case:
    return Case(name, [{f"{i:03}.json": make(e) for i, e in enumerate(EXPRESSIONS)}], containers)


REGEX = [
    expressions("expressions for commands", lambda e: when(commands=[e]),
                [container(value) for value in VALUES]),
    expressions("expressions for values", lambda e: when(annotations={"^k$": e}),
                [container(k=value) for value in VALUES]),
    expressions("expressions for keys", lambda e: when(annotations={e: "^v$"}),
                [{"args": ["x"], "annotations": {value: "v"}, "bindMounts": False}
                 for value in VALUES]),
    expressions("expressions of 0.1.0", lambda e: {**OLD, "annotations": [e, "never-there"]},
                [container(k=value) for value in VALUES]),
]

HOSTILE_CASES = [one(f"hostile {e}", when(annotations={"^k$": e}),
                     containers=[container(k=value) for value in HOSTILE_VALUES]) for e in HOSTILE]

CASES = MATCHING + OLD_VERSION + JSON + TYPES + STAGES + HOOKS + NAMES + REGEX
