"""What happened to a test since its baseline was recorded: renamed, edited, removed, run with another model."""

import json

import pytest
from baseline_example import Scripted, plain

BODY = "(llmrel):\n    play(llmrel, 'a')\n"
HOOK = "def pytest_llmrel_provenance(item):\n    return {}\n"


@pytest.fixture
def scripted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """One test of ten runs without a gate."""
    return Scripted(pytester, monkeypatch, plain("a"))


def model(scripted: Scripted, **said: str) -> None:
    """Let the provenance hook say this."""
    scripted.edit({"conftest.py": HOOK.replace("{}", repr(said))})


# --- provenance ---------------------------------------------------------------------------------------------


def test_another_model_is_not_a_regression(scripted: Scripted) -> None:
    """Without a gate nothing can be said of the test: INCONCLUSIVE, what differs, and how to begin anew."""
    model(scripted, model="m1", judge="j")
    scripted.run("p", "--llmrel-baseline=new")
    model(scripted, model="m2", judge="j")
    outcome = scripted.run("f").outcomes(failed=1)
    found = outcome.test()
    assert (found["verdict"], found["baseline"]["status"]) == ("INCONCLUSIVE", "not comparable")
    assert found["baseline"]["comparison"] is None
    assert len(outcome.log("call")) == 10, "no escalation"
    assert "not comparable with its baseline: model 'm1' -> 'm2'" in outcome.out
    assert "--llmrel-baseline=reset" in outcome.out
    assert "worse than" not in outcome.out
    assert outcome.report["suite"]["compared"] == 0
    warned = scripted.run("p", "-o", "llmrel_inconclusive=warn", "-W", "default")
    assert warned.ret == 0
    assert "not comparable" in warned.out


