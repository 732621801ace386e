# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Two rules, of which each is for pods that name it in an annotation, and their programs.
mkdir -p /etc/grapnel/hooks.d /opt/hooks
for set in tap-network:network-setup audit:audit; do
    cp /bin/true "/opt/hooks/${set#*:}"
    cat >"/etc/grapnel/hooks.d/${set%:*}.yaml" <<END
apiVersion: grapnel/v1beta1
kind: HookSet
spec:
  match: {podAnnotations: {example.com/hooks: ${set%:*}}}
  hooks:
    createRuntime: [{path: /opt/hooks/${set#*:}, timeout: 5}]
END
done

# Waits for a command to succeed.
until_ok() {
    until "$@" >/dev/null 2>&1; do sleep 0.1; done
}

# Waits until `grapnel status` has a line that begins so.
until_status() {
    until grapnel status 2>/dev/null | grep -q "^$1"; do sleep 0.1; done
}

# A container for noderuntime.py: ID NAME POD [SET]
container() {
    echo "{\"id\": \"$1\", \"name\": \"$2\", \"pod\": \"$3\", \"namespace\": \"web\"${4:+, \"annotations\": {\"example.com/hooks\": \"$4\"\}}}"
}
