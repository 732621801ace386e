{{/* The prefix of all names: at most 40 bytes, so that what is appended stays below 63. */}}
{{- define "grapnel.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The same for objects of the whole cluster, at most 104 bytes: no namespace has a dot in it, so that no two are the same. */}}
{{- define "grapnel.clusterName" -}}
{{ .Release.Namespace }}.{{ include "grapnel.fullname" . }}
{{- end -}}

{{- define "grapnel.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What every object has of the chart. */}}
{{- define "grapnel.ownLabels" -}}
{{ include "grapnel.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: grapnel
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* commonLabels and those of one kind of object, which count where both have a key: {root, more}. */}}
{{- define "grapnel.givenLabels" -}}
{{- $given := deepCopy (default dict .root.Values.commonLabels) -}}
{{- range $key, $value := .more }}{{ $_ := set $given $key $value }}{{ end -}}
{{- with $given }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "grapnel.labels" -}}
{{ include "grapnel.labelsAnd" (dict "root" .) }}
{{- end -}}

{{/* {root, more}. */}}
{{- define "grapnel.labelsAnd" -}}
{{ include "grapnel.ownLabels" .root }}
{{- include "grapnel.givenLabels" . }}
{{- end -}}

{{/* Which release this is, in all the cluster. */}}
{{- define "grapnel.release" -}}
{{- regexReplaceAll "[^a-z0-9]+$" (printf "%s.%s" .Release.Namespace .Release.Name | trunc 63) "" -}}
{{- end -}}

{{/* Labels of pods: without those that change with each version, which would make new pods of themselves: {root, component}. */}}
{{- define "grapnel.ownPodLabels" -}}
{{ include "grapnel.selectorLabels" .root }}
app.kubernetes.io/part-of: grapnel
app.kubernetes.io/component: {{ .component }}
grapnel/release: {{ include "grapnel.release" .root }}
{{- end -}}

{{/* {root, component, more}. */}}
{{- define "grapnel.podLabels" -}}
{{ include "grapnel.ownPodLabels" . }}
{{- include "grapnel.givenLabels" . }}
{{- end -}}

{{- define "grapnel.serviceAccountName" -}}
{{- ternary (default (include "grapnel.fullname" .) .Values.serviceAccount.name) .Values.serviceAccount.name .Values.serviceAccount.create -}}
{{- end -}}

{{/* An image: {image: values, tag: where it gives none}. */}}
{{- define "grapnel.image" -}}
{{- $name := printf "%s/%s" .image.registry .image.repository -}}
{{- if .image.digest -}}{{ $name }}@{{ .image.digest }}{{- else -}}{{ $name }}:{{ default .tag .image.tag }}{{- end -}}
{{- end -}}

{{/* Image and pull policy of the containers that run Grapnel. */}}
{{- define "grapnel.own" -}}
image: {{ include "grapnel.image" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end -}}

{{/* What every container may: nothing. uid 0 since the runtime's socket and the host's directories are root's, and SELinux
     labels to reach them. `anyone`: a pod without an account of the chart; for it OpenShift chooses the uid, and refuses
     one that names its uid or a label. */}}
{{- define "grapnel.securityContext" -}}
{{- if not (and .anyone .root.Values.openshift.scc) -}}
runAsUser: {{ .uid }}
runAsGroup: {{ .uid }}
{{ end -}}
runAsNonRoot: {{ ne (int .uid) 0 }}
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- if and .root.Values.seLinuxOptions (eq (int .uid) 0) }}
seLinuxOptions: {{ toJson .root.Values.seLinuxOptions }}
{{- end }}
{{- end -}}

{{/* What all pods of the chart have: no token, no namespaces of the host. */}}
{{- define "grapnel.podBase" -}}
automountServiceAccountToken: false
enableServiceLinks: false
hostNetwork: false
hostPID: false
hostIPC: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "grapnel.placement" -}}
nodeSelector: {{ toJson .Values.nodeSelector }}
tolerations: {{ toJson .Values.tolerations }}
{{- end -}}

{{/* The values' affinity, and no plugin of another release on the node: both would have the same control socket, journal
     and store of programs. Instances of one release may meet. */}}
{{- define "grapnel.affinity" -}}
{{- $plugins := dict "app.kubernetes.io/part-of" "grapnel" "app.kubernetes.io/component" "plugin" -}}
{{- $other := dict "key" "grapnel/release" "operator" "NotIn" "values" (list (include "grapnel.release" .)) -}}
{{- $apart := dict "topologyKey" "kubernetes.io/hostname" "namespaceSelector" dict
      "labelSelector" (dict "matchLabels" $plugins "matchExpressions" (list $other)) -}}
{{- $affinity := deepCopy .Values.affinity -}}
{{- $anti := default dict $affinity.podAntiAffinity -}}
{{- $own := default list $anti.requiredDuringSchedulingIgnoredDuringExecution -}}
{{- $_ := set $anti "requiredDuringSchedulingIgnoredDuringExecution" (append $own $apart) -}}
{{- set $affinity "podAntiAffinity" $anti | toYaml -}}
{{- end -}}

{{/* Where pods run that need some node that works. */}}
{{- define "grapnel.jobPlacement" -}}
{{- $tolerations := .Values.jobs.tolerations -}}
{{- if .Values.startupTaint.enabled -}}
{{- $tolerations = append $tolerations (dict "key" .Values.startupTaint.key "operator" "Exists") -}}
{{- end -}}
nodeSelector: {{ toJson .Values.nodeSelector }}
tolerations: {{ toJson $tolerations }}
{{- end -}}

{{/* Annotations that let a pod start before the plugin, where the runtime requires it. */}}
{{- define "grapnel.podAnnotations" -}}
{{- with .Values.requiredPlugin.tolerateAnnotation }}
{{ . }}: "true"
{{- end }}
{{- end -}}

{{/* Where the host's / is, as the plugin sees it: also where only some directories of it are mounted, or those above them
     would be the container's own, and be taken for the host's. */}}
{{- define "grapnel.hostRoot" -}}/host{{- end -}}
