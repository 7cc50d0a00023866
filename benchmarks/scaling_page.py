"""docs/scaling.md from its template: what the measured numbers say about other sizes. `report.py` writes it."""

import json
from pathlib import Path
from typing import Any

import report
import scale_causes

TEMPLATE = Path(__file__).with_name("scaling_template.md")
DIM = 64
NUMBER = 4  # bytes of a float32
INDEX = 8  # bytes of an int64
GIGABYTE = 1e9
SIZES = (10_000_000, 100_000_000, 1_000_000_000)
COPIES = 4  # a trained vector, its gradient, and the two moments that Adam keeps of it
TRAINED = "LightGCN, BPR"
NUM_TITLES = 1682  # what encoder.py encodes
NEARLY_ALL = 0.9  # recall at which the inverted file is shown
COLUMNS = ["interactions", "users", "items", "vectors, GB", "training them, GB", "adjacency, GB", "items², GB"]
COLUMNS += ["a step over the graph, s"]


def read(name: str) -> dict[str, Any]:
    """A record of benchmarks/results."""
    return json.loads((report.RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def vectors(num_users: float, num_items: float) -> float:
    """GB of one vector for each user and each item."""
    return (num_users + num_items) * DIM * NUMBER / GIGABYTE


def adjacency(interactions: int) -> float:
    """GB of the normalised adjacency as torch keeps it: a column and a weight for each edge, in both directions."""
    return 2 * interactions * (INDEX + NUMBER) / GIGABYTE


def item_square(num_items: float) -> float:
    """GB of one matrix of items times items, which EASE inverts."""
    return num_items**2 * NUMBER / GIGABYTE


def largest(record: dict[str, Any], method: str) -> dict[str, Any]:
    """The largest drawn graph that a model went through."""
    rows = [row for row in record["measured"] if row["method"] == method and row["graph"] == "drawn"]
    return max((row for row in rows if not row["stopped"]), key=lambda row: row["interactions"])


def short(value: float) -> str:
    """Three digits, or all those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def growth(scale: dict[str, Any]) -> list[list[Any]]:
    """One row a size: vectors, what training holds of them, adjacency, EASE's matrix, a step over the graph."""
    top = largest(scale, TRAINED)
    step = top["fit"] / scale["steps"] / top["interactions"]
    rows = []
    for size in SIZES:
        num_users, num_items = (size * scale["an interaction"][side] for side in ("users", "items"))
        held = vectors(num_users, num_items)
        gigabytes = (held, COPIES * held, adjacency(size), item_square(num_items))
        counts = (size, round(num_users), round(num_items))
        rows.append([*(f"{one:,}" for one in counts), *(short(one) for one in (*gigabytes, step * size))])
    return rows


def fits(gigabytes: float, scale: dict[str, Any]) -> int:
    """Interactions at which training fills so much memory, in a straight line through the largest measured graph."""
    top, libraries = largest(scale, TRAINED), min(row["before"] for row in scale["measured"] if "before" in row)
    each = (top["memory"] - libraries) / top["interactions"]
    return round((gigabytes - libraries) / each / 1e6) * 1_000_000


def of_scale(scale: dict[str, Any]) -> dict[str, str]:
    """The numbers of `scale.py` that the template names."""
    methods = {
        "top": TRAINED,
        "ease": "EASE",
        "softmax": "LightGCN, softmax",
        "filtered": "GF-CF",
        "sampled": "LightGCN, sampled",
    }
    numbers = {}
    for name, method in methods.items():
        row = largest(scale, method)
        numbers[name] = f"{row['interactions']:,}"
        numbers[f"{name}_fit"], numbers[f"{name}_memory"] = f"{row['fit']:,.0f}", f"{row['memory']:.1f}"
    top = largest(scale, TRAINED)
    return {
        **numbers,
        "table": report.table(COLUMNS, growth(scale)),
        "steps": str(scale["steps"]),
        "laptop": f"{fits(16, scale):,}",
        "server": f"{fits(128, scale):,}",
        "evaluate": f"{1000 * top['evaluate']:,.0f}",
        "serve": f"{1000 * top['serve']:,.1f}",
    }


def of_causes(scale: dict[str, Any]) -> dict[str, str]:
    """What makes large graphs slow: freed memory, at the largest graph that both went through, and far reads."""
    first, last = scale["causes"][0], scale["causes"][-1]
    both = max(
        (one for one in scale["causes"] if not one["given back"]["stopped"]), key=lambda one: one["interactions"]
    )
    kept = next(
        row
        for row in scale["measured"]
        if row["method"] == scale_causes.METHOD
        and row["graph"] == "drawn"
        and row["interactions"] == both["interactions"]
    )
    return {
        "largest": scale_causes.LARGEST,
        "kept_at": f"{both['interactions']:,}",
        "given_back": f"{both['given back']['fit']:.0f}",
        "kept": f"{kept['fit']:.0f}",
        "given_back_memory": f"{both['given back']['memory']:.1f}",
        "kept_memory": f"{kept['memory']:.1f}",
        "first": f"{first['interactions']:,}",
        "last": f"{last['interactions']:,}",
        **{f"{read}_first": f"{first[read]:.0f}" for read in ("far", "near")},
        **{f"{read}_last": f"{last[read]:.0f}" for read in ("far", "near")},
    }


def of_others(distributed: dict[str, Any], index: dict[str, Any], encoder: dict[str, Any]) -> dict[str, str]:
    """The numbers of the other records that the template names."""
    train, encode = (row[3] for row in distributed["tables"][0]["rows"])
    apart = {target["what"]: f"{target['measured']:.1g}" for target in distributed["targets"]}
    titles = NUM_TITLES / next(row[1] for row in encoder["tables"][0]["rows"] if row[0] == "course_lib")
    million = [row for row in index["tables"][0]["rows"] if row[0] == "1,000,000"]
    near = next(row for row in million if row[1] != "exact" and row[3] >= NEARLY_ALL)
    return {
        "apart": apart["LightGCN vectors, one process and two"],
        "apart_exact": apart["the same, trained in float64"],
        "apart_titles": apart["title vectors, one process and two"],
        "train": f"{train:.2f}",
        "encode": f"{encode:.2f}",
        "titles": f"{titles:.0f}",
        "hours": f"{1e6 / titles / 3600:.1f}",
        "days": f"{1e8 / titles / 86400:.0f}",
        "machines": f"{1e8 / titles / 3600 / 12:.0f}",
        "exact": f"{million[0][4]:g}",
        "near": f"{near[4]:,g}",
        "recall": f"{near[3]:.2f}",
        "cells": str(near[2]),
    }


def page() -> str:
    """The page."""
    scale = read("scale")
    numbers = of_scale(scale) | of_causes(scale) | of_others(read("distributed"), read("index"), read("encoder"))
    return TEMPLATE.read_text(encoding="utf-8").format(**numbers)
