"""One-time codes, from the request to the phone and back."""

from __future__ import annotations

import re
import time
from uuid import UUID

import pytest

from e2e.merchant import Merchant
from e2e.polling import until
from e2e.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def texts(stage: Stage, phone: str) -> list[str]:
    """What the phone was sent, newest first."""
    return [message["text"] for message in await stage.twins.messages(to=phone)]


async def code_sent(stage: Stage, phone: str) -> str:
    """The code in the newest message that has one."""

    async def found() -> list[str]:
        return [code for text in await texts(stage, phone) for code in re.findall(r"^(\d{6}) ", text)]

    return (await until(found))[0]


async def test_a_phone_is_verified_with_the_code_it_was_sent(stage: Stage, merchant: Merchant) -> None:
    asked = time.monotonic()
    (await merchant.client.post("/auth/verification", {"channel": "sms"})).data(202)
    code = await code_sent(stage, merchant.phone)
    # A second when nothing else runs; here everything runs on the same cores.
    assert time.monotonic() - asked < 5

    user = (await merchant.client.post("/auth/verification/confirm", {"channel": "sms", "code": code})).data(200)

    assert user["phoneVerified"] is True
    rows = await stage.rows(
        "SELECT status, recipient, content FROM notifications.notifications WHERE code_id IS NOT NULL AND user_id = $1",
        UUID(user["id"]),
    )
    assert rows == [{"status": "SENT", "recipient": None, "content": None}]


async def test_who_forgot_a_password_sets_another_one_and_is_told(stage: Stage, merchant: Merchant) -> None:
    nobody = stage.client.holding(None)
    (await nobody.post("/auth/password/forgot", {"phone": merchant.phone})).data(202)
    code = await code_sent(stage, merchant.phone)

    body = {"phone": merchant.phone, "code": code, "newPassword": "una-clave-muy-nueva-7"}
    assert (await nobody.post("/auth/password/reset", body)).status < 300

    (await merchant.client.get("/auth/me")).error(401)
    (await nobody.post("/auth/login", {"phone": merchant.phone, "password": merchant.password})).error(401)
    (await nobody.post("/auth/login", {"phone": merchant.phone, "password": body["newPassword"]})).data(200)
    await until(lambda: texts(stage, merchant.phone), lambda said: any("Si no fuiste tú" in text for text in said))
