"""Waiting for coroutines and for conditions from code that is not asynchronous."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end, also when the calling thread already has an event loop running."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


def poll(condition: Callable[[], bool], *, timeout: float, interval: float = 0.05) -> bool:
    """Ask until the answer is yes; False when `timeout` seconds have passed."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)
    return True
