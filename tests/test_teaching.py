"""The plans behind the teaching guide: they add up, need no circle, and the page shows them."""

import graphlib

import pytest

from course_lib import teaching

LESSONS = teaching.lessons()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_the_minutes_of_a_lesson_add_up(lesson: teaching.Lesson) -> None:
    assert list(teaching.defects(lesson)) == []


def test_defects_are_found() -> None:
    lesson = LESSONS[-1]
    wrong = teaching.Lesson(lesson.name, {**lesson.course, "lab_minutes": 1, "misconceptions": []}, lesson.parts[1:])
    said = "\n".join(teaching.defects(wrong))
    assert "minutes, the lesson 1" in said
    assert "it names no misconceptions" in said
    assert "lecture: the sections take" in said


def test_prerequisites_form_no_circle_and_come_first_in_both_schedules() -> None:
    needs = {one.name: one.course["prerequisites"] for one in LESSONS}
    order = list(graphlib.TopologicalSorter(needs).static_order())  # raises CycleError on a circle
    assert set(order) == set(needs)
    for plan in (teaching.WEEKS, teaching.DAYS):
        numbers = [number for group in plan for number in group]
        assert numbers == sorted(one.number for one in LESSONS if one.number.isdigit())
        for lesson in LESSONS:
            if lesson.number.isdigit():
                before = numbers[: numbers.index(lesson.number)]
                assert all(need.partition("_")[0] in before for need in lesson.course["prerequisites"])


def test_a_day_has_no_gaps_a_lunch_and_an_end_before_six() -> None:
    by_number = {one.number: one for one in LESSONS}
    for numbers in teaching.DAYS:
        found = [by_number[number] for number in numbers]
        slots = teaching.day(found)
        assert [one.begin for one in slots[1:]] == [one.end for one in slots[:-1]]
        assert [one.what for one in slots].count("lunch") == 1
        work = sum(one.course["lecture_minutes"] + one.short_lab for one in found)
        rest = teaching.LUNCH + teaching.PAUSE * (len(found) - 2)
        assert slots[-1].end == teaching.START + work + rest
        assert slots[-1].end <= 18 * 60
        assert all(sum(exercise.minutes for exercise in one.short_exercises) <= 0.75 * one.short_lab for one in found)
        assert all(exercise in one.short_exercises for one in found for exercise in one.exercises if exercise.groups)


def test_the_page_holds_every_lesson_exercise_and_misconception() -> None:
    page = teaching.page()
    for lesson in LESSONS:
        assert lesson.course["title"] in page
        assert all(f"| {one.number} {one.title} |" in page for one in lesson.exercises)
        assert all(one["question"] in page for one in lesson.course["misconceptions"])
    assert "\n| 7 | 7 · Deployment | 50 min | 90 min |" in page
