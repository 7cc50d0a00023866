"""Numbers about the running service, in the format of Prometheus. Taught in 07_deployment."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Monitor:
    """Counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("course_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "course_request_seconds", "From request to first byte.", ("route",), buckets=SECONDS, registry=self.registry
        )
        self.events = Counter("course_events_written", "Events acknowledged.", registry=self.registry)
        self.commits = Counter("course_event_commits", "Transactions that wrote them.", registry=self.registry)
        self.reloads = Counter("course_reloads", "Bundles asked for.", ("outcome",), registry=self.registry)
        self.encoder = Gauge("course_encoder_ready", "1 when texts can be encoded.", registry=self.registry)
        self.bundle = Gauge("course_bundle_info", "The bundle served.", ("version",), registry=self.registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        key = (method, route, status)
        if key not in self._children:
            self._children[key] = (self.requests.labels(method, route, str(status)), self.seconds.labels(route))
        count, histogram = self._children[key]
        count.inc()
        histogram.observe(seconds)

    def serve_bundle(self, version: str) -> None:
        """Name the bundle that is served now."""
        self.bundle.clear()
        self.bundle.labels(version).set(1)

    def render(self) -> bytes:
        """All numbers as text."""
        return generate_latest(self.registry)
