"""Committed baseline files on disk become values, and values files: a trust boundary; pydantic lives here."""
