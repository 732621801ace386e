# SPDX-License-Identifier: Apache-2.0
"""The reader of HookSets and specs/hookset.schema.json agree.

TABLE holds every key of the format with values that are good and values that are not; both the
reader (grapnel check) and the schema must say so. A set that only lacks the hook runner is good.
READER_ONLY are the rules that a schema cannot say, each with its reason; SCHEMA_ONLY is the one case
where the reader takes what this version's schema cannot know.
"""
from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from conftest import ROOT

SCHEMA = json.loads((ROOT / "specs" / "hookset.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# ---- building documents ----

ABSENT = object()


def document(**changes) -> dict:
    top = {"apiVersion": "grapnel/v1beta1", "kind": "HookSet",
           "spec": {"match": {"always": True}, "hooks": {"poststop": [{"path": "/x"}]}}}
    top.update(changes)
    return {key: value for key, value in top.items() if value is not ABSENT}


def spec(**changes) -> dict:
    doc = document()
    doc["spec"].update(changes)
    doc["spec"] = {key: value for key, value in doc["spec"].items() if value is not ABSENT}
    return doc


def match(value) -> dict:
    return spec(match=value)


def leaf(name: str):
    return lambda value: match({name: value})


def hook(**keys) -> dict:
    """keys in place of or beside path: /x."""
    one = {"path": "/x", **keys}
    one = {key: value for key, value in one.items() if value is not ABSENT}
    return spec(hooks={"poststop": [one]})


def in_hook(name: str):
    return lambda value: hook(**{name: value})


def limit(name: str):
    return in_key(in_hook("limits"), name)


def in_key(build, name: str):
    return lambda value: build({name: value})


def adjust(value) -> dict:
    return spec(adjust=value)


def in_adjust(name: str):
    return in_key(adjust, name)


def in_spec(name: str):
    return lambda value: spec(**{name: value})


def resource(*names: str):
    build = in_adjust("resources")
    for name in names:
        build = in_key(build, name)
    return build


def mount(**keys) -> dict:
    one = {"destination": "/d", "source": "/s", **keys}
    return adjust({"mounts": [{key: value for key, value in one.items() if value is not ABSENT}]})


def option(value) -> dict:
    return mount(type="tmpfs", source=ABSENT, options=[value])


def device(**keys) -> dict:
    one = {"path": "/dev/d", "type": "c", "major": 1, "minor": 2, **keys}
    return adjust({"devices": [{key: value for key, value in one.items() if value is not ABSENT}]})


def rlimit(**keys) -> dict:
    one = {"type": "RLIMIT_CPU", "soft": 0, "hard": "unlimited", **keys}
    return adjust({"rlimits": [{key: value for key, value in one.items() if value is not ABSENT}]})


def in_keys(build, name: str):
    return lambda value: build(**{name: value})


def hugepages(**keys) -> dict:
    one = {"pageSize": "2MB", "limit": 0, **keys}
    return resource("hugepageLimits")([{k: v for k, v in one.items() if v is not ABSENT}])


def numbered(n: int, value) -> dict:
    return {f"a{i}": value for i in range(n)}


# What is no text, no mapping, no list, …; and texts that hold what none may.
NO_TEXT = [5, 1.5, True, None, [], ["a"], {}, {"a": "b"}]
NO_LINE = ["a\nb", "a\n", "a\tb", "a\u0001b", "a\u0085b", "a\u2028b"]
NO_BLOCK = ["a\u0001b", "a\rb", "a\u007fb", "a\u2029"]
NO_MAPPING = [5, True, None, "a", [], ["a"], {}, {"unknown": "a"}]
NO_LIST = [5, True, None, "a", {}, {"a": "b"}, []]
NO_BOOLEAN = [0, 1, None, "true", "yes", [], {}]
NO_NUMBER = ["1", 1.5, True, None, [], {}]
VALUES_GOOD = ["a", "", ["a"], {"exact": "a*"}, {"exact": ""}, {"exact": "a\nb"}, {"glob": "a*"},
               {"prefix": "a"}, {"in": ["a", "b"]}, {"notIn": ["a"]}, {"exists": True},
               {"exists": False}, ["a", {"glob": "b?"}, {"notIn": ["c"]}]]
VALUES_BAD = [5, True, None, [], {}, "a*", "?", ["a", []], [["a"]], [5], ["a*"], {"exact": 5},
              {"glob": ""}, {"glob": "a\n"}, {"glob": "a" * 1025}, {"prefix": ""}, {"prefix": ["a"]},
              {"in": []}, {"in": "a"}, {"in": ["a*"]}, {"in": [{"glob": "a*"}]}, {"notIn": [5]},
              {"exists": "true"}, {"exists": 1}, {"equals": "a"}, {"exact": "a", "glob": "b"},
              "a\u0001", {"exact": "a\u0001"}]
REGEX_GOOD = [{"regex": "a.*"}, {"regex": "a", "search": True}, {"regex": "a", "search": False},
              ["b", {"regex": "a"}]]
REGEX_BAD = [{"regex": ""}, {"regex": 5}, {"regex": "a" * 1025}, {"search": True},
             {"regex": "a", "search": "true"}, {"regex": "a", "glob": "b"}, {"regex": ["a"]},
             {"regex": "a", "search": True, "exact": "b"}, {"exact": "a", "search": True},
             {"regex": "a\tb"}]
MAP_GOOD = [{"a": "b"}, {"a": ["b", {"prefix": "c"}], "example.com/d": {"exists": True}},
            {"a" * 317: "b"}]
MAP_BAD = [5, None, "a", ["a"], {}, {"a": 5}, {"a": None}, {"a": "b*"}, {"": "a"}, {"a\n": "b"},
           {"a" * 318: "b"}, {"a": {}}]
AMOUNT_GOOD = [1, 104857600, 9223372036854775807, "100Mi", "1k", "7Ei", "3P"]
AMOUNT_BAD = [-1, 1.5, True, None, "100", "", "1.5Gi", "0Mi", "01Mi", "100mi", "100MB", "100 Mi",
              "Mi", "unlimited", [], {}, 9223372036854775808]
PATHS_BAD = ["", "a", "./a", "/", "/a/", "/a//b", "/a/./b", "/a/../b", "/..", "/a\n", "/{{.ID}}",
             "/" + "a" * 4095, 5, None, ["/a"]]
HEX64 = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
MINISIGN = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
PEM = ("-----BEGIN PUBLIC KEY-----\n"
       "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
       "-----END PUBLIC KEY-----\n")
ENV_GOOD = [["A=b"], ["A="], ["_1=c=d", "B=two\nlines"], [f"A{i}=b" for i in range(256)]]
ENV_BAD = NO_LIST + [["A"], ["=b"], ["1A=b"], ["A-B=c"], ["GRAPNEL_X=y"], [5], [["A=b"]],
                     ["A=\u0001"], [f"A{i}=b" for i in range(257)]]

# What, how a value becomes a document, good values, bad values.
TABLE = [
    ("document", lambda value: value,
     [document(), document(metadata={"name": "a.b-1"})],
     [[], "a", document(apiVersion=ABSENT), document(kind=ABSENT), document(spec=ABSENT),
      document(more=1), document(match={"always": True})]),
    ("apiVersion", lambda value: document(apiVersion=value), [],
     ["v1", "grapnel/v1", 1, None, ["grapnel/v1beta1"]]),
    ("kind", lambda value: document(kind=value), [], ["Policy", "hookset", 1, None, {}]),
    ("metadata", lambda value: document(metadata=value), [{"name": "meta"}],
     NO_MAPPING + [{"name": "meta2", "labels": {}}]),
    ("metadata.name", lambda value: document(metadata={"name": value}),
     ["a", "0", "a-b.c", "a" * 253],
     NO_TEXT + ["", "A", "a_b", "-a", "a-", "a.", ".a", "a..b", "a\n", "a" * 254]),
    ("spec", lambda value: document(spec=value), [],
     [5, None, "a", [], {}, {"match": {"always": True}}, {"hooks": {"poststop": [{"path": "/x"}]}}]),
    ("spec keys", lambda value: value,
     [spec(hooks=ABSENT, adjust={"env": {"A": "b"}}), spec(adjust={"env": {"A": "b"}})],
     [spec(match=ABSENT), spec(hooks=ABSENT), spec(unknown=1)]),
    ("minVersion", in_spec("minVersion"), ["0.1", "0.0.99999", "0.0"],
     NO_TEXT + ["", "1", "v1.2", "1.2.3.4", "0.01", "1.2-rc1", "1.2.", ".1", "0.100000", "0.1\n"]),
    ("mode", in_spec("mode"), ["Enforce", "Observe"], ["enforce", "", 1, True, None, [], {}]),
    ("failurePolicy", in_spec("failurePolicy"), ["Fail", "Ignore"], ["Deny", "fail", None, []]),
    ("onUnknown", in_spec("onUnknown"), ["Skip", "Inject", "Fail"], ["Ignore", 0, None, {}]),
    ("order", in_spec("order"), [0, 50, 100], NO_NUMBER + [-1, 101]),
    ("requestable", in_spec("requestable"), [True, False], NO_BOOLEAN),
    ("nodes", in_spec("nodes"), [{"percent": 5, "names": "a"}], NO_MAPPING),
    ("nodes.percent", in_key(in_spec("nodes"), "percent"), [0, 100], NO_NUMBER + [-1, 101]),
    ("nodes.names", in_key(in_spec("nodes"), "names"), VALUES_GOOD, VALUES_BAD),
    # match
    ("match", match, [{"always": True, "namespace": "a"}], NO_MAPPING),
    ("always", leaf("always"), [True, False], NO_BOOLEAN),
    ("all", leaf("all"), [[{"always": True}], [{"always": True}] * 1024],
     NO_LIST + [["a"], [{}], [{"unknown": 1}], [{"always": True}] * 1025]),
    ("any", leaf("any"), [[{"always": True}, {"not": {"always": True}}]], NO_LIST + [[{}], [[]]]),
    ("not", leaf("not"), [{"always": True}, {"all": [{"always": True}]}], NO_MAPPING),
    ("image", leaf("image"),
     ["nginx", "docker.io/library/nginx:1.*", "**/a", ["a", "b/**"], {"in": ["a", "b*"]},
      {"notIn": ["a"]}, ["a", {"in": ["b"]}]],
     [5, None, "", [], {}, {"exact": "a"}, {"glob": "a"}, {"prefix": "a"}, {"exists": True},
      {"regex": "a"}, {"in": []}, {"in": "a"}, ["a", []], "a\n", "a/" * 513]),
    *((name, leaf(name), VALUES_GOOD, VALUES_BAD)
      for name in ("namespace", "podName", "containerName", "runtimeHandler", "runtime", "command")),
    *((name, leaf(name), MAP_GOOD, MAP_BAD)
      for name in ("podLabels", "containerLabels", "podAnnotations", "containerAnnotations",
                   "annotations")),
    ("list of values", leaf("namespace"), [["a"] * 1024, {"in": ["a"] * 1024}],
     [["a"] * 1025, {"in": ["a"] * 1025}]),
    ("regex", leaf("namespace"), REGEX_GOOD, REGEX_BAD),
    ("args of the container", leaf("args"), VALUES_GOOD, VALUES_BAD),
    ("env of the container", leaf("env"), VALUES_GOOD, VALUES_BAD),
    ("requested", leaf("requested"), [True, False], NO_BOOLEAN + ["net"]),
    ("mounts", leaf("mounts"),
     [{"source": "/a"}, {"destination": {"prefix": "/a"}, "type": ["bind", "tmpfs"]},
      [{"source": "/a"}, {"type": "bind"}]],
     NO_MAPPING + [{"source": 5}, {"type": "a*"}, [{}], [["a"]], [{"options": "ro"}]]),
    ("anyAnnotation", leaf("anyAnnotation"),
     [{"key": "a"}, {"key": {"glob": "a*"}, "value": "b"}, [{"value": "b"}, {"key": "a"}]],
     NO_MAPPING + [{"key": 5}, {"value": "a*"}, [{}], [[]], [{"name": "a"}]]),
    # hooks
    ("hooks", in_spec("hooks"),
     [{stage: [{"path": "/x"}]} for stage in
      ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")],
     NO_MAPPING + [{"createruntime": [{"path": "/x"}]}] +
     [{stage: []} for stage in ("prestart", "createRuntime", "createContainer", "startContainer",
                                "poststart")]),
    ("stage", in_key(in_spec("hooks"), "poststop"), [[{"path": "/x"}] * 64],
     NO_LIST + [["/x"], [{}], [[]], [{"args": ["x"]}], [{"path": "/x"}] * 65]),
    ("path", in_hook("path"), ["/x", "/a/..b/.c/d e", "/" + "a" * 4094], PATHS_BAD),
    ("args", in_hook("args"),
     [["x"], ["x", "", "two\n\tlines"], ["x"] * 256, ["x", "{{.ID}}"],
      ["x", '{{annotation "k" "d"}}'], ["x", "{{.Pid}}", "{{.Bundle}}"]],
     NO_LIST + [[5], [""], ["-x"], ["x", True], ["x", None], ["x", ["y"]], ["x", "\u0001"],
                ["x"] * 257]),
    ("env", in_hook("env"), ENV_GOOD + [["A={{.PodName}}"]], ENV_BAD),
    ("timeout", in_hook("timeout"), [1, 30, 120, "1s", "120s", "99s"],
     [0, 121, -1, 1.5, True, None, [], "30", "0s", "121s", "30 s", "1m", "s", "030s", "30s\n"]),
    ("environments", in_spec("environments"),
     [{"a": {"env": ["A=b"]}, "b-1": {"env": ["A=b"]}}, {"a" * 63: {"env": ["A=b"]}},
      numbered(64, {"env": ["A=b"]})],
     [5, None, "a", [], {}, {"A": {"env": ["A=b"]}}, {"a.b": {"env": ["A=b"]}},
      {"a" * 64: {"env": ["A=b"]}}, {"-a": {"env": ["A=b"]}}, {"a": {}}, {"a": ["A=b"]},
      {"a": {"env": ["A=b"], "args": ["x"]}}, {"a\n": {"env": ["A=b"]}},
      numbered(65, {"env": ["A=b"]})]),
    ("environments.env", lambda value: spec(environments={"a": {"env": value}}), ENV_GOOD, ENV_BAD),
    # what needs the runner
    ("which program", lambda value: value,
     [hook(path=ABSENT, program="net/setup"), hook(path=ABSENT, builtin="log")],
     [hook(program="net/setup"), hook(builtin="log"), hook(unknown=1),
      hook(path=ABSENT, program="net/setup", builtin="log")]),
    ("program", lambda value: hook(path=ABSENT, program=value),
     ["a/b", "net-2/Set.up_+-1", "a/_b", "a/b.", "a/b/c", "a" + "/b" * 8, "a" * 63 + "/b", "a/" + "b" * 255],
     NO_TEXT + ["", "a", "a/", "/b", "A/b", "a.b/c", "a/.b", "a/..", "a/b/..", "a//b", "a/b/", "a/b\n", "a/-b",
                "a/{{.ID}}", "a" * 64 + "/b", "a/" + "b" * 256, "a" + "/b" * 9]),
    ("builtin", lambda value: hook(path=ABSENT, builtin=value),
     ["log", "dump", "netdev", "notify"], ["Log", "", 5, None, ["log"]]),
    ("onFailure", in_hook("onFailure"), ["Fail", "Ignore"], ["fail", True, None, []]),
    ("retry", in_hook("retry"), [{"attempts": 3, "backoff": 1, "on": {"timeout": True}}],
     NO_MAPPING + [{"backoff": 1}, {"attempts": 3, "times": 3}]),
    ("retry.attempts", in_key(in_hook("retry"), "attempts"), [1, 10], NO_NUMBER + [0, 11, -1]),
    ("retry.backoff", lambda value: hook(retry={"attempts": 2, "backoff": value}),
     [0, 60, "0s", "60s", "9s"], [-1, 61, "61s", "1m", "1", "00s", True, None, []]),
    ("retry.on", lambda value: hook(retry={"attempts": 2, "on": value}),
     [{"signals": True, "timeout": False, "exitCodes": [1]}], NO_MAPPING),
    ("retry.on.exitCodes", lambda value: hook(retry={"attempts": 2, "on": {"exitCodes": value}}),
     [[1], [75, 255], list(range(1, 256))],
     NO_LIST + [[0], [256], ["1"], [1, 1], [True], [-1]]),
    ("retry.on.signals", lambda value: hook(retry={"attempts": 2, "on": {"signals": value}}),
     [True, False], NO_BOOLEAN),
    ("retry.on.timeout", lambda value: hook(retry={"attempts": 2, "on": {"timeout": value}}),
     [True, False], NO_BOOLEAN),
    ("retry.on.stderr", lambda value: hook(retry={"attempts": 2, "on": {"stderr": value}}),
     [{"regex": "timed out"}, {"regex": "a" * 1000}],
     NO_MAPPING + [{"regex": ""}, {"regex": 5}, {"regex": "a" * 1025}, {"regex": "a\n"},
                   {"regex": "a", "search": True}]),
    ("limits", in_hook("limits"), [{"memory": "100Mi", "nice": 10}], NO_MAPPING),
    ("limits.cpuTime", limit("cpuTime"), [1, 3600, "1s", "3600s", "999s", "2999s", "3599s"],
     [0, 3601, "0s", "3601s", "1m", "30", True, None]),
    ("limits.memory", limit("memory"), AMOUNT_GOOD, AMOUNT_BAD + [0]),
    ("limits.addressSpace", limit("addressSpace"), AMOUNT_GOOD, AMOUNT_BAD + [0]),
    ("limits.fileSize", limit("fileSize"), AMOUNT_GOOD + [0], AMOUNT_BAD + [False]),
    ("limits.openFiles", limit("openFiles"), [8, 1048576], NO_NUMBER + [7, 1048577, "8k"]),
    ("limits.processes", limit("processes"), [1, 4194304], NO_NUMBER + [0, 4194305]),
    ("limits.nice", limit("nice"), [-20, 0, 19], NO_NUMBER + [-21, 20]),
    ("limits.ionice", limit("ionice"), ["idle", "best-effort", "realtime"],
     ["Idle", "none", 3, None, []]),
    ("verify", in_hook("verify"), [{"sha256": [HEX64]}],
     NO_MAPPING + [{"sha256": [HEX64], "minisign": {"publicKey": MINISIGN}}]),
    ("verify.sha256", in_key(in_hook("verify"), "sha256"), [[HEX64], [HEX64] * 16],
     NO_LIST + [HEX64, [HEX64[1:]], [HEX64 + "0"], ["g" + HEX64[1:]], ["sha256:" + HEX64], [5],
                [HEX64 + "\n"], [HEX64] * 17]),
    ("verify.minisign", in_key(in_hook("verify"), "minisign"), [{"publicKey": MINISIGN}],
     NO_MAPPING + [MINISIGN, {"publicKey": 5}, {"publicKey": MINISIGN + "A"},
                   {"publicKey": MINISIGN[:-1] + "="}, {"publicKey": "RWA" + MINISIGN[3:]},
                   {"publicKey": "XX" + MINISIGN[2:]}, {"publicKey": MINISIGN + "\n"}]),
    ("verify.ed25519", in_key(in_hook("verify"), "ed25519"),
     [{"pem": PEM}, {"pem": PEM.rstrip("\n")}],
     NO_MAPPING + [{"pem": "a"}, {"pem": PEM + "\n"}, {"pem": PEM.replace("PUBLIC", "PRIVATE")},
                   {"pem": PEM.replace("VwAyEA", "VuAyEA")}, {"pem": PEM.replace("uE=", "uF=")},
                   {"pem": PEM.replace("uE=", "uEA")}, {"pem": PEM.replace("\n", "\r\n")},
                   {"pem": 5}]),
    ("capture", in_hook("capture"), [{"output": True}, {"output": False, "state": True}],
     NO_MAPPING + [{"output": "true"}, {"state": 1}]),
    ("user", in_hook("user"), [{"uid": 0, "gid": 4294967294}],
     NO_MAPPING + [{"uid": 0}, {"gid": 0}, {"uid": -1, "gid": 0}, {"uid": 0, "gid": 4294967295},
                   {"uid": "0", "gid": 0}, {"uid": 0, "gid": 0, "groups": [1]}]),
    ("cwd", in_hook("cwd"), ["/", "/tmp", "/a/b"], [path for path in PATHS_BAD if path != "/"]),
    ("umask", in_hook("umask"), ["0077", "022", "777"],
     [77, 0, None, "", "77", "0078", "1077", "00077", "077\n", []]),
    ("killGrace", in_hook("killGrace"), [0, 60, "2s"], [-1, 61, "61s", "2", True, None]),
    ("background", in_hook("background"), ["Keep", "Kill"], ["keep", None, True]),
    ("mountProgram", in_hook("mountProgram"), [False], [True, "false", None, 0]),
    ("mountProgram of startContainer",
     lambda value: spec(hooks={"startContainer": [{"path": "/x", "mountProgram": value}]}),
     [True, False], NO_BOOLEAN),
    ("breaker", in_spec("breaker"),
     [{"failures": 1, "window": 1}, {"failures": 1000, "window": "86400s"},
      *({"failures": 5, "window": window} for window in ("60s", "79999s", "85999s", "86399s"))],
     NO_MAPPING + [{"failures": 5}, {"window": 60}, {"failures": 0, "window": 1},
                   {"failures": 1001, "window": 1}, {"failures": 5, "window": 0},
                   {"failures": 5, "window": 86401}, {"failures": 5, "window": "86401s"},
                   {"failures": "5", "window": 60}]),
    # adjust
    ("adjust", adjust, [{"env": {"A": "b"}, "cdiDevices": ["a/b=c"]}], NO_MAPPING),
    ("adjust.env", in_adjust("env"),
     [{"A": "b", "_x.y-1": "", ".c": "two\nlines"}, {"a" * 317: ""}, numbered(256, "b")],
     [5, None, "a", [], ["A=b"], {}, {"": "b"}, {"-A": "b"}, {"1A": "b"}, {"A=": "b"}, {"A b": "c"},
      {"A\n": "b"}, {"GRAPNEL_A": "b"}, {"A": 5}, {"A": None}, {"A": ["b"]}, {"A": "{{.ID}}"},
      {"A": "\u0001"}, {"a" * 318: ""}, numbered(257, "b")]),
    ("adjust.annotations", in_adjust("annotations"),
     [{"a": "b", "example.com/A_b.c-1": "", "io.kubernetes.cri-o.TTY": "x"}, {"a" * 63: "two\n"},
      {"a" * 253 + "/" + "b" * 63: "c"}, numbered(256, "b")],
     [5, None, "a", [], {}, {"-a": "b"}, {"a-": "b"}, {"a/": "b"}, {"/a": "b"}, {"a/b/c": "d"},
      {"A.b/c": "d"}, {"a..b/c": "d"}, {"a b": "c"}, {"a" * 64: "b"}, {"a" * 254 + "/b": "c"},
      {"a": 5}, {"a": "{{"}, {"a": "\u0001"}, {"io.kubernetes.cri.image-name": "a"},
      {"io.kubernetes.cri-o.ImageName": "a"}, {"a\n": "b"}, numbered(257, "b")]),
    ("adjust.mounts", in_adjust("mounts"),
     [[{"destination": f"/d{i}", "source": "/s"} for i in range(256)]],
     NO_LIST + [["/a"], [{}], [[]],
                [{"destination": f"/d{i}", "source": "/s"} for i in range(257)]]),
    ("mounts, keys together", lambda value: value,
     [mount(), mount(type="bind"), mount(source="/"), mount(type="none", options=["bind", "ro"]),
      mount(type="tmpfs", source=ABSENT), mount(type="tmpfs", source="tmpfs"),
      mount(options=["rbind", "ro"]), mount(type="proc", source="proc", options=["ro"])],
     [mount(destination=ABSENT), mount(source=ABSENT), mount(source=ABSENT, type="bind"),
      mount(source="a"), mount(source="../a"), mount(source="/a/"), mount(type="none"),
      mount(type="none", options=["ro"]), mount(type="none", source="a", options=["rbind"]),
      mount(type="ext4", options=["bind"]), mount(source="tmpfs"), mount(unknown="a")]),
    ("mounts.destination", in_keys(mount, "destination"), ["/d", "/a/b"], PATHS_BAD + ["-/d"]),
    ("mounts.source", in_keys(mount, "source"), ["/", "/s", "/" + "a" * 4094],
     [path for path in PATHS_BAD if path != "/"]),
    ("mounts.type", lambda value: mount(type=value, options=ABSENT),
     ["bind", "tmpfs", "fuse.sshfs", "9p", "nfs4", "a" * 255],
     NO_TEXT + ["", "Bind", "a/b", "-a", "a.", "a b", "a\n", "a" * 256]),
    ("mounts.options", lambda value: mount(type="tmpfs", source=ABSENT, options=value),
     [["ro"], [f"a{i}" for i in range(64)]],
     NO_LIST + [[5], [["ro"]], ["ro", "ro"], ["ro", "rw"], [f"a{i}" for i in range(65)]]),
    ("bind and rbind", in_keys(mount, "options"), [["bind"], ["ro", "rbind"], ["ro"]],
     [["bind", "rbind"], ["rbind", "ro", "bind"]]),
    ("mount option", option,
     ["ro", "size=64m", "mode=1777", "lowerdir=/a:/..b/c", "upperdir=/a", "workdir=/a", "a b"],
     ["", "-ro", "ro,rw", "remount", "move", "lowerdir", "lowerdir=", "lowerdir=a", "lowerdir=/a:b",
      "lowerdir=/a:", "upperdir=../a", "upperdir=/a/../b", "workdir=/a/", "workdir=/", "a={{.ID}}",
      "a\n", "a\tb"]),
    ("adjust.devices", in_adjust("devices"),
     [[{"path": f"/d{i}", "type": "p"} for i in range(256)]],
     NO_LIST + [["/dev/fuse"], [{}], [{"path": f"/d{i}", "type": "p"} for i in range(257)]]),
    ("devices, keys together", lambda value: value,
     [device(), device(type="p", major=ABSENT, minor=ABSENT), device(type="b"), device(type="u"),
      device(fileMode="0660", uid=0, gid=0)],
     [device(path=ABSENT), device(type=ABSENT), device(major=ABSENT), device(minor=ABSENT),
      device(type="p"), device(type="p", major=ABSENT), device(access="rwm")]),
    ("devices.path", in_keys(device, "path"), ["/dev/fuse"], PATHS_BAD + ["-/dev/fuse"]),
    ("devices.type", in_keys(device, "type"), ["c", "b", "u"], ["a", "char", "", 5, None, []]),
    ("devices.major", in_keys(device, "major"), [0, 4095], NO_NUMBER + [-1, 4096]),
    ("devices.minor", in_keys(device, "minor"), [0, 1048575], NO_NUMBER + [-1, 1048576]),
    ("devices.fileMode", in_keys(device, "fileMode"), ["0660", "600"],
     [432, 0, None, "", "66", "0668", "4755", "660\n", []]),
    ("devices.uid", in_keys(device, "uid"), [0, 4294967294], NO_NUMBER + [-1, 4294967295]),
    ("devices.gid", in_keys(device, "gid"), [0, 4294967294], NO_NUMBER + [-1, 4294967295]),
    ("adjust.cdiDevices", in_adjust("cdiDevices"),
     [["vendor.com/gpu=0"], ["A/b.c_d-e=Gpu:0.1"], ["a/b=" + "0" * 251],
      [f"a/b={i}" for i in range(256)]],
     NO_LIST + [["gpu"], ["a/b"], ["a=b"], ["a/b="], ["1a/b=c"], ["a/1=c"], ["a./b=c"], ["a/b/c=d"],
                ["a/b=c=d"], ["-a/b=c"], ["a/b=c", "a/b=c"], [5], ["a/b={{.ID}}"], ["a/b=c\n"],
                ["a/b=" + "0" * 252], [f"a/b={i}" for i in range(257)]]),
    ("adjust.rlimits", in_adjust("rlimits"),
     [[{"type": "RLIMIT_CPU", "soft": 1, "hard": 2}, {"type": "RLIMIT_AS", "soft": 1, "hard": 2}]],
     NO_LIST + [["RLIMIT_CPU"], [{}], {"RLIMIT_CPU": 1}]),
    ("rlimits, keys together", lambda value: value, [rlimit(soft=1, hard=1)],
     [rlimit(type=ABSENT), rlimit(soft=ABSENT), rlimit(hard=ABSENT), rlimit(max=1)]),
    ("rlimits.type", in_keys(rlimit, "type"),
     [f"RLIMIT_{name}" for name in
      "AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING "
      "STACK".split()],
     ["nofile", "RLIMIT_nofile", "RLIMIT_X", "", 5, None, []]),
    ("rlimits.hard", in_keys(rlimit, "hard"),
     [0, 18446744073709551615, "1k", "64Mi", "unlimited", -1],
     [-2, 18446744073709551616, 1.5, "1", "infinity", "Unlimited", True, None, []]),
    ("rlimits.soft", in_keys(rlimit, "soft"), [0, 1, "1k", "unlimited", -1],
     [-2, "1", "-1", True, None, []]),
    ("adjust.resources", in_adjust("resources"), [{"rdtClass": "a", "pids": {"limit": 1}}],
     NO_MAPPING + [{"devices": []}]),
    ("memory", resource("memory"), [{"limit": 1, "reservation": 1, "swap": 2}],
     NO_MAPPING + ["1Gi", {"kernel": 1}]),
    *((f"memory.{name}", resource("memory", name), AMOUNT_GOOD + ["unlimited", -1],
       [bad for bad in AMOUNT_BAD if bad not in ("unlimited", -1)] + [0, -2, "-1"])
      for name in ("limit", "reservation", "swap")),
    ("cpu", resource("cpu"), [{"shares": 2, "cpus": "0"}], NO_MAPPING + [{"realtimePeriod": 1}]),
    ("cpu.shares", resource("cpu", "shares"), [2, 262144], NO_NUMBER + [0, 1, 262145, -1]),
    ("cpu.quota", resource("cpu", "quota"), [1000, 17592186044415, -1, "unlimited", "50k"],
     NO_NUMBER + [0, 999, -2, 17592186044416]),
    ("cpu.period", resource("cpu", "period"), [1000, 1000000], NO_NUMBER + [999, 1000001, -1]),
    *((f"cpu.{name}", resource("cpu", name), ["0", "0-3,7", "1,1", "99999", "0-99999"],
       NO_TEXT + ["", "a", "1,", ",1", "-1", "1-", "01", "0-3:2", "0 1", "100000", "1\n"])
      for name in ("cpus", "mems")),
    ("pids", resource("pids"), [{"limit": 5}], NO_MAPPING + [{"limit": 5, "max": 5}]),
    ("pids.limit", resource("pids", "limit"), [1, 4194304, -1, "unlimited", "4k"],
     NO_NUMBER + [0, -2, 4194305]),
    ("hugepageLimits", resource("hugepageLimits"),
     [[{"pageSize": "2MB", "limit": 1}, {"pageSize": "1GB", "limit": 1}]],
     NO_LIST + [["2MB"], [{}], {"2MB": 1}]),
    ("hugepageLimits, keys together", lambda value: value, [hugepages()],
     [hugepages(pageSize=ABSENT), hugepages(limit=ABSENT), hugepages(max=1)]),
    ("hugepageLimits.pageSize", in_keys(hugepages, "pageSize"), ["64KB", "2MB", "512MB", "1GB"],
     NO_TEXT + ["", "2", "2M", "2Mi", "3MB", "2048KB", "02MB", "2mb", "2TB", "0MB", "2MB\n"]),
    ("hugepageLimits.limit", in_keys(hugepages, "limit"), AMOUNT_GOOD + [0], AMOUNT_BAD),
    *((name, resource(name), ["a", "gold-1", "A_b.c", "a" * 255],
       NO_TEXT + ["", "a/b", "..", "-a", "a-", "a b", "a\n", "{{.ID}}", "a" * 256])
      for name in ("blockioClass", "rdtClass")),
    ("unified", resource("unified"),
     [{"memory.high": "1", "io.max": "8:0 rbps=1", "hugetlb.2MB.max": "max"}, {"a." + "b" * 253: "c"},
      {f"a.b{i}": "c" for i in range(256)}],
     [5, None, "a", [], {}, {"memory": "1"}, {"memory.high": 1}, {"memory.high": ""},
      {"memory.high": "a\nb"}, {"memory.high": "{{"}, {"../memory.high": "1"}, {"a..b": "1"},
      {"Memory.high": "1"}, {"memory.": "1"}, {".high": "1"}, {"a/b.c": "1"}, {"cgroup.procs": "1"},
      {"-a.b": "1"}, {"a.b\n": "1"}, {"a." + "b" * 254: "c"},
      {f"a.b{i}": "c" for i in range(257)}]),
]


def rows() -> dict[str, tuple[object, bool]]:
    """By the name of a file: the document and whether it is good."""
    found = {}
    for number, (what, build, good, bad) in enumerate(TABLE):
        slug = re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")
        for kind, values in (("good", good), ("bad", bad)):
            for i, value in enumerate(values):
                found[f"{number:03}-{slug}-{kind}-{i}"] = (build(copy.deepcopy(value)),
                                                           kind == "good")
    return found


ROWS = rows()

# ---- what only the reader can say ----

# Documents that the schema takes.
READER_ONLY = {
    "texts of one kind that differ only in a part must not be twice; a schema compares whole values":
    [hook(env=["A=b", "A=c"]), spec(environments={"a": {"env": ["A=b", "A=c"]}}),
     adjust({"mounts": [{"destination": "/d", "source": "/a"},
                        {"destination": "/d", "source": "/b"}]}),
     adjust({"devices": [{"path": "/d", "type": "p"}, {"path": "/d", "type": "c", "major": 1,
                                                         "minor": 1}]}),
     adjust({"rlimits": [{"type": "RLIMIT_CPU", "soft": 1, "hard": 2},
                         {"type": "RLIMIT_CPU", "soft": 1, "hard": 3}]}),
     resource("hugepageLimits")([{"pageSize": "2MB", "limit": 1}, {"pageSize": "2MB", "limit": 2}])],
    "a schema does not compare numbers with each other":
    [rlimit(soft=2, hard=1), resource("memory")({"limit": 2, "swap": 1}),
     resource("memory")({"limit": 1, "reservation": 2}), resource("cpu", "cpus")("3-1")],
    "a schema does not know the size of a number with a unit":
    [limit("memory")("8Ei"), resource("pids", "limit")("5M"), resource("cpu", "quota")("20T"),
     rlimit(hard="99Ei")],
    "a schema counts characters, the reader bytes":
    [leaf("namespace")({"glob": "ä" * 1000}), hook(path="/" + "ä" * 4000)],
    "a schema cannot read a template, nor tell who chooses its value":
    [hook(args=["x", "{{.Nme}}"]), hook(args=["x", "{{.ID"]), hook(args=["x", "{{annotation}}"]),
     hook(args=["x", "a\n{{.ID}}"]), hook(env=["A{{.ID}}=b", "A=b"][1:] + ["PATH={{.PodName}}"]),
     hook(path="/bin/sh", args=["sh", "-c", "{{.PodName}}"]),
     hook(path="/usr/bin/python3", args=["python3", "{{.PodName}}"])],
    "a schema cannot read an image's name":
    [leaf("image")("Nginx"), leaf("image")("a//b"), leaf("image")({"in": ["UPPER"]})],
}

# The same, where it takes the rules of the whole format to see that the schema is right.
READER_ONLY_REGEX = [leaf("namespace")({"regex": "("}), leaf("namespace")({"regex": "(?=a)"}),
                     hook(retry={"attempts": 2, "on": {"stderr": {"regex": "["}}})]

HEAD = "apiVersion: grapnel/v1beta1\nkind: HookSet\n"
TAIL = "  match: {always: true}\n  hooks: {poststop: [{path: /x}]}\n"

# Texts: what a schema never sees, since loading YAML has lost it.
READER_ONLY_TEXTS = {
    "a key twice": HEAD + "spec:\n  order: 1\n  order: 2\n" + TAIL,
    "an anchor": HEAD + "spec:\n  mode: &a Enforce\n" + TAIL,
    "an alias": HEAD + "spec:\n  mode: *a\n" + TAIL,
    "a tag": HEAD + "spec:\n  mode: !!str Enforce\n" + TAIL,
    "a merge key": HEAD + "spec:\n  <<: {order: 1}\n" + TAIL,
    "a number with a leading zero": HEAD + "spec:\n  order: 010\n" + TAIL,
    "a number with an underscore": HEAD + "spec:\n  order: 1_0\n" + TAIL,
    "a number in hexadecimal": HEAD + "spec:\n  order: 0x10\n" + TAIL,
    "a number with a point": HEAD + "spec:\n  order: 5.0\n" + TAIL,
    "a number with a plus": HEAD + "spec:\n  order: +5\n" + TAIL,
    "a boolean of YAML 1.1": HEAD + "spec:\n  requestable: yes\n" + TAIL,
    "a key that is a boolean": HEAD + "spec:\n  adjust: {env: {on: a}}\n" + TAIL,
    "rights that are a number": HEAD + "spec:\n  adjust: {devices: [{path: /d, type: p, fileMode: "
                                       "0660}]}\n" + TAIL,
    "a name twice in one file": HEAD + "metadata: {name: twice}\nspec:\n" + TAIL + "---\n" + HEAD +
                                "metadata: {name: twice}\nspec:\n" + TAIL,
    "a template beyond quotes": HEAD + "spec:\n  match: {always: true}\n  hooks: {poststop: [{path: "
                                       "/x, args: [x, {{.ID}}]}]}\n",
}

# A set for a later version is for that version's schema: the reader warns and blocks it.
SCHEMA_ONLY = [spec(minVersion="99999.0", colour="red"), spec(minVersion="99999.0", match=ABSENT),
               spec(minVersion="99999.0", mode="Audit", hooks=ABSENT)]


def findings(grapnel: str, folder: Path) -> dict[str, list[dict]]:
    """All findings by the stem of their file."""
    folder.chmod(0o755)
    done = subprocess.run([grapnel, "check", "--no-host", "-o", "json", str(folder)],
                          capture_output=True, text=True, check=False, timeout=120,
                          stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, list[dict]] = {path.stem: [] for path in folder.iterdir()}
    for finding in json.loads(done.stdout):
        found[Path(finding["file"]).stem].append(finding)
    return found


def errors(found: list[dict]) -> list[dict]:
    """Without those of a set that is right but needs the hook runner."""
    return [finding for finding in found
            if finding["level"] == "error" and finding["code"] != "needs-runner"]


def write(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    path.chmod(0o644)


@pytest.fixture(scope="module")
def read(grapnel: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    """What the reader says of every row, from one run."""
    folder = tmp_path_factory.mktemp("schema")
    for name, (doc, _) in ROWS.items():
        write(folder, name, json.dumps(doc))
    return findings(grapnel, folder)


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str, read: dict[str, list[dict]]):
    doc, good = ROWS[name]
    by_schema = [error.message for error in VALIDATOR.iter_errors(doc)]
    by_reader = [f'{error["code"]}: {error["text"]}' for error in errors(read[name])]
    assert (not by_schema, not by_reader) == (good, good), (doc, by_schema, by_reader)


def names(value, wanted: set[str]) -> set[str]:
    if isinstance(value, list):
        return set().union(*(names(item, wanted) for item in value))
    if isinstance(value, dict):
        return (value.keys() & wanted).union(*(names(item, wanted) for item in value.values()))
    return set()


def properties(schema) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(properties, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties", {}).keys()
    return set(own).union(*(properties(value) for value in schema.values()))


def test_every_key_has_rows():
    keys = properties(SCHEMA)
    for good in (True, False):
        used = set().union(*(names(doc, keys) for doc, kind in ROWS.values() if kind == good))
        assert used == keys, keys - used
    assert len(ROWS) >= 200


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("reason", READER_ONLY)
def test_reader_only(reason: str, grapnel: str, tmp_path: Path):
    for i, doc in enumerate(READER_ONLY[reason]):
        assert VALIDATOR.is_valid(doc), doc
        write(tmp_path, f"row-{i}", json.dumps(doc, ensure_ascii=False))
    for name, found in findings(grapnel, tmp_path).items():
        assert errors(found), READER_ONLY[reason][int(name.removeprefix("row-"))]


def test_reader_only_regex(grapnel: str, tmp_path: Path):
    for i, doc in enumerate(READER_ONLY_REGEX):
        assert VALIDATOR.is_valid(doc), doc
        write(tmp_path, f"row-{i}", json.dumps(doc))
    for found in findings(grapnel, tmp_path).values():
        assert [error["code"] for error in errors(found)] == ["bad-regex"]


def test_reader_only_texts(grapnel: str, tmp_path: Path):
    for name, text in READER_ONLY_TEXTS.items():
        write(tmp_path, name.replace(" ", "-").lower(), text)
    for name, found in findings(grapnel, tmp_path).items():
        assert errors(found), name


def test_schema_only(grapnel: str, tmp_path: Path):
    for i, doc in enumerate(SCHEMA_ONLY):
        assert not VALIDATOR.is_valid(doc), doc
        write(tmp_path, f"row-{i}", json.dumps(doc))
    for found in findings(grapnel, tmp_path).values():
        assert [(finding["level"], finding["code"]) for finding in found] == [("warning", "too-new")]
