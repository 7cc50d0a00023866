"""A load generator for a service on this machine: so many requests a second, and how long each took.

Requests leave by the clock, not when the one before is answered, and the time of each counts from when it should have
left: a service that stalls cannot hide it. Taught in 07_deployment.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_SECONDS, MAX_CONNECTIONS = 60.0, 500


@dataclass(frozen=True, eq=False)
class LoadResult:
    """What came back.

    Attributes
    ----------
    seconds : ndarray of float64, [num_answered]
        From when the request should have left to the last byte of the answer.
    failed : int
        Answers other than 2xx, and connections that broke.
    duration : float
        Seconds of the whole run.
    """

    seconds: np.ndarray
    failed: int
    duration: float

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.duration

    def milliseconds(self, percentile: float) -> float:
        """Such as 99 for the time that 99 of 100 requests need at most."""
        return float(np.percentile(self.seconds, percentile) * 1000)

    def __str__(self) -> str:
        p50, p95, p99 = (self.milliseconds(percentile) for percentile in (50, 95, 99))
        return (
            f"{self.throughput:.0f} requests/s, p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, "
            f"{self.failed} failed of {len(self.seconds) + self.failed:,}"
        )


def run(
    address: str, paths: Sequence[str], seconds: float = 5.0, rate: float | None = None, connections: int = 16
) -> LoadResult:
    """Send GET requests to the paths in turn.

    Parameters
    ----------
    address : str
        Such as "http://127.0.0.1:8000". Only this machine may be loaded.
    rate : float, optional
        Requests a second; without it as many as come back.
    connections : int
        Clients, each with one connection that is kept open.

    Raises
    ------
    ValueError
        For another machine, or more than 60 seconds or 500 connections.
    """
    where = urlsplit(address)
    if where.hostname not in LOOPBACK or where.port is None:
        raise ValueError(f"{address} is not on this machine; load only what is yours: http://127.0.0.1:PORT")
    if not 0 < seconds <= MAX_SECONDS or not 1 <= connections <= MAX_CONNECTIONS:
        raise ValueError(f"at most {MAX_SECONDS:g} seconds and {MAX_CONNECTIONS} connections")
    work = _run(where.hostname, where.port, list(paths), seconds, rate, connections)
    with ThreadPoolExecutor(1) as thread:  # a notebook's own thread runs an event loop already
        return thread.submit(asyncio.run, work).result()


async def _run(
    host: str, port: int, paths: list[str], seconds: float, rate: float | None, connections: int
) -> LoadResult:
    requests = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for path in paths]
    began = time.perf_counter()
    taken: list[float] = []
    failures = [0]
    number = iter(range(10**9))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while True:
            turn = next(number)
            due = began + turn / rate if rate else time.perf_counter()
            if due - began >= seconds:
                break
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            try:
                writer.write(requests[turn % len(requests)])
                good = await _answer(reader)
            except (OSError, asyncio.IncompleteReadError):
                failures[0] += 1
                writer.close()
                reader, writer = await asyncio.open_connection(host, port)
                continue
            if good:
                taken.append(time.perf_counter() - due)
            else:
                failures[0] += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return LoadResult(np.array(taken), failures[0], time.perf_counter() - began)


async def _answer(reader: asyncio.StreamReader) -> bool:
    """Read one response; whether its status is 2xx."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return head.split(b" ", 2)[1].startswith(b"2")
