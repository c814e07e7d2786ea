"""Twilio's status callbacks: a form, signed with the account's auth token over the address and the fields."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha1
from urllib.parse import urlencode

from twins.reports import ReportPost

# A number that ends so is switched off for good.
UNREACHABLE = "0000"
_UNREACHABLE_CODE = "30003"


def signature(url: str, fields: Mapping[str, str], auth_token: str) -> str:
    text = url + "".join(f"{name}{value}" for name, value in sorted(fields.items()))
    return base64.b64encode(hmac.digest(auth_token.encode(), text.encode(), sha1)).decode()


def status_posts(url: str, message: Mapping[str, str], auth_token: str) -> list[ReportPost]:
    """message: as Twilio's API shows it."""
    last = "undelivered" if message["to"].endswith(UNREACHABLE) else "delivered"
    posts = []
    for status in ("sent", last):
        fields = {
            "AccountSid": message["account_sid"],
            "ApiVersion": "2010-04-01",
            "From": message["from"] or "",
            "MessageSid": message["sid"],
            "MessageStatus": status,
            "SmsSid": message["sid"],
            "SmsStatus": status,
            "To": message["to"],
        }
        if status == "undelivered":
            fields["ErrorCode"] = _UNREACHABLE_CODE
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature(url, fields, auth_token),
        }
        posts.append(ReportPost(url, urlencode(fields).encode(), headers))
    return posts
