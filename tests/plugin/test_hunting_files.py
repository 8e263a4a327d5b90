"""What a hunt appends to a paraphrase file, and where there can be no hunt."""

import pytest
from hunting_example import NO_SERVER, PLANTED, QUESTION, TEST, hunted, refused, source_of
from wire_example import Asking

from pytest_llmrel.simulator import Simulator

SAVING = """
import re

@krun(5)
@paraphrase("q", file="wordings.toml")
DEF test_a(q):
    ASK(q)
    assert {holds}
"""
GOLDEN = """
import re
from pytest_llmrel import golden

@krun(5)
@golden("faq.jsonl")
@paraphrase("question")
DEF test_a(case, question):
    ASK(question)
    assert case.id != "ship"
    assert not re.search(r"(?i)(thanks?|thank you|please)\\W*$", question)
"""
ROWS = '{"id": "refund", "question": "How long do I have?"}\n{"id": "ship", "question": "How fast is it?"}\n'


def saving(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, holds: str = PLANTED["a courtesy"]
) -> Asking:
    """A suite whose wordings stand in a file."""
    from pytest_llmrel.core.seed import variant_key

    suite = Asking(pytester, monkeypatch, SAVING.format(holds=holds))
    text = f'# mine\nprimary = "{QUESTION}"\nhash = "{variant_key(QUESTION)}"\n'
    suite.edit({"wordings.toml": text})
    return suite


def test_what_was_found_is_saved_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is appended unreviewed, with where it comes from, and runs in no test before it is reviewed."""
    suite, file = saving(pytester, monkeypatch), pytester.path / "wordings.toml"
    save = ("--llmrel-hunt=120", "--llmrel-hunt-save")
    with Simulator(latency=0) as model:
        first = suite.run(model, *save)
        assert "saved to wordings.toml: it runs when it has been reviewed" in first.out
        assert "llmrel paraphrase review wordings.toml" in first.out
        text = file.read_text()
        assert text.startswith("# mine\n")
        assert text.count("[[wording]]") == 1
        assert f'text = "{first.test()["hunt"]["broken"]["text"]}"' in text
        assert 'origin = "hunted (polite)"' in text
        assert "reviewed = false" in text
        suite.edit({"wordings.toml": text})
        again = suite.run(model, *save)
        assert "saved to wordings.toml: it is in the file already" in again.out
        plain = suite.run(model).outcomes(passed=1)
        assert [tally["text"] for tally in plain.test()["variants"]] == [QUESTION]
    assert file.read_text() == text


def test_a_wording_that_cannot_be_saved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was damaged in the meantime is told of and left alone, and the verdict stands."""
    suite, file = saving(pytester, monkeypatch), pytester.path / "wordings.toml"
    spoil = "__import__('pathlib').Path('wordings.toml').write_text('nonsense') and " + PLANTED["a courtesy"]
    suite.edit({"test_it.py": SAVING.format(holds=spoil)})
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-hunt=120", "--llmrel-hunt-save")
    outcome.outcomes(failed=1)
    assert outcome.test()["verdict"] == "FAIL"
    assert "the wording was not saved: " in outcome.out
    assert file.read_text() == "nonsense"


def test_nothing_found_is_nothing_saved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not touched."""
    suite, file = saving(pytester, monkeypatch, "True"), pytester.path / "wordings.toml"
    with Simulator(latency=0) as model:
        suite.run(model, "--llmrel-hunt=40", "--llmrel-hunt-save").outcomes(passed=1)
    assert "[[wording]]" not in file.read_text()


def test_under_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its calls in whatever worker it is; the controller shows what was found."""
    pytest.importorskip("xdist")
    source = source_of(PLANTED["a courtesy"]) + TEST.replace("test_a", "test_b").format(
        holds="True", calls=1, marks=""
    )
    suite = Asking(pytester, monkeypatch, source)
    with Simulator(latency=0) as model:
        outcome = suite.run(model, "--llmrel-hunt=120", "-n2", subprocess=True)
    outcome.outcomes(passed=1, failed=1)
    assert outcome.test("test_a")["hunt"]["broken"]["edits"] == ["polite"]
    assert outcome.test("test_b")["hunt"]["calls"] == 120
    assert model.requests == 120 + outcome.test("test_a")["hunt"]["calls"]
    assert "no wording is shown to pass less often" in outcome.out


def test_one_case_of_a_dataset(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is chosen by --llmrel-case, and its own wording is the primary one; several are refused."""
    suite = Asking(pytester, monkeypatch, GOLDEN)
    suite.edit({"faq.jsonl": ROWS})
    with Simulator(latency=0) as model:
        said = refused(suite.run(model, "--llmrel-hunt=120"), model)
        assert "test_it.py::test_a: --llmrel-hunt hunts in one case; choose it with --llmrel-case=ID" in said
        outcome = suite.run(model, "--llmrel-hunt=120", "--llmrel-case=refund")
    assert outcome.test()["hunt"]["primary"]["text"] == "How long do I have?"
    assert outcome.test()["hunt"]["broken"]["edits"] == ["polite"]


@pytest.mark.parametrize(
    ("source", "args", "said"),
    [
        ("@krun(3)\ndef test_a(): ask()\n", ["--llmrel-hunt=40"], "test_a: --llmrel-hunt changes the wording of a paraphrase mark, and this test has none"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-baseline=update"], "a hunt records none"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-baseline=new"], "a hunt records none"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-hunt-save"], "give the mark one with file="),
        (source_of(), ["--llmrel-hunt-save"], "add that"),
        (source_of(), ["--llmrel-hunt=40", "--llmrel-plan"], "a hunt has no plan but its limit of calls"),
        ("def test_plain(): pass\n", ["--llmrel-hunt=40"], "none of these is one"),
        (source_of() + "\ndef test_plain(): pass\n", ["--llmrel-hunt=40", "-k", "plain"], "none of these is one"),
        (source_of(), ["--llmrel-hunt=19"], "--llmrel-hunt"),
        (source_of(), ["--llmrel-hunt=-5"], "--llmrel-hunt"),
        (source_of(), ["--llmrel-hunt=many"], "--llmrel-hunt"),
        (source_of(), ["--llmrel-hunt=²⁰"], "--llmrel-hunt"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str, args: list[str], said: str
) -> None:
    """Before anything is run, with what to do."""
    with Simulator(latency=0) as model:
        assert said in refused(Asking(pytester, monkeypatch, source).run(model, *args), model)


def test_no_hunt_under_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused in a worker is told by the controller."""
    pytest.importorskip("xdist")
    suite = Asking(pytester, monkeypatch, "def test_plain(): pass\n")
    outcome = suite.run(NO_SERVER, "--llmrel-hunt=40", "-n2", subprocess=True)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert "none of these is one" in outcome.out + outcome.err


def test_a_module_that_cannot_be_imported(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own error is what is told."""
    outcome, _ = hunted(pytester, monkeypatch, "import nothing_of_the_kind\n")
    assert "ModuleNotFoundError" in outcome.out
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
