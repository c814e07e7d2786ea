"""deploy/nginx as it is, on other ports and paths: what nginx itself says of it, and what arrives behind it."""

import asyncio
import datetime
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from stack import blocking
from stack.errors import StackError
from stack.infra.private.packages import install
from stack.ports import PortPicker
from stack.repository import ROOT

pytestmark = pytest.mark.integration

SOURCE = ROOT / "deploy" / "nginx"


@pytest.fixture(scope="module")
def program() -> str:
    if shutil.which("nginx") is None:
        try:
            install(["nginx"], print)
        except StackError as error:
            pytest.skip(f"nginx is not here and cannot be installed: {error}")
    path = shutil.which("nginx")
    assert path is not None
    return path


@dataclass
class Nginx:
    http: int
    https: int
    gateway: int
    tls: ssl.SSLContext

    async def ask(self, data: bytes, *, port: int | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to these bytes, over TLS unless to the plain port."""
        tls = self.tls if port is None else None
        name = "localhost" if tls else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.https, ssl=tls, server_hostname=name)
        try:
            writer.write(data)
            async with asyncio.timeout(20):
                answer = await reader.readuntil(b"\r\n\r\n")
                answer += await reader.readexactly(int(parsed(answer)[1].get("content-length", "0")))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return parsed(answer)

    async def get(self, path: str, *headers: str, port: int | None = None) -> tuple[int, dict[str, str], bytes]:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
        return await self.ask("\r\n".join(lines).encode(), port=port)


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


@dataclass
class Gateway:
    """Stands for it: notes what arrives, answers when a request is whole, and tells of each piece of a body."""

    heads: list[str] = field(default_factory=list)
    pieces: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(OSError, EOFError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                if "transfer-encoding: chunked" in head.lower():
                    while (size := int(await reader.readline(), 16)) > 0:
                        await self.pieces.put((await reader.readexactly(size + 2))[:-2])
                    await reader.readline()
                elif length := int(head.lower().partition("content-length:")[2].partition("\r\n")[0] or 0):
                    left = length
                    while left > 0:
                        piece = await reader.read(left)
                        if not piece:
                            return
                        left -= len(piece)
                        await self.pieces.put(piece)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: from-behind\r\n\r\nok")
                await writer.drain()
        writer.close()

    def header(self, name: str) -> list[str]:
        """Its values in the last request."""
        lines = (line.partition(":") for line in self.heads[-1].split("\r\n")[1:])
        return [value.strip() for key, _, value in lines if key.lower() == name]


@asynccontextmanager
async def behind(nginx: Nginx) -> AsyncIterator[Gateway]:
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", nginx.gateway)
    try:
        yield gateway
    finally:
        server.close()
        for writer in gateway.writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the configuration with its own certificate and files."""
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    for name in ("nginx.conf", "gateway.conf", "web.conf"):
        shutil.copy(SOURCE / name, folder)
    shutil.copytree(SOURCE / "web", folder / "web")
    (folder / "web" / "assets").mkdir()
    (folder / "web" / "assets" / "app-1f3a.js").write_text("export {};\n")
    (folder / "acme" / ".well-known" / "acme-challenge").mkdir(parents=True)
    (folder / "acme" / ".well-known" / "acme-challenge" / "token").write_text("proof")
    (folder / "tls").mkdir()
    make_certificate(folder / "tls")
    return folder


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture(scope="module")
def nginx(program: str, folder: Path) -> Iterator[Nginx]:
    ports = PortPicker()
    http, https, gateway = ports.pick(), ports.pick(), ports.pick()
    replaced = {
        "listen 80 default_server": f"listen 127.0.0.1:{http} default_server",
        "listen 443 ssl http2 default_server": f"listen 127.0.0.1:{https} ssl http2 default_server",
        "server gateway:8080": f"server 127.0.0.1:{gateway}",
        "/etc/nginx/mime.types": "/etc/nginx/mime.types",
        "/etc/nginx/tls": str(folder / "tls"),
        "/etc/nginx/gateway.conf": str(folder / "gateway.conf"),
        "/etc/nginx/web.conf": str(folder / "web.conf"),
        "/srv/": f"{folder}/",
        "/var/run/nginx.pid": str(folder / "nginx.pid"),
        "/dev/stdout": str(folder / "access.log"),
        "error_log stderr": f"error_log {folder}/error.log",
    }
    text = (folder / "nginx.conf").read_text()
    for before, after in replaced.items():
        assert before in text, before
        text = text.replace(before, after)
    text = "\n".join(line for line in text.splitlines() if "listen [::]" not in line)
    temporary = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {\n", "http {\n" + temporary)
    user = "user root;\n" if os.geteuid() == 0 else ""  # the folder is the test's alone
    (folder / "nginx.conf").write_text(user + text)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[emerg]" not in checked.stderr
    server = subprocess.Popen([*command, "-g", "daemon off;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert blocking.poll(lambda: accepts(https), timeout=10), (folder / "error.log").read_text()
        yield Nginx(http, https, gateway, ssl.create_default_context(cafile=str(folder / "tls" / "tls.crt")))
    finally:
        server.terminate()
        server.wait()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_the_api_is_passed_on_as_it_came(nginx: Nginx) -> None:
    async with behind(nginx) as gateway:
        forged = (
            "X-Forwarded-For: 6.6.6.6",
            "X-Forwarded-Proto: http",
            "X-Real-IP: 6.6.6.6",
            "Forwarded: for=6.6.6.6",
            "X_Forwarded_For: 6.6.6.6",
            "Authorization: Bearer abc",
        )
        for path in ("/api/v1/sales?q=%20a%2Bb", "/api/v1//a/../b/%2e%2e/c", "/health", "/docs", "/openapi.json"):
            status, headers, body = await nginx.get(path, *forged)
            assert (status, body) == (200, b"ok"), path
            assert gateway.heads[-1].startswith(f"GET {path} HTTP/1.1\r\n")
            assert gateway.header("x-forwarded-for") == ["127.0.0.1"]
            assert gateway.header("x-forwarded-proto") == ["https"]
            assert gateway.header("host") == ["localhost"]
            assert gateway.header("authorization") == ["Bearer abc"]
            for dropped in ("x-real-ip", "forwarded", "x_forwarded_for"):
                assert gateway.header(dropped) == []
            assert "server" not in headers or headers["server"] == "nginx"


@pytest.mark.parametrize("framing", ["Content-Length: 8", "Transfer-Encoding: chunked"])
async def test_a_body_goes_on_while_it_still_comes(nginx: Nginx, framing: str) -> None:
    async with behind(nginx) as gateway:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", nginx.https, ssl=nginx.tls, server_hostname="localhost"
        )
        chunked = "chunked" in framing
        head = f"POST /webhooks/conekta HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n\r\n"
        writer.write(head.encode() + (b"4\r\nfour\r\n" if chunked else b"four"))
        assert await asyncio.wait_for(gateway.pieces.get(), 5) == b"four"
        writer.write(b"4\r\nmore\r\n0\r\n\r\n" if chunked else b"more")
        assert await asyncio.wait_for(gateway.pieces.get(), 5) == b"more"
        assert parsed(await asyncio.wait_for(reader.read(), 5))[0] == 200
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_what_is_for_the_platform_does_not_pass(nginx: Nginx) -> None:
    async with behind(nginx) as gateway:
        for path in ("/metrics", "/health/ready", "/health/live"):
            assert (await nginx.get(path))[0] == 404
        assert gateway.heads == []


async def test_without_a_gateway_the_answer_is_an_error_in_the_usual_form(nginx: Nginx) -> None:
    status, headers, body = await nginx.get("/api/v1/sales")
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/json", "2")
    answer = json.loads(body)
    assert answer.keys() == {"statusCode", "message", "code", "errors", "requestId"}
    assert (answer["statusCode"], answer["code"]) == (503, "gateway_unavailable")


async def test_a_body_beyond_every_limit_is_refused_in_the_usual_form(nginx: Nginx) -> None:
    data = b"POST /api/v1/sales HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20000000\r\n\r\n"
    status, _, body = await nginx.ask(data)
    assert (status, json.loads(body)["code"]) == (413, "too_large")


async def test_the_web_clients_files(nginx: Nginx) -> None:
    for path in ("/", "/ventas/hoy"):
        status, headers, body = await nginx.get(path)
        assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/html", "no-cache")
        assert b"<title>Cobro</title>" in body
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"].startswith("max-age=31536000")
    status, headers, _ = await nginx.get("/assets/app-1f3a.js")
    assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (await nginx.get("/assets/gone.js"))[0] == 404
    assert (await nginx.get("/assets/../../tls/tls.key"))[0] == 400


async def test_plain_http_is_sent_to_https(nginx: Nginx) -> None:
    status, headers, _ = await nginx.get("/api/v1/sales?a=1", port=nginx.http)
    assert (status, headers["location"]) == (308, "https://localhost/api/v1/sales?a=1")
    assert (await nginx.get("/.well-known/acme-challenge/token", port=nginx.http))[2] == b"proof"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_http_2_over_what_tls_is_today(nginx: Nginx, folder: Path, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(folder / "tls" / "tls.crt"))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", nginx.https, ssl=context, server_hostname="localhost")
    connection = writer.get_extra_info("ssl_object")
    assert connection.selected_alpn_protocol() == "h2"
    assert "GCM" in connection.cipher()[0] or "CHACHA20" in connection.cipher()[0]
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def test_nothing_older(nginx: Nginx) -> None:
    checked = subprocess.run(
        ["openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", f"127.0.0.1:{nginx.https}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Cipher is (NONE)" in checked.stdout or checked.returncode != 0


async def test_the_log_says_nothing_of_a_person(nginx: Nginx, folder: Path) -> None:
    async with behind(nginx):
        await nginx.get("/api/v1/users?phone=%2B525512345678", "User-Agent: someone", "Authorization: Bearer secret")
    line = (folder / "access.log").read_text().splitlines()[-1]
    assert json.loads(line)["path"] == "/api/v1/users"
    assert json.loads(line)["request_id"] == "from-behind"
    for personal in ("5512345678", "127.0.0.1", "someone", "secret"):
        assert personal not in line
