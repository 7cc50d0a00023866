"""What the interface says to input that makes no sense, is too much, or comes from the wrong side."""

import pytest
from fastapi.testclient import TestClient
from serving_tools import ADMIN, click, problem, recommended

from course_lib.serving.app import create_app
from course_lib.serving.service import Settings

pytest_plugins = ["serving_room", "text_room"]
HOSTILE = ["'; DROP TABLE events; --", "<script>alert(1)</script>", "' OR '1'='1", "../../etc/passwd", "%00", "{{7*7}}"]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"user_id": "1", "k": 0}, "query.k"),
        ({"user_id": "1", "k": -1}, "query.k"),
        ({"user_id": "1", "k": 10**9}, "query.k"),
        ({"user_id": "1", "k": "9" * 5000}, "query.k"),
        ({"user_id": "1", "k": "ten"}, "query.k"),
        ({"user_id": "1", "alpha": "nan"}, "query.alpha"),
        ({"user_id": "1", "alpha": "inf"}, "query.alpha"),
        ({"user_id": "1", "alpha": -0.1}, "query.alpha"),
        ({"user_id": "1", "alpha": 1.1}, "query.alpha"),
        ({}, "query.user_id"),
        ({"user_id": "x" * 65}, "query.user_id"),
        *[({"user_id": text}, "query.user_id") for text in HOSTILE],
    ],
)
def test_queries_out_of_range_are_named(client, query, where):
    found = problem(client.get("/v1/recommendations", params=query), 422, "invalid")
    assert [error["where"] for error in found["errors"]] == [where]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"user_id": "1", "item_id": "1", "kind": "rating"}', "body"),
        (b'{"user_id": "1", "item_id": "1", "rating": 3}', "body"),
        (b'{"user_id": "1", "item_id": "1", "kind": "rating", "rating": NaN}', "body.rating"),
        (b'{"user_id": "1", "item_id": "1", "kind": "rating", "rating": 1e400}', "body.rating"),
        (b'{"user_id": "1", "item_id": "\\ud800"}', "body.item_id"),
        (b'{"user_id": "1", "item_id": "a\\u0000b"}', "body.item_id"),
        (b'{"user_id": "1", "item_id": "1", "extra": 1}', "body.extra"),
        (b'{"user_id": "1", "item_id": 1}', "body.item_id"),
        (b"[]", "body"),
        (b"", "body"),
    ],
)
def test_bodies_that_make_no_sense_are_named(client, body, where):
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    found = problem(client.post("/v1/events", content=body, headers=headers), 422, "invalid")
    assert found["errors"][0]["where"].startswith(where)


def test_broken_json_is_refused(client):
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    for body in (b"{", b"\xff\xfe", b"[" * 20_000):
        response = client.post("/v1/events", content=body, headers=headers)
        assert response.status_code in (400, 422), response.text
        assert response.headers["content-type"] == "application/problem+json"


def test_unknown_things_are_404_and_say_which(client):
    assert "'nobody'" in problem(client.get("/v1/recommendations?user_id=nobody"), 404, "unknown-user")["detail"]
    assert "'77'" in problem(click(client, "1", "77", "k"), 404, "unknown-item")["detail"]
    problem(client.post("/v1/recommendations", json={"item_ids": ["1", "77"]}), 404, "unknown-item")
    for path in ("/v1/items/77", "/v1/items/77/similar", "/v1/items/77/audience"):
        problem(client.get(path), 404, "unknown-item")
    problem(client.get("/v1/nothing"), 404, "not-found")
    problem(client.put("/v1/items"), 405, "method-not-allowed")
    for text in HOSTILE:
        assert client.get("/v1/items", params={"query": text}).status_code == 200
        assert problem(click(client, "1", text, "k"), 404, "unknown-item")
    assert client.get("/readyz").json()["events"] == 0


def test_what_is_too_large_or_too_often_is_refused(settings):
    limited = Settings(settings.bundle, settings.database, requests_per_second=1, burst=5, load_encoder=False)
    with TestClient(create_app(limited)) as client:
        headers = {"Content-Type": "application/json"}
        problem(client.post("/v1/recommendations", content=b"x" * 70_000, headers=headers), 413, "body-too-large")
        chunks = (b"x" * 1_000 for _ in range(100))
        problem(client.post("/v1/recommendations", content=chunks, headers=headers), 413, "body-too-large")
        answers = [client.get("/v1/items") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
        problem(answers[-1], 429, "rate-limit")
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == client.get("/metrics").status_code == 200


def test_without_a_token_there_is_no_admin(settings):
    with TestClient(create_app(Settings(settings.bundle, settings.database, "", load_encoder=False))) as client:
        for headers in ({}, ADMIN, {"Authorization": "Bearer "}):
            problem(client.post("/v1/admin/reload", headers=headers), 403, "admin-off")
            problem(client.delete("/v1/users/1", headers=headers), 403, "admin-off")


def test_pages_are_locked_down_and_other_sites_are_not_let_in(client):
    response = client.get("/v1/items", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    preflight = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/v1/events", headers=preflight).status_code == 405


def test_the_documentation_needs_no_network(client):
    page = client.get("/docs")
    assert page.status_code == 200 and "http" not in page.text
    for path in ("/docs/files/swagger-ui-bundle.js", "/docs/files/swagger-ui.css", "/docs/start.js"):
        assert client.get(path).status_code == 200
    document = client.get("/openapi.json").json()
    assert "ProblemBody" in document["components"]["schemas"]


def test_an_unforeseen_error_shows_nothing_of_the_inside(client, monkeypatch):
    def explode(*arguments):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(client.app.state.service.engine, "recommend_user", explode)
    response = client.get("/v1/recommendations", params={"user_id": "1"})
    problem(response, 500, "internal")
    assert "secret" not in response.text


def test_numbers_are_counted(client):
    for _ in range(3):
        recommended(client, "1")
    client.get("/v1/recommendations", params={"user_id": "nobody"})
    text = client.get("/metrics").text
    assert 'course_requests_total{method="GET",route="/v1/recommendations",status="200"} 3.0' in text
    assert 'status="404"} 1.0' in text and "course_bundle_info{version=" in text
