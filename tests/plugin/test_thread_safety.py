"""Fixtures that threads must not share: their tests run alone in the main thread and say why, and no run fails."""

import pytest
from example import PLAIN, Example, example

HEAD = """
import asyncio
import sqlite3
import threading
import pytest
from pytest_llmrel import krun
from witness import note
"""
BOUND = """
import threading


class Bound:
    def __init__(self):
        self.home = threading.get_ident()

    def use(self):
        assert threading.get_ident() == self.home, "cannot switch to a different thread"
        return self
"""
PLAYWRIGHT = (
    "import pytest\n"
    + BOUND
    + """
@pytest.fixture(scope="session")
def playwright():
    return Bound()

@pytest.fixture(scope="session")
def browser(playwright):
    return playwright.use()

@pytest.fixture
def page(browser):
    return browser.use()
"""
)
DJANGO = """
import pytest

@pytest.fixture
def _django_db_helper():
    pass

@pytest.fixture
def db(_django_db_helper):
    pass

@pytest.fixture
def rf():
    pass

@pytest.fixture(autouse=True)
def _django_db_marker(request):
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("_django_db_helper")
"""


def suite(tests: str, **plugins: str) -> Example:
    """A suite with plugins by package; none of them is the real one, but they are called like it."""
    files = {
        f"{package}/{name}.py": text
        for package, module in plugins.items()
        for name, text in (("__init__", ""), ("plugin", module))
    }
    names = [f"{package}.plugin" for package in plugins]
    files |= {"conftest.py": f"pytest_plugins = {names!r}\n", "test_it.py": HEAD + tests}
    return Example(files, {"pythonpath": ".", "markers": "django_db"})


def notes(outcome, name: str) -> str:
    """What the result of a test says of how it was run."""
    return "; ".join(outcome.test(name)["notes"])


def test_playwright(pytester: pytest.Pytester) -> None:
    """Its objects belong to the thread that made them; a fixture of the same name from elsewhere does not."""
    outcome = suite(
        """
        @krun(6)
        def test_page(page):
            page.use()
            note("thread", threading.current_thread() is threading.main_thread())

        @krun(6)
        def test_through_another(wrapped):
            wrapped.use()

        @pytest.fixture
        def wrapped(page):
            return page

        class TestOwn:
            @pytest.fixture
            def page(self):
                return "mine"

            @krun(6)
            def test_own(self, page):
                assert page == "mine"

            @krun(6, concurrency=1)
            def test_alone(self, browser):
                browser.use()
        """.replace("\n        ", "\n"),
        pytest_playwright=PLAYWRIGHT,
    ).run(pytester, *PLAIN)
    outcome.outcomes(passed=4)
    assert outcome.log("thread") == [["True"]] * 6
    said = "browser, page, playwright (of pytest_playwright, works only in the thread that made it)"
    assert said in notes(outcome, "test_page")
    assert said in notes(outcome, "test_through_another")
    assert notes(outcome, "test_own") == notes(outcome, "test_alone") == ""


def test_django(pytester: pytest.Pytester) -> None:
    """Its database, by fixture and by mark; what needs none runs concurrently."""
    outcome = suite(
        """
        @krun(2)
        def test_fixture(db): pass

        @krun(2)
        @pytest.mark.django_db
        def test_mark(): pass

        @krun(2)
        def test_neither(rf): pass
        """.replace("\n        ", "\n"),
        pytest_django=DJANGO,
    ).run(pytester, *PLAIN)
    outcome.outcomes(passed=3)
    assert "db (of pytest_django, gives all runs one database)" in notes(outcome, "test_fixture")
    assert "the mark django_db (of pytest_django, " in notes(outcome, "test_mark")
    assert notes(outcome, "test_neither") == ""


