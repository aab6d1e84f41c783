"""The metrics that every service type has, in a registry of their own; a service adds its own to the same registry."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)


class Metrics:
    """Counters and gauges of the chassis. Labels take few, known values: never a path, an address or an id."""

    def __init__(self, identity: Mapping[str, str]) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Info("service", "What runs here", registry=self.registry).info(dict(identity))
        self.errors = Counter(
            "errors_total", "Errors that nobody expected, by exception type", ["error_type"], registry=self.registry
        )
        self.dependency_up = Gauge(
            "dependency_up", "1 when the dependency answered its last check", ["dependency"], registry=self.registry
        )
        self.background_tasks = Gauge(
            "background_tasks_active", "Supervised background tasks that run now", registry=self.registry
        )
        self.event_loop_lag = Gauge(
            "event_loop_lag_seconds", "How late the event loop woke the last heartbeat", registry=self.registry
        )

    @contextmanager
    def scope(self) -> Generator[CollectorRegistry]:
        """A registry whose metrics are exported while the scope lasts, so that opening resources can be tried again."""
        inner = CollectorRegistry()
        self.registry.register(inner)
        try:
            yield inner
        finally:
            self.registry.unregister(inner)
