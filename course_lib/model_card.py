"""A model card (Mitchell et al. 2019) for a recommender, written from the scoreboard. Taught in 06_evaluation."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from course_lib import ledger, sources
from course_lib.ledger import Row

METRICS = ("ndcg@10", "recall@20", "mrr@10", "hit@10")


def model_card(
    model: str,
    dataset: str,
    description: str,
    intended_use: str,
    limits: Sequence[str],
    groups: dict[str, pd.DataFrame],
    path: str | Path | None = None,
) -> str:
    """The card of a model of the scoreboard, in Markdown.

    All numbers come from the recorded rows, the recorded comparisons and the tables given; the words are yours.

    Parameters
    ----------
    model, dataset : str
        As the scoreboard names them; the dataset also names the artefact whose licence and citation are quoted.
    description, intended_use : str
        What it is, and what it is for and not for.
    limits : sequence of str
        What you know that it cannot do.
    groups : dict of str to DataFrame
        Title to a table of NDCG@10 by group with columns users, mean, low, high, as `by_group` makes it.
    path : path, optional
        Where to write it as well.

    Raises
    ------
    KeyError
        Where no study recorded the model on this data set; the message lists those that are recorded.
    ValueError
        Where there are no limits, or a group table lacks a column: a card without them is an advertisement.
    """
    rows = [row for row in ledger.rows(live=False) if row["dataset"] == dataset]
    mine = list({row["protocol"]: row for row in reversed(rows) if row["model"] == model}.values())[::-1]
    if not mine:
        known = ", ".join(sorted({row["model"] for row in rows})) or "nothing"
        raise KeyError(f"no study recorded {model!r} on {dataset}; recorded there: {known}")
    if not limits or not groups:
        raise ValueError("a model card needs limits, and results by group")
    for title, table in groups.items():
        if missing := {"users", "mean", "low", "high"} - set(table.columns):
            raise ValueError(f"the table {title!r} lacks {', '.join(sorted(missing))}: make it with by_group")
    sections = [
        f"# Model card: {model}",
        f"## Model details\n\n{description}\n\n{_details(mine)}",
        f"## Intended use\n\n{intended_use}",
        f"## Factors\n\nResults are given by: {', '.join(groups)}.",
        f"## Metrics\n\n{', '.join(METRICS)}: all unseen candidates ranked, means over users.",
        f"## Data\n\n{_data(dataset)}",
        f"## Results\n\n{_results(mine)}\n\n{_comparisons(model, dataset)}",
        "## Results by group\n\n" + "\n\n".join(_group(title, table) for title, table in groups.items()),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits),
    ]
    card = "\n\n".join(sections) + "\n"
    if path is not None:
        Path(path).write_text(card, encoding="utf-8")
    return card


def _details(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        lines.append(
            f"- `{row['protocol']}`: {row['parameters']:,} stored numbers, fitted in {row['fit_seconds']:.1f} s of the "
            f"processor ({row['device']}), {row['seeds']} seeds"
        )
    return "\n".join(lines)


def _data(dataset: str) -> str:
    found = [one for one in sources.load_manifest().values() if one.name == dataset]
    if not found:
        return f"{dataset}: not part of the course's manifest; name its source and licence here."
    one = found[0]
    return f"{one.title}. Licence: {one.licence} ({one.licence_url}). Source: {one.citation}"


def _results(rows: list[Row]) -> str:
    lines = ["| protocol | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for row in rows:
        cells = [_interval(row["metrics"][metric]) for metric in METRICS]
        lines.append(f"| {row['protocol']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\nMeans over users with 95 % bootstrap intervals."


def _comparisons(model: str, dataset: str) -> str:
    lines = []
    for study in ledger.studies().values():
        if {row["dataset"] for row in study["rows"]} != {dataset}:
            continue
        for one in study["comparisons"]:
            if model not in (one["first"], one["second"]):
                continue
            found = one["ndcg@10"]
            lines.append(
                f"- `{one['protocol']}`, {one['first']} less {one['second']}: NDCG@10 {found['difference']:+.4f} "
                f"[{found['low']:+.4f}, {found['high']:+.4f}], p = {found['p']:.4f}"
            )
    if not lines:
        return "No paired comparison is recorded."
    lines = list(dict.fromkeys(lines))  # two studies may hold the same
    intro = f"Paired with others, user by user; p of each alone, not corrected for {len(lines)} tests:"
    return f"{intro}\n\n" + "\n".join(lines)


def _group(title: str, table: pd.DataFrame) -> str:
    lines = [f"**{title}**, NDCG@10", "", "| group | users | mean | 95 % interval |", "|---|---|---|---|"]
    for group, row in table.iterrows():
        ends = "one user" if pd.isna(row["low"]) else f"{row['low']:.3f}-{row['high']:.3f}"
        lines.append(f"| {group} | {int(row['users'])} | {row['mean']:.3f} | {ends} |")
    return "\n".join(lines)


def _interval(metric: dict[str, float]) -> str:
    return f"{metric['mean']:.3f} ({metric['low']:.3f}-{metric['high']:.3f})"
