"""Every test, and every kernel and subprocess it starts, runs without a network (see `tests/offline`)."""

import importlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from course_lib.data import Dataset, load

os.environ["TQDM_DISABLE"] = "1"  # stored outputs hold no bars
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers with two threads each on two cores wait for each other
OFFLINE = str(Path(__file__).parent / "offline")

if OFFLINE not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    os.environ["PYTHONPATH"] = os.pathsep.join([OFFLINE, *filter(None, [os.environ.get("PYTHONPATH")])])
sys.path.insert(0, OFFLINE)
importlib.import_module("offline_guard")  # this process had started before PYTHONPATH was set


settings.register_profile("course", derandomize=True, deadline=None)  # the same examples on every machine
settings.load_profile("course")


@pytest.fixture(scope="session")
def movielens() -> Dataset:
    """MovieLens-100K from the warm cache."""
    return load("movielens-100k")
