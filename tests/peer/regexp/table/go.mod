module grapnel.invalid/peer/regexp

go 1.26
