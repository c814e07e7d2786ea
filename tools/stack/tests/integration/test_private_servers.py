"""Private servers keep what they acknowledged, leave nothing behind, and survive what tests do to them."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import asyncpg
import pytest
import redis.asyncio as redis
from stack import blocking
from stack.infra import Infrastructure, locate
from stack.infra.readiness import probe, wait_until_ready
from stack.infra.server import Kind
from stack.ports import EPHEMERAL_START
from stack.processes import Identity

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
PRIVATE = {"COBRO_INFRA": "private"}


@pytest.fixture(scope="module")
def infrastructure() -> Iterator[Infrastructure]:
    with locate(environment=PRIVATE) as servers:
        yield servers


def crash(infrastructure: Infrastructure, kind: Kind) -> None:
    infrastructure[kind].kill()
    infrastructure[kind].start()
    wait_until_ready([infrastructure[kind]])


def test_every_port_lies_below_the_ephemeral_range(infrastructure: Infrastructure) -> None:
    assert all(port < EPHEMERAL_START for port in infrastructure.ports().values())
    assert len(infrastructure.ports()) == 3


async def test_postgres_keeps_what_it_acknowledged_when_killed(infrastructure: Infrastructure) -> None:
    connection = await asyncpg.connect(infrastructure.url(Kind.POSTGRES))
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.executemany("INSERT INTO kept VALUES ($1)", [(number,) for number in range(100)])
    crash(infrastructure, Kind.POSTGRES)
    connection.terminate()
    connection = await asyncpg.connect(infrastructure.url(Kind.POSTGRES))
    assert await connection.fetchval("SELECT count(*) FROM kept") == 100
    await connection.close()


async def test_rabbitmq_keeps_a_persistent_message_when_killed(infrastructure: Infrastructure) -> None:
    connection = await aio_pika.connect(infrastructure.url(Kind.RABBITMQ))
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True)
        # RabbitMQ forgets a queue declared a moment before it is killed, and what that queue had confirmed with it.
        await asyncio.sleep(2)
        message = aio_pika.Message(b"x", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, routing_key=queue.name)
    crash(infrastructure, Kind.RABBITMQ)
    connection = await aio_pika.connect(infrastructure.url(Kind.RABBITMQ))
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True)
        received = await queue.get(timeout=10)
        await received.ack()
        assert received.body == b"x"


async def test_redis_comes_back_at_the_same_address(infrastructure: Infrastructure) -> None:
    crash(infrastructure, Kind.REDIS)
    client = redis.from_url(infrastructure.url(Kind.REDIS))
    assert await client.set("key", "value")
    await client.aclose()


@pytest.mark.parametrize("kind", list(Kind))
def test_a_frozen_server_answers_again(infrastructure: Infrastructure, kind: Kind) -> None:
    infrastructure[kind].pause()
    try:
        assert probe(kind, infrastructure.url(kind)) is not None
    finally:
        infrastructure[kind].resume()
    wait_until_ready([infrastructure[kind]])


def test_passwords_are_required(infrastructure: Infrastructure) -> None:
    url = infrastructure.url(Kind.POSTGRES)
    password = url.split(":")[2].split("@")[0]
    assert "InvalidPassword" in (probe(Kind.POSTGRES, url.replace(password, "wrong")) or "")


def test_durable_servers_come_back_with_their_data(tmp_path: Path) -> None:
    # PostgreSQL may run as another user, who could not pass through pytest's private folders.
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    ports: dict[str, int] = {}
    credentials = None
    for round_number in range(2):
        servers = locate(
            directory=tmp_path / "servers", environment=PRIVATE, credentials=credentials, remembered_ports=ports
        )
        credentials = servers.credentials
        with servers:
            if round_number:
                assert servers.ports() == ports
            ports = servers.ports()
            statement = "SELECT 'kept'" if round_number else "CREATE DATABASE kept"
            url = servers.url(Kind.POSTGRES)
            blocking.run(_execute(url.replace("/postgres", "/kept") if round_number else url, statement))
            identities = [identity for _, identity in servers.identities()]
            assert identities
        assert not any(identity.alive() for identity in identities)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def test_a_command_gets_addresses_and_nothing_outlives_it() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "stack", "infra", "--", "sh", "-c", "env; pgrep -P $PPID; exit 7"],
        env={**os.environ, **PRIVATE},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 7
    assert {"TEST_POSTGRES_URL", "TEST_REDIS_URL", "TEST_RABBITMQ_URL"} <= {
        line.partition("=")[0] for line in finished.stdout.splitlines()
    }
    servers = [int(line) for line in finished.stdout.splitlines() if line.isdigit()]
    assert len(servers) >= 4
    assert not any(os.path.exists(f"/proc/{pid}") for pid in servers)


def test_nothing_outlives_a_killed_run() -> None:
    program = (
        "import json, sys; from stack.infra import locate; servers = locate(); servers.start();"
        "print(json.dumps([[i.pid, i.started] for _, i in servers.identities()]), flush=True); sys.stdin.read()"
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **PRIVATE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout is not None
    assert runner.stdin is not None
    identities = [Identity(*entry) for entry in json.loads(runner.stdout.readline())]
    assert all(identity.alive() for identity in identities)
    runner.kill()
    runner.wait()
    runner.stdin.close()
    runner.stdout.close()
    assert blocking.poll(lambda: not any(identity.alive() for identity in identities), timeout=30)