def test_another_model_leaves_the_gates(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a gate the test is judged by it, and the reader is told that the baseline was not."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark="10, pass_rate=0.3"))
    model(scripted, model="m1")
    scripted.run("p", "--llmrel-baseline=new")
    model(scripted, prompt="new")
    outcome = scripted.run("pf").outcomes(passed=1)
    assert "model 'm1' -> none, prompt none -> 'new'" in outcome.out
    assert "not compared with their baselines: test_it.py::test_a" in scripted.run("pf", "-q").out
    assert scripted.run("f").test()["verdict"] == "FAIL"


def test_update_refuses_other_provenance(scripted: Scripted) -> None:
    """Counts of two models are never added up; reset begins anew, and going back is another change."""
    model(scripted, model="m1")
    scripted.run("p", "--llmrel-baseline=new")
    model(scripted, model="m2")
    assert scripted.run("p", "--llmrel-baseline=update").ret == 1
    scripted.run("p", "--llmrel-baseline=new")
    assert scripted.counts() == [(50, 50)]
    assert scripted.entries()["test_a"]["provenance"] == {"model": "m1"}
    assert scripted.run("p", "--llmrel-baseline=reset").ret == 0
    assert scripted.entries()["test_a"]["provenance"] == {"model": "m2"}
    assert scripted.run("p").test()["baseline"]["status"] == "comparable"


@pytest.mark.parametrize("args", [(), ("-q",)])
def test_update_says_what_it_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    """A test that passes its gates and was to be recorded, and was not: the session is not green."""
    scripted = Scripted(pytester, monkeypatch, plain("a", mark="10, pass_rate=0.3"))
    model(scripted, model="m1")
    scripted.run("p", "--llmrel-baseline=new")
    model(scripted, model="m2")
    outcome = scripted.run("p", "--llmrel-baseline=update", *args)
    assert scripted.counts() == [(50, 50)]
    assert "--llmrel-baseline=reset" in outcome.out
    assert outcome.ret == 1


@pytest.mark.parametrize(
    "answer",
    [
        "'m1'",
        "['model']",
        "{'model': 1}",
        "{1: 'm'}",
        "{'model': None}",
        "{'model': b'm'}",
        "3",
        "[('a', 'b')]",
    ],
)
def test_a_hook_that_answers_nonsense(scripted: Scripted, answer: str) -> None:
    """Anything but a dict of texts is a usage error that names the hook, and nothing runs."""
    scripted.edit({"conftest.py": HOOK.replace("{}", answer)})
    outcome = scripted.run("p")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert "hook pytest_llmrel_provenance returned" in outcome.err
    assert outcome.log("call") == []


def test_hooks_that_contradict_each_other(scripted: Scripted) -> None:
    """Two hooks may say the same or complete each other; two models for one test are a usage error."""
    one, two = HOOK.replace("{}", "{'model': 'm1'}"), HOOK.replace("{}", "{'model': 'm1', 'judge': 'j'}")
    scripted.edit({"conftest.py": one, "sub/conftest.py": two, "sub/test_s.py": plain("a")})
    assert scripted.run("p").test("test_s.py::test_a")["baseline"]["provenance"] == {
        "judge": "j",
        "model": "m1",
    }
    scripted.edit({"sub/conftest.py": one.replace("m1", "m2")})
    outcome = scripted.run("p")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert "contradict each other about 'model'" in outcome.err


def test_a_hook_that_says_nothing(scripted: Scripted) -> None:
    """None and an empty dict are answers: no provenance."""
    for answer in ("None", "{}"):
        scripted.edit({"conftest.py": HOOK.replace("{}", answer)})
        assert scripted.run("p").test()["baseline"]["provenance"] == {}


def test_long_texts_are_remembered_by_their_hash(scripted: Scripted) -> None:
    """A prompt is compared, and neither file nor report holds a word of it."""
    prompt = "You are a clerk. The secret password is swordfish.\n" + "Be kind. " * 20
    model(scripted, prompt=prompt, short="swordfish\n")
    outcome = scripted.run("p", "--llmrel-baseline=new")
    said = scripted.file().read_text() + json.dumps(outcome.report) + outcome.out
    assert "swordfish" not in said
    assert "clerk" not in said
    assert scripted.entries()["test_a"]["provenance"]["prompt"].startswith("blake2b:")
    assert scripted.run("p").test()["baseline"]["status"] == "comparable"
    model(scripted, prompt=prompt + " ", short="swordfish\n")
    changed = scripted.run("p")
    assert changed.test()["baseline"]["status"] == "not comparable"
    assert "clerk" not in changed.out


def test_the_hook_knows_the_test(scripted: Scripted) -> None:
    """Each test may be run with something else."""
    scripted.edit({"test_it.py": plain("a", "b"), "conftest.py": HOOK.replace("{}", "{'name': item.name}")})
    scripted.run({"a": "p", "b": "p"}, "--llmrel-baseline=new")
    assert {name: entry["provenance"] for name, entry in scripted.entries().items()} == {
        "test_a": {"name": "test_a"},
        "test_b": {"name": "test_b"},
    }


# --- renamed, edited ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "former"),
    [
        ("@krun(10)\ndef test_a" + BODY, "@krun(10)\ndef test_b" + BODY, "test_a"),
        ("@krun(10)\ndef test_a" + BODY, "@krun(5, timeout=3)\ndef test_b" + BODY, "test_a"),
        ("@krun(10)\ndef test_a" + BODY, "@krun(10)\ndef test_b(llmrel):\n  'New.'\n  # new\n  play(llmrel, 'a')\n", "test_a"),
        (
            "class TestA:\n    @krun(10)\n    def test_a(self, llmrel):\n        play(llmrel, 'a')\n",
            "class TestB:\n    @krun(10)\n    def test_b(self, llmrel):\n        play(llmrel, 'a')\n",
            "TestA::test_a",
        ),
        ("@krun(10)\nasync def test_a" + BODY, "@krun(10)\nasync def test_b" + BODY, "test_a"),
        (
            "@krun(10)\n@pytest.mark.parametrize('x', ['é', 2])\ndef test_a(x, llmrel):\n    play(llmrel, 'a')\n",
            "@krun(10)\n@pytest.mark.parametrize('x', ['é', 2])\ndef test_b(x, llmrel):\n    play(llmrel, 'a')\n",
            "test_a[2]",
        ),
    ],
    ids=["function", "marks", "comments", "class", "async", "parametrised"],
)  # fmt: skip
def test_a_renamed_test_keeps_its_baseline(scripted: Scripted, before: str, after: str, former: str) -> None:
    """It is found by what it does, in check mode as in update, said so, and not called unused."""
    scripted.edit({"test_it.py": f"\n{before}"})
    scripted.run("p", "--llmrel-baseline=new")
    size = len(scripted.entries())
    scripted.edit({"test_it.py": f"\n{after}"})
    outcome = scripted.run("p")
    last = next(iter(outcome.tests.values()))
    assert (last["baseline"]["former"], last["baseline"]["n"]) == (former, 50)
    assert all(test["baseline"]["comparison"] for test in outcome.tests.values())
    assert f"{former}, which did the same and is gone" in outcome.out
    assert scripted.run("f").ret == 1, "and judged by it"
    scripted.run("p", "--llmrel-baseline=update")
    assert former not in scripted.entries()
    assert len(scripted.entries()) == size
    assert next(n for _, n in scripted.counts(last["baseline"]["entry"])) == 50
    assert outcome.report["suite"]["unused"] == []
    assert "unused" not in outcome.out


