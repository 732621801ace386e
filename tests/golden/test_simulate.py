# SPDX-License-Identifier: Apache-2.0
"""The verb itself: how a plugin is launched, what happens when plugins, hooks or pods are bad."""
from __future__ import annotations

import json
import os
import re
import signal
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import EXAMPLES, PROBE, Node, need_runc, no_container_because
from fakeplugin import SOURCE, adjust_answer, hooks_answer
from harness.wait import until
from running import WAIT_S, limited

POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: app
      image: nginx:1.27
"""

RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: chain}
spec:
  match: {always: true}
  hooks:
    createRuntime:
      - {path: /opt/hooks/first, timeout: 30}
      - {path: /opt/hooks/second, timeout: 30}
    poststart: [{path: /opt/hooks/second, timeout: 30}]
    poststop: [{path: /opt/hooks/second, timeout: 30}]
"""


# Made from the names above, so always the same.
CONTAINER_ID = "e3d8b3595769666ab592be13a906ece3e58f8d5c74903e409ad68bf1ed3309d1"


@pytest.fixture
def pod(node: Node) -> Path:
    path = node.home / "pod.yaml"
    path.write_text(POD)
    return path


def fake(node: Node, source: str, name: str = "42-fake") -> Path:
    """A plugin that registers and then does what source says; needs no rules."""
    path = node.home / name
    path.write_text(SOURCE + source)
    path.chmod(0o755)
    return path


def chain(node: Node, first: str) -> None:
    node.hook("first", first)
    node.hook("second", PROBE)
    node.rule("chain", RULE)


# ---- launching ----

def test_launched_as_runtimes_do(node: Node, pod: Path):
    out = node.home / "seen"
    plugin = fake(node, f"""
import json
fds = dict((n, os.readlink("/proc/self/fd/" + n)) for n in os.listdir("/proc/self/fd")
           if os.path.exists("/proc/self/fd/" + n))
json.dump(dict(env=open("/proc/self/environ").read(), fds=fds,
               argv0=open("/proc/self/cmdline").read(), cwd=os.getcwd()), open({str(out)!r}, "w"))
ready()
next_call()
""")
    with open(pod, encoding="utf-8") as extra:  # a descriptor that must not get through
        os.set_inheritable(extra.fileno(), True)
        node.run("--plugin", plugin, pod, close_fds=False)
    seen = json.loads(out.read_text())
    assert sorted(seen["env"].rstrip("\0").split("\0")) == [
        "NRI_PLUGIN_IDX=42", "NRI_PLUGIN_NAME=fake", "NRI_PLUGIN_SOCKET=3"]
    assert seen["fds"].pop("3").startswith("socket:")
    assert {seen["fds"].pop(n) for n in "012"} == {"/dev/null"}
    assert all("/proc/" in path for path in seen["fds"].values()), seen["fds"]  # its own listing
    assert seen["cwd"] == os.getcwd()


def test_other_plugin_answers(node: Node, pod: Path):
    answer = hooks_answer("/bin/hook", ["hook", "a b"])
    plugin = fake(node, f"""
ready()
stream, request = next_call()
assert b"io.kubernetes.cri.image-name" in request and b"nginx:1.27" in request
answer(stream, {answer})
read(1)
""")
    result = node.json("--plugin", plugin, pod)
    assert result["plugin"] == {"index": "42", "name": "fake", "events": 8}
    container = result["containers"][0]
    assert container["hooks"] == {"createRuntime": [{"path": "/bin/hook", "args": ["hook", "a b"]}]}
    assert container["sets"] == []


def test_settings_are_made(node: Node, pod: Path):
    out = node.home / "seen"
    plugin = fake(node, f"""
register()
stream, request = next_call()
open({str(out)!r}, "wb").write(request)
""")
    node.run("--plugin", plugin, "--node-name", "n1", "--host-root", "/host", pod)
    seen = out.read_bytes()
    assert b'"spec":{"lastGoodDir":"none",' in seen  # the node's own stay as they are
    assert f'"hooksDirs":["{node.rules}"]'.encode() in seen
    assert b'"hostRoot":"/host","nodeName":"n1"' in seen


