"""The application: parts put together, pages and probes beside the routes. Taught in 07_deployment."""

import asyncio
import importlib.util
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

import course_lib
from course_lib.serving import guard, schemas
from course_lib.serving.engine import Engine
from course_lib.serving.monitor import CONTENT_TYPE, Monitor
from course_lib.serving.problems import ProblemBody, documented, install
from course_lib.serving.routes import router
from course_lib.serving.service import Service, ServiceOf, Settings
from course_lib.serving.store import EventStore
from course_lib.serving.writer import GroupWriter

PAGE = Path(__file__).with_name("page")
mimetypes.add_type("text/javascript", ".js")  # a Windows registry may say otherwise, and browsers then refuse it
DOCS_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Graphs and Words: the interface</title>
<link rel="stylesheet" href="/docs/files/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="/docs/files/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>"""
DOCS_START = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#swagger-ui'})\n"


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application.

    Raises
    ------
    BundleError, StoreError
        Where bundle or database cannot be used: nothing is served then.
    """
    store = EventStore(settings.database)
    engine = Engine(settings.bundle, store)
    monitor = Monitor()
    monitor.serve_bundle(engine.serving.bundle.version)
    service = Service(settings, engine, GroupWriter(store, monitor), monitor)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.load_encoder:
            engine.encoder_state = "loading"
            app.state.encoder_task = asyncio.create_task(asyncio.to_thread(engine.load_encoder))
        yield
        service.writer.close()
        store.close()

    app = FastAPI(
        title="Graphs and Words",
        version=course_lib.__version__,
        description="Recommendations from a graph and from words, with reasons.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    install(app)
    app.include_router(router)
    _add_probes(app)
    _add_docs(app)
    _add_page(app)
    _document_problems(app)
    app.add_middleware(
        guard.Guard,
        monitor=monitor,
        buckets=guard.TokenBuckets(settings.requests_per_second, settings.burst),
        max_body=settings.max_body,
        body_seconds=settings.body_seconds,
    )
    return app


def _add_probes(app: FastAPI) -> None:
    @app.get("/healthz", tags=["probes"])
    async def healthz() -> dict[str, str]:
        """Whether the process answers at all."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["probes"], response_model=schemas.Ready, responses=documented())
    async def readyz(service: ServiceOf) -> JSONResponse:
        """Whether requests can be answered: the database too. The encoder may still be loading."""
        bundle = service.engine.serving.bundle.version
        events = service.engine.store.count()
        state = service.engine.encoder_state
        return JSONResponse({"status": "ready", "bundle": bundle, "encoder": state, "events": events})

    @app.get("/metrics", tags=["probes"], response_class=Response)
    async def metrics(service: ServiceOf) -> Response:
        """Counters for Prometheus."""
        service.monitor.encoder.set(service.engine.encoder_state == "ready")
        return Response(service.monitor.render(), media_type=CONTENT_TYPE)


def _add_docs(app: FastAPI) -> None:
    """Swagger UI from the package fastapi-offline, so that it needs no network; without the package no page."""
    found = importlib.util.find_spec("fastapi_offline")
    if found is None or found.origin is None:
        return

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(DOCS_PAGE)

    @app.get("/docs/start.js", include_in_schema=False)
    async def docs_start() -> Response:
        return Response(DOCS_START, media_type="text/javascript")

    app.mount("/docs/files", StaticFiles(directory=Path(found.origin).with_name("static")), name="docs")


def _add_page(app: FastAPI) -> None:
    """The web page, where it is there."""
    if not (PAGE / "index.html").is_file():
        return

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _document_problems(app: FastAPI) -> None:
    """Put the body of problems into the OpenAPI document, where the routes refer to it."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schema = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= schema.pop("$defs") | {"ProblemBody": schema}
        return document

    app.openapi = openapi  # type: ignore[method-assign]
