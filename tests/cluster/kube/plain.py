# SPDX-License-Identifier: Apache-2.0
"""Grapnel without Helm, put on the cluster by the very commands of deploy/README.md."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import cache, pages
from harness.runtime import IMAGE_HOOKED

from .chart import KEPT
from .cluster import LIMIT_S, Cluster
from .instance import Instance
from .manifests import WANTED, Object, container, pod
from .stock import PROGRAM, Image

DEPLOY = cache.ROOT / "deploy"
NAMESPACE = "grapnel"


def commands(heading: str) -> list[str]:
    """Those of the page below that, in their order."""
    return [block.text for block in pages.read(DEPLOY / "README.md")
            if block.runs and block.heading == heading]  # fmt: skip


def image() -> Image:
    """The one that the manifest names: it would be pulled."""
    (name,) = re.findall("image: (.*)", (DEPLOY / "manifest/grapnel.yaml").read_text())
    return Image(name, {PROGRAM.lstrip("/"): cache.grapnel()}, [PROGRAM])


class Plain(Instance):
    """What is common to both ways. `folder` is where a person stands who types the commands."""

    # The set that is there from the beginning, and what it matches.
    first: str
    annotations: dict[str, str]
    in_store: bool  # its program

    def __init__(self, cluster: Cluster, folder: Path):
        selector = "app.kubernetes.io/instance=grapnel,app.kubernetes.io/component=plugin"
        super().__init__(cluster, NAMESPACE, "grapnel", selector)
        self.folder = folder
        shutil.copytree(DEPLOY, folder / "deploy")

    def type(self, script: str) -> str:
        """Runs it on the node, where grapnel is as well; what it prints."""
        path = f"PATH={cache.grapnel().parent}:$PATH"
        done = self.cluster.shell(self.folder, f"{path}\n{script}", LIMIT_S)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{self.cluster.describe()}"
        return done.stdout

    def rule(self, name: str, match: Object, stage: str = "createRuntime") -> str:
        """A set with a hook that records its run under the set's name."""
        args = ["hook-record", "--log", str(self.cluster.log.path), "--tag", name]
        hook = {**self.program(), "args": args}
        return json.dumps({
            "apiVersion": "grapnel/v1beta1", "kind": "HookSet", "metadata": {"name": name},
            "spec": {"match": match, "hooks": {stage: [hook]}},
        })  # fmt: skip

    def program(self) -> dict[str, str]:
        """How hooks name the recorder."""
        raise NotImplementedError

    def install(self) -> None:
        """Returns when it is ready on the node, with the rules."""
        raise NotImplementedError

    def set_rules(self, **texts: str) -> None:
        """Replaces all rule files but the first one."""
        raise NotImplementedError

    def remove(self) -> None:
        raise NotImplementedError

    def deliver(self, tag: str) -> None:
        """Another version of the first set's program, which records its run under that tag; with the name of that set it is
        the one of before."""
        raise NotImplementedError

    def in_force(self, *names: str) -> None:
        """Returns when these sets are, and no other."""
        self.cluster.until(lambda: self.sets() == set(names), f"in force: {names}")

    def ran(self, namespace: str, *pods: str) -> list[list[str]]:
        """Makes pods and tells the hooks that ran for each: what is "annotated" in its name is that, what is "hooked" has
        that image."""
        cluster = self.cluster
        cluster.apply(*(
            pod(name, namespace, self.annotations if "annotated" in name else None,
                [container(image=IMAGE_HOOKED)] if "hooked" in name else None)
            for name in pods
        ))  # fmt: skip
        found = []
        for name in pods:
            cluster.is_ready(name, namespace)
            records = cluster.log.of(cluster.container_id(name, namespace))
            found.append(sorted(record.tag for record in records))
        return found

    def _write_script(self, path: Path, tag: str) -> None:
        """A program that records its run, in the place of what was there in one step."""
        new = path.with_name(".new")
        new.write_text(f"#!/bin/sh\nexec {self.cluster.recorder} --log {self.cluster.log.path} --tag {tag}\n")
        new.chmod(0o755)
        new.rename(path)

    def kept(self) -> dict[str, int]:
        """What of the directories that the page names is on the node, and how many files they have."""
        places = {path: self.cluster.root / path.lstrip("/") for path in KEPT}
        return {path: sum(found.is_file() and not found.is_symlink() for found in place.rglob("*"))
                for path, place in places.items() if place.exists()}  # fmt: skip


