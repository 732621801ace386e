// Marks the module root only; the build uses go-injector.mod beside it.
module grapnel.invalid/bench/go-injector

go 1.24.0
