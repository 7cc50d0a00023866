"""Recorded studies: run once, drawn by the lessons, re-run in part by the tests."""

from course_lib.studies.plans import STUDIES, Study
from course_lib.studies.record import names, rerun, run, stale, user_values

__all__ = ["STUDIES", "Study", "names", "rerun", "run", "stale", "user_values"]
