# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes of one node, without a network, for the tests."""
