"""Where baselines are, beside the test modules, and what is known of judges, at pytest's rootdir."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "JUDGES", "baseline_path", "calibration_path"]

FOLDER: Final = "__baselines__"
JUDGES: Final = "__judges__"
_MOST_NAME: Final = 60


def baseline_path(module: Path) -> Path:
    """Where the baselines of a test module are: ``tests/__baselines__/test_faq.json``."""
    return module.parent / FOLDER / f"{module.stem}.json"


def calibration_path(root: Path, model: str, prompt_hash: str) -> Path:
    """Where the record of a judge is: ``__judges__/gpt-4o-1a2b3c4d.json``, one for each model and prompt.

    Names of models that are no plain lower-case names of files get a few digits more, to be no one else's.
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", model.lower()).strip(".-")[:_MOST_NAME]
    if name != model:
        name = f"{name}-{sha256(model.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}".lstrip("-")
    return root / JUDGES / f"{name}-{prompt_hash[:8]}.json"
