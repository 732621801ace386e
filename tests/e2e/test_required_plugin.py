# SPDX-License-Identifier: Apache-2.0
"""A runtime that is told to require the plugin: while it is away no container starts without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness.cri import CriError, PodSpec, Running
from harness.doctor import ask, codes
from harness.lab import REQUIRED, TOLERATE, Judge, Lab, Rules, marks
from harness.runtime import Validator


def rules(lab: Lab) -> Rules:
    head = "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: all}\nspec:\n"
    hook = f"  match: {{always: true}}\n  hooks: {{createRuntime: [{lab.hook('all')}]}}\n"
    return Rules(lab.folder("rules", {"all.yaml": head + hook}))


@contextmanager
def pod(lab: Lab, annotations: dict[str, str] | None = None) -> Iterator[Running]:
    with lab.container(PodSpec("required", annotations=annotations or {})) as running:
        yield running


def assert_refused(lab: Lab) -> None:
    with pytest.raises(CriError) as refused:
        with pod(lab):
            pass
    assert "grapnel" in str(refused.value), refused.value


def assert_hooked(lab: Lab, judge: Judge) -> None:
    with pod(lab) as running:
        assert marks(running.spec()) == [("createRuntime", "all")], judge.describe()


def of_validator(lab: Lab) -> dict[str, dict[str, Any]]:
    """What doctor says of the validator of this runtime, beside what runs now."""
    found = codes(ask(lab.runtime))
    return {code: finding for code, finding in found.items() if finding["check"] == "validator"}


@pytest.mark.check("absent: refused, present: created")
def test_absent_refused_present_created(strict: Lab) -> None:
    assert_refused(strict)
    with strict.plugin(rules(strict)) as judge:
        assert_hooked(strict, judge)
    assert_refused(strict)


@pytest.mark.check("killed: refused until it is back")
def test_a_killed_plugin_leaves_no_gap(strict: Lab) -> None:
    with strict.plugin(rules(strict)) as judge:
        assert_hooked(strict, judge)
        judge.plugin.kill()
        assert_refused(strict)
        judge.plugin.restore()
        assert_hooked(strict, judge)


@pytest.mark.check("tolerated by annotation")
def test_what_must_start_before_the_plugin_says_so(strict: Lab) -> None:
    """The plugin's own DaemonSet and static pods, which would else wait for it for ever."""
    with pod(strict, {TOLERATE: "true"}) as running:
        assert marks(running.spec()) == []


@pytest.mark.check("required by one pod")
def test_a_pod_can_require_it_by_itself(strict: Lab) -> None:
    """Where nothing is required of all: the annotation that NRI's validator knows."""
    strict.runtime.validate(Validator())
    try:
        with pod(strict) as running:
            assert marks(running.spec()) == []
        with pytest.raises(CriError):
            with pod(strict, {"required-plugins.noderesource.dev": '["grapnel"]'}):
                pass
    finally:
        strict.runtime.validate(REQUIRED)


@pytest.mark.check("hooks rejected by the validator")
def test_hooks_that_the_validator_rejects_fail_the_container(strict: Lab) -> None:
    """The other switch of the same validator; doctor names the line."""
    assert of_validator(strict) == {}
    strict.runtime.validate(Validator(reject_hooks=True))
    try:
        with strict.plugin(rules(strict)) as judge:
            with pytest.raises(CriError) as refused:
                with pod(strict):
                    pass
            assert "hook" in str(refused.value).lower(), judge.describe()
            found = of_validator(strict)
        assert set(found) == {"validator-rejects-hooks"}
        finding = found["validator-rejects-hooks"]
        line = Path(finding["file"]).read_text().splitlines()[finding["line"] - 1]
        assert line.endswith("reject_oci_hook_adjustment = true")
        assert finding["fix"].startswith("write false there, then: systemctl restart ")
        with pod(strict) as running:
            assert marks(running.spec()) == []
    finally:
        strict.runtime.validate(REQUIRED)
