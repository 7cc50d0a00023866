"""What the service can be asked. Reads are answered in the event loop, which is faster than handing them to a thread.

Taught in 07_deployment.
"""

import asyncio
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from course_lib.serving import render, schemas, search
from course_lib.serving.problems import Problem, documented
from course_lib.serving.scoring import top
from course_lib.serving.service import Admin, ServiceOf
from course_lib.serving.store import Event

router = APIRouter(prefix="/v1")
NOTHING = np.empty(0, dtype=np.int64)
AlphaOfSimilarity = Annotated[float, Query(ge=0, le=1, allow_inf_nan=False, description="Weight of the words.")]


@router.get("/recommendations", response_model=schemas.Recommendations, responses=documented(404))
async def recommend(
    service: ServiceOf, user_id: schemas.UserId, k: schemas.K = 10, alpha: schemas.Alpha = None
) -> JSONResponse:
    """The best new items for a user who is known by training data or events."""
    return JSONResponse(render.recommendations(service.engine.recommend_user(user_id, k, alpha), user_id))


@router.post("/recommendations", response_model=schemas.Recommendations, responses=documented(400, 404, 408, 413))
async def recommend_to_anyone(service: ServiceOf, body: schemas.HistoryRequest) -> JSONResponse:
    """The best new items for someone who took these; the popular ones for an empty history. Nothing is kept."""
    return JSONResponse(
        render.recommendations(service.engine.recommend_history(body.item_ids, body.k, body.alpha), None)
    )


@router.get("/items", response_model=schemas.SearchResult, responses=documented())
async def find_items(
    service: ServiceOf,
    query: Annotated[schemas.SearchText, Query(description="Words of a title, or what the item is about.")] = "",
    k: schemas.K = 20,
) -> JSONResponse:
    """Items by their title, then by what their words mean; the popular ones without a query."""
    engine = service.engine
    serving = engine.current()
    items = serving.catalogue.items
    semantic = bool(query) and engine.encoder is not None
    if not query:
        positions = top(serving.catalogue.popular(), k, NOTHING).tolist()
        found = [(position, "popular") for position in positions]
    else:
        titled = search.by_title(serving, query, k)
        found = [(position, "title") for position in titled]
        if semantic and len(found) < k:
            encoded = await asyncio.to_thread(engine.encode, [query])
            near = search.by_words(serving, encoded[0], k)
            found += [(position, "words") for position in near if position not in set(titled)][: k - len(found)]
    listed = [{**render.out(items[position]), "match": match} for position, match in found]
    return JSONResponse({"query": query, "semantic": semantic, "items": listed})


@router.get("/items/{item_id}", response_model=schemas.Detail, responses=documented(404))
async def item_detail(service: ServiceOf, item_id: schemas.ItemId) -> JSONResponse:
    """All about an item."""
    serving = service.engine.current()
    position = service.engine.position(serving, item_id)
    item = serving.catalogue.items[position]
    is_new = position >= len(serving.bundle.items)
    num_users = 0 if is_new else int(serving.bundle.popularity[position])
    details = {"description": item.description, "num_users": num_users, "is_new": is_new}
    return JSONResponse({**render.out(item), **details})


@router.get("/items/{item_id}/similar", response_model=schemas.Similar, responses=documented(404))
async def similar_items(
    service: ServiceOf, item_id: schemas.ItemId, k: schemas.K = 10, alpha: AlphaOfSimilarity = 0.5
) -> JSONResponse:
    """The nearest items: by who takes them (alpha 0), by their words (alpha 1), or between."""
    serving = service.engine.current()
    position = service.engine.position(serving, item_id)
    items = serving.catalogue.items
    scores = serving.catalogue.similar(position, alpha)
    listed = [
        {**render.out(items[one]), "score": round(float(scores[one]), 4)}
        for one in top(scores, k, np.array([position]))
    ]
    return JSONResponse({"item": render.ref(items[position]), "alpha": alpha, "items": listed})