def test_config_reaches_the_plugin(node: Node, pod: Path):
    config = node.home / "config.yaml"
    config.write_text("anything: at all\n")
    out = node.home / "seen"
    plugin = fake(node, f"""
register()
stream, request = next_call()
open({str(out)!r}, "wb").write(request)
""")
    subprocess.run([node.program, "simulate", "--config", config, "--plugin", plugin, pod],
                   check=False, capture_output=True, timeout=60)
    seen = out.read_bytes()
    assert b"anything: at all\n" in seen
    assert b"containerd" in seen and b"v2.1.4" in seen


VOLUMES = """      volumeMounts:
        - {name: host, mountPath: /scratch, readOnly: true}
        - {name: host, mountPath: /part, subPath: below}
        - {name: tmp, mountPath: /tmp/e}
        - {name: claim, mountPath: /claim}
  volumes:
    - {name: host, hostPath: {path: /srv/scratch}}
    - {name: tmp, emptyDir: {}}
    - {name: claim, persistentVolumeClaim: {claimName: c}}
"""
UID = "11111111-2222-4333-8444-555555555555"
# As containerd 2.1 tells them; the volumes stand in the middle.
MOUNTS = f"""\
/proc proc proc nosuid,noexec,nodev
/dev tmpfs tmpfs nosuid,strictatime,mode=755,size=65536k
/dev/pts devpts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5
/dev/mqueue mqueue mqueue nosuid,noexec,nodev
/sys sysfs sysfs nosuid,noexec,nodev,ro
/sys/fs/cgroup cgroup cgroup nosuid,noexec,nodev,relatime,ro
/scratch bind /srv/scratch rbind,rprivate,ro
/part bind /var/lib/kubelet/pods/{UID}/volume-subpaths/host/app/1 rbind,rprivate,rw
/tmp/e bind /var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~empty-dir/tmp rbind,rprivate,rw
/claim bind /var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~csi/claim/mount rbind,rprivate,rw
/etc/hosts bind /var/lib/kubelet/pods/{UID}/etc-hosts rbind,rprivate,rw
/dev/termination-log bind /var/lib/kubelet/pods/{UID}/containers/app/ID rbind,rprivate,rw
/etc/hostname bind SANDBOX/hostname rbind,rprivate,rw
/etc/resolv.conf bind SANDBOX/resolv.conf rbind,rprivate,rw
/dev/shm bind SANDBOX/shm rbind,rprivate,rw
/var/run/secrets/kubernetes.io/serviceaccount bind \
/var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~projected/kube-api-access rbind,rprivate,ro
"""
# Reads the fields of a protobuf message; Mount is field 9 of Container, which is 2 of the request.
READ_MOUNTS = """
def fields(data):
    at = 0
    def number():
        nonlocal at
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if not data[at - 1] & 128:
                return value
    while at < len(data):
        key = number()
        size = number()
        if key & 7 == 2:
            yield key >> 3, data[at:at + size]
            at += size
ready()
stream, request = next_call()
for container in [v for k, v in fields(dict(fields(request))[3]) if k == 2]:
    for mount in [list(fields(v)) for k, v in fields(container) if k == 9]:
        first = dict(mount[:3])
        options = b",".join(v for k, v in mount if k == 4)
        lines = b" ".join([first[1], first[2], first[3], options]) + b"\\n"
        open(%r, "ab").write(lines)
answer(stream)
read(1)
"""


def test_mounts_are_told(node: Node, pod: Path):
    """Those that every container has, and the manifest's volumes where kubelet keeps them."""
    out = node.home / "mounts"
    pod.write_text(POD.replace("  name: web\n", f"  name: web\n  uid: {UID}\n") + VOLUMES)
    node.json("--plugin", fake(node, READ_MOUNTS % str(out)), pod)
    seen = re.sub(r"/(var/lib|run)/containerd/\S+/sandboxes/[0-9a-f]{64}/", "SANDBOX/",
                  out.read_text())
    assert re.sub(r"/app/[0-9a-f]{8} ", "/app/ID ", seen) == MOUNTS


def test_mounts_match(node: Node, pod: Path):
    """Against a rule; the mounts that every container has do not count."""
    node.hook("tidy", PROBE)
    node.rule("tidy", """apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {any: [{mounts: {source: /srv/scratch}}, {mounts: {destination: {prefix: /proc}}}]}
  hooks: {poststop: [{path: /opt/hooks/tidy}]}
""")
    assert node.json(pod)["containers"][0]["sets"] == []
    pod.write_text(POD + VOLUMES)
    assert node.json(pod)["containers"][0]["sets"] == ["tidy"]


