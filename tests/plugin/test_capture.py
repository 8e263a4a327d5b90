"""What a run prints and logs belongs to that run, and hostile output harms nobody."""

import json
import re

import pytest
from example import Example, example

HEAD = """
import asyncio, logging, sys, threading
import pytest
from pytest_llmrel import krun, paraphrase
from witness import note

"""


def captured(test: object, title: str) -> list[str]:
    """The text of ``title`` in the sample of each failure group."""
    return [group["sample"]["captured"].get(title, "") for group in test["failures"]]  # type: ignore[index]


CROWD = """
gate = threading.Barrier(16)

@krun(16, concurrency=16, timeout=30)
def test_threads(llmrel):
    me = f"<{llmrel.index:02}>"
    gate.wait(20)
    for _ in range(50):
        print(me, end=" ")
        print(me, file=sys.stderr, end=" ")
        logging.getLogger("bot").warning(me)
    gate.wait(20)
    raise type(f"Kind{llmrel.index:02}", (Exception,), {})

@krun(16, concurrency=16, timeout=30)
async def test_tasks(llmrel):
    me = f"<{llmrel.index:02}>"
    for _ in range(50):
        print(me, end=" ")
        await asyncio.sleep(0)
        print(me, file=sys.stderr, end=" ")
        logging.getLogger("bot").warning(me)
        await asyncio.to_thread(print, me, end=" ")
    raise type(f"Kind{llmrel.index:02}", (Exception,), {})
"""


def test_sixteen_in_flight_do_not_mix(pytester: pytest.Pytester) -> None:
    """Each of 16 concurrent runs, in threads and in tasks, has its own stdout, stderr and log, complete."""
    outcome = example(HEAD + CROWD).run(pytester, "--llmrel-concurrency=16")
    for name, prints in (("test_threads", 50), ("test_tasks", 100)):
        groups = outcome.test(name)["failures"]
        assert {group["type"] for group in groups} == {f"Kind{n:02}" for n in range(16)}
        for group in groups:
            me = f"<{group['type'][-2:]}>"
            texts = group["sample"]["captured"]
            assert texts["stdout"].split() == [me] * prints
            assert texts["stderr"].split() == [me] * 50
            assert set(re.findall(r"<\d\d>", texts["log"])) == {me}
            assert texts["log"].count(me) == 50


def test_the_shown_output_is_that_of_the_shown_run(pytester: pytest.Pytester) -> None:
    """The sample of a group shows what its run recorded, printed and logged; passing runs show nothing."""
    outcome = example(f"""{HEAD}
@krun(6)
def test_it(llmrel):
    llmrel.output(f"answer {{llmrel.index}}")
    print(f"printed {{llmrel.index}}")
    print(f"complained {{llmrel.index}}", file=sys.stderr)
    logging.warning("logged %s", llmrel.index)
    assert llmrel.index != 4
""").run(pytester)
    outcome.session.stdout.fnmatch_lines([
        "*for example run 4:*", "*output*", "*answer 4*",
        "*captured log*", "*WARNING*logged 4*", "*captured stderr*", "*complained 4*",
        "*captured stdout*", "*printed 4*",
    ])  # fmt: skip
    for word in ("answer", "printed", "complained", "logged"):
        assert not re.search(rf"{word} [0-35-9]", outcome.out), outcome.out


def test_nothing_is_shown_of_a_test_that_passes(pytester: pytest.Pytester) -> None:
    """Captured output of passing runs appears nowhere, not even in the next test's failure."""
    outcome = example(f"""{HEAD}
@krun(4)
def test_it():
    print("chatter")
    logging.warning("chatter")

def test_after():
    print("mine")
    assert False
""").run(pytester)
    assert "chatter" not in outcome.out
    assert "mine" in outcome.out


def test_fixtures_belong_to_the_run_too(pytester: pytest.Pytester) -> None:
    """What set-up and body print is in the run's own output, in order."""
    outcome = example(f"""{HEAD}
@pytest.fixture
def bot(llmrel):
    print("set-up", llmrel.index)
    yield
    print("tear-down", llmrel.index)

@krun(4)
def test_it(bot, llmrel):
    print("body", llmrel.index)
    assert llmrel.index != 2
""").run(pytester)
    (text,) = captured(outcome.test(), "stdout")
    assert text.splitlines()[:2] == ["set-up 2", "body 2"]
    assert not re.search(r" [^2]\n", text)


