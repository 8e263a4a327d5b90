"""``llmrel tape``: what is on the tapes of a suite, whether anything is wrong with it, which nobody needs."""

import json
from pathlib import Path

import pytest
from wire_example import Asking, fake_key

from pytest_llmrel.cli.main import main
from pytest_llmrel.simulator import Simulator

RECORD = "--llmrel-tape=record"
TESTS = """
@krun(3)
def test_a():
    ask()
    ask(model="shop-assistant")

@krun(2)
@pytest.mark.parametrize("name", ["x/y", "x y"])
def test_b(name):
    ask()
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """A suite with three tapes, in the current folder."""
    made = Asking(pytester, monkeypatch, TESTS)
    with Simulator(latency=0) as model:
        made.run(model, RECORD).outcomes(passed=3)
    return made


@pytest.fixture
def tapes(suite: Asking) -> list[Path]:
    """Its tapes, in order."""
    found = sorted((suite.path / "__tapes__" / "test_it").glob("*.jsonl"))
    assert len(found) == 3
    return found


def llmrel(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], list[str]]:
    """Exit code and lines of one command."""
    capsys.readouterr()
    code = main(["tape", *arguments])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err.splitlines()


# --- list ---------------------------------------------------------------------------------------------------


def test_the_list(suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Tape by tape: runs, calls, bytes, and the models that were asked."""
    code, (header, *rows), errors = llmrel(capsys, "list")
    assert (code, header.split(), errors) == (0, ["tape", "runs", "calls", "bytes", "models"], [])
    assert [row.split()[:4] for row in rows] == [
        [str(path.relative_to(suite.path)), runs, calls, str(path.stat().st_size)]
        for path, runs, calls in zip(tapes, ("3", "2", "2"), ("6", "2", "2"), strict=True)
    ]
    assert rows[0].endswith("gpt-4o-mini, shop-assistant")
    assert llmrel(capsys, "list", str(suite.path))[0] == 0


