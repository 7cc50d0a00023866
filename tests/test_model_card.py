"""The model card says what the scoreboard says."""

import re

import pandas as pd
import pytest

from course_lib import ledger
from course_lib.model_card import model_card

MODEL = "Late: EASE, words, z-score"
GROUPS = {
    "Gender": pd.DataFrame(
        {"users": [273, 1], "mean": [0.3, 0.5], "low": [0.28, float("nan")], "high": [0.32, float("nan")]},
        index=["F", "M"],
    )
}
WORDS = {"description": "EASE joined with words.", "intended_use": "For learning.", "limits": ["Films up to 1998."]}


def test_the_card_holds_the_recorded_numbers(tmp_path):
    card = model_card(MODEL, "movielens-100k", groups=GROUPS, path=tmp_path / "card.md", **WORDS)
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == card
    for protocol in ("benchmark", "temporal", "cold-item"):
        row = ledger.recorded(MODEL, "movielens-100k", protocol)["metrics"]["ndcg@10"]
        assert f"| {protocol} | {row['mean']:.3f} ({row['low']:.3f}-{row['high']:.3f})" in card
    for section in ("Model details", "Intended use", "Data", "Results", "Results by group", "Limits"):
        assert re.search(rf"^## {section}$", card, re.MULTILINE)
    assert "GroupLens terms" in card and "Harper" in card
    assert "| F | 273 | 0.300 | 0.280-0.320 |" in card and "| M | 1 | 0.500 | one user |" in card
    assert f"{MODEL} less EASE: NDCG@10" in card


def test_a_card_without_record_limits_or_groups_is_refused():
    with pytest.raises(KeyError, match=r"no study recorded 'Oracle'.*EASE"):
        model_card("Oracle", "movielens-100k", groups=GROUPS, **WORDS)
    with pytest.raises(ValueError, match="needs limits"):
        model_card(MODEL, "movielens-100k", groups={}, **WORDS)
    with pytest.raises(ValueError, match="lacks high"):
        model_card(MODEL, "movielens-100k", groups={"Gender": GROUPS["Gender"].drop(columns="high")}, **WORDS)


def test_a_model_of_two_studies_is_listed_once():
    card = model_card("EASE", "movielens-100k", groups=GROUPS, **WORDS)
    assert len(re.findall(r"^\| benchmark \|", card, re.MULTILINE)) == 1
    assert len(re.findall(r"^- `benchmark`: ", card, re.MULTILINE)) == 1
    paired = re.findall(r"^- .* less .*$", card, re.MULTILINE)
    assert len(paired) == len(set(paired)) > 3
    assert f"not corrected for {len(paired)} tests" in card
