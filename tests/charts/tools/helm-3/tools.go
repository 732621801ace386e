// SPDX-License-Identifier: Apache-2.0

// The command that tests/e2e/fetch builds from this module. Nothing here is
// compiled: the file only makes "go mod tidy" pin what the command needs.

//go:build tools

package tools

import (
	_ "helm.sh/helm/v3/cmd/helm"
)
