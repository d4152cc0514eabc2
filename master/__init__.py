"""The master: queue, registry, results."""
