# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC1091
# A container that was created between two sessions, by rules that were in force since an earlier second.

## See it
. /tests/rules.sh
python3 /tests/noderuntime.py &
runtime=$!
grapnel plugin 2>/tmp/plugin.log &
until_ok grapnel probe ready
second=$(date +%s)
until [ "$(date +%s)" -gt $((second + 1)) ]; do sleep 0.1; done
kill $runtime
until_status "NOT READY"
echo "[$(container 3f0123456789a shop shop-0 tap-network)]" >/tmp/running.json
python3 /tests/noderuntime.py --running /tmp/running.json &
until_ok grapnel probe ready
