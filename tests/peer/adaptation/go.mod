// Marks the module root only; the builds use the nri-VERSION.mod beside it.
module grapnel.invalid/peer/adaptation

go 1.24.0
