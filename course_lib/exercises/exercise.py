"""An exercise that checks itself: the answer runs beside the reference, and beside the mistakes people make."""

import copy
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from course_lib.exercises import comparing, progress, source
from course_lib.exercises.outcome import Note, Outcome, State
from course_lib.exercises.source import Function

TRIALS = 8
UNTRIED = "Fill in the cell above and run this one again. Stuck? ex.hint(), then ex.solution()."
UNREPAIRED = "The code still does what it did when you got it. Find the bug. Stuck? ex.hint(), then ex.solution()."


class Kind(StrEnum):
    """What an exercise asks for."""

    WRITE = "write"
    REPAIR = "repair"
    PREDICT = "predict"
    EXPLAIN = "change and explain"


def mistake_name(mistake: Function) -> str:
    """A mistake in words: the name of its function."""
    return mistake.__name__.strip("_").replace("_", " ")


def one_paragraph(function: Function) -> str:
    """The docstring of a function without its line breaks."""
    return " ".join((function.__doc__ or "").split())


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    number : str
        Lesson and place, such as `03.2`.
    title : str
        A few words.
    kind : Kind
        What it asks for.
    objective : int
        Which objective of the lesson it serves, counted from 1.
    minutes : int
        Time it takes.
    reference : callable
        The reference solution, with the marks of `source`. Its name is the one the learner fills, its docstring the
        task in Markdown: what to do, what goes in and what comes out.
    hints : tuple of str
        From gentle to plain.
    mistakes : tuple of callable
        What learners who make a known mistake hand in: functions like the reference, each told from it and from the
        others by its results. The name says what was done, the docstring is the hint: it fits this mistake and does
        not give the answer away.
    inputs : callable, optional
        From a random generator to the arguments of one trial. Left out where the learner names a value.
    tolerance : float
        How far numbers may be off.
    why : str
        Shown with the solution: why it is right, what the mistakes cost.
    groups : bool
        Whether it is good to do in a group.
    """

    number: str
    title: str
    kind: Kind
    objective: int
    minutes: int
    reference: Function
    hints: tuple[str, ...]
    mistakes: tuple[Function, ...]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]] | None = None
    tolerance: float = 1e-4
    why: str = ""
    groups: bool = False
    _given: list[int] = field(default_factory=lambda: [0], repr=False)  # hints given so far

    @property
    def name(self) -> str:
        """The name the learner fills: that of the reference."""
        return self.reference.__name__

    @property
    def task(self) -> str:
        """Markdown of the task: the docstring of the reference."""
        return inspect.cleandoc(self.reference.__doc__ or "")

    @property
    def is_value(self) -> bool:
        """Whether the learner names a value, not a function."""
        return self.inputs is None

    @cached_property
    def stub(self) -> str:
        """Source of the learner's cell."""
        return source.stub(self.reference, self.is_value)

    @cached_property
    def filled(self) -> str:
        """Source of the teacher's cell."""
        return source.solution(self.reference, self.is_value)

    def check(self, answer: object, seed: int | None = None) -> Outcome:
        """Compare an answer with the reference on fresh random inputs.

        Parameters
        ----------
        answer : object
            The function or the value of the learner's cell.
        seed : int, optional
            Seed of the inputs; other inputs each time if left out.

        Returns
        -------
        Outcome
            Right, wrong with a hint that fits the mistake, or not attempted.
        """
        outcome = self._check_value(answer) if self.is_value else self._check_function(answer, seed)
        if outcome.state is not State.NOT_ATTEMPTED:
            progress.record_check(self.number, solved=bool(outcome))
        return outcome

    def hint(self) -> Note:
        """The next hint; after the last one, the last one again."""
        level = min(self._given[0] + 1, len(self.hints))
        self._given[0] = level
        progress.record_hint(self.number, level)
        more = "" if level < len(self.hints) else "\n\nThat was the last hint: `ex.solution()` shows a solution."
        return Note(f"**Hint {level} of {len(self.hints)}.** {self.hints[level - 1]}{more}")

    def solution(self) -> Note:
        """A solution, and why it is right."""
        progress.record_solution(self.number)
        return Note(f"```python\n{self.filled}\n```\n\n{self.why}".rstrip())

    def _check_value(self, answer: object) -> Outcome:
        if _is_blank(answer):
            return self._outcome(State.NOT_ATTEMPTED, UNTRIED)
        if callable(answer):
            return self._outcome(State.WRONG, f"{self.name} is a function; a value is wanted.")
        said = comparing.difference(answer, self.reference(), self.tolerance)
        if said is None:
            return self._outcome(State.RIGHT, self.why)
        for mistake in self.mistakes:
            if comparing.difference(answer, mistake(), self.tolerance) is None:
                return self._outcome(State.WRONG, one_paragraph(mistake), mistake_name(mistake))
        part = f" Look at {said.partition(':')[0]}, counted from 0." if said.startswith("part ") else ""
        return self._outcome(State.WRONG, f"{comparing.show(answer)} is not it.{part} ex.hint() helps.")

    def _check_function(self, answer: object, seed: int | None) -> Outcome:
        if _is_blank(answer):
            return self._outcome(State.NOT_ATTEMPTED, UNTRIED)
        if not callable(answer):
            return self._outcome(State.WRONG, f"Hand over the function itself: ex.check({self.name})")
        assert self.inputs is not None
        generator = np.random.default_rng(seed)
        trials = [self.inputs(generator) for _ in range(TRIALS)]
        got = [_Run(answer, trial) for trial in trials]
        wanted = [_Run(self.reference, trial) for trial in trials]
        if any(one.is_untried for one in got):
            return self._outcome(State.NOT_ATTEMPTED, UNTRIED)
        said = [one.differs(other, self.tolerance) for one, other in zip(got, wanted, strict=True)]
        if not any(said):
            spoilt = next((one.spoilt for one in got if one.spoilt), None)
            return self._outcome(State.WRONG, spoilt) if spoilt else self._outcome(State.RIGHT, self.why)
        if self.kind is Kind.REPAIR and self._same(got, self._as_given(), trials):
            return self._outcome(State.NOT_ATTEMPTED, UNREPAIRED)
        for mistake in self.mistakes:
            if self._same(got, mistake, trials):
                return self._outcome(State.WRONG, one_paragraph(mistake), mistake_name(mistake))
        first = next(number for number, one in enumerate(said) if one)
        return self._outcome(State.WRONG, self._describe(trials[first], got[first], wanted[first], said[first]))

    def _describe(self, trial: tuple[Any, ...], got: "_Run", wanted: "_Run", said: str | None) -> str:
        lines = [f"{self.name} {said}" if got.error else f"What {self.name} returns is not right: {said}."]
        lines += [f"Given: {comparing.show(trial)}"]
        if not got.error:
            lines += [f"Yours: {comparing.show(got.value)}", f"Wanted: {comparing.show(wanted.value)}"]
        return "\n".join(lines)

    def _same(self, got: list["_Run"], function: Function, trials: list[tuple[Any, ...]]) -> bool:
        return not any(
            one.differs(_Run(function, trial), self.tolerance) for one, trial in zip(got, trials, strict=True)
        )

    def _as_given(self) -> Function:
        """The function with its bug, made from the stub."""
        names: dict[str, Any] = dict(self.reference.__globals__)
        exec(self.stub, names)
        function: Function = names[self.name]
        return function

    def _outcome(self, state: State, message: str, mistake: str | None = None) -> Outcome:
        return Outcome(self.number, state, message, mistake)


