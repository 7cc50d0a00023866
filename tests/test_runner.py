"""Running lessons headless: results, pages that need no network, progress, and what happens when things go wrong."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from rich.console import Console
from sample_lesson import code, light_sample, sample, save

from course_lib import notebooks, runner
from course_lib.notebooks import catalogue, kernel
from course_lib.paths import ROOT

CHROMIUM = shutil.which("chromium")


def run(paths: list[Path], build: Path, terminal: bool = False) -> tuple[list[runner.LessonRun], str]:
    """Run lessons; return the results and what was shown."""
    shown = io.StringIO()
    console = Console(file=shown, width=100, force_terminal=terminal, color_system=None)
    return runner.run_lessons(paths, build, console), shown.getvalue()


def write(folder: Path, name: str, *sources: str) -> Path:
    """Write a lesson of one section and some code cells."""
    cells = [new_markdown_cell(f"# {name}\n\n## Part one"), *[code(source) for source in sources]]
    return save(new_notebook(cells=cells), folder, name)


class Course:
    """Three lessons that were run: one that is sound, one that breaks, one elective after it."""

    def __init__(self, folder: Path) -> None:
        broken = light_sample(title="Broken <b>on</b> purpose")
        broken.cells.insert(2, code("weights = [1]\nweights[5]"))
        elective = light_sample(title="An elective", prerequisites=["00_sample"])
        elective.cells.insert(1, code("import warnings\n\nwarnings.warn('look at me')"))
        self.paths = [
            save(sample(), folder),
            save(broken, folder, "01_broken"),
            save(elective, folder, "electives/extra"),
        ]
        notebooks.sync(self.paths)
        self.before = [path.read_bytes() for path in self.paths]
        self.build = folder / "build"
        self.runs, self.shown = run(self.paths, self.build)

    def page(self, name: str) -> str:
        return (self.build / "lessons" / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("course"))


def test_a_broken_lesson_does_not_stop_the_others(course: Course) -> None:
    assert [one.name for one in course.runs] == ["00_sample", "01_broken", "electives/extra"]
    assert [one.error is None for one in course.runs] == [True, False, True]
    assert all(one.seconds > 0 for one in course.runs)


def test_the_error_names_cell_section_source_and_cause(course: Course) -> None:
    error = course.runs[1].error
    assert error is not None
    assert error.startswith('code cell 3, section "Propagation"\n\nweights = [1]\nweights[5]\n')
    assert error.endswith("IndexError: list index out of range")
    assert "\x1b" not in error


def test_notebooks_are_not_changed(course: Course) -> None:
    assert [path.read_bytes() for path in course.paths] == course.before


def test_executed_notebooks_are_written(course: Course) -> None:
    executed = catalogue.read(course.build / "lessons" / "00_sample.ipynb")
    assert [cell.execution_count for cell in executed.cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    stopped = catalogue.read(course.build / "lessons" / "01_broken.ipynb")
    assert stopped.cells[4].outputs[0].ename == "IndexError"


def test_a_log_gets_two_plain_lines_a_lesson_and_the_error(course: Course) -> None:
    lines = course.shown.splitlines()
    assert lines[0] == "00_sample: running 5 cells"
    assert lines[1].startswith("00_sample: done in ")
    assert lines[3].startswith("01_broken: FAILED after ")
    assert course.runs[1].error in course.shown
    assert "\x1b" not in course.shown


def test_the_page_shows_title_table_figure_error_and_standard_error(course: Course) -> None:
    page = course.page("00_sample")
    assert "<title>A sample lesson</title>" in page
    assert "<td>EASE</td>" in page
    assert 'src="data:image/png;base64,' in page
    assert "ZeroDivisionError" in page
    assert "look at me" in course.page("electives/extra")


class References(HTMLParser):
    """Collects what a page loads, and where it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "href" and tag == "a":
                self.links.append(value or "")
            elif key in {"src", "href", "srcset", "data"}:
                self.loads.append(value or "")


@pytest.mark.parametrize("name", ["00_sample", "01_broken", "electives/extra"])
def test_pages_load_nothing_from_the_network(course: Course, name: str) -> None:
    references = References()
    references.feed(course.page(name))
    files = [place.partition("?")[0] for place in references.loads if not place.startswith("data:")]
    assert [Path(file).name for file in files] == ["MathJax.js"]
    page = course.build / "lessons" / f"{name}.html"
    assert all((page.parent / file).is_file() for file in files)
    text = re.sub(r"data:[\w/+]+;base64,[^\"]*", "", course.page(name))
    for phrase in ["cdnjs", "unpkg", "jsdelivr", "googleapis", "@import", "url(http", "import("]:
        assert phrase not in text, phrase


