// Marks the module root only; the builds use the VERSION.mod beside it.
module grapnel.invalid/charts/helm-3

go 1.24.0
