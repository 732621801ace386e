# SPDX-License-Identifier: Apache-2.0
"""The drop-ins that every node of the matrix gets; what a container asks for selects among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .runtime import IMAGE_HOOKED

STAGES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]

# Pod annotations that the sets below match on.
WANTED = {"e2e.example.com/hooks": "wanted"}
FAILING = {"e2e.example.com/hooks": "failing"}
MISSING_FAIL = {"e2e.example.com/hooks": "missing-fail"}
MISSING_IGNORE = {"e2e.example.com/hooks": "missing-ignore"}

# What the failing hook says on stderr; the CRI error has to lead to it.
LAST_WORDS = "last words of the failing hook"

HEAD = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata:
  name: {name}
spec:
  match:
    {match}
  failurePolicy: {policy}
  hooks:
"""

HOOK = """\
    {stage}:
      - path: {path}
        args: [hook-record, --log, "{log}", --tag, {tag}{more}]
        env: [E2E_SET={name}]
        timeout: 20
"""


@dataclass(frozen=True)
class Rules:
    """The folder of drop-ins and where the hooks in it record their runs."""

    folder: Path
    recorder: Path
    log: Path

    def write_all(self) -> None:
        """Writes every set, one file each."""
        self.folder.mkdir(mode=0o755)
        self._write("by-image", f'image: "{IMAGE_HOOKED}"', STAGES)
        self._write("by-annotation", _annotation(WANTED), STAGES)
        self._write("failing", _annotation(FAILING), ["createRuntime"],
                    more=f', --exit, "1", --stderr, "{LAST_WORDS}"')  # fmt: skip
        nowhere = self.folder.parent / "no-such-program"
        self._write("missing-fail", _annotation(MISSING_FAIL), ["createRuntime"], path=nowhere)
        self._write("missing-ignore", _annotation(MISSING_IGNORE), ["createRuntime"], path=nowhere,
                    policy="Ignore")  # fmt: skip

    def _write(
        self,
        name: str,
        match: str,
        stages: list[str],
        path: Path | None = None,
        policy: str = "Fail",
        more: str = "",
    ) -> None:
        text = HEAD.format(name=name, match=match, policy=policy)
        for stage in stages:
            text += HOOK.format(
                stage=stage, path=path or self._program(stage), log=self.log, tag=tag(name, stage),
                name=name, more=more,
            )  # fmt: skip
        (self.folder / f"{name}.yaml").write_text(text)

    def _program(self, stage: str) -> Path:
        """startContainer is looked up inside the container: there the image has the recorder."""
        return Path("/bin/hook-record") if stage == "startContainer" else self.recorder


def _annotation(wanted: dict[str, str]) -> str:
    ((key, value),) = wanted.items()
    return f"podAnnotations: {{{key}: {value}}}"


def tag(name: str, stage: str) -> str:
    """How a record says which set and stage it belongs to."""
    return f"{name}/{stage}"
