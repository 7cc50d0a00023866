"""Item profiles for your own catalogue, written by a language model: estimate, ask, check, keep, resume.

One JSON object a line, as in `datasets/ml-100k-item-profiles.jsonl`. Taught in 04_bert_encoding.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from course_lib.text.generate_clients import CallFailed, Client, Endpoint, Message, Unavailable
from course_lib.text.generate_prompt import BadAnswer, Profile, read_answer, write_prompt

LONGEST_FIELD = 2000  # characters of a catalogue's field that go into the prompt
TOKENS_PER_ANSWER = 110  # mean over the course's own 1,682 profiles, brackets and quotes included
MAX_FAILED_IN_A_ROW = 5  # then the run stops, before it costs more


class Prices(NamedTuple):
    """What a million tokens cost, in whatever currency you pay."""

    prompt: float
    answer: float

    @classmethod
    def from_environment(cls) -> "Prices | None":
        """From COURSE_LLM_PRICE_PROMPT and COURSE_LLM_PRICE_ANSWER; None unless both are set."""
        values = [os.environ.get(f"COURSE_LLM_PRICE_{part}") for part in ("PROMPT", "ANSWER")]
        return cls(*(float(value) for value in values if value)) if all(values) else None


@dataclass(frozen=True)
class Report:
    """What a run did: numbers of items, the reason for each failure by item_id, and why it stopped early, if so."""

    path: Path
    written: int = 0
    skipped: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    not_asked: int = 0
    stopped: str = ""

    def __str__(self) -> str:
        counts = f"{self.written:,} written, {self.skipped:,} were there, {len(self.failed):,} failed"
        lines = [f"{self.path.name}: {counts}, {self.not_asked:,} not asked"]
        lines += [f"  - item {item_id}: {reason}" for item_id, reason in self.failed.items()]
        lines += [f"Stopped: {self.stopped}"] if self.stopped else []
        return "\n".join(lines)


def write_profiles(
    items: pd.DataFrame,
    client: Client,
    path: str | Path,
    kind: str = "item",
    prices: Prices | None = None,
    confirmed: bool = False,
    attempts: int = 3,
) -> Report:
    """Have a profile written for every item that has none in the file yet.

    What it will take is printed before the first request, and nothing is sent unless `confirmed`. Each accepted answer
    is on disk before the next question, so a run that is cut short loses one answer at most: start it again.

    Parameters
    ----------
    items : DataFrame
        Columns item_id and title, and any others that may help ("year", "genres", "description"): the model sees all
        but item_id. Missing values are left out, long ones cut at 2,000 characters.
    client : Client
        `LocalModel` or `Endpoint`.
    path : path
        The JSON-lines file; it grows.
    kind : str
        What an item is, in a word for the prompt: "film", "dress".
    prices : Prices, optional
        For the estimate.
    attempts : int
        Answers that may be refused for one item; the model is told what was wrong.

    Returns
    -------
    Report
        Also printed.

    Raises
    ------
    ValueError
        Where `items` lack a column or hold an item twice, or where the file has a broken line before its last.
    RuntimeError
        Where another run is writing into the file.
    """
    path = Path(path)
    catalogue = _catalogue(items)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=0):
            report = _run(catalogue, client, path, kind, prices, confirmed, attempts)
    except Timeout as error:
        raise RuntimeError(f"another run is writing into {path}; wait for it or choose another file") from error
    print(report)
    return report


class Estimate(NamedTuple):
    """What asking once for each item would take; refused answers come on top. `cost` is None without prices."""

    num_items: int
    prompt_tokens: int
    answer_tokens: int
    cost: float | None

    def __str__(self) -> str:
        tokens = f"about {self.prompt_tokens:,} tokens of prompts and {self.answer_tokens:,} of answers"
        cost = "no prices given" if self.cost is None else f"about {self.cost:,.2f} in your prices"
        return f"{self.num_items:,} items to ask about: {tokens}; {cost}. Refused answers come on top."


def estimate(prompts: Sequence[str], client: Client, prices: Prices | None = None) -> Estimate:
    """Count the tokens of the prompts, expect an answer of usual length for each, and multiply by the prices."""
    prompt_tokens = sum(client.count_tokens(_question(prompt)) for prompt in prompts)
    answer_tokens = TOKENS_PER_ANSWER * len(prompts)
    cost = None
    if prices is not None:
        cost = (prompt_tokens * prices.prompt + answer_tokens * prices.answer) / 1e6
    return Estimate(len(prompts), prompt_tokens, answer_tokens, cost)


def run(
    catalogue: str | Path, output: str | Path, local_model: str = "", kind: str = "item", confirmed: bool = False
) -> Report:
    """`write_profiles` for a CSV file; the model is a local one, or the one that COURSE_LLM_URL and others name.

    Parameters
    ----------
    catalogue : path
        CSV with a header line; columns item_id and title, and any others that may help.
    output : path
        The JSON-lines file.
    local_model : str
        Folder or name for `LocalModel`; empty for `Endpoint.from_environment`.
    """
    items = pd.read_csv(catalogue, dtype=str, keep_default_na=False)
    return write_profiles(items, _client(local_model), output, kind, Prices.from_environment(), confirmed)


def _client(local_model: str) -> Client:
    if not local_model:
        return Endpoint.from_environment()
    from course_lib.text.generate_local import LocalModel  # its packages take seconds to import

    return LocalModel(local_model)


def _run(
    catalogue: list[dict[str, Any]],
    client: Client,
    path: Path,
    kind: str,
    prices: Prices | None,
    confirmed: bool,
    attempts: int,
) -> Report:
    """The run itself; the caller holds the lock."""
    done = _finished(path)
    todo = [item for item in catalogue if str(item["item_id"]) not in done]
    skipped = len(catalogue) - len(todo)
    print(estimate([write_prompt(item["fields"], kind) for item in todo], client, prices))
    if todo and not confirmed:
        return Report(path, 0, skipped, {}, len(todo), "nothing was sent; to go on, say confirmed=True (or --yes)")

    written, failed, in_a_row, stopped = 0, dict[str, str](), 0, ""
    with path.open("ab") as lines:
        for item in tqdm(todo, desc=client.name, unit="item"):
            try:
                profile = _ask(client, write_prompt(item["fields"], kind), attempts)
            except Unavailable as error:
                stopped = str(error)
            except (CallFailed, BadAnswer) as error:
                failed[str(item["item_id"])] = str(error)
                in_a_row += 1
                stopped = f"{in_a_row} items in a row failed" if in_a_row == MAX_FAILED_IN_A_ROW else ""
            else:
                lines.write(_line(item, profile))
                lines.flush()
                os.fsync(lines.fileno())
                written, in_a_row = written + 1, 0
            if stopped:
                break
    return Report(path, written, skipped, failed, len(todo) - written - len(failed), stopped)


def _ask(client: Client, prompt: str, attempts: int) -> Profile:
    """Ask until an answer passes the check; each refusal goes back to the model with its reason."""
    messages = _question(prompt)
    refusals = []
    for _ in range(attempts):
        answer = client.ask(messages)
        try:
            return read_answer(answer)
        except BadAnswer as error:
            refusals.append(str(error))
            complaint = f"This answer was refused: {error}. Answer again with the JSON object alone."
            messages = [*_question(prompt), {"role": "assistant", "content": answer[:LONGEST_FIELD]}]
            messages.append({"role": "user", "content": complaint})
    raise BadAnswer(f"{attempts} answers refused, the last: {refusals[-1]}")


def _question(prompt: str) -> list[Message]:
    return [{"role": "user", "content": prompt}]


def _line(item: dict[str, Any], profile: Profile) -> bytes:
    """One record as it stands in the file."""
    named = {"item_id": item["item_id"], "title": item["fields"]["title"], "year": item["fields"].get("year", "")}
    return json.dumps(named | profile.model_dump(), ensure_ascii=False).encode() + b"\n"


def _catalogue(items: pd.DataFrame) -> list[dict[str, Any]]:
    """For each item its item_id and `fields`, what the model may see: text, or a list of texts."""
    missing = {"item_id", "title"} - set(items.columns)
    if missing:
        raise ValueError(f"items lack the column {' and '.join(sorted(missing))}; they have {', '.join(items.columns)}")
    for column in ("item_id", "title"):
        empty = items[column].isna() | (items[column].astype(str).str.strip() == "")
        if empty.any():
            raise ValueError(f"{int(empty.sum())} items have no {column}: give them one, or drop them")
    ids = items["item_id"].astype(str)
    if ids.duplicated().any():
        raise ValueError(f"item_id {ids[ids.duplicated()].iloc[0]} occurs twice in the items")
    catalogue = []
    for row in items.to_dict("records"):
        fields = {str(column): _plain(value) for column, value in row.items() if column != "item_id"}
        known = {column: value for column, value in fields.items() if value}
        item_id = row["item_id"]
        catalogue.append({"item_id": int(item_id) if isinstance(item_id, Integral) else str(item_id), "fields": known})
    return catalogue


def _plain(value: Any) -> str | list[str]:
    """A table's cell as text; empty where the table has nothing."""
    if isinstance(value, list | tuple | set | np.ndarray):
        return [str(entry) for entry in value]
    if pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # pandas turns a column of years with a gap into floats
    return str(value)[:LONGEST_FIELD]


def _finished(path: Path) -> set[str]:
    """Item ids in the file. A last line that was cut off is told and removed, its item is then asked again."""
    if not path.exists():
        return set()
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    finished = set()
    for number, line in enumerate(lines, start=1):
        try:
            finished.add(str(json.loads(line)["item_id"]))
        except (ValueError, LookupError, TypeError) as error:
            if number < len(lines):
                raise ValueError(f"{path}, line {number} is no profile ({error}); mend or delete the line") from error
            print(f"{path.name}: line {number}, the last, was cut off; it is removed and its item asked again")
            content = content[: -len(line)]
            os.truncate(path, len(content))
    if content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
    return finished
