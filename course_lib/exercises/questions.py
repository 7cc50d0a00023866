"""Multiple-choice questions: as a quiz in the notebook (jupyterquiz), and as text for readers without a kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

import jupyterquiz


@dataclass(frozen=True)
class Choice:
    """One choice.

    Attributes
    ----------
    text : str
        What it says.
    why : str
        Shown when it is chosen: why it is right, or what is wrong with it.
    right : bool
        Whether it is the right one.
    """

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question with choices, one of them right."""

    text: str
    choices: tuple[Choice, ...]


def show(questions: Sequence[Question]) -> None:
    """Show the questions as a quiz that works without a server."""
    jupyterquiz.display_quiz(
        [
            {
                "question": one.text,
                "type": "multiple_choice",
                "answers": [
                    {"answer": choice.text, "correct": choice.right, "feedback": choice.why} for choice in one.choices
                ],
            }
            for one in questions
        ],
        colors="fdsp",
        shuffle_answers=False,
    )


def as_text(questions: Sequence[Question]) -> str:
    """Markdown: each question with its choices, and the answers folded away below it."""
    return "\n\n".join(_as_text(number, one) for number, one in enumerate(questions, start=1))


def _as_text(number: int, question: Question) -> str:
    letters = "abcdefgh"
    choices = [f"   - ({letter}) {one.text}" for letter, one in zip(letters, question.choices, strict=False)]
    answers = [
        f"- ({letter}) {'**Right.**' if one.right else 'No.'} {one.why}"
        for letter, one in zip(letters, question.choices, strict=False)
    ]
    head = [f"{number}. {question.text}", *choices]
    return "\n".join([*head, "", "<details><summary>Answer</summary>", "", *answers, "", "</details>"])
