"""A baseline that cannot be used: its test is an error that names file and entry, and nothing is overwritten."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from baseline_example import Scripted, plain

BOTH = {"a": "p", "b": "p", "o": "p"}
ONLY_OURS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_llmrel.plugin",
}


@pytest.fixture
def recorded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Two tests in one module and one in another, all with a baseline."""
    scripted = Scripted(pytester, monkeypatch, plain("a", "b"))
    scripted.edit({"test_o.py": plain("o")})
    scripted.run(BOTH, "--llmrel-baseline=new", "--llmrel-baseline-runs=10")
    return scripted


def edited(scripted: Scripted, change: Callable[[Any], object]) -> None:
    """Change the document in the file."""
    document = json.loads(scripted.file().read_text())
    change(document)
    scripted.file().write_text(json.dumps(document, indent=2))


def _cell(document: Any) -> Any:
    return document["tests"]["test_a"]["batches"][0]["cells"][0]


FILES = {
    "empty": (lambda text: "", "empty"),
    "blank": (lambda text: " \n\n", "empty"),
    "cut": (lambda text: text[: len(text) // 2], "not readable as JSON"),
    "no JSON": (lambda text: "hello", "not readable as JSON"),
    "markers": (
        lambda text: text.replace('"n": 10', '<<<<<<< HEAD\n"n": 10\n=======\n"n": 20\n>>>>>>> other', 1),
        "merge conflict",
    ),
    "newer": (lambda text: text.replace('"schema": 1', '"schema": 2'), "newer pytest_llmrel"),
    "older": (lambda text: text.replace('"schema": 1', '"schema": 0'), "not a baseline file"),
    "true": (lambda text: text.replace('"schema": 1', '"schema": true'), "not a baseline file"),
    "list": (lambda text: "[]", "not a baseline file"),
    "null": (lambda text: "null", "not a baseline file"),
    "tests": (lambda text: '{"schema": 1, "tests": []}', "not a baseline file"),
    "more keys": (lambda text: text.replace('"schema": 1', '"schema": 1, "x": 1'), "no other key"),
    "doubles": (lambda text: text.replace('"test_b"', '"test_a"'), "twice"),
    "NaN": (lambda text: text.replace('"passed": 10', '"passed": NaN', 1), "NaN"),
    "infinite": (lambda text: text.replace('"passed": 10', '"passed": Infinity', 1), "Infinity"),
    "deep": (lambda text: "[" * 100_000, "nested too deeply"),
    "long number": (lambda text: text.replace('"n": 10', f'"n": {"9" * 5000}', 1), "too long"),
}  # fmt: skip
ENTRIES = {
    "c > n": (lambda document: _cell(document).update(passed=11), "11 passed of 10 runs is impossible"),
    "negative": (lambda document: _cell(document).update(passed=-1), "passed"),
    "negative n": (lambda document: _cell(document).update(n=-1), ": n "),
    "float": (lambda document: _cell(document).update(passed=9.0), "9.0"),
    "bool": (lambda document: _cell(document).update(passed=True), "true"),
    "text": (lambda document: _cell(document).update(n="10"), "'10'"),
    "huge": (lambda document: _cell(document).update(passed=10**30, n=10**30), ": n "),
    "missing": (lambda document: _cell(document).pop("n"), "n is missing"),
    "more": (lambda document: _cell(document).update(rate=0.9), "rate"),
    "no runs": (lambda document: _cell(document).update(passed=0, n=0), "no runs"),
    "no batch": (lambda document: document["tests"]["test_a"].update(batches=[]), "batches is empty"),
    "no cell": (lambda document: document["tests"]["test_a"]["batches"][0].update(cells=[]), "cells is empty"),
    "no object": (lambda document: document["tests"].update(test_a=3), "3"),
    "doubled batch": (lambda document: document["tests"]["test_a"]["batches"].append(
        document["tests"]["test_a"]["batches"][0]), "twice"),
    "doubled cell": (lambda document: document["tests"]["test_a"]["batches"][0]["cells"].append(
        _cell(document)), "twice"),
    "bad id": (lambda document: document["tests"]["test_a"]["batches"][0].update(id="x"), "hexadecimal"),
    "provenance": (lambda document: document["tests"]["test_a"].update(provenance={"model": 1}), "model"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file(recorded: Scripted, name: str) -> None:
    """All tests of its module are errors that make no call and say what to do; the other module is as ever."""
    change, said = FILES[name]
    recorded.file().write_text(change(recorded.file().read_text()))
    damaged = recorded.file().read_bytes()
    for args in ((), ("--llmrel-baseline=update", "-o", "llmrel_inconclusive=warn")):
        outcome = recorded.run(BOTH, *args).outcomes(passed=1, errors=2)
        assert outcome.ret == 1
        assert {word for word, _ in outcome.log("call")} == {"o"}
        assert str(recorded.file()) in outcome.out.replace("\n", "")
        assert said in outcome.out
        assert outcome.test("test_a")["verdict"] != "PASS"
        assert outcome.test("test_a")["baseline"]["status"] == "damaged"
        assert said in outcome.test("test_a")["baseline"]["note"]
        assert outcome.test("test_o")["baseline"]["status"] == "comparable"
        assert recorded.file().read_bytes() == damaged
    assert len(recorded.counts("test_o", "test_o")) == 2


@pytest.mark.parametrize("name", ENTRIES)
def test_a_damaged_entry(recorded: Scripted, name: str) -> None:
    """Its test is an error that names file and entry; its neighbour in the file is compared as ever."""
    change, said = ENTRIES[name]
    edited(recorded, change)
    damaged = recorded.file().read_bytes()
    outcome = recorded.run(BOTH).outcomes(passed=2, errors=1)
    assert outcome.ret == 1
    assert {word for word, _ in outcome.log("call")} == {"b", "o"}
    note = outcome.test("test_a")["baseline"]["note"]
    assert note.startswith(f"{recorded.file()}: entry 'test_a': ")
    assert said in note
    assert outcome.test("test_b")["baseline"]["comparison"]["status"] == "PASS"
    assert outcome.report["suite"]["compared"] == 2
    assert recorded.file().read_bytes() == damaged


@pytest.mark.parametrize("mode", ["update", "new", "reset"])
def test_nothing_of_a_damaged_file_is_overwritten(recorded: Scripted, mode: str) -> None:
    """Not even for a sound neighbour: the session says why and is not green, and the other file is written."""
    edited(recorded, lambda document: _cell(document).update(passed=11))
    recorded.edit({"test_it.py": plain("a", "b", "c"), "test_o.py": plain("o", "c")})
    damaged = recorded.file().read_bytes()
    outcome = recorded.run(
        {**BOTH, "c": "p"}, f"--llmrel-baseline={mode}", "-o", "llmrel_inconclusive=warn", "-W", "default",
        "--deselect", "test_it.py::test_a",
    ).outcomes(passed=4, deselected=1)  # fmt: skip
    assert outcome.ret == 1
    assert recorded.file().read_bytes() == damaged
    assert "11 passed of 10 runs is impossible" in outcome.out
    assert recorded.counts("test_c", "test_o") == [(50, 50)]
    assert os.listdir(recorded.file().parent) in (
        ["test_it.json", "test_o.json"],
        ["test_o.json", "test_it.json"],
    )


@pytest.mark.parametrize("mode", ["check", "update", "new", "reset"])
def test_a_folder_in_its_place(recorded: Scripted, mode: str) -> None:
    """Neither read nor replaced, as with any file that cannot be read."""
    recorded.file().unlink()
    recorded.file().mkdir()
    outcome = recorded.run(BOTH, f"--llmrel-baseline={mode}").outcomes(passed=1, errors=2)
    assert outcome.ret == 1
    assert "not a regular file" in outcome.out
    assert recorded.file().is_dir()


@pytest.mark.parametrize("target", ["test_it.json", "/dev/full", "missing/x.json"])
def test_a_link_that_leads_nowhere(recorded: Scripted, target: str) -> None:
    """A circle and a device are damage; a link to a file that is not there yet is no baseline."""
    recorded.file().unlink()
    recorded.file().symlink_to(target)
    outcome = recorded.run(BOTH)
    if target.startswith("missing"):
        assert outcome.test("test_a")["baseline"]["status"] == "none"
        recorded.run(BOTH, "--llmrel-baseline=new")
        assert recorded.file().is_symlink()
        assert recorded.counts() == [(50, 50)]
    else:
        outcome.outcomes(passed=1, errors=2)
        assert recorded.run(BOTH, "--llmrel-baseline=reset").ret == 1
        assert recorded.file().is_symlink()


@pytest.mark.parametrize("kind", ["circle", "file"])
@pytest.mark.parametrize("mode", ["check", "new"])
def test_a_folder_that_is_none(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    """A baseline folder that cannot be entered is not the same as none: the tests are errors."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark="10, pass_rate=0.5"))
    folder = scripted.file().parent
    if kind == "circle":
        folder.symlink_to(folder.name)
    else:
        folder.write_text("")
    outcome = scripted.run("p", f"--llmrel-baseline={mode}").outcomes(errors=1)
    assert outcome.ret == 1
    assert "__baselines__: no folder" in outcome.out
    assert outcome.log("call") == []


def test_a_marked_test_is_not_saved_by_its_marks(recorded: Scripted) -> None:
    """Gates and warnings make no pass of it; a test that is skipped does not need its baseline."""
    edited(recorded, lambda document: _cell(document).update(passed=11))
    gated = plain("a", mark="10, pass_rate=0.1")
    recorded.edit({"test_it.py": gated}, remove=["test_o.py"])
    recorded.run("p", "-o", "llmrel_inconclusive=warn").outcomes(errors=1)
    recorded.edit({"test_it.py": "\n@pytest.mark.skip" + gated})
    recorded.run("p").outcomes(skipped=1)


def test_a_file_that_cannot_be_written(recorded: Scripted) -> None:
    """The verdicts stand, the session says what is not recorded and is not green, and nothing is left behind."""
    recorded.edit({"conftest.py": """
        import errno
        from pytest_llmrel.baselines import store

        def refuse(path, text):
            raise OSError(errno.EROFS, "Read-only file system")

        def pytest_configure(config):
            written = store.write_atomically
            store.write_atomically = refuse
            config.add_cleanup(lambda: setattr(store, "write_atomically", written))
    """})  # fmt: skip
    before = recorded.file().read_bytes()
    outcome = recorded.run(BOTH, "--llmrel-baseline=update").outcomes(passed=3)
    assert outcome.ret == 1
    assert "cannot be written (Read-only file system); nothing was recorded" in outcome.out
    assert recorded.file().read_bytes() == before


@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_folder_without_permission(recorded: Scripted, mode: int) -> None:
    """What cannot be read is damage; what cannot be written is said and is not green."""
    folder = recorded.file().parent
    folder.chmod(mode)
    if os.access(folder, os.W_OK):
        pytest.skip("root may read and write everything")
    try:
        # By name: pytest itself stumbles over a folder that it cannot enter on its way.
        outcome = recorded.run(BOTH, "--llmrel-baseline=update", "test_it.py", "test_o.py")
    finally:
        folder.chmod(0o700)
    assert outcome.ret == 1
    assert outcome.session.parseoutcomes() == ({"passed": 3} if mode else {"errors": 3})
    assert recorded.counts() == [(10, 10)]


def test_sessions_at_once_lose_nothing(recorded: Scripted) -> None:
    """Four processes update, two begin new entries of the same file: every batch is there afterwards."""
    recorded.edit({"test_it.py": plain("a", "b", "c", "d")})
    recorded.write({**BOTH, "c": "p", "d": "p"})
    chosen: list[tuple[str, ...]] = [("--llmrel-baseline=update", "-k", "test_a or test_b")] * 4
    chosen += [("--llmrel-baseline=new", "-k", name) for name in ("test_c", "test_d")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", *args, "-o", f"cache_dir=cache-{number}", "test_it.py"],
            cwd=recorded.path, env=os.environ | ONLY_OURS, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for number, args in enumerate(chosen)
    ]  # fmt: skip
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, said
    assert recorded.counts("test_a") == recorded.counts("test_b") == [(10, 10)] * 5
    assert recorded.counts("test_c") == recorded.counts("test_d") == [(50, 50)]
    assert sorted(path.name for path in Path(recorded.file().parent).iterdir()) == [
        "test_it.json",
        "test_o.json",
    ]
