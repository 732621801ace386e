# SPDX-License-Identifier: Apache-2.0
"""What values add never meets what the chart makes: it is refused by name, or goes beside it."""
from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable

import pytest
import yaml

import chart
from chart import CHART, LOADER, Rendered

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
# Everything that makes an object, a label, an annotation, a volume, a mount or a container.
ON = {
    "namespace": {"create": True}, "openshift": {"scc": True}, "startupTaint": {"enabled": True}, "reload": {"mode": "Restart"},
    "enableNri": {"enabled": True, "restart": True}, "requiredPlugin": {"tolerateAnnotation": "example.com/tolerate"},
    "rules": {"existingConfigMaps": ["one"], "hostDirs": ["/etc/a"]}, "networkPolicy": {"enabled": True},
    "hookPrograms": {"images": [{"name": "a", "image": "example.com/a:1", "from": "/hooks"}], "hostDirs": ["/opt/a"], "crioDir": "/run/c"},
    "metrics": {"enabled": True, "podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "dashboard": {"enabled": True},
                "textfileDir": "/b"}, "verticalPodAutoscaler": {"enabled": True}}
# Of which there is one at a time.
SERVICE = {"metrics": {"enabled": True, "serviceMonitor": {"enabled": True}}}
SCRAPED = {"metrics": {"enabled": True, "scrapeAnnotations": True}}
OLD = ("--kube-version=1.29.14",)


def merged(under: dict, over: dict) -> dict:
    both = under | over
    return both | {key: merged(under[key], over[key]) for key in both if isinstance(under.get(key), dict) and isinstance(over.get(key), dict)}


def at(path: str, value: object) -> dict:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def maps(kind: str, schema: dict = SCHEMA, path: str = "") -> list[str]:
    """The values that are maps of labels, or of annotations, as the schema says."""
    found = []
    for key, below in schema.get("properties", {}).items():
        if below.get("$ref", "").startswith("#/definitions/"):
            name = below["$ref"].split("/")[-1]
            found += [path + key] if name == kind else maps(kind, SCHEMA["definitions"][name], f"{path}{key}.")
        else:
            found += maps(kind, below, f"{path}{key}.")
    return found


LABELS = [path for path in maps("labels") if path != "nodeSelector"]


@functools.cache
def everything() -> Rendered:
    return Rendered(ON)


def templates(rendered: Rendered) -> list[dict]:
    return [found["spec"]["template"]["metadata"] for found in rendered.objects if "template" in found.get("spec", {})]


def own_labels() -> list[str]:
    metas = [found["metadata"] for found in everything().objects] + templates(everything())
    given = {key for path in ("namespace", "metrics.dashboard") for key in functools.reduce(dict.get, path.split("."), VALUES)["labels"]}
    return sorted({key for meta in metas for key in meta["labels"]} - given)


def test_a_key_that_is_there_twice_is_found():
    """By all tests of the chart, which load what they look at with it."""
    assert yaml.load("{a: 1, b: {a: 1}}", LOADER) == {"a": 1, "b": {"a": 1}}
    for text in ("{a: 1, b: 2, a: 1}", "x: [{y: {a: 1, a: 2}}]", "x:\n  'a': 1\n  a: 2\n"):
        with pytest.raises(AssertionError, match="'a'. is there twice"):
            yaml.load(text, LOADER)


def test_the_maps_of_the_schema():
    assert set(LABELS) == {"commonLabels", "podLabels", "namespace.labels", "metrics.podMonitor.labels", "metrics.serviceMonitor.labels",
                           "metrics.prometheusRule.labels", "metrics.dashboard.labels"}
    assert set(maps("annotations")) == {"podAnnotations", "serviceAccount.annotations", "metrics.dashboard.annotations"}


@pytest.mark.parametrize("on", [ON, SERVICE, SCRAPED], ids=["all", "service", "scraped"])
def test_one_key_in_all_maps(on: dict):
    """The labels of one kind of object count before commonLabels."""
    values = on
    for path in LABELS + maps("annotations"):
        values = merged(values, at(path, {"example.com/same": path.replace(".", "-")}))
    rendered = Rendered(values)
    assert rendered.template["metadata"]["labels"]["example.com/same"] == "podLabels"
    assert rendered.template["metadata"]["annotations"]["example.com/same"] == "podAnnotations"
    kinds = {"Namespace": "namespace-labels", "PodMonitor": "metrics-podMonitor-labels", "ServiceMonitor": "metrics-serviceMonitor-labels",
             "PrometheusRule": "metrics-prometheusRule-labels"}
    for found in rendered.objects:
        name = found["metadata"]["name"]
        expected = "metrics-dashboard-labels" if name.endswith("-dashboard") else kinds.get(found["kind"], "commonLabels")
        assert found["metadata"]["labels"]["example.com/same"] == expected, name
    assert all(meta["labels"]["example.com/same"] in ("commonLabels", "podLabels") for meta in templates(rendered))


