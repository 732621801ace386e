# SPDX-License-Identifier: Apache-2.0
"""Every example: what its suite expects, which hooks its pods get, and that they run as runc runs
them, in containers that are adjusted as the rule says.

GRAPNEL_UPDATE=1 writes expected.json anew; look at the difference before it is committed.
"""
from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import EXAMPLES, ROOT, STAGES, Node, need_containers

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)

# What runc puts into the state, by stage.
STATUS = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
          "poststart": "created", "poststop": "stopped"}

# What check warns of, where the example is about it.
WARNINGS = {"11-ldconfig": ["lint-image-program"]}

# Those whose hooks run inside a real container only, or that have none.
NOTHING_OUTSIDE = ["11-ldconfig", "19-dependency-check", "21-cgroup"]

# Those whose programs write to a file and say nothing.
SILENT = ["23-quick-start"]


def run(grapnel: str, *args: object) -> subprocess.CompletedProcess:
    return subprocess.run([grapnel, *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=60, stdin=subprocess.DEVNULL)


def named(name: str) -> Path:
    return next(path for path in EXAMPLES if path.name == name)


# ---- without a runtime ----

def test_there_are_examples():
    assert len(EXAMPLES) == 23
    assert [path.name[:2] for path in EXAMPLES] == [f"{i:02}" for i in range(1, 24)]


@each_example
def test_check(grapnel: str, example: Path):
    done = run(grapnel, "check", "--no-host", "--strict", "-o", "json", example / "rule.yaml")
    codes = [finding["code"] for finding in json.loads(done.stdout) if finding["level"] != "info"]
    assert codes == WARNINGS.get(example.name, [])
    assert done.returncode == (3 if codes else 0)


@each_example
def test_suite(grapnel: str, example: Path):
    """All cases pass, each set matches in one, each condition holds in one and fails in another."""
    done = run(grapnel, "test", "--fail-uncovered", "-o", "json", example / "tests.yaml")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert found["passed"] >= 2 and found["failed"] == 0
    for suite in found["suites"]:
        assert suite["coverage"]["uncovered"] == []


def test_suites_together(grapnel: str):
    done = run(grapnel, "test", "--fail-uncovered", *(path / "tests.yaml" for path in EXAMPLES))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "FAIL" not in done.stdout


def test_suites_notice(grapnel: str, tmp_path: Path):
    """A rule that matches less than it did fails its suite."""
    shutil.copy(named("05-audit") / "tests.yaml", tmp_path)
    text = (named("05-audit") / "rule.yaml").read_text()
    (tmp_path / "rule.yaml").write_text(text.replace("{tier: backend}", "{tier: backends}"))
    assert run(grapnel, "test", tmp_path / "tests.yaml").returncode == 1


@each_example
def test_expected(node: Node, example: Path):
    node.install(example)
    done = node.run("-o", "json", example / "pods.yaml")
    expected = example / "expected.json"
    found = node.normal(done.stdout)
    if os.environ.get("GRAPNEL_UPDATE"):
        expected.write_text(found)
    assert json.loads(found) == json.loads(expected.read_text()), done.stderr
    refused = any(container["refused"] for container in json.loads(found)["containers"])
    assert done.returncode == int(refused)


def test_expected_shows_both():
    """Some container of each example is changed or refused, and some is not."""
    for example in EXAMPLES:
        containers = json.loads((example / "expected.json").read_text())["containers"]
        changed = [bool(container["refused"] or container["hooks"] or "adjust" in container)
                   for container in containers]
        assert True in changed and (False in changed or example.name in REFUSES), example.name


REFUSES = ["06-pinned", "07-requested"]  # in place of a container that is left alone


# ---- hooks outside of a container ----

@each_example
def test_programs_succeed(node: Node, example: Path):
    node.install(example)
    done = node.run("--run-hooks", "-o", "json", example / "pods.yaml")
    result = json.loads(done.stdout)
    assert result["ranBy"] == "grapnel"
    runs = [run for container in result["containers"] for run in container.get("runs", [])]
    assert bool(runs) == (example.name not in NOTHING_OUTSIDE)
    for one in runs:
        assert one["exitCode"] == 0, one
        assert bool(one["output"]) == (example.name not in SILENT), one


def flat(container: dict) -> list[tuple[str, dict]]:
    """The hooks of a container, in the order of the stages; without those that run inside of it,
    whose output is not seen."""
    return [(stage, hook) for stage in STAGES if stage != "startContainer"
            for hook in container["hooks"].get(stage, [])]


def facts(run: dict) -> dict:
    """What PROBE printed."""
    found = json.loads("".join(run["output"]))
    found["state"] = json.loads(found["state"])
    return found


def check_run(container: dict, stage: str, hook: dict, run: dict, real: bool):
    found = facts(run)
    state = found["state"]
    assert (run["stage"], run["path"]) == (stage, hook["path"])
    assert found["env"] == hook["env"]
    assert found["args"] == hook.get("args", [""])[1:]
    assert found["cwd"] == state["bundle"] + ("/rootfs" if stage == "createContainer" else "")
    assert list(state) == [key for key in ("ociVersion", "id", "status", "pid", "bundle",
                                           "annotations") if key in state]
    assert state["id"] == container["id"]
    assert state["status"] == STATUS[stage]
    assert state["annotations"]["io.kubernetes.cri.image-name"] == container["image"]
    assert state["annotations"]["io.kubernetes.cri.sandbox-name"] == container["pod"]
    if stage == "poststop":
        assert "pid" not in state
    elif stage == "createContainer" and real:
        assert state["pid"] == 1  # inside the container
    else:
        assert state["pid"] > 1


def check_all(result: dict, real: bool) -> int:
    ran = 0
    for container in result["containers"]:
        if container["refused"]:
            assert "runs" not in container
            continue
        hooks = flat(container)
        assert len(container["runs"]) == len(hooks)
        assert "failure" not in container, container
        for (stage, hook), run in zip(hooks, container["runs"]):
            check_run(container, stage, hook, run, real)
            ran += 1
    return ran


@each_example
def test_embedded(node: Node, example: Path):
    node.install(example, probe=True)
    done = node.run("--run-hooks", "-o", "json", example / "pods.yaml")
    ran = check_all(json.loads(done.stdout), real=False)
    assert bool(ran) == (example.name not in NOTHING_OUTSIDE)


# ---- in real containers ----

# Takes runc's place: the container's own process writes down what it sees, in a file of its id.
WITNESS = r"""#!/usr/bin/python3 -IS
import json, os, sys
arguments = sys.argv[1:]
if "--bundle" in arguments:
    path = arguments[arguments.index("--bundle") + 1] + "/config.json"
    config = json.load(open(path))
    config["process"]["args"] = ["/usr/bin/python3", "-ISc", @SEES@]
    json.dump(config, open(path, "w"))
    os.dup2(os.open(@OUT@ + "/" + arguments[-1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
os.execv(@RUNC@, ["runc", *arguments])
"""
SEES = r"""
import json, os, resource
mounts = {}
for line in open("/proc/self/mountinfo"):
    fields = line.split()
    mounts[fields[4]] = {"options": fields[5].split(","), "file": list(os.stat(fields[4])[1:3])}
files = {}
for path in ("/etc/ld.so.cache", "/etc/resolv.conf", "/proc/meminfo", "/tmp/app.conf", "/tmp/ran",
             "/datasets/imagenet/LICENSE"):
    if os.path.isfile(path):
        files[path] = open(path, "rb").read().decode("latin1")
print(json.dumps({"env": open("/proc/self/environ").read().rstrip("\0").split("\0"),
                  "mounts": mounts, "files": files, "devices": os.listdir("/dev"),
                  "rlimits": {name: resource.getrlimit(getattr(resource, name))
                              for name in dir(resource) if name.startswith("RLIMIT_")}}))
"""


class Real:
    """An example in containers that runc makes."""

    def __init__(self, node: Node, example: Path):
        self.runc = need_containers(node.program)
        self.node, self.pods = node, example / "pods.yaml"
        self.out = node.home / "seen"
        self.out.mkdir()
        self.runtime = node.home / "witness"
        self.runtime.write_text(WITNESS.replace("@SEES@", repr(SEES)).replace(
            "@OUT@", repr(str(self.out))).replace("@RUNC@", repr(self.runc)))
        self.runtime.chmod(0o755)

    def result(self, prefix: tuple[str, ...] = ()) -> dict:
        done = self.node.run("--runtime", self.runtime, "-o", "json", self.pods, prefix=prefix)
        result = json.loads(done.stdout)
        assert result["ranBy"].startswith("runc version"), result
        failed = any(container["refused"] or "failure" in container
                     for container in result["containers"])
        assert done.returncode == int(failed)
        return result

    def text(self) -> str:
        return self.node.run("--runtime", self.runtime, self.pods).stdout

    def seen(self, container: dict) -> dict | None:
        """What the container's process saw; None: it was not started."""
        path = self.out / container["id"]
        return json.loads(path.read_text()) if path.exists() and path.read_text() else None


def check_adjusted(container: dict, seen: dict):
    """That what the plugin asked for is there, and belongs to the right file of the host."""
    adjust = container["adjust"]
    assert {f"{key}={value}" for key, value in adjust.get("env", {}).items()} <= set(seen["env"])
    for destination, value in adjust.get("mounts", {}).items():
        kind, source, options = value.split(" ")
        mount = seen["mounts"][destination]
        assert (kind, mount["file"]) == ("bind", list(os.stat(source)[1:3]))
        wanted = set(options.strip("()").split(",")) & {"ro", "nosuid", "nodev"}
        assert wanted and wanted <= set(mount["options"])
    for name, value in adjust.get("rlimits", {}).items():
        soft, hard = seen["rlimits"][name]
        shown = ["unlimited" if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard)]
        assert value == "soft {}, hard {}".format(*shown)
    # Simulate leaves these out, and says so.
    assert not {path.removeprefix("/dev/") for path in adjust.get("devices", {})} & set(seen["devices"])


