"""Settings of Sphinx for the course's static site (`course site`).

Sphinx with MyST-NB reads the notebooks as they are stored, resolves the links between them and makes a search index
that needs no server; its warnings name a broken link by file and line. The theme furo brings its own few scripts and
styles, fits a phone, and asks no other host for anything.
"""

project = "Graphs and Words"
copyright = "the authors of the course. Text and figures: CC BY 4.0. Code: MIT"
language = "en"
extensions = ["myst_nb"]
exclude_patterns: list[str] = []

nb_execution_mode = "off"
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "application/javascript", None)]  # a quiz: its text stands below it
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 4
myst_update_mathjax = False
suppress_warnings = ["misc.highlighting_failure"]  # a listing in a language without a highlighter stays plain

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_extra_path = ["_extra"]  # images that a text names in HTML, which Sphinx does not read
html_css_files = ["course.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"sidebar_hide_name": False}

mathjax_path = "assets/mathjax/MathJax.js"
mathjax2_config = {
    "config": ["TeX-AMS-MML_HTMLorMML-full.js"],
    "messageStyle": "none",
    "showMathMenu": False,
    "tex2jax": {
        "inlineMath": [["\\(", "\\)"]],
        "displayMath": [["\\[", "\\]"]],
        "processEnvironments": False,
        "ignoreClass": "document",
        "processClass": "math",
    },
    "HTML-CSS": {
        "availableFonts": [],
        "imageFont": None,
        "preferredFont": None,
        "webFont": "STIX-Web",
        "linebreaks": {"automatic": True},
    },
}