@pytest.mark.parametrize("path", ["commonLabels", "podLabels", "podAnnotations", "namespace.labels", "metrics.dashboard", "metrics.prometheusRule",
                                  "metrics.dashboard.labels", "extraEnv", "extraVolumes", "extraVolumeMounts", "extraContainers",
                                  "extraInitContainers", "imagePullSecrets"])
def test_what_is_taken_out_with_null_is_empty(path: str):
    assert Rendered(at(path, None)).objects == Rendered().objects


def refused(values: dict, *said: str, args: tuple = ()) -> None:
    done = chart.run("template", "--namespace=hooks", *args, values=values)
    assert done.returncode != 0 and all(part in done.stderr for part in said), f"{values}: {done.stderr}"


def test_the_charts_labels_belong_to_it():
    """In whichever map: two of them tell releases apart, and selectors go by others."""
    own = own_labels()
    assert {"app.kubernetes.io/part-of", "app.kubernetes.io/component", "grapnel/release", "helm.sh/chart"} < set(own) and len(own) == 8
    for path, key in itertools.product(LABELS, own):
        refused(at(path, {key: "x"}), f"{path}: the label {key} is the chart's own")


@pytest.mark.parametrize(("values", "args", "count"), [(ON, (), 3), (merged(ON, {"startupTaint": {"enabled": False}}), OLD, 4),
                                                       (SCRAPED, (), 3)], ids=["all", "old", "scraped"])
def test_the_annotations_of_pods_belong_to_it(values: dict, args: tuple, count: int):
    annotations = Rendered(values, *args).template["metadata"]["annotations"]
    assert len(annotations) == count
    for key, value in annotations.items():
        refused(merged(values, {"podAnnotations": {key: "x"}}), f"the annotation {key} to the pods itself", f'"{value}"', args=args)
        if key != "example.com/tolerate":
            refused(merged(values, {"requiredPlugin": {"tolerateAnnotation": key}}), f"the annotation {key} to pods itself", args=args)


@pytest.mark.parametrize(("path", "found"), [
    ("nodeSelector", lambda rendered: rendered.pod["nodeSelector"]),
    ("serviceAccount.annotations", lambda rendered: rendered.one("ServiceAccount")["metadata"]["annotations"]),
    ("metrics.dashboard.annotations", lambda rendered: rendered.one("ConfigMap", "g-grapnel-dashboard")["metadata"]["annotations"])],
    ids=["nodes", "account", "dashboard"])
def test_maps_that_stand_alone(path: str, found: Callable[[Rendered], dict]):
    """Nothing of the chart goes into these."""
    keys = dict.fromkeys([*own_labels(), *everything().template["metadata"]["annotations"]], "x")
    assert keys.items() <= found(Rendered(merged(ON, at(path, keys)))).items()


@pytest.mark.parametrize("on", [ON, merged(ON, {"hostRootMount": True})], ids=["parts", "all-of-the-host"])
def test_volumes_and_mounts_belong_to_it(on: dict):
    rendered = Rendered(on)
    names = [volume["name"] for volume in rendered.pod["volumes"]]
    assert {"tools", "api-token", "host-root", "rules-0", "host-rules-0"} < set(names)
    for name in names:
        refused(merged(on, {"extraVolumes": [{"name": name, "emptyDir": {}}]}), f"the chart makes the volume {name} itself")
    assert len(rendered.mounts()) > 8
    for path in rendered.mounts():
        for mine in (path, path + "/", *([] if path.startswith("/host") else [path + "/x", path.rsplit("/", 1)[0] or "/"])):
            refused(merged(on, {"extraVolumeMounts": [{"name": "v", "mountPath": mine}]}), "extraVolumeMounts: nothing can be mounted at ")


def test_containers_and_variables_belong_to_it():
    rendered = everything()
    names = [container["name"] for container in chart.containers(rendered.pod)]
    assert sorted(names) == ["enable-nri", "grapnel", "program-a", "self", "startup-taint"]
    for name, value in itertools.product(names, ("extraContainers", "extraInitContainers")):
        refused(merged(ON, {value: [{"name": name, "image": "x:1"}]}), value, f"the chart makes the container {name} itself")
    refused({"extraContainers": [{"name": "x"}], "extraInitContainers": [{"name": "x"}]}, "the container x is there twice")
    refused({"extraVolumes": [{"name": "x"}, {"name": "x"}]}, "the volume x is there twice")
    for variable in rendered.container()["env"]:
        refused({"extraEnv": [{"name": variable["name"]}]}, f"the chart makes the variable {variable['name']} itself")


def test_selectors_find_their_pods_whatever_labels_are_added():
    rendered = Rendered(merged(ON, {"commonLabels": {"a": "b", "app.kubernetes.io/created-by": "x"}, "podLabels": {"a": "c", "app": "d"}}))
    for found in rendered.all("DaemonSet"):
        assert found["spec"]["selector"]["matchLabels"].items() <= found["spec"]["template"]["metadata"]["labels"].items()
    (term,) = rendered.pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"].items() <= rendered.template["metadata"]["labels"].items()
