"""Graphs and Words: the small library behind the course notebooks.

Every idea in here is first written out by hand in a lesson; the docstrings name that lesson.
"""

__version__ = "0.1.0"