@each_example
def test_runc(node: Node, example: Path):
    node.install(example, probe=True)
    real = Real(node, example)
    result = real.result()
    ran = check_all(result, real=True)
    adjusted = 0
    for container in result["containers"]:
        if not container["refused"] and (container["hooks"] or "adjust" in container):
            assert real.seen(container), container
        if "adjust" in container:
            check_adjusted(container, real.seen(container))
            adjusted += 1
    assert bool(ran) == (example.name not in NOTHING_OUTSIDE)
    assert bool(adjusted) == ("\n  adjust:\n" in (example / "rule.yaml").read_text())


@each_example
def test_runc_with_its_programs(node: Node, example: Path):
    node.install(example)
    for container in Real(node, example).result()["containers"]:
        assert "failure" not in container, container


def first(real: Real) -> tuple[dict, dict | None]:
    """The first container and what it saw."""
    container = real.result()["containers"][0]
    return container, real.seen(container)


@pytest.mark.parametrize("name, path, text", [
    ("04-network", "/etc/resolv.conf", "nameserver 192.0.2.53\n"),
    ("12-lxcfs", "/proc/meminfo", "MemTotal: 4096 kB\n"),
    ("17-storage", "/datasets/imagenet/LICENSE", "for research\n"),
    ("18-generated-config", "/tmp/app.conf", "template = app-v2\n"),
])
def test_container_sees(node: Node, name: str, path: str, text: str):
    node.install(named(name))
    _, seen = first(Real(node, named(name)))
    assert seen["files"][path] == text


