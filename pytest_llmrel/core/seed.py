"""Keys and seeds that are the same on every machine and in every process."""

from hashlib import blake2b

__all__ = ["run_seed", "variant_key"]


def variant_key(text: str) -> str:
    """Eight hex digits that stand for a wording, whatever its place in the list."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def run_seed(nodeid: str, case: str, variant: str, run: int) -> int:
    """Seed of one run: an integer in ``[0, 2**63)`` derived from its address alone."""
    address = "\x1f".join((nodeid, case, variant, str(run)))
    digest = blake2b(address.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
