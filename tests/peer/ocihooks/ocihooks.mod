module grapnel.invalid/peer/ocihooks

go 1.24.2

require (
	github.com/opencontainers/runtime-spec v1.2.1
	go.podman.io/common v0.67.0
)

require (
	github.com/fsnotify/fsnotify v1.9.0 // indirect
	github.com/sirupsen/logrus v1.9.3 // indirect
	go.podman.io/storage v1.62.0 // indirect
	golang.org/x/sys v0.37.0 // indirect
)