@pytest.mark.parametrize("args", [["-s"], ["--capture=no"]], ids=str)
def test_without_capture_everything_goes_through(pytester: pytest.Pytester, args: list[str]) -> None:
    """With ``-s`` runs print straight to the terminal, as in pytest, and none of it is repeated."""
    outcome = example(
        f"{HEAD}\n@krun(3)\ndef test_it(llmrel):\n    print('said', llmrel.index)\n    assert 0\n"
    ).run(pytester, *args)
    assert [outcome.out.count(f"said {index}") for index in range(3)] == [1, 1, 1]
    assert captured(outcome.test(), "stdout") == [""]


@pytest.mark.parametrize("mode", ["fd", "sys", "tee-sys"])
def test_capture_modes(pytester: pytest.Pytester, mode: str) -> None:
    """Every capturing mode of pytest keeps runs apart; ``tee-sys`` prints live as well."""
    body = "print(f'said {llmrel.index}'); assert llmrel.index != 1"
    source = f"{HEAD}\n@krun(3)\ndef test_it(llmrel): {body}\n"
    outcome = example(source).run(pytester, f"--capture={mode}")
    assert captured(outcome.test(), "stdout") == ["said 1\n"]
    if mode == "tee-sys":
        assert "said 0" in outcome.out


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], ["warning"]),
        (["--log-level=INFO"], ["info", "warning"]),
        (["--log-level=DEBUG"], ["debug", "info", "warning"]),
    ],
    ids=["default", "INFO", "DEBUG"],
)
def test_log_level(pytester: pytest.Pytester, args: list[str], expected: list[str]) -> None:
    """``log_level`` decides which records a run keeps, as in pytest."""
    outcome = example(f"""{HEAD}
@krun(2)
def test_it():
    for level in ("debug", "info", "warning"):
        getattr(logging.getLogger("bot"), level)("text=%s", level)
    assert 0
""").run(pytester, *args)
    (text,) = captured(outcome.test(), "log")
    assert re.findall(r"text=(\w+)", text) == expected


def test_log_format_and_cli_logging(pytester: pytest.Pytester) -> None:
    """``log_format`` is the user's; ``log_cli`` still shows records live; handlers are gone afterwards."""
    outcome = example(
        f"""{HEAD}
@krun(2)
def test_it():
    logging.warning("hello")
    assert 0

def test_after():
    from pytest_llmrel.glue import capture
    for handler in logging.getLogger().handlers:
        assert type(handler).__module__ != capture.__name__
    assert type(sys.stdout).__module__ != capture.__name__
""",
        log_format="MINE %(message)s",
        log_cli="true",
    ).run(pytester)
    assert captured(outcome.test(), "log") == ["MINE hello\n"]
    assert outcome.session.parseoutcomes()["passed"] == 1
    assert "live log call" in outcome.out


def test_the_streams_are_usable(pytester: pytest.Pytester) -> None:
    """What programs do with stdout works inside a run as it does in any test."""
    outcome = example(f"""{HEAD}
import subprocess

@krun(2)
def test_it():
    sys.stdout.writelines(["a", "b"])
    sys.stdout.flush()
    sys.stdout.write("c")
    sys.stdout.buffer.write(b"bytes")
    assert sys.stdout.encoding and not sys.stdout.isatty() and sys.stdout.writable()
    assert sys.stdout.errors
    sys.stdout.reconfigure(errors="backslashreplace")
    subprocess.run([sys.executable, "-c", "print(1)"], stdout=sys.stdout, check=True)
    with pytest.raises(TypeError):
        sys.stdout.write(b"bytes")
""").run(pytester)
    assert outcome.counts() == {"passed": 2}, outcome.out