class Manifest(Plain):
    first = "wanted"
    annotations = WANTED
    in_store = True

    def program(self) -> dict[str, str]:
        return {"program": "net/hook-record"}

    def install(self) -> None:
        self.apply, self._install_programs, self._set_rules = commands("With kubectl")
        self.put_up()

    def put_up(self) -> None:
        """With a program that records its run as it is told to."""
        self.type(self.apply)
        (self.folder / "hooks").mkdir()
        self.deliver(self.first)
        self.set_rules()

    def deliver(self, tag: str) -> None:
        program = self.folder / "hooks/hook-record"
        if tag == self.first:
            shutil.copy(self.cluster.recorder, program)
        else:
            self._write_script(program, tag)
        self.type(self._install_programs)

    def set_rules(self, **texts: str) -> None:
        texts = {self.first: self.rule(self.first, {"podAnnotations": self.annotations}), **texts}
        rules = self.folder / "rules"
        shutil.rmtree(rules, ignore_errors=True)
        rules.mkdir()
        for name, text in texts.items():
            (rules / f"{name}.yaml").write_text(text)
        self.type(self._set_rules)

    def remove(self) -> None:
        self.type(commands("Away with it")[0])


class Base(Manifest):
    """The base for Kustomize and nothing else; rules and programs as with the manifest."""

    def install(self) -> None:
        _, self._install_programs, self._set_rules = commands("With kubectl")
        (apply,) = commands("With Kustomize")
        self.apply = apply.replace("kustomize/example", "kustomize/base")
        self.put_up()

    def remove(self) -> None:
        self.type("kubectl delete -k deploy/kustomize/base")


class Kustomized(Plain):
    """The example, with rules beside its own."""

    first = "tap-network"
    annotations = {"network.example.com/type": "custom"}
    in_store = False
    HOOKS = "/opt/hooks"

    def program(self) -> dict[str, str]:
        return {"path": f"{self.HOOKS}/hook-record"}

    @property
    def _example(self) -> Path:
        return self.folder / "deploy/kustomize/example"

    @property
    def _hooks(self) -> Path:
        return self.cluster.root / self.HOOKS.lstrip("/")

    def deliver(self, tag: str) -> None:
        self._write_script(self._hooks / "network-setup", tag)

    def install(self) -> None:
        """The program of the example's rule is a script that records its run."""
        (self.apply,) = commands("With Kustomize")
        self._hooks.mkdir()
        shutil.copy(self.cluster.recorder, self._hooks)
        self.deliver(self.first)
        self.cluster.kubectl("label", "node", "--all", "example.com/hooks=true")
        self.type(self.apply)

    def set_rules(self, **texts: str) -> None:
        """As a person edits the kustomization."""
        for name, text in texts.items():
            (self._example / f"{name}.yaml").write_text(text)
        files = ", ".join([f"{self.first}.yaml", *(f"{name}.yaml" for name in texts)])
        path = self._example / "kustomization.yaml"
        path.write_text(re.sub(r"files: \[.*\]", f"files: [{files}]", path.read_text()))
        self.type(self.apply)

    def remove(self) -> None:
        self.type("kubectl delete -k deploy/kustomize/example")


@contextmanager
def put(cluster: Cluster, folder: Path, kind: type[Plain]) -> Iterator[Plain]:
    """Gone afterwards, with what it kept on the node."""
    cluster.load_image(image().write(cluster.host.path))
    plain = kind(cluster, folder)
    try:
        plain.install()
        yield plain
    finally:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
        cluster.kubectl("label", "node", "--all", "example.com/hooks-")
        cluster.host.run(["rm", "-rf", *KEPT, Kustomized.HOOKS])