def test_ldconfig_finds_what_is_mounted(node: Node):
    node.install(named("11-ldconfig"))
    library = next(path for path in Path("/lib").glob("*/libc.so.6"))
    shutil.copy(library, node.host / "srv/ml/lib/libc.so.6")
    _, seen = first(Real(node, named("11-ldconfig")))
    assert "\0/opt/ml/lib/libc.so.6\0" in seen["files"]["/etc/ld.so.cache"]


def test_mount_that_is_missing(node: Node):
    node.install(named("11-ldconfig"))
    (node.host / "srv/ml/lib").rmdir()
    container, seen = first(Real(node, named("11-ldconfig")))
    assert "/srv/ml/lib" in container["failure"] and seen is None


def test_lxcfs_that_hangs(node: Node):
    """A mount of such a file is made; it is the hook that notices."""
    node.install(named("12-lxcfs"))
    rule = node.rules / "12-lxcfs.yaml"
    rule.write_text(rule.read_text().replace("timeout: 5", "timeout: 1"))
    meminfo = node.host / "var/lib/lxcfs/proc/meminfo"
    meminfo.unlink()
    os.mkfifo(meminfo)
    container, seen = first(Real(node, named("12-lxcfs")))
    assert "timeout" in container["failure"] and seen is None
    assert [one["stage"] for one in container["runs"]] == ["createRuntime"]


