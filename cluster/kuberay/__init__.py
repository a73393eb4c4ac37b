"""Manifests for Kubernetes, where the KubeRay operator makes the cluster."""
