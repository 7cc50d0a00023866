"""The teaching guide, docs/teaching.md: plans and schedules made from the `course` metadata of the notebooks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from course_lib import exercises, notebooks
from course_lib.exercises import Exercise
from course_lib.notebooks import catalogue, exercise_cells

TEMPLATES = Path(__file__).parent / "templates"
SECTION = re.compile(r"^(\d+) · (.+)$")
QUESTIONS = "questions"
LATE = ("keep", "shorten", "skip")
START = 9 * 60  # minutes after midnight
PAUSE, LUNCH = 15, 60
LUNCH_AFTER = 11 * 60 + 20
DAYS = (("00", "01", "02", "03"), ("04", "05", "06", "07"))
WEEKS = (("00", "01"), ("02",), ("03",), ("04",), ("05",), ("06",), ("07",))


@dataclass(frozen=True)
class Part:
    """One section in the plan of a lesson.

    Attributes
    ----------
    number : int or str
        Number of the section, or "questions" for the time at the end.
    title : str
        Its heading.
    lecture, lab : int
        Minutes.
    late : str
        What to do with it when late: keep, shorten or skip.
    pause : bool
        Whether a break fits after it.
    exercises : tuple of Exercise
        Those that stand in it.
    """

    number: int | str
    title: str
    lecture: int
    lab: int
    late: str
    pause: bool
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class Lesson:
    """A lesson as the guide shows it."""

    name: str
    course: dict[str, Any]
    parts: tuple[Part, ...]

    @property
    def number(self) -> str:
        """`03`, or the name of an elective."""
        return exercises.key_of(self.name)

    @property
    def exercises(self) -> list[Exercise]:
        """All exercises, in order."""
        return exercises.of_lesson(self.name)

    @property
    def short_lab(self) -> int:
        """Minutes of the lab in the two-day course: half of the whole one, in steps of five."""
        return int(self.course["lab_minutes"]) // 10 * 5

    @property
    def short_exercises(self) -> list[Exercise]:
        """What fits into three quarters of the short lab: for groups first, one for each objective, then others."""
        chosen: list[Exercise] = []

        def is_new(one: Exercise) -> bool:
            return one.objective not in [other.objective for other in chosen]

        for is_wanted in (lambda one: one.groups, is_new, lambda one: True):
            for one in self.exercises:
                fits = sum(other.minutes for other in [*chosen, one]) <= 0.75 * self.short_lab
                if one not in chosen and is_wanted(one) and fits:
                    chosen.append(one)
        return sorted(chosen, key=self.exercises.index)


def lessons() -> list[Lesson]:
    """All lessons with their plans, the core first."""
    return [read(path) for path in notebooks.lessons()]


def read(path: Path) -> Lesson:
    """The plan of the lesson at `path`."""
    notebook = catalogue.read(path)
    titles, placed = _sections(notebook.cells)
    name = catalogue.lesson_name(path)
    course = dict(notebook.metadata.course)
    by_number = {one.number: one for one in exercises.of_lesson(name)}
    parts = [
        Part(
            number=one["section"],
            title=titles.get(one["section"], "Questions and takeaways"),
            lecture=one["lecture"],
            lab=one["lab"],
            late=one["late"],
            pause=bool(one.get("break")),
            exercises=tuple(by_number[number] for number in placed.get(one["section"], [])),
        )
        for one in course["plan"]
    ]
    return Lesson(name, course, tuple(parts))


def _sections(cells: Sequence[Any]) -> tuple[dict[int | str, str], dict[int | str, list[str]]]:
    """Titles of the numbered sections, and which exercises stand in each."""
    titles: dict[int | str, str] = {}
    placed: dict[int | str, list[str]] = {}
    current: int | str = QUESTIONS
    for cell in cells:
        for heading in catalogue.headings(cell, level=2) if cell.cell_type == "markdown" else []:
            found = SECTION.match(heading)
            current = int(found[1]) if found else QUESTIONS
            if found:
                titles[current] = found[2]
        number = exercise_cells.exercise_of(cell)
        if number and cell.cell_type == "markdown":
            placed.setdefault(current, []).append(number)
    return titles, placed


def defects(lesson: Lesson) -> Iterator[str]:
    """What does not add up in the plan of a lesson."""
    for kind in ("lecture", "lab"):
        planned, stated = sum(getattr(part, kind) for part in lesson.parts), lesson.course[f"{kind}_minutes"]
        if planned != stated:
            yield f"{kind}: the sections take {planned} minutes, the lesson {stated}"
    for part in lesson.parts:
        need = sum(one.minutes for one in part.exercises)
        if need > part.lab:
            yield f"section {part.number}: its exercises take {need} minutes, its lab {part.lab}"
        if part.late not in LATE:
            yield f"section {part.number}: late is '{part.late}', not one of {', '.join(LATE)}"
    planned_exercises = [one.number for part in lesson.parts for one in part.exercises]
    if planned_exercises != [one.number for one in lesson.exercises]:
        yield f"exercises in the plan: {', '.join(planned_exercises)}; in the lesson: all, in their order"
    if not lesson.course.get("misconceptions"):
        yield "it names no misconceptions"


@dataclass(frozen=True)
class Slot:
    """A line of a day: from when to when (minutes after midnight), and what."""

    begin: int
    end: int
    what: str

    @property
    def time(self) -> str:
        """Such as 09:00-09:50."""
        return f"{clock(self.begin)}-{clock(self.end)}"


def clock(minutes: int) -> str:
    """Minutes after midnight as a time of day."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def day(found: Sequence[Lesson]) -> list[Slot]:
    """One day of the two-day course: each lecture, half of its lab, a break; lunch at the break about noon."""
    slots: list[Slot] = []
    now, eaten = START, False
    for lesson in found:
        for minutes, what in (
            (lesson.course["lecture_minutes"], f"{lesson.course['title']}: lecture"),
            (lesson.short_lab, f"{lesson.course['title']}: lab, {_numbers(lesson.short_exercises)}"),
        ):
            slots.append(Slot(now, now + minutes, what))
            now += minutes
        if lesson is not found[-1]:
            hungry = not eaten and now >= LUNCH_AFTER
            rest, what = (LUNCH, "lunch") if hungry else (PAUSE, "break")
            eaten = eaten or hungry
            slots.append(Slot(now, now + rest, what))
            now += rest
    return slots


def _numbers(found: Sequence[Exercise]) -> str:
    return ", ".join(one.number for one in found)


def page() -> str:
    """Markdown of docs/teaching.md."""
    every = lessons()
    by_number = {one.number: one for one in every}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("teaching.md.j2").render(
        core=[one for one in every if one.number.isdigit()],
        electives=[one for one in every if not one.number.isdigit()],
        weeks=[[by_number[number] for number in numbers] for numbers in WEEKS],
        days=[day([by_number[number] for number in numbers]) for numbers in DAYS],
    )
