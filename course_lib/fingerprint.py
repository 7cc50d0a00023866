"""Short hashes of code, settings and data: how a stored result knows that it is out of date."""

import ast
import hashlib
import inspect
import io
import json
import sys
import tokenize
from functools import cache
from pathlib import Path

import numpy as np

from course_lib import graph, splits, training
from course_lib.data import interactions
from course_lib.evaluation import metrics, ranking
from course_lib.models import base
from course_lib.text import encoder, facts, features

SHARED_CODE = (graph, splits, training, interactions, metrics, ranking, base)
TEXT_CODE = (encoder, features, facts)


def of_text(*texts: str) -> str:
    """Sixteen hexadecimal digits of a SHA-256."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def of_arrays(*arrays: np.ndarray) -> str:
    """Sixteen hexadecimal digits of the bytes of some arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def of_model(model: base.Recommender) -> str:
    """Of a model's settings and inputs, the modules of its classes, and the code that every model shares."""
    own = [sys.modules[kind.__module__] for kind in type(model).__mro__ if issubclass(kind, base.Recommender)]
    text = TEXT_CODE if hasattr(model, "text") else ()
    files = sorted({inspect.getfile(module) for module in (*own, *text, *SHARED_CODE)})
    settings = {name: value for name, value in model.hyperparameters().items() if name != "device"}
    inputs = [
        of_model(value) if isinstance(value, base.Recommender) else getattr(value, "key", str(value))
        for value in model.inputs().values()
    ]
    described = (type(model).__name__, json.dumps(settings, sort_keys=True), *inputs)
    return of_text(*described, *(code_of(Path(path)) for path in files))


@cache
def code_of(path: Path) -> str:
    """The code of a file without comments, docstrings and blank lines: they change no result."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
        if token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = lines[number - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())