def test_a_renamed_test_is_found_by_its_node_id(scripted: Scripted) -> None:
    """Also where it is run alone; its neighbours that were not collected keep their entries."""
    scripted.edit({"test_it.py": plain("a", "b")})
    scripted.run({"a": "p", "b": "p"}, "--llmrel-baseline=new")
    scripted.edit({"test_it.py": plain("a", "b").replace("test_a", "test_new")})
    found = scripted.run({"a": "p", "b": "p"}, "test_it.py::test_new").test()
    assert found["baseline"]["former"] == "test_a"
    copied = plain("a", "b") + plain("a").replace("test_a", "test_new")
    scripted.edit({"test_it.py": copied})
    found = scripted.run({"a": "p", "b": "p"}, "test_it.py::test_new").test()
    assert (found["baseline"]["status"], found["baseline"]["former"]) == ("none", None), (
        "test_a is still there"
    )


def test_a_copy_has_no_baseline(scripted: Scripted) -> None:
    """While the old test exists, another one that does the same is new."""
    scripted.run("p", "--llmrel-baseline=new")
    scripted.edit({"test_it.py": plain("a") + plain("a").replace("test_a", "test_b")})
    outcome = scripted.run("p")
    assert outcome.test("test_a")["baseline"]["n"] == 50
    assert outcome.test("test_b")["baseline"]["status"] == "none"


def test_two_old_tests_are_ambiguous(scripted: Scripted) -> None:
    """Two vanished tests did the same: neither is taken for the former one."""
    scripted.edit({"test_it.py": plain("a") + plain("a").replace("test_a", "test_b")})
    scripted.run("p", "--llmrel-baseline=new")
    scripted.edit({"test_it.py": plain("a").replace("test_a", "test_c")})
    assert scripted.run("p").test()["baseline"]["status"] == "none"


def test_a_renamed_test_that_was_also_copied_is_ambiguous(scripted: Scripted) -> None:
    """One baseline cannot be that of two tests: its runs would count twice."""
    scripted.run("p", "--llmrel-baseline=new")
    moved = [plain("a").replace("test_a", name) for name in ("test_x", "test_y")]
    scripted.edit({"test_it.py": "".join(moved)})
    outcome = scripted.run("p")
    assert [test["baseline"]["status"] for test in outcome.tests.values()] == ["none", "none"]
    scripted.run("p", "--llmrel-baseline=update")
    assert scripted.counts("test_a") == [(50, 50)]


def test_an_edited_test_is_compared_and_noted(scripted: Scripted) -> None:
    """It keeps its baseline under its name, and the reader is told that the test is not the same."""
    scripted.run("p", "--llmrel-baseline=new")
    assert "has changed" not in scripted.run("p").out
    scripted.edit({"test_it.py": plain("a").replace("    play", "    1 + 1\n    play")})
    outcome = scripted.run("p")
    assert "the test itself has changed since its baseline was recorded" in outcome.out
    assert outcome.test()["baseline"]["comparison"]["status"] == "PASS"
    scripted.run("p", "--llmrel-baseline=update")
    assert "has changed" not in scripted.run("p").out


