"""`python -m auth create-admin --phone +52…`: the first administrator, or another one."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from getpass import getpass

from chassis.runtime import Command, Kit
from chassis.tenancy import everyone
from kernel import CobroError
from pydantic import ValidationError

from auth.administration import service
from auth.app import context
from auth.context import AuthContext
from auth.fields import normalize_phone
from auth.settings import AuthSettings
from auth.users.schemas import RegisterRequest, UserResponse

_REFUSED = 1


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--phone", required=True, help="in E.164 form, such as +525512345678")


def _run(settings: AuthSettings, arguments: Namespace) -> int:
    try:
        user = asyncio.run(_create(settings, _phone(arguments.phone)))
    except CobroError as error:
        details = "; ".join(f"{detail.field} {detail.message}" for detail in error.errors)
        return _refuse(details or error.message)
    except ValidationError as error:
        return _refuse("; ".join(f"{detail['loc'][0]}: {detail['msg']}" for detail in error.errors()))
    except ValueError as error:
        return _refuse(str(error))
    sys.stdout.write(f"{user.id} is an administrator\n")
    return 0


def _phone(value: str) -> str:
    try:
        return normalize_phone(value)
    except ValueError as error:
        raise ValueError(f"the phone {error}") from None


async def _create(settings: AuthSettings, phone: str) -> UserResponse:
    kit = Kit("auth", settings)
    try:
        ctx = context(kit)
        kit.on_close(ctx.passwords.close)
        with everyone():
            return await _promote_or_create(ctx, phone)
    finally:
        await kit.close()


async def _promote_or_create(ctx: AuthContext, phone: str) -> UserResponse:
    promoted = await service.promote(ctx, phone)
    if promoted is not None:
        return promoted
    password = await asyncio.to_thread(_ask_password)
    return await service.create_admin(ctx, RegisterRequest(phone=phone, password=password))


def _ask_password() -> str:
    """From the terminal, twice; or one line of standard input, for whoever keeps it in a vault."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password of the new administrator: ")
    if getpass("Once more: ") != password:
        raise ValueError("the two passwords differ")
    return password


def _refuse(reason: str) -> int:
    sys.stderr.write(f"create-admin: {reason}\n")
    return _REFUSED


CREATE_ADMIN = Command(
    "create-admin",
    "make a user an administrator; the password of one who does not exist yet is asked for",
    _run,
    _arguments,
)
