{{/* What the chart's pods need of OpenShift beyond restricted-v2: host paths, uid 0, SELinux types. */}}
{{- define "grapnel.scc" -}}
allowHostDirVolumePlugin: true
allowHostIPC: false
allowHostNetwork: false
allowHostPID: false
allowHostPorts: false
allowPrivilegeEscalation: false
allowPrivilegedContainer: false
allowedCapabilities: {{ ternary (list "SYS_CHROOT") (list) (and .Values.enableNri.enabled .Values.enableNri.restart) | toJson }}
defaultAddCapabilities: []
requiredDropCapabilities: [ALL]
readOnlyRootFilesystem: true
runAsUser: {type: RunAsAny}
fsGroup: {type: RunAsAny}
supplementalGroups: {type: RunAsAny}
seLinuxContext: {type: RunAsAny}
seccompProfiles: [runtime/default]
volumes: [configMap, downwardAPI, emptyDir, hostPath, projected]
{{- end -}}
