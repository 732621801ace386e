# SPDX-License-Identifier: Apache-2.0
"""What the peer and end-to-end tests share: processes, runtimes, plugins, records of hooks."""