def test_nothing_to_list(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without tapes is no mistake; one that is not there is."""
    assert llmrel(capsys, "list") == (0, ["no tapes"], [])
    code, said, (problem,) = llmrel(capsys, "list", "nowhere")
    assert (code, said, problem) == (2, [], "llmrel tape: nowhere: no such folder")
    assert llmrel(capsys)[0] == 2


def test_a_damaged_tape_among_others(
    suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named with its line; the others are listed."""
    tapes[0].write_text("{}\n", encoding="utf-8")
    code, said, (problem,) = llmrel(capsys, "list")
    assert (code, len(said)) == (1, 3)
    assert problem.startswith(f"{tapes[0].relative_to(suite.path)}:1: no first line of a tape")


def test_what_a_tape_says_is_not_obeyed(
    suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters on a tape do not reach the terminal."""
    text = tapes[0].read_text(encoding="utf-8")
    tapes[0].write_text(text.replace('"gpt-4o-mini"', '"\\u001b[31mred"'), encoding="utf-8")
    code, said, _ = llmrel(capsys, "list")
    assert (code, len(said)) == (0, 4)
    assert "red" in said[1]
    assert "\x1b" not in "".join(said)


# --- lint ---------------------------------------------------------------------------------------------------


def test_clean_tapes(suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """What the plugin has recorded, with a key, has nothing to be found."""
    suite.edit(
        {
            "test_it.py": TESTS.replace(
                "    ask()\n", f"    ask(headers={{'x-api-key': {fake_key('used')!r}}})\n"
            )
        }
    )
    for tape in tapes:
        tape.unlink()
    with Simulator(latency=0) as model:
        suite.run(model, RECORD)
    assert llmrel(capsys, "lint") == (0, ["3 tapes, no problems"], [])


def test_a_planted_key(suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A key that came onto a tape by hand is found, by line and kind, and is not repeated."""
    secret = fake_key("planted")
    lines = tapes[0].read_text(encoding="utf-8").splitlines()
    track = json.loads(lines[2])
    track["calls"][1]["body"] = f"Your key is {secret}, keep it."
    lines[2] = json.dumps(track)
    tapes[0].write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said, (problem,) = llmrel(capsys, "lint")
    assert (code, said) == (1, ["3 tapes, 1 problems"])
    place = f"{tapes[0].relative_to(suite.path)}:3: an OpenAI, Anthropic or similar API key (sk-p…, "
    assert problem.startswith(f"{place}{len(secret)} characters)")
    assert "revoke it, delete the tape" in problem
    assert secret not in problem
    assert llmrel(capsys, "list")[0] == 0, "as a tape it is sound"


def test_damage_and_secrets_at_once(
    suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every problem of every tape is told: a key on a tape that cannot be read is still a key."""
    with tapes[0].open("a", encoding="utf-8") as file:
        file.write(f"{fake_key('damaged')}\n")
    tapes[1].write_bytes(b"\xff\n")
    tapes[2].write_text("", encoding="utf-8")
    code, said, problems = llmrel(capsys, "lint")
    assert (code, said) == (1, ["3 tapes, 4 problems"])
    names = [str(tape.relative_to(suite.path)) for tape in tapes]
    assert sorted(problem.partition(": ")[0] for problem in problems) == sorted(
        [f"{names[0]}:5", f"{names[0]}:5", f"{names[1]}:1", f"{names[2]}:1"]
    )


# --- prune --------------------------------------------------------------------------------------------------


def test_tapes_that_no_test_has(suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A session names them in its report; ``prune --dry-run`` shows them, ``prune`` removes them."""
    suite.edit({"test_it.py": TESTS.replace(', "x y"]', "]")})
    unused = [tape for tape in tapes if tape.name.startswith("test_b-x-y") and _parameter(tape) == "x y"]
    names = [str(tape.relative_to(suite.path)) for tape in unused]
    assert len(names) == 1
    outcome = suite.run("http://none.invalid/v1", "--llmrel-tape=replay")
    assert outcome.report is not None
    assert outcome.report["suite"]["unused_tapes"] == names
    assert llmrel(capsys, "prune", "--dry-run") == (0, [f"would remove {names[0]}"], [])
    assert unused[0].exists()
    assert llmrel(capsys, "prune") == (0, [f"removed {names[0]}"], [])
    assert sorted(tapes[0].parent.iterdir()) == [tape for tape in tapes if tape not in unused]
    assert llmrel(capsys, "prune") == (0, ["no unused tapes"], [])
    suite.run("http://none.invalid/v1", "--llmrel-tape=replay").outcomes(passed=2)


def _parameter(tape: Path) -> str:
    """The parameter of a test, as its tape has it."""
    name = str(json.loads(tape.read_text(encoding="utf-8").partition("\n")[0])["test"])
    return name.partition("[")[2].rstrip("]")


def test_tapes_of_a_module_that_is_gone(
    suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """They go with it, and so do folders that are empty then; tapes elsewhere stay."""
    suite.edit({"test_other.py": "@krun(1)\ndef test_c(): ask()\n"})
    with Simulator(latency=0) as model:
        suite.run(model, RECORD)
    (suite.path / "test_it.py").unlink()
    code, said, _ = llmrel(capsys, "prune")
    assert (code, len(said)) == (0, 3)
    assert [path.name for path in (suite.path / "__tapes__").iterdir()] == ["test_other"]
    assert suite.tape("test_c", "test_other").exists()


def test_nothing_is_removed_without_certainty(
    suite: Asking, tapes: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither when a module cannot be imported, nor of modules of which only some tests were collected."""
    (suite.path / "test_it.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    code, _, errors = llmrel(capsys, "prune")
    assert code == 2
    assert "collecting failed (exit code 2); nothing was removed" in errors[-1]
    suite.edit({"test_it.py": TESTS.replace('"x/y", "x y"', '"other"')})
    suite.example.write(suite.path)
    assert llmrel(capsys, "prune", "test_it.py::test_a") == (0, ["no unused tapes"], [])
    code, _, errors = llmrel(capsys, "prune", "--root", "elsewhere")
    assert code == 2
    assert "no such tape; is --root right? Nothing was removed" in errors[-1]
    code, _, errors = llmrel(capsys, "prune", "--", "-p", "no:llmrel")
    assert code == 2
    assert all(tape.exists() for tape in tapes)
