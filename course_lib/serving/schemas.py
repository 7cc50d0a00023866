"""What requests may hold and what responses do, for pydantic and for the OpenAPI document. Taught in 07_deployment."""

import unicodedata
from typing import Annotated, Literal, Self

from fastapi import Header, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MAX_K = 100
MAX_HISTORY = 500


def _readable(text: str) -> str:
    wrong = [char for char in text if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"]
    if wrong:
        raise ValueError(f"holds a control character, {wrong[0]!r}")
    return text


def _text(least: int, most: int) -> tuple[StringConstraints, AfterValidator]:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most), AfterValidator(_readable)


UserId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._@:\-]{1,64}$")]
ItemId = Annotated[str, *_text(1, 200)]
SearchText = Annotated[str, *_text(0, 200)]
Title = Annotated[str, *_text(1, 200)]
Genre = Annotated[str, *_text(1, 40)]
Description = Annotated[str, *_text(0, 2_000)]
K = Annotated[int, Query(ge=1, le=MAX_K, description="How many.")]
Alpha = Annotated[
    float | None,
    Query(ge=0, le=1, allow_inf_nan=False, description="Weight of the words; the bundle's own where left out."),
]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9._:\-]+$",
        description="A name for this event, made by the client. Sent again, the event is not counted again.",
    ),
]


class Body(BaseModel):
    """A request's body: nothing but what is asked for."""

    model_config = ConfigDict(extra="forbid")


class HistoryRequest(Body):
    """Recommendations for someone without an account."""

    item_ids: list[ItemId] = Field(max_length=MAX_HISTORY, description="What this person took and likes.")
    k: int = Field(10, ge=1, le=MAX_K)
    alpha: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)


class EventRequest(Body):
    """Someone clicked an item or rated it."""

    user_id: UserId
    item_id: ItemId
    kind: Literal["click", "rating"] = "click"
    rating: float | None = Field(None, ge=0.5, le=5, allow_inf_nan=False, description="Of a rating; below 3: disliked.")

    @model_validator(mode="after")
    def _rating_fits(self) -> Self:
        if (self.kind == "rating") != (self.rating is not None):
            raise ValueError("a rating has a rating, a click has none")
        return self


class ItemRequest(Body):
    """A brand-new item by its words."""

    title: Title
    year: int | None = Field(None, ge=1800, le=2200)
    genres: list[Genre] = Field([], max_length=20)
    description: Description = ""


class ItemRef(BaseModel):
    """An item by name."""

    item_id: str
    title: str


class ItemOut(ItemRef):
    """An item."""

    year: int | None
    genres: list[str]


class Because(BaseModel):
    """The item of the history that speaks most for a recommendation."""

    graph: ItemRef
    words: ItemRef


class Recommended(ItemOut):
    """An item and why."""

    score: float
    because: Because | None


class Recommendations(BaseModel):
    """The best new items."""

    user_id: str | None
    bundle: str
    basis: Literal["history", "popularity"]
    num_history: int
    alpha: float
    items: list[Recommended]


class Found(ItemOut):
    """An item that was searched for."""

    match: Literal["title", "words", "popular"]


class SearchResult(BaseModel):
    """Items found: by their title first, then by their meaning."""

    query: str
    semantic: bool = Field(description="Whether the meaning was searched, too: the encoder is ready.")
    items: list[Found]


class Detail(ItemOut):
    """All about an item."""

    description: str
    num_users: int = Field(description="Users of the training data who took it.")
    is_new: bool = Field(description="Added by its words, after the bundle was made.")


class Scored(ItemOut):
    """An item with a similarity."""

    score: float


class Similar(BaseModel):
    """Items that are near another one."""

    item: ItemRef
    alpha: float
    items: list[Scored]


class Reader(BaseModel):
    """A user who would be shown an item."""

    user_id: str
    rank: int
    because: Because


class Audience(BaseModel):
    """Who would be shown an item."""

    item: ItemRef
    k: int
    num_users: int
    num_reached: int = Field(description="Users who have the item among their k best.")
    readers: list[Reader]


class EventReceipt(BaseModel):
    """The event is on the disk."""

    event_id: int
    created: bool


class ItemReceipt(BaseModel):
    """The item can be recommended."""

    item: ItemOut
    created: bool


class Forgotten(BaseModel):
    """What was deleted."""

    user_id: str
    events_deleted: int


class GraphReason(ItemRef):
    """What an item of the history gave through the graph."""

    contribution: float
    paths: int = Field(description="Users of the training data who took both: you - this item - them - that item.")


class WordsReason(ItemRef):
    """What an item of the history gave through its words."""

    contribution: float
    cosine: float


class Explanation(BaseModel):
    """A score taken apart: background + graph + words = score, and each list with its rest adds up to its total."""

    user_id: str
    item: ItemRef
    alpha: float
    score: float
    background: float
    graph: float
    words: float
    by_graph: list[GraphReason]
    by_words: list[WordsReason]
    other_graph: float
    other_words: float


class Reloaded(BaseModel):
    """The bundle served now and the one before."""

    bundle: str
    previous: str


class Ready(BaseModel):
    """Whether requests can be answered."""

    status: Literal["ready"]
    bundle: str
    encoder: Literal["absent", "loading", "ready", "failed"]
    events: int
