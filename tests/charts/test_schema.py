# SPDX-License-Identifier: Apache-2.0
"""values.schema.json: what it refuses, in which words, and that it says what values.yaml and the program say."""
from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

import chart
from chart import CHART, ROOT

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
# Settings that the chart makes of other values, or that it does not offer.
OWN = {"hooksDirs", "hostRoot", "nodeName", "lastGoodDir", "ociHooksDirs", "ownNamespace", "runDir", "controlSocket",
       "metricsAddress", "metricsTextfile", "programsDir", "crioDir", "runner"}
IMAGE = {"name": "a", "image": "example.com/a:1", "from": "/hooks"}

# Values, where helm says the mistake is, and a part of what it says.
WRONG = [
    ({"imag": {}}, "", "'imag' not allowed"),
    ({"image": {"tags": "1"}}, "/image", "'tags' not allowed"),
    ({"image": {"tag": 1.2}}, "/image/tag", "got number, want string"),
    ({"image": {"pullPolicy": "always"}}, "/image/pullPolicy", "must be one of 'Always', 'IfNotPresent', 'Never'"),
    ({"imagePullSecrets": ["registry"]}, "/imagePullSecrets/0", "got string, want object"),
    ({"imagePullSecrets": [{"name": "a"}, {"name": "a"}]}, "/imagePullSecrets", "items at 0 and 1 are equal"),
    ({"extraEnv": [{"value": "a"}]}, "/extraEnv/0", "missing property 'name'"),
    ({"extraVolumeMounts": [{"name": "v"}]}, "/extraVolumeMounts/0", "missing property 'mountPath'"),
    ({"nri": {"index": 10}}, "/nri/index", "got number, want string"),
    ({"enableNri": {"enabled": "yes"}}, "/enableNri/enabled", "got string, want boolean"),
    ({"rules": {"files": {"a.yaml": {"kind": "HookSet"}}}}, "/rules/files/a.yaml", "got object, want null or string"),
    ({"rules": {"files": []}}, "/rules/files", "got array, want object"),
    ({"rules": {"existingConfigMaps": ["a", "a"]}}, "/rules/existingConfigMaps", "items at 0 and 1 are equal"),
    ({"rules": {"hostDirs": "/etc/hooks"}}, "/rules/hostDirs", "got string, want array"),
    ({"policy": {"spec": {"stage": []}}}, "/policy/spec", "'stage' not allowed"),
    ({"policy": {"spec": {"stages": ["createruntime"]}}}, "/policy/spec/stages/0", "must be one of"),
    ({"policy": {"spec": {"exemptNamespaces": "kube-system"}}}, "/policy/spec/exemptNamespaces", "want array"),
    ({"policy": {"spec": {"hooksPerContainer": 0}}}, "/policy/spec/hooksPerContainer", "got 0, want 1"),
    ({"reload": {"mode": "watch"}}, "/reload/mode", "must be one of 'Watch', 'Restart'"),
    ({"config": {"hostRoot": "/host"}}, "/config", "'hostRoot' not allowed"),
    ({"config": {"logLevel": "trace"}}, "/config/logLevel", "must be one of"),
    ({"config": {"rescanInterval": 0}}, "/config/rescanInterval", "got 0, want 1"),
    ({"config": {"rescanInterval": 3601}}, "/config/rescanInterval", "got 3,601, want 3,600"),
    ({"hookPrograms": {"images": [{"name": "a"}]}}, "/hookPrograms/images/0", "missing properties 'image', 'from'"),
    ({"hookPrograms": {"images": [IMAGE | {"name": "a" * 56}]}}, "/hookPrograms/images/0/name", "maxLength"),
    ({"hookPrograms": {"retireAfterSeconds": -1}}, "/hookPrograms/retireAfterSeconds", "got -1, want 0"),
    ({"hookPrograms": {"retireAfterSeconds": 86401}}, "/hookPrograms/retireAfterSeconds", "got 86,401, want 86,400"),
    ({"hostRootMount": "true"}, "/hostRootMount", "got string, want boolean"),
    ({"preflight": {"activeDeadlineSeconds": 0}}, "/preflight/activeDeadlineSeconds", "got 0, want 1"),
    ({"cleanup": {"timeoutSeconds": "5m"}}, "/cleanup/timeoutSeconds", "got string, want integer"),
    ({"startupTaint": {"againSeconds": 86401}}, "/startupTaint/againSeconds", "got 86,401, want 86,400"),
    ({"nodeSelector": {"a": True}}, "/nodeSelector/a", "got boolean, want string"),
    ({"tolerations": [{"operator": "Exist"}]}, "/tolerations/0/operator", "must be one of 'Exists', 'Equal'"),
    ({"affinity": {"nodeAffinty": {}}}, "/affinity", "'nodeAffinty' not allowed"),
    ({"updateStrategy": {"type": "Recreate"}}, "/updateStrategy/type", "must be one of"),
    ({"terminationGracePeriodSeconds": 0}, "/terminationGracePeriodSeconds", "got 0, want 1"),
    ({"resources": {"limit": {}}}, "/resources", "'limit' not allowed"),
    ({"probes": {"liveness": {"httpGet": {}}}}, "/probes/liveness", "'httpGet' not allowed"),
    ({"seLinuxOptions": {"typ": "spc_t"}}, "/seLinuxOptions", "'typ' not allowed"),
    ({"securityContext": ["privileged"]}, "/securityContext", "got array, want object"),
    ({"podAnnotations": {"a": 1}}, "/podAnnotations/a", "got number, want string"),
    ({"metrics": {"port": 443}}, "/metrics/port", "got 443, want 1,024"),
    ({"metrics": {"port": 65536}}, "/metrics/port", "got 65,536, want 65,535"),
    ({"networkPolicy": {"apiServerPorts": [0]}}, "/networkPolicy/apiServerPorts/0", "got 0, want 1"),
    ({"networkPolicy": {"metricsFrom": []}}, "/networkPolicy/metricsFrom", "got 0, want 1"),
    ({"verticalPodAutoscaler": {"updateMode": False}}, "/verticalPodAutoscaler/updateMode", "got boolean"),
]


