"""The interface: what each endpoint answers, and what it says to input that makes no sense."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient
from serving_tools import ADMIN, NUM_ITEMS, click, make_bundle, problem, recommended

from course_lib.serving.app import create_app
from course_lib.serving.bundle import write

pytest_plugins = ["serving_room", "text_room"]


def test_a_user_is_shown_new_items_of_their_camp_with_reasons(client, bundle):
    response = client.get("/v1/recommendations", params={"user_id": "1", "k": 12}).json()
    history = {bundle.items[item].item_id for item in bundle.indices[: bundle.indptr[1]]}
    shown = [item["item_id"] for item in response["items"]]
    assert response["basis"] == "history" and response["num_history"] == len(history)
    assert len(set(shown)) == 12 and not set(shown) & history
    assert sum(int(item_id) % 2 for item_id in shown) >= 11, "user 1 likes items 1, 3, 5 ..."
    scores = [item["score"] for item in response["items"]]
    assert scores == sorted(scores, reverse=True)
    assert all(item["because"][side]["item_id"] in history for item in response["items"] for side in ("graph", "words"))


def test_the_slider_goes_from_graph_to_words(client):
    ends = [recommended(client, "1", alpha=alpha, k=20) for alpha in (0, 1)]
    assert ends[0] != ends[1]
    assert recommended(client, "1", alpha=0.3, k=20) == recommended(client, "1", k=20), "0.3 is the bundle's own"


def test_an_anonymous_history_equals_the_same_history_of_events(client):
    for number, item_id in enumerate(["2", "4", "6"]):
        assert click(client, "visitor", item_id, f"v{number}").status_code == 201
    body = {"item_ids": ["2", "4", "6", "4"], "k": 7}
    anonymous = client.post("/v1/recommendations", json=body).json()
    assert [item["item_id"] for item in anonymous["items"]] == recommended(client, "visitor", k=7)
    assert anonymous["user_id"] is None and anonymous["num_history"] == 3


def test_without_a_history_the_popular_items_are_shown(client, bundle):
    response = client.post("/v1/recommendations", json={"item_ids": []}).json()
    taken = [bundle.popularity[int(item["item_id"]) - 1] for item in response["items"]]
    assert response["basis"] == "popularity" and taken == sorted(bundle.popularity, reverse=True)[:10]


def test_a_click_changes_the_next_recommendation_at_once(client):
    before = recommended(client, "1")
    began = time.perf_counter()
    assert click(client, "1", before[0], "first").json() == {"event_id": 1, "created": True}
    after = recommended(client, "1")
    assert time.perf_counter() - began < 0.5
    assert before[0] not in after and len(after) == 10
    for number in range(20):  # the other camp
        click(client, "1", str(2 * number + 2), f"other{number}")
    assert sum(int(item) % 2 == 0 for item in recommended(client, "1")) > sum(int(item) % 2 == 0 for item in after)


def test_a_bad_rating_hides_an_item_without_recommending_its_like(client):
    for number in range(3):
        click(client, "new", str(2 * number + 1), f"good{number}")
    liked = recommended(client, "new", k=20)
    click(client, "new", "2", "bad", kind="rating", rating=1.5)
    disliked = client.get("/v1/recommendations", params={"user_id": "new", "k": 20}).json()
    assert disliked["num_history"] == 3
    assert [item["item_id"] for item in disliked["items"] if item["item_id"] != "2"][:15] == [
        item for item in liked if item != "2"
    ][:15]
    click(client, "new", "2", "better", kind="rating", rating=4)
    assert client.get("/v1/recommendations", params={"user_id": "new"}).json()["num_history"] == 4


def test_an_event_sent_twice_counts_once_and_a_key_belongs_to_one_event(client):
    assert click(client, "1", "2", "key").status_code == 201
    again = click(client, "1", "2", "key")
    assert (again.status_code, again.json()) == (200, {"event_id": 1, "created": False})
    problem(click(client, "1", "3", "key"), 409, "key-used")
    assert client.get("/readyz").json()["events"] == 1


def test_the_parts_of_an_explanation_add_up_to_the_score(client):
    items = client.get("/v1/recommendations", params={"user_id": "3", "alpha": 0.4}).json()["items"]
    for item in items[:3]:
        query = {"user_id": "3", "item_id": item["item_id"], "alpha": 0.4}
        why = client.get("/v1/explanations", params=query).json()
        assert why["score"] == pytest.approx(item["score"], abs=1e-3)
        assert why["background"] + why["graph"] + why["words"] == pytest.approx(why["score"], abs=1e-5)
        for side in ("graph", "words"):
            named = sum(reason["contribution"] for reason in why[f"by_{side}"])
            assert named + why[f"other_{side}"] == pytest.approx(why[side], abs=1e-5)
            best = max(why[f"by_{side}"], key=lambda reason: reason["contribution"])
            assert best["item_id"] == item["because"][side]["item_id"]


def test_graph_paths_are_counted_in_the_training_data(client, bundle):
    takers = [set() for _ in range(NUM_ITEMS)]
    for user in range(len(bundle.user_ids)):
        for item in bundle.indices[bundle.indptr[user] : bundle.indptr[user + 1]]:
            takers[item].add(user)
    why = client.get("/v1/explanations", params={"user_id": "1", "item_id": "11"}).json()
    assert [reason["paths"] for reason in why["by_graph"]] == [
        len(takers[int(reason["item_id"]) - 1] & takers[10]) for reason in why["by_graph"]
    ]


def test_titles_are_found_and_similar_items_are_of_one_camp(client):
    found = client.get("/v1/items", params={"query": "COSMIC 1"}).json()
    assert found["semantic"] is False and all("Cosmic" in item["title"] for item in found["items"])
    assert len(client.get("/v1/items", params={"k": 7}).json()["items"]) == 7
    near = client.get("/v1/items/6/similar", params={"k": 8}).json()["items"]
    assert "6" not in [item["item_id"] for item in near]
    assert sum(int(item["item_id"]) % 2 == 0 for item in near) >= 7
    detail = client.get("/v1/items/6").json()
    assert detail["title"] == "Cosmic film 6" and detail["is_new"] is False


def test_the_audience_of_an_item_are_those_who_would_be_shown_it(client, bundle):
    audience = client.get("/v1/items/9/audience", params={"k": 15}).json()
    reached = [user_id for user_id in bundle.user_ids if "9" in recommended(client, user_id, k=15)]
    assert audience["num_users"] == len(bundle.user_ids) and audience["num_reached"] == len(reached) > 0
    assert {reader["user_id"] for reader in audience["readers"]} <= set(reached)
    reader = audience["readers"][0]
    assert recommended(client, reader["user_id"], k=15)[reader["rank"] - 1] == "9"


def test_a_forgotten_user_is_gone_from_answers_and_from_the_disk(client, settings):
    for number in range(5):
        click(client, "someone-to-forget", str(number + 1), f"forget-{number}")
    url = "/v1/users/someone-to-forget"
    problem(client.delete(url), 401, "admin-token")
    problem(client.delete(url, headers={"Authorization": "Bearer wrong"}), 401, "admin-token")
    assert client.delete(url, headers=ADMIN).json() == {"user_id": "someone-to-forget", "events_deleted": 5}
    problem(client.get("/v1/recommendations", params={"user_id": "someone-to-forget"}), 404, "unknown-user")
    problem(client.delete(url, headers=ADMIN), 404, "unknown-user")
    for path in settings.database.parent.glob("events.sqlite3*"):
        assert b"someone-to-forget" not in path.read_bytes(), path.name


def test_a_forgotten_user_of_the_bundle_stays_forgotten(client, settings):
    assert len(recommended(client, "2")) == 10
    assert client.delete("/v1/users/2", headers=ADMIN).status_code == 200
    with TestClient(create_app(settings)) as restarted:
        problem(restarted.get("/v1/recommendations", params={"user_id": "2"}), 404, "unknown-user")
        readers = restarted.get("/v1/items/1/audience", params={"k": 60}).json()
        assert readers["num_users"] == 39
        click(restarted, "2", "1", "back")
        fresh = restarted.get("/v1/recommendations", params={"user_id": "2"}).json()
        assert fresh["num_history"] == 1, "known by the new click alone"


def test_a_new_bundle_is_swapped_in_and_a_bad_one_refused(client, settings):
    before = client.get("/readyz").json()["bundle"]
    new = write(make_bundle(seed=3), settings.bundle)
    assert client.post("/v1/admin/reload", headers=ADMIN).json() == {"bundle": new, "previous": before}
    expected = recommended(client, "1")
    (settings.bundle / "items.json").write_text("[]")
    refused = problem(client.post("/v1/admin/reload", headers=ADMIN), 409, "bundle-refused")
    assert "items.json has" in refused["detail"]
    assert client.get("/readyz").json()["bundle"] == new and recommended(client, "1") == expected


def test_two_requests_with_one_key_at_the_same_time_are_one_event(client):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: click(client, "1", "2", "same").json(), range(40)))
    assert sum(answer["created"] for answer in answers) == 1
    assert len({answer["event_id"] for answer in answers}) == 1


def test_scores_equal_their_formula(client, bundle):
    """Against late fusion's z-score, up to the constant that ranks nothing."""
    catalogue = client.app.state.service.engine.serving.catalogue
    history = np.array([0, 2, 8])
    user = catalogue.user(history)
    graph = bundle.item_vectors @ (user.share * bundle.item_vectors[history].sum(axis=0) + user.background)
    words = bundle.text_vectors @ bundle.text_vectors[history].mean(axis=0)
    assert graph.std() == pytest.approx(1, abs=1e-4)
    z = 0.6 * (graph - graph.mean()) / graph.std() + 0.4 * (words - words.mean()) / words.std()
    scores = catalogue.scores(user, 0.4)
    np.testing.assert_allclose(scores - scores.mean(), z, atol=1e-4)
