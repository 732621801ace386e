// Marks the module root only; the builds use the VERSION.mod beside it.
module grapnel.invalid/e2e/runc

go 1.24.0
