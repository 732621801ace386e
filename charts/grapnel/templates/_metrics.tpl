{{/* An instance is a node: that is what alerts and dashboard call it. */}}
{{- define "grapnel.relabelings" -}}
[{sourceLabels: [__meta_kubernetes_pod_node_name], targetLabel: instance, action: replace}]
{{- end -}}