def test_a_thread_of_the_test(pytester: pytest.Pytester) -> None:
    """What a thread of the test prints is not lost when the test fails, and goes to no other run."""
    outcome = example(f"""{HEAD}
@krun(4, concurrency=4)
def test_it(llmrel):
    worker = threading.Thread(target=print, args=(f"worker {{llmrel.index}}",))
    worker.start()
    worker.join()
    assert llmrel.index != 3, "no"
""").run(pytester)
    assert "worker 3" in outcome.out
    assert all(not re.search("worker [^3]", text) for text in captured(outcome.test(), "stdout"))


def test_output_is_bounded(pytester: pytest.Pytester) -> None:
    """Megabytes from a model bloat neither terminal nor report, and say that they were cut."""
    outcome = example(f"""{HEAD}
@krun(3)
def test_it(llmrel):
    big = "x" * 5_000_000
    llmrel.output(big)
    print(big)
    for _ in range(300):
        sys.stderr.write("y" * 1000 + "\\n")
        logging.warning("z" * 1000)
    assert big == "", big
""").run(pytester)
    assert outcome.test()["verdict"] == "FAIL"
    (sample,) = [group["sample"] for group in outcome.test()["failures"]]
    for text in (sample["output"], sample["message"], sample["traceback"], *sample["captured"].values()):
        assert len(text) <= 25_000
    assert "truncated" in sample["captured"]["stdout"]
    assert len(outcome.out) < 250_000


HOSTILE = (
    "\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\u202e\\u2066abc\\u200b"
    "\\x00\\x08\\rOK\\x7f\\u2028\\ufeff\\ud800\\U000e0041"
)
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def hostile_suite() -> Example:
    """Hostile text wherever a test can put text."""
    return Example({
        "test_it.py": f"""
            import logging
            import pytest
            from pytest_llmrel import krun, paraphrase

            EVIL = "{HOSTILE}"

            @krun(2, gates=["pass_rate >= 0.5"], stop="never")
            @paraphrase("question", "plain", EVIL)
            def test_it(question, llmrel):
                llmrel.output(EVIL)
                print(EVIL)
                logging.warning(EVIL)
                raise ValueError(EVIL + "\\n" + EVIL)

            @krun(2)
            def test_assert():
                assert EVIL == "polite"

            @krun(2)
            def test_skip():
                pytest.skip(EVIL)

            @krun(50)
            def test_fatal():
                error = type("Denied", (Exception,), {{"status_code": 403, "__module__": "openai"}})
                raise error(EVIL)
        """,
    })  # fmt: skip


@pytest.mark.parametrize(
    "args", [["-rA"], ["-q", "--tb=short"], ["-v", "--tb=line"], ["-rA", "-n1"]], ids=" ".join
)
def test_hostile_text_is_neutralised(pytester: pytest.Pytester, args: list[str]) -> None:
    """No control, bidi or invisible character of an answer reaches the terminal, the answer itself does."""
    outcome = hostile_suite().run(pytester, "--color=no", *args)
    assert "INTERNALERROR" not in outcome.out
    outcome.outcomes(failed=3, skipped=1)
    lines = outcome.out.splitlines()
    assert [line for line in lines if FORBIDDEN.search(line)] == []
    assert [line for line in outcome.err.splitlines() if FORBIDDEN.search(line)] == []
    if args[0] == "-rA":
        assert r"\x1b[2J" in outcome.out


def test_hostile_text_in_files(pytester: pytest.Pytester) -> None:
    """JSON report and JUnit file stay well-formed, ASCII and complete."""
    outcome = hostile_suite().run(pytester, "--junitxml=junit.xml", "-n0")
    document = (pytester.path / "llmrel-report.json").read_bytes()
    assert document.isascii()
    assert b"\\u001b[2J" in document
    assert json.loads(document) == outcome.report
    import xml.etree.ElementTree as ET

    assert len(ET.parse(pytester.path / "junit.xml").findall(".//testcase")) == 4  # noqa: S314  our own file


def test_the_item_keeps_what_no_run_owns(pytester: pytest.Pytester) -> None:
    """Output of a shared fixture is the item's own and shown by pytest as ever."""
    outcome = example(f"""{HEAD}
@pytest.fixture(scope="module")
def server():
    print("server is up")

@krun(2)
def test_it(server):
    assert 0
""").run(pytester)
    outcome.session.stdout.fnmatch_lines(["*Captured stdout setup*", "server is up"])
