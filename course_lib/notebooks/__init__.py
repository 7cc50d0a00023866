"""The lessons as files: find them, keep their headers in order, run them and store their outputs, check them."""

from course_lib.notebooks.catalogue import LessonNotFound, lesson_name, lessons
from course_lib.notebooks.execution import execute
from course_lib.notebooks.header import sync
from course_lib.notebooks.kernel import LessonFailed
from course_lib.notebooks.linting import lint

__all__ = ["LessonFailed", "LessonNotFound", "execute", "lesson_name", "lessons", "lint", "sync"]
