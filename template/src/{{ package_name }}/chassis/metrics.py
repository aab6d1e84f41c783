"""The metrics that every service type has, in a registry of their own; a service adds its own to the same registry."""

from collections.abc import Mapping

import prometheus_client as prometheus


class Metrics:
    """Counters and gauges of the chassis. Labels take few, known values: never a path, an address or an id."""

    def __init__(self, identity: Mapping[str, str]) -> None:
        prometheus.disable_created_metrics()
        registry = self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=registry)
        prometheus.GCCollector(registry=registry)
        prometheus.Info("service", "What runs here", registry=registry).info(dict(identity))
        self.errors = prometheus.Counter("errors_total", "Unexpected errors", ["error_type"], registry=registry)
        self.dependency_up = prometheus.Gauge("dependency_up", "1 if it answers", ["dependency"], registry=registry)
        self.background_tasks = prometheus.Gauge("background_tasks_active", "Supervised tasks now", registry=registry)
        self.event_loop_lag = prometheus.Histogram("event_loop_lag_seconds", "Late heartbeats", registry=registry)
