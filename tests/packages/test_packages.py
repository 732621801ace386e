# SPDX-License-Identifier: Apache-2.0
"""Install, upgrade, remove and purge: in a clean Debian, the .deb and, as far as rpm goes there, the .rpm."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import LATER, Machine, binary_rpm, done, package

UNIT = "/lib/systemd/system/grapnel.service"
RULE = """apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {name: net}
spec:
  match: {namespace: web}
  hooks: {createRuntime: [{path: /bin/true}]}
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: web}
spec: {containers: [{name: front, image: nginx}]}
"""
# What somebody has put there, or the plugin has written, before anything is upgraded or removed.
KEPT = {
    "/etc/grapnel/hooks.d/net.yaml": RULE,
    "/var/lib/grapnel/last-good/net.yaml": RULE,
    "/opt/grapnel/programs/net/0123/hook": "#!/bin/true\n",
}
UNTIL_BOOT = {"/run/grapnel/journal": "decisions", "/run/grapnel/pauses": "net",
              "/run/grapnel/hooks.d/more.yaml": RULE.replace("net", "more")}
EDITED = "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {logLevel: debug}\n"


class Deb:
    """dpkg in the machine."""

    modified = ".dpkg-dist"  # where the settings of a later version go beside edited ones

    def __init__(self, machine: Machine, request: pytest.FixtureRequest):
        self.machine, self.request = machine, request

    def install(self) -> str:
        return self.machine.done("dpkg", "-i", self.machine.copy(package("*.deb")))

    def upgrade(self) -> str:
        later = self.machine.copy(self.request.getfixturevalue("later_deb"))
        return self.machine.done("dpkg", "--force-confold", "-i", later)

    def remove(self) -> str:
        return self.machine.done("dpkg", "-r", "grapnel")

    def version(self) -> str:
        return self.machine.done("dpkg-query", "-W", "-f", "${Version}", "grapnel")


class Rpm:
    """This machine's rpm, which installs into the other one and runs the scripts there."""

    modified = ".rpmnew"

    def __init__(self, machine: Machine, request: pytest.FixtureRequest):
        self.machine, self.request = machine, request

    def command(self) -> list[object]:
        return ["rpm", "--root", self.machine.path, "--dbpath", "/var/lib/rpm"]

    def rpm(self, *arguments: object) -> str:
        said = self.machine.beside(*self.command(), "--nodeps", *arguments)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout + said.stderr

    def install(self) -> str:
        return self.rpm("-i", binary_rpm())

    def upgrade(self) -> str:
        return self.rpm("-U", self.request.getfixturevalue("later_rpm"))

    def remove(self) -> str:
        return self.rpm("-e", "grapnel")

    def version(self) -> str:
        return done(*self.command(), "-q", "--qf", "%{VERSION}", "grapnel")


@pytest.fixture(params=[Deb, Rpm])
def tool(machine: Machine, request: pytest.FixtureRequest):
    return request.param(machine, request)


def used(machine: Machine) -> None:
    """Edited settings, rules, and what the plugin keeps."""
    machine.write("/etc/grapnel/config.yaml", EDITED)
    for path, text in {**KEPT, **UNTIL_BOOT}.items():
        machine.write(path, text)


def kept(machine: Machine, files: dict[str, str]) -> bool:
    return all(machine.text(path) == text for path, text in files.items())


def verified(machine: Machine) -> str:
    """What systemd finds wrong with the unit, and with what it names."""
    return machine.done("env", "SYSTEMD_LOG_TARGET=console", "systemd-analyze", "verify", UNIT)


def test_install(tool):
    """It works, and does nothing by itself."""
    machine = tool.machine
    machine.service(enabled=False, active=False)
    tool.install()
    assert set(machine.asked()) == {"daemon-reload"}
    assert not any(machine.path.glob("etc/systemd/system/*.wants/grapnel.service"))
    assert "NRI" in machine.done("grapnel", "version")
    assert machine.done("grapnel", "check", "--strict") == "0 sets in 0 files: 0 errors, 0 warnings\n"
    assert "ExecStart=/usr/bin/grapnel plugin\n" in machine.text("/usr" + UNIT)
    assert verified(machine) == ""
    modes = {path: machine.path.joinpath(path).stat().st_mode & 0o7777 for path in
             ("etc/grapnel/hooks.d", "run/grapnel/hooks.d", "run/grapnel", "var/lib/grapnel")}
    assert list(modes.values()) == [0o755, 0o755, 0o755, 0o700], modes