def test_a_prompt_at_the_margin(scripted: Scripted) -> None:
    """A method whose text in triple quotes begins at the first column is found and compared like any other."""
    test = 'class TestX:\n    @krun(10)\n    def test_a(self, llmrel):\n        assert """\nhow?\n"""\n        play(llmrel, "a")\n'
    scripted.edit({"test_it.py": f"\n{test}"})
    scripted.run("p", "--llmrel-baseline=new")
    scripted.edit({"test_it.py": "\n" + test.replace("how?", "how??")})
    assert "has changed" in scripted.run("p").out
    scripted.edit({"test_it.py": "\n" + test.replace("test_a", "test_b")})
    assert scripted.run("p").test()["baseline"]["former"] == "TestX::test_a"


# --- unused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "unused"),
    [
        ({"test_it.py": plain("a")}, ["test_b"]),
        ({"test_it.py": plain("a") + plain("b").replace("@krun(10)\n", "")}, ["test_b"]),
        ({"test_it.py": plain("a", "b").replace("@krun(10)\n", "")}, ["test_a", "test_b"]),
        ({"test_it.py": None}, ["test_a", "test_b"]),
        ({"test_it.py": plain("a", "b").replace("(llmrel", "(n, llmrel").replace(
            "@krun", "@pytest.mark.parametrize('n', [1])\n@krun")}, ["test_a", "test_b"]),
    ],
    ids=["removed", "unmarked", "no mark left", "deleted", "parametrised"],
)  # fmt: skip
def test_entries_without_a_test_are_unused(scripted: Scripted, change: dict, unused: list[str]) -> None:
    """They are reported with the command that removes them, in terminal and report, and stay in the file."""
    scripted.edit({"test_it.py": plain("a", "b"), "test_o.py": plain("o")})
    script = {"a": "p", "b": "p", "o": "p"}
    scripted.run(script, "--llmrel-baseline=new")
    before = scripted.file().read_bytes()
    gone = [name for name, text in change.items() if text is None]
    scripted.edit({name: text for name, text in change.items() if text}, remove=gone)
    expected = [{"file": "__baselines__/test_it.json", "entry": name} for name in unused]
    for args in ((), ("-k", "test_o"), ("--collect-only",)):
        outcome = scripted.run(script, *args)
        assert outcome.report["suite"]["unused"] == expected, args
        assert ("unused baselines" in outcome.out) is ("--collect-only" not in args)
    assert "remove them with 'llmrel baseline prune'" in scripted.run(script).out
    assert scripted.file().read_bytes() == before
    assert "unused" not in scripted.run(script, "-q").out


@pytest.mark.parametrize(
    "args",
    [
        ("test_it.py::test_a",), ("-k", "test_a"), ("--deselect", "test_it.py::test_b"), ("--lf",), ("--ff",),
        ("test_o.py",), ("--ignore", "test_it.py"), ("-m", "not slow"), ("./test_it.py::test_a", "test_o.py"),
        ("--pyargs", "test_it::test_a"),
    ],
    ids="-".join,
)  # fmt: skip
def test_what_was_not_chosen_is_not_unused(scripted: Scripted, args: tuple[str, ...]) -> None:
    """However tests are chosen, an entry whose test exists is never called unused."""
    scripted.edit({"test_it.py": plain("a", "b"), "test_o.py": plain("o")})
    scripted.run({"a": "p", "b": "p", "o": "p"}, "--llmrel-baseline=new")
    scripted.run({"a": "f", "b": "p", "o": "p"})
    outcome = scripted.run({"a": "p", "b": "p", "o": "p"}, *args)
    assert outcome.report["suite"]["unused"] == []


def test_unused_entries_below_folders(scripted: Scripted) -> None:
    """Each folder has its own baselines, named from the root of the session wherever it was started."""
    scripted.edit({"pkg/test_it.py": plain("a", "b"), "test_o.py": plain("o")}, remove=["test_it.py"])
    script = {"a": "p", "b": "p", "o": "p"}
    scripted.run(script, "--llmrel-baseline=new")
    assert sorted(scripted.entries("pkg/test_it")) == ["test_a", "test_b"]
    scripted.edit({"pkg/test_it.py": plain("a")})
    expected = [{"file": "pkg/__baselines__/test_it.json", "entry": "test_b"}]
    assert scripted.run(script, "pkg").report["suite"]["unused"] == expected
    assert scripted.run(script, "test_o.py").report["suite"]["unused"] == []
