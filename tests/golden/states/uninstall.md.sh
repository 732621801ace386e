# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC1091
# Two versions of hook programs; the plugin has gone, and a container runs that names the older one.

## By hand
. /tests/rules.sh
for version in 1 2; do
    mkdir -p /tmp/image
    echo "$version" >/tmp/image/tap
    grapnel setup install --from /tmp/image --to /opt/grapnel/programs/network
done
older=$(grep -lx 1 /opt/grapnel/programs/network/*/tap)
mkdir -p /var/lib/grapnel/last-good
echo "[$(container 3f0123456789a shop shop-0 | sed "s|}\$|, \"poststop\": [\"$older\"]}|")]" >/tmp/running.json
python3 /tests/noderuntime.py --running /tmp/running.json &
grapnel plugin 2>/tmp/plugin.log &
plugin=$!
until_ok grapnel probe ready
kill $plugin
wait $plugin || true

## Autostart
grapnel setup autostart