def test_upgrade(tool):
    """Settings that were edited, rules and all that is kept stay; the service is started anew, once."""
    machine = tool.machine
    tool.install()
    used(machine)
    machine.service(enabled=True, active=True)
    tool.upgrade()
    assert tool.version() == LATER
    assert machine.text("/etc/grapnel/config.yaml") == EDITED
    assert machine.text("/etc/grapnel/config.yaml" + tool.modified).startswith("# Of a later")
    assert machine.text("/etc/grapnel/policy.yaml").startswith("# Of a later")
    assert kept(machine, {**KEPT, **UNTIL_BOOT})
    asked = [words for words in machine.asked() if words != "daemon-reload"]
    assert [re.sub("^try-", "", words) for words in asked] == ["restart grapnel.service"]
    # What a careless old script would have taken away with the old version.
    assert "NRI" in machine.done("grapnel", "version")
    assert verified(machine) == ""


def test_upgrade_of_what_does_not_run(tool):
    machine = tool.machine
    tool.install()
    machine.service(enabled=False, active=False)
    tool.upgrade()
    assert {re.sub("^try-.*", "", words) for words in machine.asked()} <= {"daemon-reload", ""}


def test_remove(tool):
    """The program goes. Settings, rules, what is kept and hook programs stay."""
    machine = tool.machine
    before = machine.files()
    tool.install()
    used(machine)
    machine.write("/opt/nri/plugins/10-grapnel", "#!/bin/true\n", 0o755)
    machine.service(enabled=True, active=True)
    said = tool.remove()
    assert "/opt/nri/plugins/10-grapnel" in said
    assert [words for words in machine.asked() if words != "daemon-reload"] in (
        ["stop grapnel.service"], ["disable grapnel.service"])
    settings = "/etc/grapnel/config.yaml" + (".rpmsave" if isinstance(tool, Rpm) else "")
    assert machine.text(settings) == EDITED
    assert kept(machine, {**KEPT, **UNTIL_BOOT})
    left = {path for path in machine.files() if path not in before}
    files = {path for path in left if (machine.path / path[1:]).is_file()}
    conffiles = {"/etc/grapnel/policy.yaml"} if isinstance(tool, Deb) else set()
    assert files == {*KEPT, *UNTIL_BOOT, settings, "/opt/nri/plugins/10-grapnel", *conffiles}


def test_purge(machine: Machine, request: pytest.FixtureRequest):
    """Of a purged package nothing is left but rules and hook programs, which are somebody else's."""
    tool = Deb(machine, request)
    before = machine.files()
    tool.install()
    used(machine)
    machine.service(enabled=True, active=True)
    said = machine.done("dpkg", "-P", "grapnel")
    assert "/opt/grapnel/programs stays" in said
    after = machine.files()
    left = {path for path in after if path not in before and (machine.path / path[1:]).is_file()}
    assert left == {"/etc/grapnel/hooks.d/net.yaml", "/opt/grapnel/programs/net/0123/hook"}
    assert {path for path in before if after.get(path) != before[path]} <= {"/usr/bin/systemctl"}


def test_purge_of_what_was_never_used(machine: Machine, request: pytest.FixtureRequest):
    """Not even an empty directory is left."""
    before = machine.files()
    tool = Deb(machine, request)
    tool.install()
    machine.done("dpkg", "-P", "grapnel")
    assert machine.files() == before


def test_autostart(machine: Machine, request: pytest.FixtureRequest):
    """The packaged program puts itself under the name that a runtime launches, and not beside its own
    unit; doctor finds what lies badly there."""
    Deb(machine, request).install()
    machine.write("/etc/grapnel/hooks.d/net.yaml", RULE)
    machine.write("/tmp/pod.yaml", POD)
    wanted = machine.write("/etc/systemd/system/multi-user.target.wants/grapnel.service", "")
    wanted.unlink()
    wanted.symlink_to("/lib/systemd/system/grapnel.service")
    refused = machine.run("grapnel", "setup", "autostart")
    assert refused.returncode == 1
    assert "the unit grapnel.service is enabled" in refused.stderr
    wanted.unlink()
    said = machine.done("grapnel", "setup", "autostart")
    assert "/opt/nri/plugins/10-grapnel written: version" in said
    assert machine.path.joinpath("opt/nri/plugins/10-grapnel").read_bytes() == \
        machine.path.joinpath("usr/bin/grapnel").read_bytes()
    said = machine.done("grapnel", "simulate", "--plugin", "/opt/nri/plugins/10-grapnel",
                        "/tmp/pod.yaml")
    assert "/bin/true" in said
    found = machine.run("grapnel", "doctor", "-o", "json").stdout
    assert not {"bad-plugin-name", "backup-plugin"} & set(re.findall(r"[a-z-]+", found))
    for name, code in (("grapnel.dpkg-new", "bad-plugin-name"), ("10-grapnel.dpkg-new", "backup-plugin")):
        machine.done("cp", "/usr/bin/grapnel", f"/opt/nri/plugins/{name}")
        found = machine.run("grapnel", "doctor", "-o", "json")
        assert found.returncode == 1
        assert code in found.stdout and f"/opt/nri/plugins/{name}" in found.stdout
    assert machine.done("grapnel", "setup", "autostart", "--undo").count(" removed: version ") == 3
    assert not any(machine.path.glob("opt/nri/plugins/*"))
