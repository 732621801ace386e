# SPDX-License-Identifier: Apache-2.0
"""deploy/ is what charts/tools/deploy makes of the chart, and manifest and base are the same objects."""
from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

import chart
from chart import LOADER, ROOT, Rendered

DEPLOY = ROOT / "deploy"


def objects(text: str) -> list[dict]:
    found = [item for item in yaml.load_all(text, LOADER) if item]
    for item in found:
        if item["kind"] == "ConfigMap":
            item.setdefault("data", {})
    return sorted(found, key=lambda item: (item["kind"], item["metadata"]["name"]))


def built(kustomize: str, folder: Path) -> list[dict]:
    done = subprocess.run([kustomize, "build", folder], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


def test_it_is_up_to_date(tmp_path: Path):
    subprocess.run([ROOT / "charts/tools/deploy", chart.helm(), tmp_path], check=True, timeout=60)
    for part in ("manifest", "kustomize/base"):
        made = {path.relative_to(tmp_path): path.read_text() for path in (tmp_path / part).rglob("*") if path.is_file()}
        there = {path.relative_to(DEPLOY): path.read_text() for path in (DEPLOY / part).rglob("*") if path.is_file()}
        assert made and made == there, "run charts/tools/deploy"


def test_manifest_and_base_are_the_same(kustomize: str):
    assert built(kustomize, DEPLOY / "kustomize/base") == objects((DEPLOY / "manifest/grapnel.yaml").read_text())


def test_nothing_of_helm_is_left():
    text = (DEPLOY / "manifest/grapnel.yaml").read_text()
    assert "helm" not in text.lower().replace("charts/tools/deploy", "")


def test_manifest_is_what_the_chart_makes():
    """All but the hooks, and with its namespace."""
    kept = {(item["kind"], item["metadata"]["name"].replace("g-grapnel", "grapnel")) for item in Rendered().objects
            if "helm.sh/hook" not in item["metadata"].get("annotations", {})}
    found = objects((DEPLOY / "manifest/grapnel.yaml").read_text())
    assert {(item["kind"], item["metadata"]["name"]) for item in found} == kept | {("Namespace", "grapnel")}


def test_they_conform(kubeconform: list[str], kustomize: str):
    for text in ((DEPLOY / "manifest/grapnel.yaml").read_text(),
                 yaml.safe_dump_all(built(kustomize, DEPLOY / "kustomize/example"))):
        done = subprocess.run([*kubeconform, "-"], input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and "Valid: 5" in done.stdout, done.stdout + done.stderr


def test_an_overlay_adds_rules(kustomize: str):
    found = {item["metadata"]["name"]: item for item in built(kustomize, DEPLOY / "kustomize/example")
             if item["kind"] in ("ConfigMap", "DaemonSet")}
    rule = (DEPLOY / "kustomize/example/tap-network.yaml").read_text()
    assert found["grapnel-rules"]["data"] == {"tap-network.yaml": rule}
    assert set(found["grapnel-settings"]["data"]) == {"config.yaml", "policy.yaml"}
    pod = found["grapnel"]["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["example.com/hooks"] == "true"
    # Or the plugin cannot see the rule's program, and blocks the set.
    (program,) = (hook["path"] for hook in yaml.safe_load(rule)["spec"]["hooks"]["createRuntime"])
    (mount,) = (mount for mount in pod["containers"][0]["volumeMounts"]
                if f"/host{program}".startswith(mount["mountPath"] + "/"))
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == mount["name"])
    assert mount["readOnly"] and f'/host{volume["hostPath"]["path"]}' == mount["mountPath"]
