"""Any request the OpenAPI document allows, and many it does not: the answer is a documented one and never a 5xx."""

import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving_tools import ADMIN, serving

pytest_plugins = ["serving_room", "text_room"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@pytest.fixture
def address(encoder_bundle_folder: Path, tmp_path: Path):
    """A real service whose encoder is ready."""
    with serving(encoder_bundle_folder, tmp_path / "events.sqlite3") as (address, process):
        until = time.monotonic() + 20
        while httpx.get(f"{address}/readyz").json()["encoder"] != "ready" and time.monotonic() < until:
            time.sleep(0.05)
        yield address
        assert process.poll() is None


def test_every_answer_is_documented(address: str) -> None:
    """As an admin, so that reloading and forgetting are reached, too."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    statuses: Counter[int] = Counter()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 14
    for operation in operations:
        for mode in MODES:
            if mode is schemathesis.GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
                continue  # nothing to get wrong

            @settings(max_examples=12, suppress_health_check=list(HealthCheck), database=None)
            @given(operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                response = case.call_and_validate(checks=CHECKS, headers=ADMIN)
                statuses[response.status_code] += 1

            ask()
    print(f"{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}")
    assert {200, 201, 404, 422} <= set(statuses) and max(statuses) < 500