@pytest.mark.parametrize(("values", "where", "said"), WRONG, ids=[f"{where}: {said}" for _, where, said in WRONG])
def test_refused(values: dict, where: str, said: str):
    done = chart.run("template", values=values)
    assert done.returncode != 0
    assert any(f"at '{where}': " in line and said in line for line in done.stderr.splitlines()), done.stderr


# At the edge, and just inside.
RIGHT = [
    {"nri": {"index": "00"}}, {"nri": {"index": "99"}}, {"metrics": {"port": 1024}}, {"metrics": {"port": 65535}},
    {"image": {"digest": "sha256:" + "0" * 64}}, {"config": {"rescanInterval": 1}}, {"config": {"rescanInterval": "3600s"}},
    {"rules": {"files": {"a.yaml": None, "b.json": "{}", "C_1.yml": ""}}}, {"resources": {"limits": {"cpu": 1, "memory": "1.5Gi"}}},
    {"hookPrograms": {"images": [IMAGE | {"name": "a" * 55}]}}, {"updateStrategy": {"maxSurge": "100%"}},
    {"metrics": {"enabled": True, "podMonitor": {"enabled": True, "interval": "1m30s"}}}, {"global": {"of": "a parent chart"}},
    {"hookPrograms": {"images": [IMAGE | {"image": "registry.example.com:5000/a/b/c@sha256:" + "a" * 64}]}},
    {"hookPrograms": {"retireAfterSeconds": 0}}, {"hookPrograms": {"retireAfterSeconds": 86400}},
    {"priorityClassName": ""}, {"terminationGracePeriodSeconds": 1}, {"cleanup": {"timeoutSeconds": 3600}},
]


@pytest.mark.parametrize("values", RIGHT, ids=map(json.dumps, RIGHT))
def test_accepted(values: dict):
    done = chart.run("template", values=values)
    assert done.returncode == 0, done.stderr


def schemas(schema: object, path: str = "#"):
    if isinstance(schema, dict):
        yield path, schema
        for key, below in schema.items():
            yield from schemas(below, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, below in enumerate(schema):
            yield from schemas(below, f"{path}/{index}")


def test_strict_everywhere():
    """An object says which keys it has, or what all of its values are, or whose they are."""
    loose = [path for path, schema in schemas(SCHEMA)
             if schema.get("type") == "object" and "additionalProperties" not in schema and "$comment" not in schema]
    assert loose == []
    strict = [path for path, schema in schemas(SCHEMA) if schema.get("additionalProperties") is False]
    assert len(strict) > 30


def test_no_reference_leads_out():
    refs = {schema["$ref"] for _, schema in schemas(SCHEMA) if isinstance(schema.get("$ref"), str)}
    assert refs and all(ref.startswith("#/definitions/") and ref.split("/")[-1] in SCHEMA["definitions"] for ref in refs)
    used = {ref.split("/")[-1] for ref in refs}
    assert used == set(SCHEMA["definitions"])


def follow(schema: dict) -> dict:
    return SCHEMA["definitions"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def test_schema_and_values_have_the_same_keys():
    """Where values.yaml has a mapping with keys, the schema names each. The top has no key without a value."""
    def walk(schema: dict, values: dict, path: str):
        properties = follow(schema).get("properties")
        if properties is None:
            return
        for key, value in values.items():
            assert key in properties, f"{path}{key}"
            if isinstance(value, dict):
                walk(properties[key], value, f"{path}{key}.")

    walk(SCHEMA, VALUES, "")
    assert set(SCHEMA["properties"]) == set(VALUES) | {"global"}


def keys(kind: str) -> set[str]:
    return set(json.loads((ROOT / f"specs/{kind}.schema.json").read_text())["properties"]["spec"]["properties"])


def test_settings_are_those_of_the_program():
    mine = set(SCHEMA["properties"]["config"]["properties"])
    assert mine & OWN == set()
    assert mine <= keys("config")
    assert keys("config") - mine <= OWN


def test_policies_are_those_of_the_program():
    assert set(SCHEMA["properties"]["policy"]["properties"]["spec"]["properties"]) == keys("policy")


def test_page_is_made_of_the_values():
    done = subprocess.run([ROOT / "charts/tools/readme", "--print"], capture_output=True, text=True, check=True,
                          timeout=60)
    assert done.stdout == (CHART / "README.md").read_text(), "run charts/tools/readme"


def test_every_value_is_explained():
    page = (CHART / "README.md").read_text()
    rows = re.findall(r"^\| `([A-Za-z.]+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) > 90
    assert [key for key, _, meaning in rows if not meaning] == []
    shown = {key for key, _, _ in rows}

    def missing(values: dict, path: str):
        for key, value in values.items():
            here = f"{path}{key}"
            if isinstance(value, dict) and any(name.startswith(f"{here}.") for name in shown):
                yield from missing(value, f"{here}.")
            elif here not in shown:
                yield here

    assert list(missing(VALUES, "")) == []
