"""The trust boundary of finished runs: what they left on disk, in case their session does not end well."""