# ---- plugins that are not good ----

BAD_PLUGINS = {
    "ends": ("sys.exit(3)", "RegisterPlugin: it closed the connection", "ended with exit code 3"),
    "no Configure": ("register(); read(1 << 20)", "Configure: no answer in time", ""),
    "no Synchronize": ("register(); s, _ = next_call(); answer(s, field(2, 8)); read(1 << 20)",
                       "Synchronize: no answer in time", ""),
    "refuses Configure": ("register(); s, _ = next_call(); refuse(s, 9, 'not today'); read(1)",
                          "Configure: not today", ""),
    "no CreateContainer": ("ready(); read(1 << 20)", "CreateContainer: no answer in time", ""),
    "broken answer": ("ready(); s, _ = next_call(); answer(s, b'\\xff\\xff'); read(1)",
                      "CreateContainer: ", ""),
    "bad text": ("ready(); s, _ = next_call(); "
                 "answer(s, field(1, field(5, field(2, field(1, b'/a\\xff'))))); read(1)",
                 "CreateContainer: ", "UTF-8"),
    "garbage": ("sock.sendall(b'\\xff' * 64); read(1)", "RegisterPlugin: ", ""),
    "dies in a call": ("ready(); next_call(); os.kill(os.getpid(), 9)",
                       "CreateContainer: it closed the connection", "ended by signal 9"),
}


@pytest.mark.parametrize("case", BAD_PLUGINS)
def test_bad_plugin(node: Node, pod: Path, case: str):
    source, expected, also = BAD_PLUGINS[case]
    done = node.run("--plugin", fake(node, source), pod)
    assert done.returncode == 1
    assert f"the plugin 42-fake failed at {expected}" in done.stderr
    assert also in done.stderr


def test_plugin_that_never_registers(node: Node, pod: Path):
    done = node.run("--plugin", fake(node, "read(1)"), pod)
    assert done.returncode == 1
    assert "did not register within 5 s" in done.stderr


def test_plugin_that_is_not_there(node: Node, pod: Path):
    done = node.run("--plugin", node.home / "10-nothing", pod)
    assert done.returncode == 4
    assert "cannot be started: No such file" in done.stderr


def test_refused(node: Node, pod: Path):
    plugin = fake(node, "ready(); s, _ = next_call(); refuse(s, 9, 'no\\x1b[31m'); read(1)")
    container = node.json("--plugin", plugin, pod, code=1)["containers"][0]
    assert container["refused"] and container["refusal"] == "no\x1b[31m"
    text = node.run("--plugin", plugin, pod).stdout
    assert "refused: no?[31m" in text


# ---- hooks that are not good ----

def runs_of(result: dict) -> list[str]:
    return [f"{run['stage']}/{Path(run['path']).name}" for run in result["containers"][0]["runs"]]


def test_denied_request_refuses(node: Node, pod: Path):
    """Without a policy nothing can be asked for."""
    request = '  annotations: {hooks.noderesource.dev/container.app: " none , "}\n'
    pod.write_text(POD.replace("spec:\n", request + "spec:\n"))
    container = node.json(pod, code=1)["containers"][0]
    assert container["refused"]
    assert container["refusal"] == (
        "grapnel: container app of pod shop/web is refused: the pod asks for the HookSet \"none\", "
        "which the namespace shop may not have: there is none of this name")


SHOW_CONFIG = """#!/usr/bin/python3 -IS
import json, sys
state = json.load(sys.stdin)
config = json.load(open(state["bundle"] + "/config.json"))
print(json.dumps({"env": config["process"]["env"], "rlimits": config["process"].get("rlimits"),
                  "mounts": [m for m in config["mounts"] if m["destination"] == "/mnt"],
                  "annotation": config["annotations"].get("key")}))
"""


def adjusting(node: Node, pod: Path) -> tuple[Path, Path]:
    """A plugin that adjusts everything and gives a hook that looks at the result, and a pod for it."""
    hook = node.hook("show", SHOW_CONFIG)
    plugin = fake(node, f"""
ready()
stream, request = next_call()
assert b"MODE=old" in request
answer(stream, {adjust_answer(str(hook))})
read(1)
""")
    pod.write_text(POD + "      env: [{name: MODE, value: old}]\n")
    return plugin, pod