def test_links_between_lessons_lead_to_pages(course: Course) -> None:
    references = References()
    references.feed(course.page("electives/extra"))
    assert "../00_sample.html" in references.links
    assert "01_data.html#splits" in references.links
    assert "../../index.html" in references.links


def test_the_index_lists_every_lesson(course: Course) -> None:
    index = (course.build / "index.html").read_text(encoding="utf-8")
    references = References()
    references.feed(index)
    assert references.links == [f"lessons/{name}.html" for name in ("00_sample", "01_broken", "electives/extra")]
    assert references.loads == []
    assert index.count("ran to the end") == 2
    assert "Broken &lt;b&gt;on&lt;/b&gt; purpose" in index
    assert "IndexError: list index out of range" in index
    assert f"{course.runs[0].seconds:.1f}" in index


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_mathematics_is_drawn_in_a_browser_without_network(course: Course, tmp_path: Path) -> None:
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    switches += [
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={tmp_path}",
    ]
    page = (course.build / "lessons" / "00_sample.html").as_uri()
    command = [str(CHROMIUM), *switches, "--virtual-time-budget=15000", "--dump-dom", page]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert 'class="MathJax_Display"' in drawn
    assert "Math Processing Error" not in drawn
    assert "STIXMathJax_Main" in drawn


def test_a_terminal_gets_a_bar_a_lesson_and_one_for_the_running_cell(tmp_path: Path) -> None:
    paths = [write(tmp_path, "00_a", "import time", "time.sleep(0.5)"), write(tmp_path, "01_b", "1 / 0")]
    _, shown = run(paths, tmp_path / "build", terminal=True)
    assert "cell 2 · Part one" in shown
    assert "00_a" in shown
    assert "2/2" in shown
    assert "01_b FAILED" in shown
    assert "ZeroDivisionError: division by zero" in shown


def test_the_kernel_is_this_python_whatever_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text('{"argv": ["/no/such/python", "{connection_file}"], "display_name": "trap", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    notebook = new_notebook(cells=[code("import sys\n\nprint(sys.executable)")])
    kernel.run(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text.strip() == sys.executable


def test_a_kernel_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    dying = "import os\n\nos.write(2, b'out of paper')\nos._exit(3)"
    paths = [write(tmp_path, "00_dies", "print(1)", dying), write(tmp_path, "01_lives", "print(2)")]
    runs, _ = run(paths, tmp_path / "build")
    assert runs[0].error is not None
    assert runs[0].error.startswith('code cell 2, section "Part one"')
    assert "the kernel died while this cell ran" in runs[0].error
    assert runs[1].error is None


def test_a_cell_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "CELL_TIMEOUT", 1)
    runs, _ = run([write(tmp_path, "00_slow", "import time\n\ntime.sleep(60)")], tmp_path / "build")
    assert runs[0].seconds < 30
    assert "the cell ran longer than 1 seconds and was stopped" in str(runs[0].error)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
def test_ctrl_c_ends_the_run_and_its_kernel(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    forever = f"import os, pathlib, time\n\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(90)"
    paths = [write(tmp_path, "00_slow", forever), write(tmp_path, "01_next", "print(1)")]
    script = "\n".join(
        [
            "import sys",
            "from pathlib import Path",
            "from course_lib import runner",
            "runner.run_lessons([Path(path) for path in sys.argv[2:]], Path(sys.argv[1]))",
        ]
    )
    command = [sys.executable, "-c", script, str(tmp_path / "build"), *map(str, paths)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (pid.is_file() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in said
    assert "01_next" not in shown
    assert not psutil.pid_exists(int(pid.read_text()))


def test_a_verdict_outside_its_band_fails_the_lesson(tmp_path: Path) -> None:
    find = "import sys\n\nsys.path.insert(0, '..')"
    verdict = "from course_lib.verdict import check_band\n\ncheck_band('ndcg@10', {value}, 0.3, 0.4)"
    inside = write(tmp_path, "00_inside", find, verdict.format(value=0.35))
    outside = write(tmp_path, "01_outside", find, verdict.format(value=0.1))
    shutil.copy(ROOT / "course_lib" / "verdict.py", tmp_path / "course_lib")
    runs, shown = run([inside, outside], tmp_path / "build")
    assert runs[0].error is None
    assert runs[1].error == "ndcg@10 is 0.1000, OUTSIDE its band 0.300-0.400. Did you change something above?"
    assert "01_outside: FAILED" in shown
