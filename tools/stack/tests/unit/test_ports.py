"""Ports come from below the ephemeral range, are free, and are given once."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.errors import StackError
from stack.ports import EPHEMERAL_START, LOWEST, PortPicker, ephemeral_start, is_free


@pytest.fixture
def occupied() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", PortPicker().pick()))
        server.listen()
        yield server.getsockname()[1]


def test_a_listening_port_is_not_free(occupied: int) -> None:
    assert not is_free(occupied)


def test_picked_ports_are_free_distinct_and_below_the_ephemeral_range() -> None:
    picker = PortPicker()
    picked = [picker.pick() for _ in range(50)]
    assert len(set(picked)) == 50
    assert all(LOWEST <= port < EPHEMERAL_START and is_free(port) for port in picked)


def test_the_preferred_port_is_given_once_while_it_is_free() -> None:
    free = PortPicker().pick()
    picker = PortPicker()
    assert picker.pick(free) == free
    assert picker.pick(free) != free


def test_an_occupied_preferred_port_is_replaced(occupied: int) -> None:
    assert PortPicker().pick(occupied) != occupied


def test_it_says_so_when_nothing_is_free() -> None:
    class Stuck(random.Random):
        def randrange(self, *arguments: object) -> int:  # type: ignore[override]
            return 20_000

    with pytest.raises(StackError, match="No free TCP port"):
        PortPicker(taken=[20_000], generator=Stuck()).pick()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("32768\t60999\n", 32_768),
        ("20000 60999", 20_000),
        ("1024 65535", 32_768),
        ("49152 65535", 32_768),
        ("", 32_768),
    ],
)
def test_a_lower_ephemeral_range_is_respected(tmp_path: Path, content: str, expected: int) -> None:
    file = tmp_path / "range"
    file.write_text(content)
    assert ephemeral_start(file) == expected