def test_a_mocker_changes_the_whole_process(pytester: pytest.Pytester) -> None:
    """What a run patches, the others would see."""
    mock = "import pytest\n\n@pytest.fixture\ndef mocker(): pass\n\n@pytest.fixture(scope='session')\ndef session_mocker(): pass\n"
    outcome = suite(
        """
        @krun(2)
        def test_own(mocker): pass

        @krun(2)
        def test_shared(session_mocker): pass
        """.replace("\n        ", "\n"),
        pytest_mock=mock,
    ).run(pytester, *PLAIN)
    assert "mocker (of pytest_mock, changes the whole process)" in notes(outcome, "test_own")
    assert notes(outcome, "test_shared") == ""


def test_sqlite(pytester: pytest.Pytester) -> None:
    """A shared connection that refuses other threads runs alone; all others run concurrently, and all pass."""
    outcome = example(
        HEAD
        + """
@pytest.fixture
def own():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()

@pytest.fixture(scope="module")
def shared():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()

@pytest.fixture(scope="module")
def cursor(shared):
    return shared.cursor()

@pytest.fixture(scope="module")
def free():
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    yield connection
    connection.close()

@krun(4)
def test_own(own): own.execute("select 1")

@krun(4)
def test_shared(shared): shared.execute("select 1")

@krun(4)
def test_cursor(cursor): cursor.execute("select 1")

@krun(4)
def test_free(free): free.execute("select 1")

@krun(4)
async def test_async_shared(shared): shared.execute("select 1")

@krun(4, concurrency=1)
async def test_async_own_alone(own): own.execute("select 1")

@krun(4)
async def test_async_own(own): own.execute("select 1")
"""
    ).run(pytester, *PLAIN)
    outcome.outcomes(passed=6, failed=1)
    said = "shared (shared by all runs, a sqlite3 connection works only in the thread that made it; a function-scoped"
    assert said in notes(outcome, "test_shared")
    assert said in notes(outcome, "test_async_shared")
    assert "cursor (shared by all runs, a sqlite3 connection" in notes(outcome, "test_cursor")
    names = ("test_own", "test_free", "test_async_own_alone", "test_async_own")
    assert [notes(outcome, name) for name in names] == [""] * 4
    # Nobody's answer was wrong: the runs are errors, with what to do.
    assert outcome.counts("test_async_own") == {"errors": 4}
    assert "make it in an async fixture, or with check_same_thread=False" in outcome.out


def test_types_of_shared_values(pytester: pytest.Pytester) -> None:
    """A browser or a database session by its class, whatever fixture makes it."""
    webdriver = "class WebDriver: pass\n\nclass Chrome(WebDriver): pass\n"
    outcome = (
        suite(
            """
        from selenium.webdriver import Chrome

        class WebDriver: pass

        @pytest.fixture(scope="session")
        def driver(): return Chrome()

        @pytest.fixture(scope="session")
        def mine(): return WebDriver()

        @pytest.fixture
        def own(): return Chrome()

        @krun(2)
        def test_driver(driver): pass

        @krun(2)
        def test_mine(mine): pass

        @krun(2)
        def test_own(own): pass
        """.replace("\n        ", "\n")
        )
        .with_files({"selenium/__init__.py": "", "selenium/webdriver.py": webdriver})
        .run(pytester, *PLAIN)
    )
    assert "driver (shared by all runs, a Chrome of selenium is one browser; " in notes(
        outcome, "test_driver"
    )
    assert notes(outcome, "test_mine") == notes(outcome, "test_own") == ""


def test_where_runs_cannot_be_made_in_the_main_thread(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run is made that could not but fail; the test is an error that says why and what to do."""
    monkeypatch.setattr("pytest_llmrel.runtime.alarm.signal", object())  # as on Windows
    outcome = suite(
        "\n@krun(2)\ndef test_page(page): note('run')\n\n@krun(2)\ndef test_other(): pass\n",
        pytest_playwright=PLAYWRIGHT,
    ).run(pytester, *PLAIN)
    outcome.outcomes(passed=1, errors=1)
    assert outcome.log("run") == []
    assert (
        "page, playwright (of pytest_playwright, works only in the thread that made it), and this"
        in outcome.out
    )