class _Run:
    """One run of a function on its own copy of the arguments: what it returned or raised, and what it changed."""

    def __init__(self, function: Function, arguments: tuple[Any, ...]):
        mine = copy.deepcopy(arguments)
        self.file = getattr(getattr(function, "__code__", None), "co_filename", None)
        self.value: object = None
        self.error: Exception | None = None
        try:
            self.value = function(*mine)
        except Exception as error:  # a learner's code may raise anything; it is shown, not hidden
            self.error = error
        changed = comparing.difference(list(mine), list(arguments), tolerance=0.0)
        self.spoilt = (
            changed and f"The result is right, but the function changes its input ({changed}). Work on a copy."
        )

    @property
    def is_untried(self) -> bool:
        return isinstance(self.error, NotImplementedError) or _is_blank(self.value)

    def differs(self, other: "_Run", tolerance: float) -> str | None:
        """In what this run differs from another; None where both returned, or raised, the same."""
        if self.error and other.error and type(self.error) is type(other.error):
            return None
        if self.error:
            own = [frame for frame in traceback.extract_tb(self.error.__traceback__) if frame.filename == self.file]
            where = f" (line {own[-1].lineno})" if own else ""  # in the cell; not in a library that it calls
            return f"raises {type(self.error).__name__}: {self.error}{where}"
        if other.error:
            return f"it should raise {type(other.error).__name__} here"
        if self.value is None and other.value is not None:
            return "it is None; does the function end in a return?"
        return comparing.difference(self.value, other.value, tolerance)


def _is_blank(value: object) -> bool:
    """Whether a value is, or contains, the placeholder `...`."""
    return value is ... or (isinstance(value, tuple | list) and any(one is ... for one in value))
