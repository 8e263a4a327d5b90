"""Runs the attempts of a test: schedules decide, crews execute, nothing here knows pytest."""