def test_adjustments_are_shown(node: Node, pod: Path):
    plugin, pod = adjusting(node, pod)
    container = node.json("--plugin", plugin, pod)["containers"][0]
    assert container["adjust"] == {
        "env": {"MODE": "new", "MORE": "m\n"},
        "mounts": {"/mnt": "tmpfs none (ro)"},
        "annotations": {"key": "value"},
        "devices": {"/dev/x": "c 1:3"},
        "resources": {"cpu.shares": "512", "pids.limit": "100"},
        "resources.unified": {"memory.high": "max"},
        "rlimits": {"RLIMIT_NOFILE": "soft 32, hard 64"},
        "cdiDevices": {"vendor.com/class=x": ""},
    }
    text = node.run("--plugin", plugin, pod).stdout
    assert "    env             MODE new\n" in text
    assert "    mounts          /mnt tmpfs none (ro)\n" in text
    assert "    resources       pids.limit 100\n" in text


RUNNERS = {"embedded": lambda: ["--run-hooks"], "runc": lambda: ["--runtime", need_runc()]}
both_runners = pytest.mark.parametrize("runner", RUNNERS)


@both_runners
def test_adjustments_are_applied(node: Node, pod: Path, runner: str):
    """In the bundle, and so in the container: what stands there is replaced, the rest added."""
    plugin, pod = adjusting(node, pod)
    result = node.json("--plugin", plugin, *RUNNERS[runner](), pod)
    seen = json.loads("".join(result["containers"][0]["runs"][0]["output"]))
    assert [v for v in seen["env"] if v.startswith("M")] == ["MODE=new", "MORE=m\n"]
    assert seen["rlimits"] == [{"type": "RLIMIT_NOFILE", "soft": 32, "hard": 64}]
    assert seen["mounts"] == [{"destination": "/mnt", "type": "tmpfs", "source": "none", "options": ["ro"]}]
    assert seen["annotation"] == "value"
    text = node.run("--plugin", plugin, *RUNNERS[runner](), pod).stdout
    assert "c 1:3 (not done here)" in text
    assert "MODE new\n" in text


@both_runners
def test_failing_hook(node: Node, pod: Path, runner: str):
    chain(node, "#!/bin/sh\necho going down >&2\nexit 7\n")
    result = node.json(*RUNNERS[runner](), pod, code=1)
    assert runs_of(result) == ["createRuntime/first", "poststop/second"]
    container = result["containers"][0]
    assert container["runs"][0]["output"] == ["going down"]
    assert "7" in container["failure"]


@both_runners
def test_timeout(node: Node, pod: Path, runner: str):
    """Of the hook; run() itself has a limit that the hook would pass."""
    chain(node, "#!/bin/sh\necho $$\nsleep 600 &\nsleep 600\n")
    node.rule("chain", RULE.replace("first, timeout: 30", "first, timeout: 3"))
    result = node.json(*RUNNERS[runner](), pod, code=1)
    assert runs_of(result) == ["createRuntime/first", "poststop/second"]
    assert "timeout" in result["containers"][0]["failure"]
    pid = int(result["containers"][0]["runs"][0]["output"][0])
    until(lambda: not group_lives(pid), "what the hook started has ended")


def group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_failing_poststart_and_poststop(node: Node, pod: Path):
    chain(node, PROBE)
    node.hook("second", '#!/bin/sh\ncat >/dev/null\n[ "$GRAPNEL_STAGE" = createRuntime ]\n')
    result = node.json("--run-hooks", pod, code=1)
    assert runs_of(result) == ["createRuntime/first", "createRuntime/second", "poststart/second",
                               "poststop/second"]
    assert "poststart" in result["containers"][0]["failure"]


def test_much_output_and_unread_state(node: Node, pod: Path):
    chain(node, "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x\n")
    run = node.json("--run-hooks", pod)["containers"][0]["runs"][0]
    assert run["outputCut"] and run["exitCode"] == 0


