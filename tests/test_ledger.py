"""The scoreboard: nothing stale, nothing typed, and bands that a random scorer cannot pass."""

import numpy as np
import pytest

from course_lib import ledger, lesson, splits, studies
from course_lib.evaluation import evaluate
from course_lib.models import Random
from course_lib.paths import ROOT
from course_lib.verdict import OUTSIDE


def test_no_recorded_row_is_stale():
    assert studies.stale() == {}


def test_the_page_of_results_shows_the_recorded_scoreboard():
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert page.endswith(ledger.markdown(ledger.rows(live=False))), "course docs writes it"


@pytest.mark.parametrize(
    ("model", "protocol", "seed"),
    [
        ("EASE", "benchmark", 0),
        ("ItemKNN", "temporal", 1),
        ("Popularity", "cold-item", 2),
        ("MF, softmax", "benchmark", 3),
    ],
)
def test_a_sample_of_the_record_comes_out_again(model, protocol, seed):
    again = studies.rerun("films", model, protocol, seed)
    row = ledger.recorded(model, "movielens-100k", protocol)
    assert again["ndcg@10"] == pytest.approx(row["per_seed"]["ndcg@10"][seed], abs=0.008)


@pytest.mark.parametrize("study", [name for name, study in studies.STUDIES.items() if study.keeps_users])
def test_the_users_recorded_are_those_of_the_rows(study):
    """Each user's mean over the seeds, then the mean over users: the number in the table."""
    values = studies.user_values(study)
    rows = ledger.studies()[study]["rows"]
    assert {(row["protocol"], row["model"]) for row in rows} == set(values)
    for row in rows:
        found = values[row["protocol"], row["model"]]
        evaluated = (~np.isnan(found)).any(axis=0)
        mean = np.nanmean(found[:, evaluated], axis=0).mean()
        assert mean == pytest.approx(row["metrics"]["ndcg@10"]["mean"], abs=1e-4), row["model"]


def test_a_random_scorer_fails_every_recorded_band(movielens, capsys):
    split = splits.make("benchmark", movielens)
    chance = evaluate(Random().fit(split), split)
    for row in ledger.studies()["films"]["rows"]:
        if row["protocol"] == "benchmark" and row["model"] != "Random":
            lesson.check_band(
                row["model"], chance.mean(), row["metrics"]["ndcg@10"]["low"], row["metrics"]["ndcg@10"]["high"]
            )
            assert OUTSIDE in capsys.readouterr().out
    lesson.check_band("nothing", float("nan"), 0, 1)
    assert OUTSIDE in capsys.readouterr().out


def test_rows_have_the_documented_shape():
    rows = ledger.rows(live=False)
    assert len(rows) > 40
    for row in rows:
        assert set(row) == set(ledger.PUBLIC)
        assert all(m["low"] <= m["mean"] <= m["high"] for m in row["metrics"].values())


def test_what_a_lesson_fits_lands_on_the_board_and_is_loaded_next_time(movielens, tmp_path, monkeypatch):
    split = splits.make("benchmark", movielens)
    split.train.matrix()
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path))
    lesson.fit(Random(), split)
    live = [row for row in ledger.rows() if row["source"] == "this machine"]
    assert [row["model"] for row in live] == ["Random"]
    first = lesson.artifact(Random(), split)
    np.testing.assert_array_equal(first.score(np.array([1])), Random().fit(split).score(np.array([1])))
    assert len(list((tmp_path / "artefacts").glob("Random-benchmark-*/model.json"))) == 1


def test_an_unknown_row_names_what_is_recorded():
    with pytest.raises(KeyError, match="EASE"):
        ledger.recorded("Oracle", "movielens-100k", "benchmark")
