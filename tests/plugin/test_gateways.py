"""Workers on other machines: two socket servers, each at an address and in a directory of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest
from example import PLAIN, Example

pytest.importorskip("xdist")
server = pytest.importorskip("execnet.script.socketserver")

SUITE = {
    "suite/pytest.ini": "[pytest]\n",
    "suite/golden.jsonl": "".join(f'{{"id": "c{n}"}}\n' for n in range(8)),
    "suite/witness.py": """
        def note(*words):
            with open("log.txt", "a") as file:
                print(*words, file=file)
        """,
    "suite/test_it.py": """
        import pytest
        from pytest_llmrel import golden, krun
        from witness import note

        @krun(5, gates=["pass_rate >= 0.9"])
        @golden("golden.jsonl")
        def test_split(case, llmrel):
            note(case.id, llmrel.index)
            llmrel.usage(cost=1.0)
            assert case.id != "c1"

        @pytest.mark.parametrize("x", range(4))
        @krun(3)
        def test_whole(x):
            pass
        """,
}


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[str]]:
    """What to say to xdist to use two servers on loopback addresses."""
    servers, told = [], []
    for host in ("127.0.0.1", "127.0.0.2"):
        with socket.socket() as free:
            try:
                free.bind((host, 0))
            except OSError:
                if sys.platform == "linux":  # where all of 127.0.0.0/8 is; elsewhere it is one address
                    raise
                pytest.skip(f"{host} is no address of this machine")
            address = f"{host}:{free.getsockname()[1]}"
        folder = tmp_path / host
        folder.mkdir()
        command, log = [sys.executable, "-u", str(server.__file__), address], tmp_path / f"{host}.log"
        with log.open("w") as file:
            servers.append(subprocess.Popen(command, cwd=folder, stdout=file, stderr=file))
        while "Entering Accept loop" not in log.read_text():
            assert servers[-1].poll() is None, log.read_text()
            sleep(0.02)
        told += ["--tx", f"socket={address}//chdir={folder}"]
    yield told
    for process in servers:
        process.kill()
        process.wait()


def test_other_machines(pytester: pytest.Pytester, tmp_path: Path, machines: list[str]) -> None:
    """Each makes some of the runs of the split test; results, baseline and cost are those of one machine."""
    done = Example(SUITE).run(
        pytester,
        *PLAIN,
        "--dist=load",
        *machines,
        f"--rsyncdir={pytester.path / 'suite'}",
        "--llmrel-split=5",
        "--llmrel-budget=100",
        "--llmrel-baseline=new",
        "--llmrel-baseline-runs=1",
        str(pytester.path / "suite" / "test_it.py"),
        subprocess=True,
    )
    done.outcomes(passed=4, failed=1)
    split = done.test("test_split")
    assert (split["verdict"], split["passed"], split["failed"]) == ("FAIL", 35, 5)
    assert split["cost"]["usd"] == 40.0
    logs = [(tmp_path / host / "log.txt").read_text().splitlines() for host in ("127.0.0.1", "127.0.0.2")]
    assert all(logs)
    assert sorted(logs[0] + logs[1]) == sorted(f"c{case} {run}" for case in range(8) for run in range(5))
    assert (pytester.path / "suite" / "__baselines__" / "test_it.json").exists()