def test_output_is_made_printable(node: Node, pod: Path):
    chain(node, "#!/bin/sh\nprintf 'a\\033[31m\\377'\nhead -c 1 /dev/zero\necho bytes\n")
    run = node.json("--run-hooks", pod)["containers"][0]["runs"][0]
    assert run["output"] == ["a?[31m??bytes"]
    assert "\x1b" not in node.run("--run-hooks", pod).stdout


def test_startcontainer_is_left_out(node: Node, pod: Path):
    node.rule("inside", """apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {always: true}
  hooks:
    startContainer: [{path: /bin/true}]
""")
    result = node.json("--run-hooks", pod)
    assert result["containers"][0]["hooks"]["startContainer"]
    assert result["containers"][0]["runs"] == []
    assert "left out, it runs inside a real container only" in node.run("--run-hooks", pod).stdout


@both_runners
def test_interrupted(node: Node, pod: Path, runner: str):
    arguments = RUNNERS[runner]()
    chain(node, "#!/bin/sh\nsleep 600\n")
    node.rule("chain", RULE.replace("timeout: 30", "timeout: 120"))
    with limited(subprocess.Popen([node.program, "simulate", *arguments, "--hooks-dir", node.rules, pod],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env={**os.environ, "TMPDIR": str(node.tmp)})) as process:
        while "still running" not in process.stderr.readline():
            assert process.poll() is None
        assert list(node.tmp.iterdir())
        pattern = f"**/simulate-{process.pid}-{CONTAINER_ID}"
        made = runner == "runc" and not no_container_because(node.program, need_runc())
        assert any(Path("/sys/fs/cgroup").glob(pattern)) == made
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert "interrupted" in err
    assert list(node.tmp.iterdir()) == []
    assert not list(Path("/sys/fs/cgroup").glob(pattern))


def test_sets_without_hooks_are_shown(node: Node):
    """What the plugin's answer cannot tell: a set that only observes."""
    audit = next(path for path in EXAMPLES if path.name == "05-audit")
    node.install(audit)
    text = node.run(audit / "pods.yaml").stdout
    assert "    observed:  audit-frontends would have been injected\n" in text
    found = json.loads(node.run("-o", "json", audit / "pods.yaml").stdout)["containers"]
    others = [other for container in found for other in container.get("others", [])]
    assert [(other["set"], other["verdict"]) for other in others] == [("audit-frontends", "observed")]


# ---- the machine ----

def test_runtime_that_is_not_there(node: Node, pod: Path):
    done = node.run("--runtime", "no-such-runtime", pod)
    assert done.returncode == 4
    assert "is it installed?" in done.stderr


def test_runtime_that_cannot(node: Node, pod: Path):
    if os.geteuid() != 0 or not Path("/sys/fs/cgroup").is_dir():
        pytest.skip("needs root and cgroups, else no runtime is tried")
    chain(node, PROBE)
    runtime = node.hook("broken-runc", "#!/bin/sh\necho 'level=error msg=\"no \\\"cgroup\\\"\"' >&2\nexit 1\n")
    result = node.json("--runtime", runtime, pod)
    assert result["noContainerBecause"] == 'no "cgroup"'
    assert result["ranBy"] == "grapnel"
    assert len(result["containers"][0]["runs"]) == 4


