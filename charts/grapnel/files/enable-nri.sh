#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Switches NRI on for containerd 1.7 by a drop-in file of its own, where containerd's configuration imports
# the directory of such files. Changes no file of anybody else, and restarts nothing unless asked to.
#
#   CONFIG_DIR       containerd's configuration directory, as seen here
#   HOST_CONFIG_DIR  the same as the host names it
#   RESTART_UNIT     the unit to restart when the drop-in changed; empty: none
#   HOST_ROOT        where the host's / is seen, to reach its systemd
set -eu

config=$CONFIG_DIR/config.toml
dropin=$CONFIG_DIR/conf.d/50-grapnel-nri.toml
table='[plugins."io.containerd.nri.v1.nri"]'

advise() {
    echo "enable-nri: $1" >&2
    printf 'enable-nri: to switch NRI on, have these lines in %s/config.toml and restart containerd:\n%s\n  disable = false\n' \
        "$HOST_CONFIG_DIR" "$table" >&2
    exit 0
}

[ -f "$config" ] || advise "there is no $HOST_CONFIG_DIR/config.toml here; nothing was changed"
# From containerd 2 on NRI is on, and its configuration has version 3.
if grep -Eq '^[[:space:]]*version[[:space:]]*=[[:space:]]*([3-9]|[1-9][0-9]+)' "$config"; then
    echo "enable-nri: this is the configuration of containerd 2, which has NRI on; nothing to do"
    exit 0
fi
if grep -Fq 'io.containerd.nri.v1.nri' "$config"; then
    advise "$HOST_CONFIG_DIR/config.toml says something of NRI already; nothing was changed"
fi
imports=$(grep -E '^[[:space:]]*imports[[:space:]]*=' "$config" || true)
case $imports in
*"\"$HOST_CONFIG_DIR/conf.d/*.toml\""* | *"'$HOST_CONFIG_DIR/conf.d/*.toml'"*) ;;
*) advise "$HOST_CONFIG_DIR/config.toml does not import $HOST_CONFIG_DIR/conf.d/*.toml; nothing was changed" ;;
esac

# Under another name first, which is not imported: a half-written file would keep containerd from starting.
mkdir -p "$CONFIG_DIR/conf.d"
aside=$dropin.new
trap 'rm -f "$aside"' EXIT
printf '# Written by Grapnel (enable-nri).\nversion = 2\n%s\n  disable = false\n' "$table" >"$aside"
chmod 0644 "$aside"
if [ -f "$dropin" ] && cmp -s "$aside" "$dropin"; then
    echo "enable-nri: $HOST_CONFIG_DIR/conf.d/50-grapnel-nri.toml is as it should be"
    exit 0
fi
sync
mv "$aside" "$dropin"
echo "enable-nri: wrote $HOST_CONFIG_DIR/conf.d/50-grapnel-nri.toml"

if [ -z "${RESTART_UNIT:-}" ]; then
    echo "enable-nri: containerd was not restarted; NRI is on from its next start"
    exit 0
fi
echo "enable-nri: restarting $RESTART_UNIT"
SYSTEMD_IGNORE_CHROOT=1 chroot "$HOST_ROOT" systemctl restart "$RESTART_UNIT"
