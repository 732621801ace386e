# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC1091,SC2154
# What is the matter with the machine before the first command below each heading is typed.

## No hook ran
. /tests/rules.sh
python3 /tests/noderuntime.py /tmp/first.json /tmp/second.json &
runtime=$!
grapnel plugin 2>/tmp/plugin.log &
plugin=$!
echo "[$(container 3f0123456789a shop shop-0 tap-network), $(container 5f0123456789b plain plain-0)]" >/tmp/first.new
mv /tmp/first.new /tmp/first.json
until_ok grapnel explain --live web/plain-0

## The container is refused
rm /opt/hooks/audit
kill -HUP $plugin
until_status "NOT READY"
echo "[$(container 7f0123456789c db db-0 audit)]" >/tmp/second.new
mv /tmp/second.new /tmp/second.json
until grapnel explain --live web/db-0 2>/dev/null | grep -q refused; do sleep 0.1; done

## A hook fails
printf '#!/bin/sh\necho "no such bridge: br0" >&2\nexit 1\n' >/opt/hooks/network-setup
cat >pod.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: shop-0, namespace: web, annotations: {example.com/hooks: tap-network}}
spec: {containers: [{name: shop, image: "registry.example.com/shop:1"}]}
END

## A hook program is missing
mkdir -p /tmp/image /mnt/programs
cp /bin/true /tmp/image/tap
grapnel setup install --from /tmp/image --to /opt/grapnel/programs/network

## An installer refuses
mount -t tmpfs -o noexec,mode=755 tmpfs /mnt/programs

## The plugin is not ready
rm /opt/hooks/audit
kill -HUP $plugin
until_status "NOT READY"

## The plugin is not connected
cp /bin/true /opt/hooks/audit
kill $runtime
rm /run/nri/nri.sock
kill -HUP $plugin
until_status "  connecting fails"

## The runtime dropped the plugin
python3 /tests/noderuntime.py &
until_ok grapnel probe ready

## A changed rule does nothing
sed -i 's/timeout: 5/timeout: soon/' /etc/grapnel/hooks.d/audit.yaml

## The runtime does not start
mkdir -p /opt/nri/plugins
for name in 10-grapnel 10-grapnel.bak install.sh; do cp /usr/local/bin/grapnel /opt/nri/plugins/$name; done
