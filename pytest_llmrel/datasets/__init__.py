"""The trust boundary of curated data: golden cases and reviewed wordings, read whole or not at all."""
