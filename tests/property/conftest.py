"""How hypothesis searches here: the same examples everywhere in CI, and no deadline that a busy machine breaks."""

import os

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow,)

settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, max_examples=150, suppress_health_check=_SLOW
)
settings.register_profile("search", deadline=None, max_examples=3_000, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("LLMREL_HYPOTHESIS_PROFILE", "ci"))
