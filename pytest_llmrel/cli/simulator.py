"""``llmrel simulator``: serves a simulated model in the foreground until it is interrupted."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_llmrel.simulator import Persona, Simulator

__all__ = ["add_arguments", "run"]

_POLL_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--persona", metavar="FILE", help="who answers, a TOML file (default: a tea shop)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the answers (default: %(default)s)")
    parser.add_argument("--latency", metavar="SECONDS", type=float, help="instead of the persona's")
    parser.add_argument(
        "--faults",
        metavar="KIND=RATE,...",
        help="what happens instead of answers, such as 429=0.1,reset=0.05",
    )
    parser.add_argument("--allow-remote", action="store_true", help="allow a host open to other machines")


def run(namespace: argparse.Namespace) -> int:
    """Serves until Ctrl-C or SIGTERM; returns 0 then, and 2 if the server cannot be started as asked."""
    from pytest_llmrel.simulator import Simulator, load_persona

    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(_stop_signals())
        try:
            persona = load_persona(namespace.persona)
            simulator = stack.enter_context(Simulator(persona, **_options(namespace)))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"llmrel simulator: {_one_line(error)}\n")
            return 2
        _announce(simulator, persona)
        # In slices, because some platforms deliver no signal during an endless wait.
        while not stop.wait(_POLL_SECONDS):
            pass
    return 0


def _options(namespace: argparse.Namespace) -> dict[str, Any]:
    names = ("host", "port", "seed", "latency", "allow_remote", "faults")
    return {name: getattr(namespace, name) for name in names}


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Yields an event that Ctrl-C and SIGTERM set, instead of ending the process halfway."""
    stop = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in wanted}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(simulator: Simulator, persona: Persona) -> None:
    url, model = simulator.base_url, persona.models[0].name
    usage = f"OPENAI_BASE_URL={url} OPENAI_API_KEY=simulated LLM_MODEL={model}"
    sys.stdout.write(f"llmrel simulator: {persona.name} at {url} (use: {usage}; stop: Ctrl-C)\n")
    sys.stdout.flush()


def _one_line(error: Exception) -> str:
    """The error on one line, with what to do about it."""
    if isinstance(error, OSError):
        return f"cannot listen there ({error.strerror or error}); choose another --port or --host"
    first, *others = str(error).splitlines()
    return " ".join((first, "; ".join([line.strip() for line in others]))).strip()
