"""Runs the attempts of a test: the schedule decides, drivers execute, nothing here knows pytest."""
