"""The head of suites whose tests meet, or must not."""

__all__ = ["HEAD"]

HEAD = """
import asyncio, sys, threading, time, warnings
import pytest
from pytest_llmrel import krun, paraphrase
from witness import note

lock, at_once, most = threading.Lock(), 0, 0

def together(count, seconds=10):
    '''Whether so many runs, of whatever tests, are in here at the same time.'''
    global at_once
    with lock:
        at_once += 1
    deadline = time.monotonic() + seconds
    while at_once < count and time.monotonic() < deadline:
        time.sleep(0.001)
    return at_once >= count

class counted:
    '''Keeps count of the runs in flight for so many seconds, and of the most there were.'''
    def __init__(self, seconds): self.seconds = seconds
    def __enter__(self):
        global at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(self.seconds)
    def __exit__(self, *_):
        global at_once
        with lock:
            at_once -= 1

class noted:
    '''Notes when the runs of a test began and ended.'''
    def __init__(self, name): self.name = name
    def __enter__(self):
        note("began", self.name)
        time.sleep(0.03)
    def __exit__(self, *_):
        note("ended", self.name)
"""
