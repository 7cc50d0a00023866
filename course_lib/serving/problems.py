"""Errors as HTTP sees them: `application/problem+json` (RFC 9457), what was wrong and where, never a stack trace.

Taught in 07_deployment.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from course_lib.serving.engine import EncoderNotReady, UnknownItem, UnknownUser
from course_lib.serving.manifest import BundleError
from course_lib.serving.store import StoreBusy, StoreError, StoreFull

MEDIA_TYPE = "application/problem+json"
RETRY = {"Retry-After": "1"}
log = logging.getLogger("course.serving")


class FieldError(BaseModel):
    """One field that is wrong."""

    where: str = Field(examples=["query.k"])
    what: str = Field(examples=["Input should be less than or equal to 100"])


class ProblemBody(BaseModel):
    """What every error looks like."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["unknown-user"])
    detail: str
    errors: list[FieldError] = []


class Problem(Exception):  # the name of the standard
    """Raise it anywhere in a route."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


def problem_response(
    status: int,
    code: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response itself."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": list(errors),
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI: these statuses, and those that any route may give."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    content = {MEDIA_TYPE: {"schema": schema}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*statuses, 422, 429, 503})
    }


def install(app: FastAPI) -> None:
    """Turn every error of the application into a problem."""
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_anything_else)
    for kind in (Problem, UnknownUser, UnknownItem, EncoderNotReady, StoreError, BundleError):
        app.add_exception_handler(kind, _on_known_error)


def _on_known_error(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return problem_response(error.status, error.code, error.detail, headers=error.headers)
    if isinstance(error, UnknownUser):
        advice = "send an event first, or POST a history to /v1/recommendations"
        return problem_response(404, "unknown-user", f"nothing is known about user {error.args[0]!r}: {advice}")
    if isinstance(error, UnknownItem):
        return problem_response(404, "unknown-item", f"there is no item {error.args[0]!r}: GET /v1/items finds them")
    if isinstance(error, EncoderNotReady):
        return problem_response(503, "encoder-not-ready", f"{error}: see /readyz", headers=RETRY)
    if isinstance(error, BundleError):
        return problem_response(409, "bundle-refused", f"{error}. The bundle served before stays.")
    log.error("%s %s: %s", request.method, request.url.path, error)
    if isinstance(error, StoreFull):
        return problem_response(507, "disk-full", str(error))
    return problem_response(503, "store", str(error), headers=RETRY if isinstance(error, StoreBusy) else None)


def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in found[:3])
    return problem_response(422, "invalid", detail.encode("utf-8", "replace").decode(), found)


def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return problem_response(error.status_code, code, detail, headers=error.headers)


def _on_anything_else(request: Request, error: Exception) -> JSONResponse:
    return problem_response(500, "internal", "something went wrong here; the server's log says what")
