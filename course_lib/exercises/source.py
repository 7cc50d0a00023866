"""From the source of a reference solution to the cells that show it: whole, and with its answer taken out.

A reference solution is an ordinary function whose docstring is the task. The lines between `# begin solution` and
`# end solution` are the answer. A learner finds a placeholder in their place: one of your own, if it follows a colon
(`# begin solution: scores = ...`). Where lines follow `# given`, commented, the learner finds those, such as code with
a bug:

    # begin solution
    scores[seen] = -np.inf
    # given
    # scores[seen] = 0
    # end solution
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

BEGIN = re.compile(r"^(\s*)# begin solution(?:: (.+))?$")
GIVEN = re.compile(r"^\s*# given$")
END = re.compile(r"^\s*# end solution$")
Function = Callable[..., object]
TURN = 'raise NotImplementedError("your turn")'


@dataclass
class _Blank:
    """What stands between the marks."""

    indent: str
    placeholder: str
    answer: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def solved(self) -> list[str]:
        return self.answer

    def for_learners(self) -> list[str]:
        return self.given or [self.indent + self.placeholder]


def solution(reference: Function, is_value: bool) -> str:
    """Source of the cell that answers an exercise: the reference without its marks and docstring.

    Parameters
    ----------
    reference : callable
        The reference solution.
    is_value : bool
        Whether the learner names a value and not a function. The body then stands on its own, and what it returns
        gets the name of the reference.
    """
    return _cell(reference, is_value, _Blank.solved)


def stub(reference: Function, is_value: bool) -> str:
    """Source of the cell a learner starts from: the reference with a placeholder, or given code, for the answer."""
    return _cell(reference, is_value, _Blank.for_learners)


def _cell(reference: Function, is_value: bool, filled: Callable[[_Blank], list[str]]) -> str:
    lines = textwrap.dedent(inspect.getsource(reference)).splitlines()
    first, *_ = ast.parse("\n".join(lines)).body
    assert isinstance(first, ast.FunctionDef)
    documentation = first.body[0]  # the task, which stands above the cell
    head, body = lines[: documentation.lineno - 1], lines[documentation.end_lineno :]
    parts = _parts(body, "return ..." if is_value else TURN)
    body = [line for part in parts for line in (filled(part) if isinstance(part, _Blank) else [part])]
    if not is_value:
        return "\n".join([*head, *body])
    return re.sub(r"^return ", f"{first.name} = ", textwrap.dedent("\n".join(body)), flags=re.MULTILINE)


def _parts(lines: list[str], placeholder: str) -> Iterator[str | _Blank]:
    """The lines outside of the marks as they are, and a blank for each pair of marks."""
    blank: _Blank | None = None
    into: list[str] = []
    for line in lines:
        if begin := BEGIN.match(line):
            blank = _Blank(begin[1], begin[2] or placeholder)
            into = blank.answer
        elif blank and GIVEN.match(line):
            into = blank.given
        elif blank and END.match(line):
            yield blank
            blank = None
        elif blank:
            into.append(re.sub(r"^(\s*)# ?", r"\1", line) if into is blank.given else line)
        else:
            yield line