@router.get("/items/{item_id}/audience", response_model=schemas.Audience, responses=documented(404))
async def item_audience(
    service: ServiceOf, item_id: schemas.ItemId, k: schemas.K = 10, alpha: schemas.Alpha = None
) -> JSONResponse:
    """Who of the bundle's users would be shown this item, and why."""
    serving = service.engine.current()
    position = service.engine.position(serving, item_id)
    weight = serving.bundle.settings["alpha"] if alpha is None else alpha
    forgotten = service.engine.store.forgotten()
    num_users, num_reached, first = await asyncio.to_thread(search.audience, serving, position, k, weight, forgotten)
    readers = []
    for row, rank in first:
        user = serving.vector_of(serving.bundle_history(row))
        because = render.reasons(serving, user, np.array([position]))[0]
        readers.append({"user_id": serving.bundle.user_ids[row], "rank": rank, "because": because})
    item = render.ref(serving.catalogue.items[position])
    return JSONResponse({"item": item, "k": k, "num_users": num_users, "num_reached": num_reached, "readers": readers})


@router.get("/explanations", response_model=schemas.Explanation, responses=documented(404, 409))
async def explain(
    service: ServiceOf, user_id: schemas.UserId, item_id: schemas.ItemId, alpha: schemas.Alpha = None
) -> JSONResponse:
    """What made the score of an item for a user: their own items, through the graph and through the words."""
    serving = service.engine.current()
    position = service.engine.position(serving, item_id)
    liked, _ = service.engine.history_of(serving, user_id)
    if not len(liked):
        text = f"user {user_id!r} likes nothing so far: they are shown what is popular"
        raise Problem(409, "no-history", text)
    weight = serving.bundle.settings["alpha"] if alpha is None else alpha
    return JSONResponse(render.explanation(serving, serving.vector_of(liked), user_id, position, weight))


@router.post(
    "/events",
    response_model=schemas.EventReceipt,
    status_code=201,
    responses={
        200: {"model": schemas.EventReceipt, "description": "Sent before."},
        **documented(400, 404, 408, 409, 413, 507),
    },
)
async def send_event(service: ServiceOf, key: schemas.Key, body: schemas.EventRequest) -> JSONResponse:
    """Note a click or a rating. Once this answers, the event is on the disk, and the next recommendation knows it."""
    service.engine.position(service.engine.current(), body.item_id)
    receipt = await service.writer.append(Event(key, body.user_id, body.item_id, body.kind, body.rating))
    if receipt.conflict:
        raise Problem(409, "key-used", f"the Idempotency-Key {key!r} was used for another event: make a new one")
    answer = {"event_id": receipt.event_id, "created": receipt.created}
    return JSONResponse(answer, 201 if receipt.created else 200)


@router.post(
    "/items",
    response_model=schemas.ItemReceipt,
    status_code=201,
    responses={200: {"model": schemas.ItemReceipt, "description": "Known already."}, **documented(400, 408, 413, 507)},
)
async def add_item(service: ServiceOf, body: schemas.ItemRequest) -> JSONResponse:
    """Add a brand-new item by its words; it can be recommended at once."""
    new = await asyncio.to_thread(service.engine.describe, body.title, body.year, tuple(body.genres), body.description)
    created = await service.writer.run(service.engine.store.add_item, new)
    return JSONResponse({"item": render.out(new.item), "created": created}, 201 if created else 200)


@router.delete("/users/{user_id}", response_model=schemas.Forgotten, responses=documented(401, 403, 404, 507))
async def forget_user(service: Admin, user_id: schemas.UserId) -> JSONResponse:
    """Forget a user: delete their events, ignore what the bundle knows of them. There is no vector of theirs to delete:
    it is made anew from the history at each request."""
    serving = service.engine.current()
    service.engine.history_of(serving, user_id)
    deleted = await service.writer.run(service.engine.store.forget, user_id)
    serving.vectors.clear()
    return JSONResponse({"user_id": user_id, "events_deleted": deleted})


@router.post("/admin/reload", response_model=schemas.Reloaded, responses=documented(401, 403, 409))
async def reload(service: Admin) -> JSONResponse:
    """Read the bundle's folder again and serve it. A bundle that is not sound is refused, and the old one stays."""
    previous = service.engine.serving.bundle.version
    try:
        version = await asyncio.to_thread(service.engine.reload)
    except ValueError:
        service.monitor.reloads.labels("refused").inc()
        raise
    service.monitor.reloads.labels("served").inc()
    service.monitor.serve_bundle(version)
    return JSONResponse({"bundle": version, "previous": previous})
