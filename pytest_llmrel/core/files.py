"""Files that are replaced all or nothing."""

import os
import tempfile
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text``, all or nothing; missing folders are made.

    Raises:
        OSError: it cannot be written; what was there before is untouched.
    """
    target = path.resolve()  # a link stays a link
    if target.exists() and not target.is_file():
        raise FileExistsError(f"{path} is no regular file, and is not replaced by one")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", text=True)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o666 & ~_umask())  # mkstemp's own mode is for secrets
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
