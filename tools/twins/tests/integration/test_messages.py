"""The Twilio and SendGrid twins, and the outbox they fill."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import pytest
from twins.testing import Twins, running_twins

SID = "AC" + "0" * 32


async def send_sms(
    twins: Twins, http: aiohttp.ClientSession, token: str = "token", sid: str = SID, **form: str
) -> tuple[int, Any]:
    values = {"To": "+525512345678", "From": "+525500000000", "Body": "Hola"} | form
    url = f"{twins.twilio_url}/2010-04-01/Accounts/{SID}/Messages.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(sid, token)}
    async with http.post(url, data={key: value for key, value in values.items() if value}, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def send_mail(
    twins: Twins, http: aiohttp.ClientSession, authorization: str = "Bearer SG.key", **changes: Any
) -> tuple[int, str, Any]:
    mail = {
        "personalizations": [{"to": [{"email": "ana@example.com", "name": "Ana"}]}],
        "from": {"email": "tienda@example.com"},
        "subject": "Tu recibo <1>",
        "content": [{"type": "text/plain", "value": "Gracias"}, {"type": "text/html", "value": "<b>Gracias</b>"}],
    } | changes
    headers = {"Authorization": authorization}
    async with http.post(f"{twins.sendgrid_url}/v3/mail/send", json=mail, headers=headers) as answer:
        text = await answer.text()
        body = await answer.json(content_type=None) if text else None
        return answer.status, answer.headers.get("X-Message-Id", ""), body


class TestTwilio:
    async def test_a_message_is_queued_and_kept(self, twins: Twins, http: aiohttp.ClientSession) -> None:
        status, message = await send_sms(twins, http, Body="Pagaste $150.50 ✓")
        assert status == 201
        assert message["sid"].startswith("SM")
        assert (message["status"], message["account_sid"], message["to"]) == ("queued", SID, "+525512345678")
        kept = await twins.messages(to="+525512345678")
        assert [(entry["channel"], entry["text"]) for entry in kept] == [("SMS", "Pagaste $150.50 ✓")]
        assert kept[0]["providerId"] == message["sid"]

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({"To": ""}, 21604),
            ({"To": "5512345678"}, 21211),
            ({"To": "+52<script>"}, 21211),
            ({"From": ""}, 21603),
            ({"Body": ""}, 21602),
            ({"Body": "x" * 1601}, 21617),
        ],
    )
    async def test_what_twilio_refuses(
        self, twins: Twins, http: aiohttp.ClientSession, form: dict[str, str], code: int
    ) -> None:
        status, error = await send_sms(twins, http, **form)
        assert (status, error["code"], error["status"]) == (400, code, 400)
        assert await twins.messages() == []

    async def test_credentials(self, http: aiohttp.ClientSession) -> None:
        async with running_twins(twilio_account_sid=SID, twilio_auth_token="right") as twins:
            assert (await send_sms(twins, http, token="wrong"))[0] == 401
            assert (await send_sms(twins, http, token="right", sid="AC1"))[1]["code"] == 20003
            assert (await send_sms(twins, http, token="right"))[0] == 201

    async def test_faults(self, twins: Twins, http: aiohttp.ClientSession) -> None:
        for kind, status, kept in (("http_500", 500, 0), ("http_429", 429, 0), ("http_500_after_charging", 500, 1)):
            await twins.fault(kind, twin="twilio")
            assert (await send_sms(twins, http))[0] == status
            assert len(await twins.messages(channel="SMS")) == kept
        await twins.fault("timeout_before", twin="twilio")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await send_sms(twins, http)


class TestSendGrid:
    async def test_a_mail_is_accepted_and_kept(self, twins: Twins, http: aiohttp.ClientSession) -> None:
        content = base64.b64encode(b"%PDF-").decode()
        files = [{"content": content, "filename": "recibo.pdf", "type": "application/pdf"}]
        status, message_id, body = await send_mail(twins, http, attachments=files)
        assert (status, body) == (202, None)
        assert message_id
        kept = (await twins.messages(to="ANA@example.com", channel="EMAIL"))[0]
        assert (kept["subject"], kept["text"], kept["html"]) == ("Tu recibo <1>", "Gracias", "<b>Gracias</b>")
        assert kept["attachments"] == [{"filename": "recibo.pdf", "type": "application/pdf", "size": 5}]

    @pytest.mark.parametrize(
        "changes",
        [
            {"personalizations": []},
            {"personalizations": [{"to": [{"email": "nobody"}]}]},
            {"from": None},
            {"content": []},
            {"content": [{"type": "text/plain", "value": ""}]},
            {"attachments": [{"content": "ñ", "filename": "x"}]},
        ],
    )
    async def test_what_sendgrid_refuses(
        self, twins: Twins, http: aiohttp.ClientSession, changes: dict[str, Any]
    ) -> None:
        status, _, body = await send_mail(twins, http, **changes)
        assert status == 400
        assert set(body["errors"][0]) == {"message", "field", "help"}
        assert await twins.messages() == []

    @pytest.mark.parametrize("authorization", ["", "Bearer", "Basic x"])
    async def test_credentials(self, twins: Twins, http: aiohttp.ClientSession, authorization: str) -> None:
        assert (await send_mail(twins, http, authorization))[0] == 401

    async def test_faults(self, twins: Twins, http: aiohttp.ClientSession) -> None:
        for kind, status in (("http_500", 500), ("http_429", 429)):
            await twins.fault(kind, twin="sendgrid")
            assert (await send_mail(twins, http))[0] == status
        assert (await send_mail(twins, http))[0] == 202


async def test_a_person_can_look_at_what_was_sent(twins: Twins, http: aiohttp.ClientSession) -> None:
    await send_sms(twins, http, Body="<img src=x onerror=alert(1)>")
    await send_mail(twins, http)
    async with http.get(f"{twins.url}/outbox") as answer:
        page = await answer.text()
    assert "Tu recibo &lt;1&gt;" in page
    assert "<img" not in page
    mail = (await twins.messages(channel="EMAIL"))[0]
    async with http.get(f"{twins.url}/outbox/{mail['id']}/html") as answer:
        assert await answer.text() == "<b>Gracias</b>"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    async with http.get(f"{twins.url}/") as answer:
        assert answer.status == 200
