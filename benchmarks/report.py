"""Make docs/benchmarks.md and docs/scaling.md from benchmarks/results: `python benchmarks/report.py`."""

import argparse
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
SCALING = ROOT / "docs" / "scaling.md"
HEAD = """# Benchmarks

How fast is the course's library, and how large can it go? Each section is one script in `benchmarks/`. It runs the
course and its peers one directly after the other on the same machine and writes a record. This page is made from the
records by `python benchmarks/report.py`; nobody types a number here. Times differ between machines; ratios within one
run travel better.
"""


def section(record: dict[str, Any]) -> str:
    """One benchmark as Markdown: question, targets, tables, and what it ran on."""
    verdicts = [
        [t["what"], f"{t['kind']} {number(t['limit'])} {t['unit']}".rstrip(), *verdict(t)] for t in record["targets"]
    ]
    parts = [
        f"## {record['title']}",
        record["question"],
        f"Run it again: `{record['command']}`",
        "\n".join(f"- {sentence}" for sentence in record["setup"]),
    ]
    if verdicts:
        parts.append(table(["target", "wanted", "measured", "met"], verdicts))
    missed: dict[str, list[str]] = {}
    for target, (*_, met) in zip(record["targets"], verdicts, strict=True):
        if met != "yes" and target.get("why"):
            missed.setdefault(target["why"], []).append(target["what"])
    parts += [f"Missed: {'; '.join(several)}. Why: {why}" for why, several in missed.items()]
    if "figure" in record:
        parts.append(f"![{record['title']}]({record['figure']})")
    for one in record["tables"]:
        parts += [f"**{one['title']}**", table(one["columns"], one["rows"])]
    ran_on = {**record["machine"], **record["versions"], **{f"seed of {k}": v for k, v in record["seeds"].items()}}
    parts.append("Ran on: " + "; ".join(f"{name} {value}" for name, value in ran_on.items()) + ".")
    return "\n\n".join(parts) + "\n"


def verdict(target: dict[str, Any]) -> tuple[str, str]:
    """What was measured, and whether it meets the target."""
    measured, limit = target["measured"], target["limit"]
    met = measured >= limit if target["kind"] == "at least" else measured <= limit
    return f"{number(measured)} {target['unit']}".rstrip(), "yes" if met else "**no**"


def number(value: float) -> str:
    """Counts in full, other numbers with four digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def table(columns: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table; numbers stand on the right."""
    numeric = [all(isinstance(row[place], int | float) for row in rows) for place in range(len(columns))]
    rule = ["---:" if number else "---" for number in numeric]
    lines = [columns, rule, *([f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(results: Path = RESULTS) -> str:
    """The whole page: every record in the folder, by name.

    Raises
    ------
    FileNotFoundError
        Where there is no record yet.
    """
    paths = sorted(results.glob("*.json"))
    if not paths:
        raise FileNotFoundError("benchmarks/results holds no record: run a benchmark first")
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return "\n".join([HEAD, *(section(record) for record in records)])


def main() -> None:
    """Write both pages and the figure."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    import scale_figure  # not above: the environments of the peers read this file too, and have no matplotlib
    import scaling_page

    record = scaling_page.read("scale")
    scale_figure.draw(record, PAGE.parent / record["figure"])
    PAGE.write_text(page(), encoding="utf-8")
    SCALING.write_text(scaling_page.page(), encoding="utf-8")
    print("Written: docs/benchmarks.md, docs/scaling.md, docs/images/scale.svg")


if __name__ == "__main__":
    main()
