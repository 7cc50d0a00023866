"""A real server that speaks the chat protocol, as well or as badly as it is told."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "profile": "A toy cowboy fears that a new space ranger will take his place, and both end up lost together; a warm "
    "and funny adventure about jealousy and friendship.",
    "keywords": ["toys", "friendship", "jealousy", "adventure", "family"],
    "confidence": "high",
}
Behaviour = str | tuple[int, dict[str, str]] | float  # an answer's content; a status with headers; seconds of silence


class ModelServer(ThreadingHTTPServer):
    """Behaves as `script` says, one entry a request, and then gives good answers."""

    def __init__(self, script: list[Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), ModelHandler)
        self.script = script
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.times: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client has gone, as some tests want."""


class ModelHandler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        server = self.server
        server.times.append(time.monotonic())
        server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        server.keys.append(self.headers.get("Authorization", ""))
        behaviour = server.script.pop(0) if server.script else json.dumps(GOOD)
        if isinstance(behaviour, float):
            time.sleep(behaviour)
            behaviour = json.dumps(GOOD)
        if isinstance(behaviour, tuple):
            status, headers = behaviour
            self.reply(status, {"error": f"no, {self.headers.get('Authorization')}"}, headers)
        else:
            self.reply(200, {"choices": [{"message": {"role": "assistant", "content": behaviour}}]}, {})

    def reply(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass
