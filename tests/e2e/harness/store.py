# SPDX-License-Identifier: Apache-2.0
"""A program store of a host, and a plugin with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import Any

from . import cache
from .lab import Lab, Rules
from .plugin import External
from .wait import until

# A set that records when its programs run, in the containers of pods with this label.
LABELS = {"hooks": "recorded"}
# What looks like a digest, behind characters that Go escapes in JSON.
NOTE = "0123456789abcdef" * 4
SET = """\
apiVersion: grapnel/v1beta1
kind: HookSet
metadata: {{name: programs}}
spec:
  match: {{podLabels: {labels}}}
  hooks:
    createRuntime: [{{program: net/record, args: [record, --log, {log}, --tag, begin]}}]
    poststop: [{{program: net/record, args: [record, --log, {log}, --tag, end], env: ["NOTE=<&>{note}"]}}]
"""


class Store:
    """Apart from the machine's own."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.path = lab.folder("store", {})
        spec = {
            "programsDir": str(self.path),
            "crioDir": str(lab.runtime.work / "crio-runroot"),
            "logFormat": "json",
            "logLevel": "debug",
        }
        document = {"apiVersion": "grapnel/v1beta1", "kind": "Config", "spec": spec}
        self.config = lab.folder("config", {"config.yaml": json.dumps(document)}) / "config.yaml"
        text = SET.format(log=lab.log.path, labels=json.dumps(LABELS), note=NOTE)
        self._rules = Rules(lab.folder("rules", {"programs.yaml": text}), ["--config", str(self.config)])
        self._plugin: External | None = None
        self._start = 0

    def install(self, name: str, text: str) -> str:
        """The recording hook and another file, so that each text has a digest of its own."""
        source = self.lab.folder("source", {"text": text})
        shutil.copy(self.lab.recorder, source / "record")
        command = [cache.grapnel(), "setup", "install", "--from", source, "--to", self.path / name]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return os.readlink(self.path / name / "current")

    def age(self) -> None:
        """As if all of it had been there for a day."""
        day_ago = time.time() - 86400
        for path in self.path.glob("*/*"):
            os.utime(path, (day_ago, day_ago), follow_symlinks=False)

    def start(self) -> None:
        """The plugin."""
        log = self.lab.host.path / "plugin.log"
        self._start = log.stat().st_size if log.exists() else 0
        self._plugin = External(self.lab.runtime, cache.grapnel(), self._rules.all)
        self._plugin.start()

    def stop(self) -> None:
        if self._plugin:
            self._plugin.stop()

    def looked(self) -> dict[str, Any]:
        """What the plugin says once it has looked for what nothing names."""

        def line() -> dict[str, Any] | None:
            with (self.lab.host.path / "plugin.log").open("rb") as log:
                log.seek(self._start)
                lines = [json.loads(line) for line in log if line.endswith(b"\n")]
            said = "the program store was looked through"
            return next((line for line in lines if line["msg"] == said), None)

        assert self._plugin
        return until(line, "the store was looked through", detail=self._plugin.describe)
