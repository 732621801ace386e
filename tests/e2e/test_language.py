# SPDX-License-Identifier: Apache-2.0
"""A table of containers against one folder of rules and one policy, on real runtimes; and the
command line says of each from crictl's documents what the plugin said when it was created."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness.cri import ContainerSpec, CriError, PodSpec
from harness.lab import Documents, Judge, Lab, Rules, marks, run
from harness.runtime import IMAGE_PLAIN

HEAD = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: {name}}}
spec:
"""

POLICY = """\
apiVersion: grapnel/v1beta1
kind: Policy
spec:
  requests:
    - sets: [wanted]
      namespaces: {prefix: team-}
  hooksPerContainer: 3
  exemptNamespaces: [infra]
  neverFail: [system]
  skipStages:
    - runtimeHandlers: [""]
      stages: [poststart]
"""

CONFIG = """\
apiVersion: grapnel/v1beta1
kind: Config
spec: {environment: e2e}
"""

ANNOTATION = "language.example.com/asks"
REQUEST = "hooks.noderesource.dev"
NOWHERE = "/opt/no-such-program-of-e2e"


def asks(word: str) -> str:
    return f"podAnnotations: {{{ANNOTATION}: {word}}}"


def rules(lab: Lab) -> Rules:
    """Every set has one hook or as many as said; every container has the first."""
    files: dict[str, str] = {}

    def add(name: str, match: str, hooks: str | None = None, more: str = "") -> None:
        hooks = hooks or f"createRuntime: [{lab.hook(name)}]"
        text = HEAD.format(name=name) + f"  match: {{{match}}}\n{more}  hooks: {{{hooks}}}\n"
        files[f"{name}.yaml"] = text

    add("always", "always: true")
    add("by-any-annotation", 'anyAnnotation: {key: {prefix: any.example.com/}, value: "on"}')
    add("by-args", 'args: "--magic"')
    add("by-env", 'env: {prefix: "MAGIC="}')
    add("by-mount", "mounts: {destination: {glob: /magic/*}, type: bind}")
    add("by-regex", "namespace: {regex: 'team-[a-z]{3,}'}, podLabels: {app: {regex: '^fr', search: true}}")
    add("environment", asks("environment"), f"createRuntime: [{lab.hook('environment')}]",
        "  environments: {e2e: {env: [E2E_ENVIRONMENT=this]}, other: {env: [E2E_OTHER=x]}}\n")  # fmt: skip
    add("four", asks("four"), f"createRuntime: [{', '.join([lab.hook('four')] * 4)}]")
    add("four-ignored", asks("four-ignored"),
        f"createRuntime: [{', '.join([lab.hook('four')] * 4)}]", "  failurePolicy: Ignore\n")  # fmt: skip
    add("missing", asks("missing"), f"createRuntime: [{{path: {NOWHERE}}}]")
    add("observed", asks("observed"), more="  mode: Observe\n")
    add("some-stages", asks("some-stages"),
        f"createRuntime: [{lab.hook('some')}], poststart: [{lab.hook('some')}]")  # fmt: skip
    add("no-stages", asks("no-stages"), f"poststart: [{lab.hook('none')}]")
    add("wanted", "requested: true", more="  requestable: true\n")
    add("secret", "requested: true", more="  requestable: true\n")
    settings = lab.folder("settings", {"policy.yaml": POLICY, "config.yaml": CONFIG})
    return Rules(
        lab.folder("rules", files),
        ["--policy", str(settings / "policy.yaml"), "--config", str(settings / "config.yaml")],
    )


@dataclass
class Case:
    """A container, and what it gets: hooks as (stage, set), or a refusal that says all of this."""

    name: str
    hooks: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    namespace: str = "default"
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    mounted: str = ""

    def pod(self) -> PodSpec:
        return PodSpec(self.name, self.namespace, self.annotations, self.labels)

    def container(self, lab: Lab) -> ContainerSpec:
        # A shell passes over what stands behind its text.
        command = ["sh", "-c", "exec /bin/busybox sleep 3600", "sh", *self.args]
        mounts = [(lab.shared, Path(self.mounted))] if self.mounted else []
        return ContainerSpec(IMAGE_PLAIN, args=command, env=self.env, mounts=mounts)

    def expected(self) -> list[tuple[str, str]]:
        return [("createRuntime", name) for name in self.hooks]


CREATED = [
    Case("nothing", ["always"], args=["--magical"], env={"MAGI": "C=1"}, mounted="/magical",
         labels={"app": "front"}, annotations={"any.example.com/x": "off"}),
    Case("any-annotation", ["always", "by-any-annotation"], annotations={"any.example.com/x": "on"}),
    Case("args-env", ["always", "by-args", "by-env"], args=["a", "--magic"], env={"MAGIC": "1"}),
    Case("mount", ["always", "by-mount"], mounted="/magic/place"),
    Case("regex", ["always", "by-regex"], namespace="team-abc", labels={"app": "front"}),
    Case("regex-whole", ["always"], namespace="a-team-abc", labels={"app": "front"}),
    Case("environment", ["always", "environment"], annotations={ANNOTATION: "environment"}),
    Case("four-ignored", ["always"], annotations={ANNOTATION: "four-ignored"}),
    Case("observed", ["always"], annotations={ANNOTATION: "observed"}),
    Case("some-stages", ["always", "some-stages"], annotations={ANNOTATION: "some-stages"}),
    Case("no-stages", ["always"], annotations={ANNOTATION: "no-stages"}),
    Case("granted", ["always", "wanted"], namespace="team-abc", annotations={REQUEST: "wanted"}),
    Case("exempt", [], namespace="infra",
         annotations={ANNOTATION: "missing", REQUEST: "secret", "any.example.com/x": "on"}),
    Case("never-fail", ["always"], namespace="system", annotations={ANNOTATION: "missing"}),
    Case("never-denied", ["always"], namespace="system", annotations={REQUEST: "secret"}),
]  # fmt: skip

