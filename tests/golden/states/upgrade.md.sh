# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC1091
# Rules before and after, and pods as kubectl has them.

## With the chart
mkdir old-rules new-rules
cp examples/05-audit/rule.yaml old-rules/audit.yaml
sed 's/mode: Observe/mode: Enforce/' old-rules/audit.yaml >new-rules/audit.yaml
cp examples/05-audit/pods.yaml pods.json

## Autostart
mkdir -p /opt/nri
grapnel setup autostart
printf 'older' >>/opt/nri/plugins/10-grapnel
