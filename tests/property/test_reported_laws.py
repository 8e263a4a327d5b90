"""Laws of reading what an answer reports: it is what genai-prices itself would read, table by table."""

from itertools import pairwise
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmrel.wire.reported import counts_in

TABLES = [(provider, table) for provider in get_snapshot().providers for table in provider.extractors or ()]
counts = st.integers(0, 10**6)
values = counts | st.sampled_from(
    [None, True, -1, 2.0, 2.5, "7", 10**13, [], {}, [{"tokenCount": 3}], float("inf")]
)


def put(document: dict[str, Any], path: Any, value: Any) -> None:
    """Put a value there, through objects and lists as the path wants them; what is there already stays."""
    steps = [path] if isinstance(path, str) else list(path)
    place: Any = document
    for step, following in pairwise(steps):
        if isinstance(step, str):
            place = place.setdefault(step, {} if isinstance(following, str) else [])
        else:
            place.append({step.field: getattr(step.match, "equals", "?")})
            place = place[-1]
    place.setdefault(steps[-1], value)


@st.composite
def reports(draw: st.DrawFn) -> tuple[Any, Any, dict[str, Any]]:
    """A provider, a table, and a report with some of what stands in the table, mostly of the right kind."""
    provider, table = draw(st.sampled_from(TABLES))
    said: Any = {}
    for mapping in table.mappings:
        if draw(st.booleans()) or (mapping.required and draw(st.integers(0, 9))):
            put(said, mapping.path, draw(counts if draw(st.integers(0, 9)) else values))
    report: dict[str, Any] = {}
    put(report, table.root, said if draw(st.integers(0, 19)) else draw(values))
    return provider, table, report


def by_genai_prices(provider: Any, table: Any, report: dict[str, Any]) -> dict[str, Any] | None:
    """What it reads; nothing if any of that is no count."""
    try:
        read = vars(provider.extract_usage(report, api_flavor=table.api_flavor)[1])
    except ValueError:
        return None
    is_whole = all(value == int(value) and 0 <= value <= 10**12 for value in read.values())
    return read if is_whole else None


@given(reports())
def test_it_reads_what_genai_prices_reads(drawn: tuple[Any, Any, dict[str, Any]]) -> None:
    """By every table that it has; and what it refuses is refused."""
    provider, table, report = drawn
    assert (counts_in(report, table) or None) == by_genai_prices(provider, table, report)
