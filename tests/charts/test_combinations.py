# SPDX-License-Identifier: Apache-2.0
"""Combinations of values that the schema cannot see: refused with a sentence that says what to set."""
from __future__ import annotations

import re

import pytest

import chart
from chart import CHART

IMAGE = {"name": "a", "image": "example.com/a:1", "from": "/hooks"}
BIG = {f"{i}.yaml": "#" * 100_000 for i in range(10)}

REFUSED = [
    ({"metrics": {"podMonitor": {"enabled": True}}}, "set metrics.enabled to true"),
    ({"metrics": {"serviceMonitor": {"enabled": True}}}, "set metrics.enabled to true"),
    ({"metrics": {"scrapeAnnotations": True}}, "set metrics.enabled to true"),
    ({"metrics": {"enabled": True, "podMonitor": {"enabled": True}, "scrapeAnnotations": True}}, "scraped twice"),
    ({"metrics": {"enabled": True, "podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}}, "scraped twice"),
    ({"updateStrategy": {"maxSurge": 0}}, "both 0"),
    ({"updateStrategy": {"maxSurge": "0%", "maxUnavailable": "0%"}}, "both 0"),
    ({"updateStrategy": {"maxUnavailable": 1}}, "set the other to 0"),
    ({"hookPrograms": {"images": [IMAGE, IMAGE]}}, 'the name "a" twice'),
    *[({"hookPrograms": {"images": [IMAGE | {"from": path}], "dir": "/opt/programs/x"}},
       f'the image of "a" has at {path} is not seen in its container, where the chart mounts {mount}: expected another')
      for path, mount in (("/tools", "/tools"), ("/tools/x", "/tools"), ("/opt", "/opt/programs/x"), ("/opt/programs", "/opt/programs/x"),
                          ("/opt/programs/x", "/opt/programs/x"), ("/opt/programs/x/y", "/opt/programs/x"))],
    ({"hookPrograms": {"hostDirs": ["/opt/hooks", "/opt/hooks"]}}, "names a directory twice"),
    ({"hookPrograms": {"hostDirs": ["/opt/grapnel/programs"]}}, "names a directory twice"),
    ({"hookPrograms": {"hostDirs": ["/run/crio"], "crioDir": "/run/crio"}}, "names a directory twice"),
    ({"hookPrograms": {"crioDir": "/run/grapnel"}}, "/run/grapnel holds something else"),
    ({"hookPrograms": {"hostDirs": ["/run/grapnel/x"]}}, "/run/grapnel holds something else"),
    ({"hookPrograms": {"dir": "/host"}}, "/host holds something else"),
    ({"nri": {"socketDir": "/run/grapnel"}}, "/run/grapnel holds something else"),
    ({"rules": {"files": BIG}}, "rules.existingConfigMaps"),
    ({"serviceAccount": {"create": False}}, "set serviceAccount.name"),
    *[(values | {"serviceAccount": {"create": create, "name": "default"}}, "an account that only Grapnel has")
      for values in ({"startupTaint": {"enabled": True}}, {"openshift": {"scc": True}}) for create in (False, True)],
    ({"securityContext": {"runAsUser": 1000}}, "the plugin is uid 0"),
    ({"securityContext": {"runAsNonRoot": True}}, "Leave runAsUser and runAsNonRoot out"),
    ({"startupTaint": {"enabled": True}, "probes": {"readiness": {"enabled": False}}}, "leave probes.readiness.enabled at true"),
    ({"enableNri": {"restart": True}}, "does nothing without enableNri.enabled"),
    ({"extraArgs": ["--socket=/x"]}, "set nri.socketDir instead"),
    ({"extraArgs": ["--metrics"]}, "set metrics instead"),
    ({"extraArgs": ["--programs-dir=/x"]}, "set hookPrograms.dir instead"),
    ({"extraArgs": ["--retire-keep=x"]}, "set hookPrograms.images instead"),
    ({"extraArgs": ["--log-format=json", "--policy=/x"]}, "set policy instead"),
    ({"podLabels": {"grapnel/release": "other"}}, "podLabels: the label grapnel/release is the chart's own"),
    ({"podAnnotations": {"kubectl.kubernetes.io/default-container": "x"}},
     'default-container to the pods itself, with the value "grapnel"'),
    ({"podAnnotations": {"a/b": "x"}, "requiredPlugin": {"tolerateAnnotation": "a/b"}}, "gives the annotation a/b to the pods itself"),
    ({"requiredPlugin": {"tolerateAnnotation": "helm.sh/hook"}}, "requiredPlugin.tolerateAnnotation: the chart gives"),
    ({"extraEnv": [{"name": "NODE_NAME", "value": "x"}]}, "extraEnv: the chart makes the variable NODE_NAME itself"),
    ({"extraEnv": [{"name": "A", "value": "x"}, {"name": "A"}]}, "extraEnv: the variable A is there twice"),
    ({"extraVolumeMounts": [{"name": "x", "mountPath": "/usr"}]}, "nothing can be mounted at /usr, since the container has /usr/bin/grapnel"),
    ({"extraVolumeMounts": [{"name": "x", "mountPath": "/v"}, {"name": "y", "mountPath": "/v/"}]}, "has the mountPath /v twice"),
]


@pytest.mark.parametrize(("values", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(values: dict, said: str):
    done = chart.run("template", values=values)
    assert done.returncode != 0
    assert said in done.stderr


def test_the_namespace_of_kubernetes_is_not_made():
    done = chart.run("template", "--namespace=kube-system", values={"namespace": {"create": True}})
    assert done.returncode != 0 and "kube-system belongs to Kubernetes" in done.stderr


def test_the_taint_needs_a_cluster_that_can_confine_it():
    values = {"startupTaint": {"enabled": True}}
    old = chart.run("template", "--kube-version=1.29.9", values=values)
    assert old.returncode != 0 and "needs Kubernetes 1.30" in old.stderr and "v1.29.9" in old.stderr
    assert chart.run("template", "--kube-version=1.30.0", values=values).returncode == 0


def sentences() -> set[str]:
    """The longest part of each that does not depend on values."""
    found = [text for path in sorted((CHART / "templates").rglob("*.*"))
             for text in re.findall(r'\bfail \(?(?:printf )?"((?:[^"\\]|\\.)*)"', path.read_text())]
    parts = {max(re.split(r"%[a-z]|\\.", text), key=len) for text in found}
    assert len(parts) == len(found)
    return parts


def test_each_sentence_is_tested():
    """Those above, the two of clusters and namespaces, and two for which a cluster is asked (tests/cluster/test_chart_sources.py)."""
    said = [chart.run("template", values=values).stderr for values, _ in REFUSED]
    left = {sentence for sentence in sentences() if not any(sentence in text for text in said)}
    elsewhere = ("belongs to Kubernetes", "startupTaint needs Kubernetes", "existingConfigMaps: there is no", "has no key policy.yaml")
    assert len(left) == 4 and all(any(part in sentence for sentence in left) for part in elsewhere), left


def test_what_is_just_allowed():
    assert chart.run("template", values={"extraArgs": ["--log-level=debug"]}).returncode == 0
    assert chart.run("template", values={"securityContext": {"runAsUser": 0}}).returncode == 0
    assert chart.run("template", values={"rules": {"files": {"a.yaml": "#" * 900_000}}}).returncode == 0
    assert chart.run("template", values={"serviceAccount": {"create": False, "name": "default"}}).returncode == 0
    for path in ("/tool", "/toolset", "/opt/prog", "/opt/programs/xy", "/opt/programs2", "/hooks/opt/programs/x"):
        values = {"hookPrograms": {"images": [IMAGE | {"from": path}], "dir": "/opt/programs/x"}}
        assert chart.run("template", values=values).returncode == 0, path
    mounts = [{"name": "v", "mountPath": path} for path in ("/v", "/v/w", "/host/opt", "/rulesets", "/etc/ssl", "/usr/bin/grapnels")]
    assert chart.run("template", values={"extraVolumeMounts": mounts}).returncode == 0