def test_storage_that_comes_later(node: Node):
    """What the hook mounts is seen in the container, whose mount was made before."""
    node.install(named("17-storage"))
    data = node.host / "srv/datasets"
    node.hook("mount-dataset", f"""#!/bin/sh
set -e
[ "$GRAPNEL_STAGE" = createRuntime ] || exit 0
mount -t tmpfs none {data}/imagenet
echo "from afar" >{data}/imagenet/LICENSE
""")
    shared = f"mount --bind {data} {data} && mount --make-shared {data}"
    real = Real(node, named("17-storage"))
    container = real.result(("unshare", "-m", "sh", "-c", f'{shared} && exec "$@"', "sh"))["containers"][0]
    assert real.seen(container)["files"]["/datasets/imagenet/LICENSE"] == "from afar\n"


CHECK = "#!/bin/sh\ncat >/tmp/ran\nexit %d\n"


@pytest.mark.parametrize("status", [0, 1])
def test_dependency_decides(node: Node, status: int):
    """The host's program runs inside the container, and a failure keeps it from starting."""
    example = named("19-dependency-check")
    node.install(example)
    node.hook("check-dependency", CHECK % status)
    container, seen = first(Real(node, example))
    if status:
        assert "exit status 1" in container["failure"] and seen is None
    else:
        assert "failure" not in container
        assert json.loads(seen["files"]["/tmp/ran"])["id"] == container["id"]


def test_monitor_is_told(node: Node):
    """Of the pod's interval and of the default; nothing is left behind."""
    node.install(named("10-health-monitor"))
    outputs = [[line for one in container["runs"] for line in one["output"]]
               for container in Real(node, named("10-health-monitor")).result()["containers"]]
    assert outputs == [["poststart: wrote interval=10s", "poststop: removed"],
                       ["poststart: wrote interval=30s", "poststop: removed"], []]
    assert not list((node.host / "run/health-monitor").iterdir())


def test_greeting(node: Node):
    """One line for each stage, below each other; not through a link."""
    node.install(named("23-quick-start"))
    log = node.host / "run/grapnel-example.log"
    real = Real(node, named("23-quick-start"))
    hello, plain = real.result()["containers"]
    assert "failure" not in hello and plain["hooks"] == {}
    who = f"default/hello/main, id {hello['id'][:12]}"
    assert log.read_text() == f"createRuntime: {who}, is creating\npoststop: {who}, is stopped\n"
    log.rename(log.with_suffix(".aside"))
    log.symlink_to("elsewhere")
    assert "exit status 1" in real.result()["containers"][0]["failure"]
    assert sorted(path.name for path in log.parent.glob("*.*")) == ["grapnel-example.aside", log.name]


