{{/* Refuses texts that are not what files/texts.yaml says. */}}
{{- define "grapnel.checkTexts" -}}
{{- $texts := .Files.Get "files/texts.yaml" | fromYaml -}}
{{- range $path, $kind := $texts.values -}}
{{- $rule := dict "text" (get $texts.kinds (trimSuffix "?" $kind)) "empty" (hasSuffix "?" $kind) -}}
{{- include "grapnel.checkText" (list $.Values "" (splitList "." $path) $rule) -}}
{{- end -}}
{{- end -}}

{{/* A value, how it is called, the steps that are left to the texts in it, the rule. */}}
{{- define "grapnel.checkText" -}}
{{- $value := index . 0 -}}
{{- $shown := index . 1 -}}
{{- $steps := index . 2 -}}
{{- $rule := index . 3 -}}
{{- if and $steps (kindIs "map" $value) -}}
{{- $step := first $steps -}}
{{- range $key, $below := $value -}}
{{- if eq $step "{key}" -}}
{{- include "grapnel.checkText" (list $key (printf "%s, its keys" $shown) list $rule) -}}
{{- else if or (eq $step "{}") (eq $step $key) -}}
{{- include "grapnel.checkText" (list $below (trimPrefix "." (printf "%s.%s" $shown $key)) (rest $steps) $rule) -}}
{{- end -}}
{{- end -}}
{{- else if and $steps (kindIs "slice" $value) -}}
{{- range $i, $below := $value -}}
{{- include "grapnel.checkText" (list $below (printf "%s[%d]" $shown $i) (rest $steps) $rule) -}}
{{- end -}}
{{- else if and (not $steps) (kindIs "string" $value) (or $value (not $rule.empty)) (not (regexMatch $rule.text.pattern $value)) -}}
{{- fail (printf "%s: expected %s, such as %s; found %q." $shown $rule.text.expected $rule.text.example $value) -}}
{{- end -}}
{{- end -}}

{{/* Refuses a name that the chart has used, or that is given twice: {value, what, own, given}, own being YAML. */}}
{{- define "grapnel.namedOnce" -}}
{{- $own := list -}}
{{- range .own | fromYamlArray }}{{ $own = append $own .name }}{{ end -}}
{{- $given := list -}}
{{- range .given -}}
{{- if has .name $own -}}
{{- fail (printf "%s: the chart makes the %s %s itself. Choose another name." $.value $.what .name) -}}
{{- else if has .name $given -}}
{{- fail (printf "%s: the %s %s is there twice. Choose another name for one of them." $.value $.what .name) -}}
{{- end -}}
{{- $given = append $given .name -}}
{{- end -}}
{{- end -}}
