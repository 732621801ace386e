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

# Says what keeps it from writing anything, and what to do instead.
advise() {
    echo "enable-nri: $1; nothing was changed" >&2
    printf 'enable-nri: to switch NRI on, %s and restart containerd:\n%s\n  disable = false\n' \
        "${2:-have these lines in $HOST_CONFIG_DIR/config.toml}" "$table" >&2
    exit 0
}

# Keys of the file itself stand above its first table.
own_keys() {
    sed 's/#.*//; /^[[:space:]]*\[/,$d' "$config"
}

# What the files say of NRI, and where: "off" what switches it off, whatever else there is; "on" or "named" the last of its
# tables, which takes the place of all others.
nri() {
    awk -v here="$CONFIG_DIR" -v there="$HOST_CONFIG_DIR" '
        function at(what) { return what " " there substr(FILENAME, length(here) + 1) ":" FNR }
        FNR == 1 { list = table = 0 }
        { sub(/#.*/, "") }
        /^[[:space:]]*disabled_plugins[[:space:]]*=/ { list = 1 }
        list && /io\.containerd\.nri\.v1\.nri/ { off = off ? off : at("off") }
        !list && /io\.containerd\.nri\.v1\.nri/ { last = at("named") }
        /\]/ { list = 0 }
        /^[[:space:]]*\[/ { table = index($0, "io.containerd.nri.v1.nri") }
        table && /^[[:space:]]*disable(_connections)?[[:space:]]*=[[:space:]]*true/ { off = off ? off : at("off") }
        table && /^[[:space:]]*disable[[:space:]]*=[[:space:]]*false/ { last = at("on") }
        END { print off ? off : last }' "$@"
}

if [ ! -f "$config" ]; then
    # Without the version the table would be one of version 1, where it has another name.
    table="version = 2
$table"
    advise "there is no $HOST_CONFIG_DIR/config.toml here, and containerd 1.7 has NRI off then" "write it with these lines"
fi
version=$(own_keys | sed -n 's/^[[:space:]]*version[[:space:]]*=[[:space:]]*\([0-9]*\).*/\1/p')
imports=$(own_keys | awk '/^[[:space:]]*imports[[:space:]]*=/ { on = 1 } on { print } on && /\]/ { exit }')
case $imports in
*[\"\']"$HOST_CONFIG_DIR/conf.d/*.toml"[\"\']* | *[\"\']"conf.d/*.toml"[\"\']*) imported=yes ;;
*) imported= ;;
esac
set -- "$config"
for file in "$CONFIG_DIR"/conf.d/*.toml; do
    if [ "$imported" ] && [ -f "$file" ] && [ "$file" != "$dropin" ]; then
        set -- "$@" "$file"
    fi
done

# containerd takes the highest version that any file has for all of them: ours would keep it from starting.
if [ "${version:-1}" -lt 2 ]; then
    table='[plugins.nri]'
    advise "$HOST_CONFIG_DIR/config.toml has version 1, and a drop-in has version 2: containerd would not start with both"
fi
found=$(nri "$@")
case $found in
off*) advise "${found#off } switches NRI or its connections off" "change that, so that there is" ;;
on*)
    echo "enable-nri: ${found#on } has NRI on already; nothing to do"
    exit 0
    ;;
esac
if [ "$version" -gt 2 ]; then
    echo "enable-nri: this is the configuration of containerd 2, which has NRI on; nothing to do"
    exit 0
fi
case $found in
named*) advise "${found#named } has a table of NRI, and one in a drop-in takes the place of all of it" "add the last of these lines to it" ;;
esac
[ "$imported" ] || advise "$HOST_CONFIG_DIR/config.toml does not import $HOST_CONFIG_DIR/conf.d/*.toml"

# Under another name first, which is not imported: a half-written file would keep containerd from starting.
mkdir -p "$CONFIG_DIR/conf.d"
aside=$dropin.new
trap 'rm -f "$aside"' EXIT
printf '# Written by Grapnel (enable-nri).\nversion = 2\n%s\n  disable = false\n' "$table" >"$aside" || {
    echo "enable-nri: $HOST_CONFIG_DIR/conf.d cannot be written; is there room on the disk?" >&2
    exit 1
}
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
# By D-Bus: systemd's own socket is for processes only that see systemd, in the node's pid namespace. Where it fails, nothing
# is left that the next try would take for done.
if ! SYSTEMCTL_FORCE_BUS=1 SYSTEMD_IGNORE_CHROOT=1 chroot "$HOST_ROOT" systemctl restart "$RESTART_UNIT"; then
    rm -f "$dropin"
    echo "enable-nri: $RESTART_UNIT could not be restarted: removed $HOST_CONFIG_DIR/conf.d/50-grapnel-nri.toml again" >&2
    exit 1
fi
