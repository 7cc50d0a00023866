"""What stands before every route: limits on bodies and on requests a client, security headers, and the stopwatch.

Plain ASGI, because it is on the path of every request. Taught in 07_deployment.
"""

import asyncio
import time
from collections import OrderedDict

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from course_lib.serving.monitor import Monitor
from course_lib.serving.problems import problem_response

UNLIMITED = ("/healthz", "/readyz", "/metrics")  # asked by machines that keep the service alive
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DOCS_POLICY = CONTENT_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")  # Swagger's own styles
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class TokenBuckets:
    """A bucket of tokens a client: each request takes one, and they come back with time.

    Parameters
    ----------
    rate : float
        Tokens a second; 0 switches the limit off.
    burst : int
        Tokens that a bucket holds.
    max_clients : int
        Buckets kept; the client that was silent longest is forgotten first.
    """

    def __init__(self, rate: float, burst: int, max_clients: int = 10_000) -> None:
        self.rate, self.burst, self.max_clients = rate, burst, max_clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: tokens, time

    def wait(self, client: str, now: float) -> float:
        """Take a token; return 0, or the seconds after which there is one."""
        if not self.rate:
            return 0.0
        tokens, before = self._buckets.get(client, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - before) * self.rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self.max_clients:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self.rate


class BodyTooLarge(Exception):
    """More bytes than a request may have."""


class Guard:
    """The middleware.

    Parameters
    ----------
    app : ASGIApp
    monitor : Monitor
    buckets : TokenBuckets
    max_body : int
        Bytes.
    body_seconds : float
        How long a client may take to send its body.
    """

    def __init__(
        self, app: ASGIApp, monitor: Monitor, buckets: TokenBuckets, max_body: int, body_seconds: float
    ) -> None:
        self.app, self.monitor, self.buckets = app, monitor, buckets
        self.max_body, self.body_seconds = max_body, body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        path = scope["path"]

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = DOCS_POLICY if path == "/docs" else CONTENT_POLICY
                if path.startswith("/v1/"):
                    headers["Cache-Control"] = "no-store"
                elif path == "/" or path.startswith("/page/"):
                    headers["Cache-Control"] = "no-cache"  # ask again: no old part of the page beside a new one
                headers["Server-Timing"] = f"app;dur={1000 * (time.perf_counter() - began):.2f}"
                route = getattr(scope.get("route"), "path", "none")
                self.monitor.observe(scope["method"], route, message["status"], time.perf_counter() - began)
            await send(message)

        client = scope["client"][0] if scope.get("client") else "unknown"
        wait = 0.0 if path in UNLIMITED else self.buckets.wait(client, time.monotonic())
        if wait:
            headers = {"Retry-After": str(int(wait) + 1)}
            response = problem_response(429, "rate-limit", f"too many requests: wait {wait:.1f} s", headers=headers)
            await response(scope, receive, guarded_send)
        elif scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, guarded_send)
        else:
            await self._with_body(scope, receive, guarded_send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, which is small, before the application sees the request."""
        try:
            messages = await asyncio.wait_for(self._read(receive), self.body_seconds)
        except TimeoutError:
            text = f"the body did not arrive within {self.body_seconds:g} s"
            await problem_response(408, "slow-body", text, headers={"Connection": "close"})(scope, receive, send)
            return
        except BodyTooLarge:
            text = f"the body is larger than {self.max_body:,} bytes"
            await problem_response(413, "body-too-large", text, headers={"Connection": "close"})(scope, receive, send)
            return
        if messages[-1]["type"] == "http.disconnect":
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)

    async def _read(self, receive: Receive) -> list[Message]:
        """All messages of the body. One that is too large is read to its end and thrown away, so that the client hears
        the answer."""
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if size <= self.max_body:
                messages.append(message)
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                break
        if size > self.max_body:
            raise BodyTooLarge
        return messages
