"""The figure of `scale.py`, drawn from its record: time and memory against interactions, both on log axes."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PANELS = {
    "fit": ("time to fit, s of one core", 1.0),
    "memory": ("peak memory of the process, GB", 1.0),
    "evaluate": ("full ranking of 1,000 users, s", 1000.0),
    "serve": ("ten items for one user, ms", 1000.0),
}
STYLES = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "v"), ("#56B4E9", "D"))
STYLES += (("#E69F00", "P"),)  # Okabe and Ito
LIMITED = {"memory": "memory", "time": "fit"}  # panel in which a stop is marked
DETERMINED = {"svg.hashsalt": "scale", "svg.fonttype": "none", "font.size": 9}


def draw(record: dict[str, Any], path: Path) -> None:
    """Write the figure as SVG, the same bytes for the same record and version of matplotlib.

    Lines join the drawn graphs, hollow marks are real data, a cross marks where a process was stopped.
    """
    rows = record["measured"]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    with mpl.rc_context(DETERMINED):
        figure = Figure(figsize=(8.4, 6.4), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True).ravel()
        for axes, (measured, (label, unit)) in zip(panels, PANELS.items(), strict=True):
            for method, style in zip(methods, STYLES, strict=True):
                lines(axes, [row for row in rows if row["method"] == method], measured, unit, style)
            axes.set(xscale="log", yscale="log", ylabel=label)
            axes.grid(alpha=0.3)
        for axes in panels[2:]:
            axes.set_xlabel("interactions")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, metadata={"Date": None})


def lines(axes: Axes, rows: list[dict[str, Any]], measured: str, unit: float, style: tuple[str, str]) -> None:
    """One model: a line through the drawn graphs, hollow marks for real data, a cross where it was stopped."""
    colour, marker = style
    drawn, real = (
        np.array([(row["interactions"], unit * row[measured]) for row in rows if kind(row) and measured in row])
        for kind in (is_drawn, lambda row: not is_drawn(row))
    )
    axes.plot(*drawn.reshape(-1, 2).T, color=colour, marker=marker, label=rows[0]["method"])
    axes.plot(*real.reshape(-1, 2).T, color=colour, marker=marker, linestyle="none", fillstyle="none")
    for row in rows:
        if is_drawn(row) and LIMITED.get(row["stopped"]) == measured:
            axes.plot(row["interactions"], row["limit"], color=colour, marker="x", markersize=9, linestyle="none")


def is_drawn(row: dict[str, Any]) -> bool:
    """Whether the graph came from the generator."""
    return row["graph"] == "drawn"
