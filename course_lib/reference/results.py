"""The recorded results: all rows as a page, and the few that the README shows."""

from course_lib import ledger
from course_lib.ledger import Row

BASELINES = ("EASE", "Popularity", "Random")
BEST = 3
HEAD = """\
# Results

Every recorded row: test metrics with 95 % intervals over users. Made by `course docs` from the studies in `results/`,
which `course study NAME` makes again; nobody types a number. A model that two studies fitted under one name,
with other numbers, stands here twice.

"""


def page() -> str:
    """The page `docs/results.md`."""
    return HEAD + ledger.markdown(ledger.rows(live=False))


def excerpt() -> str:
    """The README's tables: of each protocol the best three models, and the baselines."""
    return ledger.markdown(shown(ledger.rows(live=False))).strip()


def shown(rows: list[Row]) -> list[Row]:
    """Of each data set and protocol the best rows and the baselines; of rows with one name the first."""
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault((row["dataset"], row["protocol"]), {}).setdefault(row["model"], row)
    kept = []
    for group in groups.values():
        best = sorted(group.values(), key=lambda row: -row["metrics"][ledger.SHOWN[0]]["mean"])[:BEST]
        kept += best + [group[name] for name in BASELINES if name in group and group[name] not in best]
    return kept
