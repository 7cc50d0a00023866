"""The course scoreboard: one row for each model, data set and protocol.

Rows come from recorded studies (`results/*.json`, made by `course study NAME`) and from what a lesson fits on
this machine (`record_live`, kept in the cache folder). Nobody types one.
"""

import json
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from course_lib.paths import cache_dir, results_dir

if TYPE_CHECKING:  # `course ledger` prints a table; it need not wait for torch
    from course_lib.evaluation import Evaluation
    from course_lib.models import Recommender

RESULTS = results_dir()
EXAMS = ("benchmark", "temporal", "cold-item", "new-user")
SHOWN = ("ndcg@10", "recall@20")
PUBLIC = ("model", "dataset", "protocol", "seeds", "metrics", "fit_seconds", "parameters", "device", "source")

Row = dict[str, Any]


def studies() -> dict[str, dict[str, Any]]:
    """The recorded studies by name, as `course study` wrote them."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}


def recorded(model: str, dataset: str, protocol: str) -> Row:
    """The recorded row of a model.

    Raises
    ------
    KeyError
        Where no study holds it; the message lists what is recorded for this data set and protocol.
    """
    rows = [row for study in studies().values() for row in study["rows"]]
    here = [row for row in rows if (row["dataset"], row["protocol"]) == (dataset, protocol)]
    for row in here:
        if row["model"] == model:
            return row
    known = ", ".join(row["model"] for row in here) or "nothing"
    raise KeyError(f"no recorded row for {model} on {dataset}, {protocol}; recorded there: {known}")


def rows(live: bool = True) -> list[Row]:
    """All rows: recorded studies first, then what lessons fitted on this machine."""
    found = [{**row, "source": f"study {name}"} for name, study in studies().items() for row in study["rows"]]
    if live:
        found += _read_live()
    return [{key: row[key] for key in PUBLIC} for row in found]


def row_of(model: "Recommender", evaluation: "Evaluation", seeds: int, fit_seconds: float, device: str) -> Row:
    """One scoreboard row from one evaluation."""
    metrics = {}
    for metric in evaluation.values:
        low, high = evaluation.interval(metric)
        metrics[metric] = {"mean": evaluation.mean(metric), "low": low, "high": high}
    return {
        "model": evaluation.model,
        "dataset": evaluation.dataset,
        "protocol": evaluation.protocol,
        "seeds": seeds,
        "metrics": metrics,
        "fit_seconds": round(fit_seconds, 2),
        "parameters": model.num_parameters,
        "device": device,
    }


def record_live(row: Row) -> None:
    """Keep a row in the cache folder; a newer one for the same model, data set and protocol replaces it."""
    path = cache_dir() / "ledger.json"
    with FileLock(f"{path}.lock"):
        kept = [old for old in _read_live() if _key(old) != _key(row)]
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps([*kept, {**row, "source": "this machine"}], indent=1), encoding="utf-8")
        partial.replace(path)


def table(scoreboard: list[Row]) -> str:
    """The scoreboard as plain text, best first within each data set and protocol."""
    head = ("model", "seeds", *SHOWN, "95 % interval", "fit s", "parameters", "device", "source")
    lines = []
    for (dataset, protocol), group in _groups(scoreboard).items():
        cells = [head, *[_cells(row) for row in group]]
        widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
        lines.append(f"{dataset}, {protocol}")
        lines += [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
        ]
        lines.append("")
    return "\n".join(lines) if lines else "The scoreboard is empty: run a lesson, or `course study NAME`."


def markdown(scoreboard: list[Row]) -> str:
    """The recorded scoreboard as Markdown tables, as the README shows it."""
    lines = []
    for (dataset, protocol), group in _groups(scoreboard).items():
        lines += [
            f"**{dataset}**, protocol `{protocol}`",
            "",
            "| model | NDCG@10 | 95 % interval | Recall@20 | fit, CPU s |",
        ]
        lines.append("|---|---|---|---|---|")
        shown: dict[str, str] = {}  # without the seconds, that two fits of one model differ in
        for row in group:
            _, _, ndcg, recall, interval, seconds, *_ = _cells(row)
            shown.setdefault(f"| {row['model']} | {ndcg} | {interval} | {recall} |", f" {seconds} |")
        lines += [numbers + seconds for numbers, seconds in shown.items()]
        lines.append("")
    return "\n".join(lines).strip() + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    main = row["metrics"][SHOWN[0]]
    return (
        row["model"],
        str(row["seeds"]),
        *(f"{row['metrics'][metric]['mean']:.4f}" for metric in SHOWN),
        f"{main['low']:.3f}-{main['high']:.3f}",
        f"{row['fit_seconds']:.1f}",
        f"{row['parameters']:,}",
        row["device"],
        row["source"],
    )


def _groups(scoreboard: list[Row]) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(scoreboard, key=lambda row: -row["metrics"][SHOWN[0]]["mean"]):
        groups.setdefault((row["dataset"], row["protocol"]), []).append(row)
    return dict(sorted(groups.items(), key=lambda one: _place(*one[0])))


def _place(dataset: str, protocol: str) -> tuple[bool, int, int]:
    """Films before baskets, the exams in the order in which the course comes to them, more known films later."""
    exam, _, known = protocol.partition(", ")
    number = EXAMS.index(exam) if exam in EXAMS else len(EXAMS)
    return not dataset.startswith("movielens"), number, int("".join(filter(str.isdigit, known)) or 0)


def _key(row: Row) -> tuple[str, str, str]:
    return row["model"], row["dataset"], row["protocol"]


def _read_live() -> list[Row]:
    path = cache_dir() / "ledger.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
