"""The trust boundary of curated data: golden cases and reviewed wordings."""
