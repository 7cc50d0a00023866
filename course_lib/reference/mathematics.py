r"""The symbols in the mathematics of a text: `$\hat A_{ui} = 1 / \sqrt{d_u d_i}$` holds `\hat A_{ui}`, `d_u`, `d_i`.

A symbol is a letter, Greek or Latin, with its accent and its subscript. Superscripts and primes say which layer or
which power, not which thing; they do not count, and the letters in them are looked at on their own.
"""

import re
from collections.abc import Iterator

CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
MATHS = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$]+?)\$", re.DOTALL)

# Functions, operators and signs that every textbook shares, and names of metrics and network parts.
NAMED = {"ReLU", "LN", "LayerNorm", "GELU", "softmax", "Attention", "Var", "KL", "DCG", "MSE", "MAE", "diag"}
SPACES = re.compile(r"\\(?:[,;:!>]|qquad|quad)|~")
SHARED = {
    *("frac", "tfrac", "sqrt", "binom", "sum", "prod", "max", "min", "arg", "argmax", "log", "ln", "exp", "cos", "sin"),
    *("cap", "cup", "bigcup", "in", "notin", "le", "ge", "ll", "gg", "ne", "neq", "pm", "cdot", "times", "odot"),
    *("propto", "approx", "mid", "top", "infty", "to", "Rightarrow", "dots", "ldots", "underbrace", "begin", "end"),
    *("left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "lvert", "rvert", "Vert", "lVert", "rVert"),
}
DROPPED = re.compile(r"\\text\{[^{}]*\}|\\(?:begin|end)\{[^{}]*\}|\\(?:\||\{|\})(?:_F)?|\\\\|@\d+")
GROUP = r"\{(?:[^{}]|\{[^{}]*\})*\}"
ATOM = re.compile(
    rf"(?P<accent>\\(?:hat|tilde|bar|vec)\s*(?:\\[A-Za-z]+|[A-Za-z]|{GROUP}))"
    r"|\\(?P<font>mathcal|mathbb|mathbf|mathrm|operatorname)\s*(?:\{(?P<inner>[^{}]*)\}|(?P<bare>[A-Za-z]))"
    r"|\\(?P<command>[A-Za-z]+)"
    r"|(?P<letter>[A-Za-z])"
)
SCRIPT = re.compile(rf"\s*(?P<kind>[_^])\s*(?P<value>{GROUP}|\\text\{{[^{{}}]*\}}|\\[A-Za-z]+|\S)|'")


def symbols(text: str) -> set[str]:
    """The symbols in the mathematics of a Markdown text, written like `h_u`, `\\hat A_{+I}`, `\\lambda`."""
    formulas = [display or inline for display, inline in MATHS.findall(CODE.sub("", text))]
    return {symbol for formula in formulas for symbol in _symbols(formula)}


def _symbols(formula: str) -> Iterator[str]:
    formula = SPACES.sub(" ", formula)
    position = 0
    while position < len(formula):
        if dropped := DROPPED.match(formula, position):
            position = dropped.end()
        elif atom := ATOM.match(formula, position):
            name, position = _name(atom), atom.end()
            subscript = ""
            while script := SCRIPT.match(formula, position):
                position = script.end()
                value = script["value"] or ""
                value = value[1:-1] if value.startswith("{") else value
                if script["kind"] == "_" and name:
                    subscript = _subscript(value)
                else:
                    yield from _symbols(value)
            if name:
                yield name + subscript
        else:
            position += 1


def _name(atom: re.Match[str]) -> str | None:
    """The symbol an atom stands for; None for functions, operators and signs."""
    if accent := atom["accent"]:
        mark, letter = re.split(r"(?<=hat|bar|vec)\s*|(?<=tilde)\s*", accent, maxsplit=1)
        return f"{mark} {letter.strip('{} ')}"
    if font := atom["font"]:
        inner = atom["inner"] or atom["bare"]
        return None if DROPPED.sub("", inner) in NAMED else rf"\{font}{{{inner}}}"
    if command := atom["command"]:
        return None if command in SHARED else rf"\{command}"
    return atom["letter"]


def _subscript(value: str) -> str:
    plain = re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", value).replace(" ", "")
    if not plain:
        return ""
    return f"_{plain}" if len(plain) == 1 or plain.startswith("\\") else f"_{{{plain}}}"
