"""The parts of one running service, and how a route gets at them. Taught in 07_deployment."""

import hmac
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from course_lib.serving.engine import Engine
from course_lib.serving.monitor import Monitor
from course_lib.serving.problems import Problem
from course_lib.serving.writer import GroupWriter

TOKEN_VARIABLE = "COURSE_ADMIN_TOKEN"


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes
    ----------
    bundle, database : Path
    admin_token : str
        Empty switches reloading and forgetting off. From the environment variable COURSE_ADMIN_TOKEN by default.
    requests_per_second, burst : float, int
        Limit of each client address; 0 requests a second is no limit.
    max_body : int
        Bytes of a request's body.
    body_seconds : float
        Time for a client to send it.
    load_encoder : bool
        Whether to load the text encoder, in the background. Without it nothing new can be added.
    """

    bundle: Path
    database: Path
    admin_token: str = field(default_factory=lambda: os.environ.get(TOKEN_VARIABLE, ""), repr=False)
    requests_per_second: float = 50.0
    burst: int = 200
    max_body: int = 64 * 1024
    body_seconds: float = 10.0
    load_encoder: bool = True


@dataclass(frozen=True, eq=False)
class Service:
    """The parts."""

    settings: Settings
    engine: Engine
    writer: GroupWriter
    monitor: Monitor


async def service_of(request: Request) -> Service:
    """The service that answers this request; a coroutine, for FastAPI hands plain functions to a thread."""
    return request.app.state.service


bearer = HTTPBearer(auto_error=False, description=f"The content of {TOKEN_VARIABLE}.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def admin(request: Request, credentials: Credentials) -> Service:
    """The service, for someone who knows the admin's token.

    Raises
    ------
    Problem
        401 without the token or with another, 403 where the service has none.
    """
    service = await service_of(request)
    token = service.settings.admin_token
    if not token:
        raise Problem(403, "admin-off", f"this service has no admin: start it with {TOKEN_VARIABLE} set")
    given = credentials.credentials if credentials else ""
    if not hmac.compare_digest(given.encode(), token.encode()):
        header = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "admin-token", "this needs the header Authorization: Bearer TOKEN", header)
    return service


ServiceOf = Annotated[Service, Depends(service_of)]
Admin = Annotated[Service, Depends(admin)]
