"""A real web server for the tests of the data room, and small manifests that point at it."""

import hashlib
import json
import ssl
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Site:
    """Serves `files` on a port of its own, as well or as badly as it is told.

    `cuts` holds, for each path, after how many bytes of the body to close the connection, one number a request;
    `statuses` the codes to answer with instead, one a request; `ranges=False` ignores range requests;
    `declares=False` does not say how long a body is; `delay` waits that many seconds before each 4 KB.
    `log` is what was asked: (path, Range header or "").
    """

    def __init__(self, files: dict[str, bytes], ranges: bool = True, declares: bool = True, delay: float = 0.0) -> None:
        self.files, self.ranges, self.declares, self.delay = files, ranges, declares, delay
        self.cuts: dict[str, list[int]] = {}
        self.statuses: dict[str, list[int]] = {}
        self.log: list[tuple[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.scheme = "http"

    def secure(self, context: ssl.SSLContext) -> Self:
        """Speak TLS."""
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "https"
        return self

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.log.append((self.path, self.headers.get("Range", "")))
                site.answer(self)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One response."""
        body = self.files.get(request.path)
        pending = self.statuses.get(request.path, [])
        if pending or body is None:
            request.send_error(pending.pop(0) if pending else 404)
            return
        asked = request.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if start >= len(body):
            request.send_error(416)
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.declares:
            request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        cuts = self.cuts.get(request.path, [])
        self._send(request, body[start : start + cuts.pop(0) if cuts else None])

    def _send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        try:
            for begin in range(0, len(body), 4096):
                time.sleep(self.delay)
                request.wfile.write(body[begin : begin + 4096])
        except ConnectionError:  # the client has gone, as some tests want
            pass


def web(site: Site, **more: Any) -> dict[str, Any]:
    """A manifest's mirror of plain files on this server."""
    return {"kind": "web", "url": site.url, **more}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_manifest(folder: Path, files: dict[str, bytes], mirrors: list[dict[str, Any]], name: str = "toy") -> None:
    """A manifest with one artefact of these files, `folder / manifest.toml`."""
    listed = [{"name": file, "size": len(content), "sha256": sha256(content)} for file, content in files.items()]
    fields = {
        "title": "A toy",
        "kind": "dataset",
        "default": False,
        "licence": "CC0 1.0",
        "licence_url": "https://example.org/licence",
        "citation": "Toy (2026)",
        "homepage": "https://example.org/toy",
        "files": listed,
        "mirrors": mirrors,
    }
    lines = [f"[{name}]"] + [f"{key} = {as_toml(value)}" for key, value in fields.items()]
    folder.mkdir(exist_ok=True)
    (folder / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")


def as_toml(value: Any) -> str:
    """A value in TOML's notation; strings, numbers and booleans are written as in JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(entry) for entry in value) + "]"
    return json.dumps(value)


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    """An archive with exactly these member names, also ones a decent archive would not have."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """A minimal wheel of a package `toydata`, version 1.0, that pip accepts."""
    folder.mkdir(exist_ok=True)
    about = "toydata-1.0.dist-info"
    texts = {
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: toydata\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    every = members | {name: text.encode() for name, text in texts.items()}
    return write_zip(folder / "toydata-1.0-py3-none-any.whl", every)
