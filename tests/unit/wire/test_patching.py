"""What the seam changes in the libraries and in the import system, and that all of it is undone."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest

from pytest_llmrel.wire.internals import watched_clients
from pytest_llmrel.wire.steps import Answer, Course, Request

from .asking import LIBRARIES, ask, reply, serving

_NESTED = """
import sys
from pytest_llmrel.wire.internals import watched_clients

seen = []

def begin(name):
    def note(request):
        seen.append(name)
    return note

before = list(sys.meta_path)
with watched_clients(begin("outer")):
    with watched_clients(begin("inner")):
        import {library} as library
        assert type(library.__spec__.loader).__name__ == type(library.__loader__).__name__ == "SourceFileLoader"
        try:
            library.get("http://127.0.0.1:1/")
        except library.ConnectError:
            pass
        assert seen == ["inner", "outer"], seen
    assert library.Client.send.__wrapped__.__module__.startswith("{library}.")
assert not hasattr(library.Client.send, "__wrapped__")
assert sys.meta_path == before
"""
_FOREIGN = """
import importlib.machinery, sys
from pytest_llmrel.wire.internals import watched_clients

class Loader:
    def __init__(self, inner):
        self.inner = inner
    def create_module(self, spec):
        return self.inner.create_module(spec)
    def exec_module(self, module):
        module.by_foreigner = True
        self.inner.exec_module(module)

class Foreign:
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
        if name == "{library}":
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            spec.loader = Loader(spec.loader)
            return spec

foreign = Foreign()
sys.meta_path.insert(0, foreign)
with watched_clients(lambda request: None):
    import {library} as library, colorsys
    assert hasattr(library.Client.send, "__wrapped__")
assert library.by_foreigner
assert isinstance(library.__loader__, Loader)
assert foreign.asked.count("{library}") == foreign.asked.count("colorsys") == 1
assert sys.meta_path[0] is foreign
assert not hasattr(library.Client.send, "__wrapped__")
"""
_MISSING = """
import sys
from pytest_llmrel.wire.internals import watched_clients

sys.path[:] = [path for path in sys.path if "site-packages" not in path]
with watched_clients(lambda request: None):
    try:
        import {library}
    except ModuleNotFoundError as error:
        assert error.name == "{library}"
    else:
        raise AssertionError("it was found")
    assert "{library}" not in sys.modules
"""


def run(code: str, library: str) -> None:
    """In a process that has imported nothing yet, where warnings are errors."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code.format(library=library)], check=True, timeout=60
    )


def passing(seen: list[str], name: str = "seen") -> Callable[[Request], None]:
    """Notes each call, and lets it go its way."""
    return lambda _: seen.append(name)


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("code", [_NESTED, _FOREIGN, _MISSING], ids=["nested", "foreign", "missing"])
def test_imports_within_the_block(code: str, library: str) -> None:
    """A late library is seen once by every block around it; finders of others, and missing ones, are as ever."""
    run(code, library)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["plain", "async streamed"])
def test_blocks_within_blocks(library: Any, way: str) -> None:
    """The innermost one sees a call first, each sees it once, and each end leaves the blocks around it in place."""
    seen: list[str] = []
    with serving(reply) as url, watched_clients(passing(seen, "outer")):
        with watched_clients(passing(seen, "inner")):
            ask(library, way, url)
        assert seen == ["inner", "outer"]
        ask(library, way, url)
        assert seen == ["inner", "outer", "outer"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_who_has_wrapped_the_seam_keeps_no_dead_one(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor wraps ``send`` for good, within a block: calls pass it untouched, the next block sees them once."""
    monkeypatch.setattr(library.Client, "send", library.Client.send)  # put back in the end
    seen: list[str] = []
    with watched_clients(passing(seen, "first")):
        ours = library.Client.send

        def monitored(client: Any, request: Any, **options: Any) -> Any:
            seen.append("monitor")
            return ours(client, request, **options)

        library.Client.send = monitored
    assert library.Client.send is monitored
    with serving(reply) as url:
        ask(library, "plain", url)
        assert seen == ["monitor"]
        with watched_clients(passing(seen, "second")):
            ask(library, "plain", url)
    assert seen == ["monitor", "second", "monitor"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_who_puts_the_seam_back_after_its_end(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch that began within the block and is undone after it restores our dead function, which does nothing."""
    before = library.Client.send
    monkeypatch.setattr(library.Client, "send", before)
    seen: list[str] = []
    with watched_clients(passing(seen)):
        theirs = pytest.MonkeyPatch()
        theirs.setattr(library.Client, "send", lambda *_, **__: library.Response(204))
    theirs.undo()
    assert library.Client.send.__wrapped__ is before
    with serving(reply) as url:
        assert ask(library, "plain", url)[0] == 200
    assert seen == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_import_system_that_was_replaced(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever swaps ``sys.meta_path`` within the block does not keep the clients patched."""
    before = library.Client.send, library.AsyncClient.send
    with watched_clients(passing([])):
        monkeypatch.setattr(
            sys, "meta_path", [finder for finder in sys.meta_path if "_Finder" not in repr(finder)]
        )
    assert (library.Client.send, library.AsyncClient.send) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, GeneratorExit])
def test_whatever_ends_the_block(error: type[BaseException]) -> None:
    """All four functions are the very ones that were there, and no finder is left."""
    kinds = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient]
    before = [vars(kind)["send"] for kind in kinds], list(sys.meta_path)

    def interrupted() -> None:
        with watched_clients(passing([])):
            assert not {id(vars(kind)["send"]) for kind in kinds} & set(map(id, before[0]))
            assert len(sys.meta_path) == len(before[1]) + 1
            raise error

    with pytest.raises(error):
        interrupted()
    assert ([vars(kind)["send"] for kind in kinds], list(sys.meta_path)) == before


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_client_of_a_class_of_its_own(library: Any) -> None:
    """SDKs derive from the clients and override ``send``: a call is seen once, where they call the original."""
    seen: list[str] = []

    class Own(library.Client):  # type: ignore[misc]
        """As openai's and anthropic's."""

        def send(self, request: Any, **options: Any) -> Any:
            """With a header of its own."""
            request.headers["x-own"] = "1"
            return super().send(request, **options)

    def begin(request: Request) -> Course:
        seen.append(dict(request.headers)["x-own"])
        return Answer(200, (), (b"made",))
        yield

    with watched_clients(begin), Own() as client:
        assert client.get("http://nobody.invalid/").text == "made"
    assert seen == ["1"]