# What a runtime's state may look like; the last ones are none.
STATES = {
    '{"status": "creating", "annotations": {"status": "evil"}}': "creating",
    '{"annotations":{"status":"evil","\\"status\\":\\"":"evil"},"id":"}}","status":"stopped"}': "stopped",
    '{"annotations": ["status", {"a": "\\\\"}], "status" :\n"running"}': "running",
    '{"status":"cr\\u0000eating"}': "cr",
    '{"status":"averyveryverylongstatus"}': "averyveryverylo",
    '{"status': "", '{"status"': "", '{"status":': "", '{"status":"': "", '"\\': "", "": "",
}


@pytest.mark.parametrize("state", STATES)
def test_greeting_reads_the_state(grapnel: str, state: str):
    """By hand: without a file to stdout, without Grapnel's variables."""
    program = Path(grapnel).parent / "examples/23-quick-start/hello"
    done = subprocess.run([program], input=state, env={}, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (f"?: ?/?/?, id ?, is {STATES[state]}\n", "")


@pytest.mark.parametrize("size, code", [((1 << 20) - 2, 0), ((1 << 20) - 1, 1)])
def test_greeting_has_a_bound(grapnel: str, size: int, code: int):
    program = Path(grapnel).parent / "examples/23-quick-start/hello"
    done = subprocess.run([program], input="x" * size, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert done.stderr == ("" if code == 0 else "hello: expected the container's state on stdin, at most 1048576 bytes\n")


def test_unknown_image_is_refused(node: Node):
    node.install(named("20-image-integrity"))
    (node.hooks / "known-images").write_text("sha256:0000\n")
    container, seen = first(Real(node, named("20-image-integrity")))
    assert "exit status 1" in container["failure"] and seen is None
    assert "is not in" in container["runs"][0]["output"][0]


@pytest.mark.parametrize("name, lines", [
    ("21-cgroup", ["resources       cpu.cpus 0-1", "resources       pids.limit 512",
                   "resources.unified memory.high 402653184"]),
    ("22-device-release", ["devices         /dev/npu0 c 241:0 mode 0660 uid 0 gid 0"]),
])
def test_not_done_is_said(node: Node, name: str, lines: list[str]):
    node.install(named(name))
    real = Real(node, named(name))
    real.result()
    text = real.text()
    for line in lines:
        assert f"    {line} (not done here)\n" in text
    adjusts_only = name == "21-cgroup"
    assert ("    injected:  soft-memory\n" in text) == adjusts_only
    assert ("    run without hooks by runc version" in text) == adjusts_only


def test_unlimited_is_unlimited(node: Node):
    node.install(named("21-cgroup"))
    _, seen = first(Real(node, named("21-cgroup")))
    assert seen["rlimits"]["RLIMIT_CORE"] == [resource.RLIM_INFINITY] * 2


# ---- files of other formats ----

CONVERT = {
    "oci-hooks": ["oci-hooks.d"],
    "docker-hooks": ["--name", "docker-hooks", "docker/default.json", "docker/container.json"],
    "container-hooks": ["--name", "container-hooks", "container-hooks/hooks.json"],
}


@pytest.mark.parametrize("name", CONVERT)
def test_convert(grapnel: str, name: str):
    """As README.md has it; what is written is accepted."""
    folder = ROOT / "examples" / "convert"
    expected = folder / "expected" / f"{name}.yaml"
    done = subprocess.run([grapnel, "convert", *CONVERT[name]], cwd=folder, capture_output=True,
                          text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert done.stdout == expected.read_text()
    assert done.stderr == expected.with_suffix(".messages").read_text()
    command = " ".join(["grapnel convert", *CONVERT[name]])
    assert f"\n{command}\n" in (ROOT / "examples" / "README.md").read_text()
    assert run(grapnel, "check", "--no-host", expected).returncode == 0


# ---- documents ----

def test_table_names_every_folder():
    text = (ROOT / "examples" / "README.md").read_text()
    for example in EXAMPLES:
        assert f"[{example.name}]({example.name}/rule.yaml)" in text
