// Marks the module root only; the build uses the ocihooks.mod beside it.
module grapnel.invalid/peer/ocihooks

go 1.24.2
