"""The commands `course export`, `serve`, `retrain` and `bundle verify`.

Taught in 07_deployment. Exit codes: 0 all went well, 1 the work failed or was refused, 2 wrongly called.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from course_lib import paths

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

bundle_app = typer.Typer(help="Look after exported bundles.", no_args_is_help=True)

BundleFolder = Annotated[
    Path | None, typer.Option("--bundle", help="The bundle's folder; `bundle` in the cache folder if left out.")
]
Database = Annotated[
    Path | None, typer.Option("--database", help="SQLite file of the events; `events.sqlite3` in the cache folder.")
]


def bundle_folder(chosen: Path | None) -> Path:
    """Where the bundle lies."""
    return chosen or paths.cache_dir() / "bundle"


def database_file(chosen: Path | None) -> Path:
    """Where the events lie."""
    return chosen or paths.cache_dir() / "events.sqlite3"


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the errors of bundle, store and port into one message and exit code 1."""
    from course_lib.serving.manifest import BundleError
    from course_lib.serving.store import StoreError

    try:
        yield
    except (BundleError, StoreError, OSError) as error:
        typer.echo(f"course: {error}", err=True)
        raise typer.Exit(1) from error


def export(
    output: Annotated[Path | None, typer.Option("--output", help="Folder of the bundle.")] = None,
    encoder: Annotated[bool, typer.Option(help="Put the text encoder in, as ONNX (some 115 MB).")] = True,
) -> None:
    """Train on MovieLens-100K and write a bundle that can be served.

    Vectors, histories, texts, metrics, model card, text encoder, and a manifest with the checksum of each.
    """
    from course_lib.serving.export import export_films

    with refusing():
        folder = bundle_folder(output)
        version, metrics = export_films(folder, with_encoder=encoder)
        for name, row in metrics["ndcg@10"].items():
            typer.echo(f"{name:<32} NDCG@10 {row['mean']:.4f}  [{row['low']:.4f}, {row['high']:.4f}]")
        typer.echo(f"bundle {version} in {folder}")


@bundle_app.command("verify")
def bundle_verify(folder: Annotated[Path | None, typer.Argument(help="The bundle's folder.")] = None) -> None:
    """Compare every file of a bundle with its manifest."""
    from course_lib.serving.bundle import load_bundle
    from course_lib.serving.manifest import verify

    with refusing():
        chosen = bundle_folder(folder)
        manifest = verify(chosen)
        load_bundle(chosen)
        size = sum(facts["size"] for facts in manifest["files"].values())
        typer.echo(f"bundle {manifest['version']}: {len(manifest['files'])} files, {size / 1e6:.1f} MB, all as listed")


def serve(
    bundle: BundleFolder = None,
    database: Database = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    rate_limit: Annotated[float, typer.Option(min=0, help="Requests a second of each client; 0: no limit.")] = 50.0,
    encoder: Annotated[bool, typer.Option(help="Load the text encoder, to search by meaning and add items.")] = True,
) -> None:
    """Serve recommendations over HTTP until Ctrl-C.

    Set COURSE_ADMIN_TOKEN to allow reloading a bundle and forgetting a user.
    """
    for variable in THREAD_VARIABLES:  # a small product is slower on two threads
        os.environ.setdefault(variable, "1")
    import socket

    import uvicorn

    from course_lib.serving.app import create_app
    from course_lib.serving.service import Settings

    with refusing():
        settings = Settings(
            bundle_folder(bundle), database_file(database), requests_per_second=rate_limit, load_encoder=encoder
        )
        app = create_app(settings)
        listener = socket.create_server((host, port), backlog=2048)
    name, number = listener.getsockname()[:2]
    typer.echo(f"Serving bundle {app.state.service.engine.serving.bundle.version} on http://{name}:{number}")
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listener])


def retrain(
    bundle: BundleFolder = None,
    database: Database = None,
    margin: Annotated[float, typer.Option(min=0, help="NDCG@10 that the new bundle may lose at most.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Of the training.")] = 0,
    encoder: Annotated[bool, typer.Option(help="Put the text encoder in, as ONNX.")] = True,
) -> None:
    """Train again with the events; a gate decides on the bundle.

    Compares both on the same validation clicks, user by user. Exit code 1, and nothing is replaced, where the new one
    may lose more than the margin. A running service goes on until it is told to reload.
    """
    from course_lib.serving.retrain import retrain_films

    with refusing():
        report = retrain_films(bundle_folder(bundle), database_file(database), margin, seed, encoder)
        typer.echo(report.text())
    if not report.passed:
        raise typer.Exit(1)