def test_unprivileged(grapnel: str):
    if os.geteuid() != 0:
        pytest.skip("needs root, to stop being it")
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        home.chmod(0o755)
        node = Node(grapnel, home)
        for path in (node.rules, node.hooks, node.tmp):
            path.mkdir(mode=0o755)
        node.tmp.chmod(0o1777)
        chain(node, PROBE)
        pod = home / "pod.yaml"
        pod.write_text(POD)
        program = home / "grapnel"
        shutil.copy(grapnel, program)
        node.program = str(program)
        result = node.json("--runtime", "/bin/true", pod,
                           prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
        assert result["noContainerBecause"] == "making one needs root"
        assert [run["exitCode"] for run in result["containers"][0]["runs"]] == [0, 0, 0, 0]
    finally:
        shutil.rmtree(home)


# ---- pods ----

BAD_PODS = {
    "no volume": (POD + "      volumeMounts: [{name: a, mountPath: /b}]\n", 1,
                  'pod.yaml:10:22: error: expected a volume "a" below spec.volumes'),
    "no mount path": (POD + "      volumeMounts: [{name: a}]\n", 1, '"mountPath"'),
    "no host path": (POD + "  volumes: [{name: a, hostPath: {}}]\n", 1,
                     'expected the key "path"'),
    "read only": (POD + VOLUMES.replace("true", '"true"'), 1,
                  "pod.yaml:11:55: error: expected true or false without quotes"),
    "no pod": ("kind: ConfigMap\n", 1, "holds no pod"),
    "no kind": ("metadata: {name: x}\n", 1, "kind: Pod"),
    "no name": ("kind: Pod\nmetadata: {namespace: a}\nspec: {containers: []}\n", 1, '"name"'),
    "no containers": ("kind: Pod\nmetadata: {name: a}\nspec: {}\n", 1, "spec.containers"),
    "no image": ("kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b}]}\n", 1, '"image"'),
    "a number": ("kind: Pod\nmetadata: {name: a, labels: {a: 5}}\n"
                 "spec: {containers: [{name: b, image: c}]}\n", 1, "pod.yaml:2:33: error: "),
    "a list": ("kind: Pod\nmetadata: {name: a, labels: [b]}\n"
               "spec: {containers: [{name: b, image: c}]}\n", 1,
               'pod.yaml:2:29: error: expected a mapping as "labels"'),
    "no text": ("kind: Pod\nmetadata: {name: a, labels: null}\n"
                "spec: {containers: [{name: b, image: c, args: [{d: e}]}]}\n", 1,
                "pod.yaml:3:48: error: "),
    "broken": ("kind: [\n", 1, "pod.yaml:2:1: error: "),
    "twice": (POD + "---\n" + POD, 1, "a second time"),
}


@pytest.mark.parametrize("case", BAD_PODS)
def test_bad_pod(node: Node, case: str):
    text, code, expected = BAD_PODS[case]
    pod = node.home / "pod.yaml"
    pod.write_text(text)
    done = node.run(pod)
    assert done.returncode == code, done.stdout
    assert expected in done.stderr
    assert done.stdout == ""


def test_missing_file(node: Node):
    done = node.run(node.home / "nothing.yaml")
    assert done.returncode == 4
    assert "cannot be read: No such file" in done.stderr


def test_list_from_stdin(node: Node):
    example = next(path for path in EXAMPLES if path.name == "01-image")
    node.install(example)
    objects = {"apiVersion": "v1", "kind": "List",
               "items": [{"apiVersion": "v1", "kind": "Pod",
                          "metadata": {"name": name, "namespace": "web",
                                       "uid": "5c1e2f9a-0000-4000-8000-000000000001"},
                          "spec": {"runtimeClassName": "gvisor",
                                   "containers": [{"name": "n", "image": "nginx:1.2"}]}}
                         for name in ("one", "two")]}
    done = subprocess.run([node.program, "simulate", "-o", "json", "--hooks-dir", node.rules, "-"],
                          input=json.dumps(objects), capture_output=True, text=True, check=True,
                          timeout=60)
    containers = json.loads(done.stdout)["containers"]
    assert [container["pod"] for container in containers] == ["one", "two"]
    env = containers[0]["hooks"]["createRuntime"][0]["env"]
    assert "GRAPNEL_POD_UID=5c1e2f9a-0000-4000-8000-000000000001" in env


def test_no_pods(node: Node):
    done = node.run()
    assert done.returncode == 0
    assert "launched, registered, configured and synchronized" in done.stdout
    assert "find no rules" in done.stderr


def test_bad_rules_are_said(node: Node, pod: Path):
    node.rule("bad", "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {mach: {always: true}}\n")
    done = node.run(pod)
    assert 'bad.yaml:3:8: error: ' in done.stderr
    assert "no hooks" in done.stdout


def test_usage(node: Node, pod: Path):
    for arguments in (["--nonsense"], ["-o", "xml"], ["--plugin", "noindex"],
                      ["--config", "x", "--hooks-dir", "/tmp"]):
        done = subprocess.run([node.program, "simulate", *arguments, pod], capture_output=True,
                              text=True, check=False, timeout=60)
        assert done.returncode == 2, arguments
        assert done.stderr
    done = subprocess.run([node.program, "simulate", "--help"], capture_output=True, text=True,
                          check=True, timeout=60)
    assert done.stdout.startswith("Usage: grapnel simulate")
