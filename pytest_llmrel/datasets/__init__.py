"""The trust boundary of curated data: golden cases and reviewed wordings become values, whole or not at all."""