REFUSED = [
    Case("missing", refused=["missing", NOWHERE], annotations={ANNOTATION: "missing"}),
    Case("four", refused=["four", "policy.yaml", "allows 3"], annotations={ANNOTATION: "four"}),
    Case("not-granted", refused=["secret", "team-abc"], namespace="team-abc",
         annotations={REQUEST: "secret"}),
    Case("other-namespace", refused=["wanted", "default"], annotations={REQUEST: "wanted"}),
    Case("no-such-set", refused=["nonsense", "team-abc"], namespace="team-abc",
         annotations={REQUEST: "wanted, nonsense"}),
]  # fmt: skip


@dataclass(frozen=True)
class Table:
    """The plugin with the rules of this page."""

    lab: Lab
    rules: Rules
    judge: Judge


# Class scope: the fixture below and its plugin end before another test of the lab begins.
class TestTable:
    @pytest.fixture(scope="class")
    def table(self, lab: Lab) -> Iterator[Table]:
        made = rules(lab)
        with lab.plugin(made) as judge:
            yield Table(lab, made, judge)

    @pytest.mark.check("conditions and policy, explain")
    def test_created(self, table: Table) -> None:
        """Hooks as expected; then explain and diff of the same container."""
        lab = table.lab
        for case in CREATED:
            with lab.container(case.pod(), case.container(lab)) as running:
                spec = running.spec()
                assert marks(spec) == case.expected(), f"{case.name}\n{table.judge.describe()}"
                check_environment(case, spec)
                documents = lab.documents(running)
                logged = table.judge.verdicts(running.container_id)
            check_explained(table, case, logged, documents)

    @pytest.mark.check("refusals reach the CRI error")
    def test_refused(self, table: Table) -> None:
        for case in REFUSED:
            with pytest.raises(CriError) as refusal, run_case(table.lab, case):
                pass
            for text in case.refused:
                assert text in str(refusal.value), f"{case.name}: {refusal.value}"

    @pytest.mark.check("diff of a running container")
    def test_diff(self, table: Table) -> None:
        """What a container has from the old rules does not hide what new ones would change."""
        lab = table.lab
        newer = changed(table)
        case = Case("diff", args=["--magic"], env={"MAGIC": "1"})
        with run_case(lab, case) as documents:
            old = str(table.rules.folder)
            more = [*table.rules.arguments, "-o", "json", *lab.files(documents)]
            same = run("diff", old, old, *more)
            found = run("diff", old, str(newer), *more, statuses=(1,))
        assert json.loads(same)["changed"] == 0, same
        (container,) = json.loads(found)["containers"]
        changes = [(change["change"], change["set"]) for change in container["changes"]]
        assert sorted(changes) == [
            ("changes", "by-args"), ("gains", "newer"), ("loses", "by-env"),
        ], changes  # fmt: skip


def check_environment(case: Case, spec: dict[str, object]) -> None:
    """The variables of this node's environment, and no other's."""
    text = json.dumps(spec.get("hooks") or {})
    assert ("E2E_ENVIRONMENT=this" in text) == (case.name == "environment"), text
    assert "E2E_OTHER" not in text, text


@contextmanager
def run_case(lab: Lab, case: Case) -> Iterator[Documents]:
    """A running container of that case; its documents."""
    with lab.container(case.pod(), case.container(lab)) as running:
        yield lab.documents(running)


def check_explained(
    table: Table, case: Case, logged: dict[str, str], documents: Documents
) -> None:
    """The same verdicts as logged; what was injected is there now."""
    # 1: one of the rules names a program that is not there.
    command = ["explain", "--all", "-o", "json", *table.rules.all, "--from", "-"]
    text = run(*command, statuses=(1,), piped=documents.piped)
    (container,) = json.loads(text)["containers"]
    explained = {
        each["name"]: each["verdict"]
        for each in container["sets"]
        if "verdict" in each and each["state"] == "evaluated"
    }
    now = {name: "already" if what == "injected" else what for name, what in logged.items()}
    assert explained == now, f"{case.name}\n{text}"
    assert container["exempt"] == (case.name == "exempt"), text
    assert [name for name, what in logged.items() if what == "injected"] == case.hooks
    assert [each["set"] for each in container.get("objections", [])] == (
        ["secret"] if case.name == "never-denied" else []
    )


def changed(table: Table) -> Path:
    """The rules with one set gone, one changed and one new."""
    files = {path.name: path.read_text() for path in table.rules.folder.iterdir()}
    del files["by-env.yaml"]
    files["by-args.yaml"] = files["by-args.yaml"].replace('"by-args"', '"by-args-newer"')
    files["newer.yaml"] = files["always.yaml"].replace("always}", "newer}")
    return table.lab.folder("newer", files)
