"""What an exercise answers: right, wrong, not attempted; a hint; a solution. Each shows itself in a notebook."""

import html
import re
from dataclasses import dataclass
from enum import StrEnum

EMPHASIS = re.compile(r"(?<![\w*])\*([^*\s<](?:[^*<\n]*[^*\s])?)\*(?![\w*])")  # *so*, and not 2*x or **kwargs


class State(StrEnum):
    """The three outcomes of a check."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"


# Colours of the course's figures; each state also says its name, for those who do not see colours.
COLOURS = {State.RIGHT: "#009E73", State.WRONG: "#D55E00", State.NOT_ATTEMPTED: "#777777"}
SIGNS = {State.RIGHT: "✓", State.WRONG: "✗", State.NOT_ATTEMPTED: "○"}


@dataclass(frozen=True)
class Outcome:
    """The answer of `Exercise.check`; true only where the exercise is solved.

    Attributes
    ----------
    number : str
        The exercise, such as `03.2`.
    state : State
        Right, wrong or not attempted.
    message : str
        What was found, and what to do.
    mistake : str or None
        Name of the known mistake that the answer makes.
    """

    number: str
    state: State
    message: str
    mistake: str | None = None

    def __bool__(self) -> bool:
        return self.state is State.RIGHT

    def __repr__(self) -> str:
        return f"{SIGNS[self.state]} {self.number} {self.state}. {self.message}"

    def _repr_html_(self) -> str:
        said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.message))
        said = EMPHASIS.sub(r"<em>\1</em>", said).replace("\n", "<br>")
        return (
            f'<div style="border-left: 4px solid {COLOURS[self.state]}; padding: 0.3em 0.8em">'
            f"<strong>{SIGNS[self.state]} {self.number} {self.state}.</strong> {said}</div>"
        )


@dataclass(frozen=True)
class Note:
    """A hint or a solution, as Markdown."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text
