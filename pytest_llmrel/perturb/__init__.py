"""Wordings: deterministic edits that keep the meaning, and the search for an edit that breaks an answer."""
