from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from chassis.auth import Access, Permission
from chassis.database import Database
from chassis.database.idempotency import Idempotency
from chassis.http.app import Caller, context_of
from chassis.http.idempotency import IdempotencyKey, answer_response
from chassis.http.pagination import Paging, as_page, fetch_page
from chassis.http.schemas import Data, Page, RequestModel, ResponseModel, Text
from chassis.runtime import Kit, Service
from chassis.settings import ServiceSettings
from chassis.tenancy import everyone
from chassis.testing.service import ServiceUnderTest, running_service
from fastapi import APIRouter
from kernel import NotFound, new_id
from pydantic_settings import SettingsConfigDict
from sqlalchemy import Column, DateTime, MetaData, Table, Uuid, func, select
from sqlalchemy import Text as SqlText
from starlette.responses import Response

notes = Table(
    "notes",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("text", SqlText, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
accounts = Table(
    "accounts",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("business_id", Uuid, nullable=False),
    Column("label", SqlText, nullable=False),
)


class ProbeSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PROBE_", extra="ignore", frozen=True, env_file=None)


@dataclass(frozen=True)
class ProbeContext:
    database: Database
    idempotency: Idempotency
    access: Access


class NoteIn(RequestModel):
    text: Text
    business_id: UUID | None = None


class AccountIn(RequestModel):
    business_id: UUID


class AccountOut(ResponseModel):
    id: UUID


class NoteOut(ResponseModel):
    id: UUID
    text: str


Ctx = Annotated[ProbeContext, context_of(ProbeContext)]
router = APIRouter(tags=["notes"])


@router.post("/notes", response_model=Data[NoteOut], status_code=201)
async def create_note(body: NoteIn, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    if body.business_id is not None:
        await ctx.access.require(caller, body.business_id, Permission.MANAGE)

    async def work(unit: Any) -> Data[NoteOut]:
        note = NoteOut(id=new_id(), text=body.text)
        await unit.session.execute(notes.insert().values(id=note.id, text=note.text))
        if body.text == "missing":
            raise NotFound("No such thing")
        return Data(data=note)

    return answer_response(await ctx.idempotency.run(key, work))


@router.get("/notes")
async def list_notes(caller: Caller, ctx: Ctx, paging: Paging, text: str) -> Page[NoteOut]:
    async with ctx.database.read() as session:
        statement = select(notes.c.id, notes.c.text).where(notes.c.text == text)
        found = await fetch_page(session, statement, paging, created_at=notes.c.created_at, id=notes.c.id)
    return as_page(found, lambda row: NoteOut(id=row.id, text=row.text))


@router.post("/accounts", response_model=Data[AccountOut], status_code=201)
async def open_account(body: AccountIn, caller: Caller, ctx: Ctx, key: IdempotencyKey) -> Response:
    """Somebody forgot to ask whether the caller may."""

    async def work(unit: Any) -> Data[AccountOut]:
        account = AccountOut(id=new_id())
        await unit.session.execute(accounts.insert().values(id=account.id, business_id=body.business_id, label="till"))
        return Data(data=account)

    return answer_response(await ctx.idempotency.run(key, work))


@router.get("/accounts")
async def list_accounts(caller: Caller, ctx: Ctx) -> Data[list[AccountOut]]:
    visible = await ctx.access.visible(caller, None)
    statement = select(accounts.c.id).order_by(accounts.c.id.desc()).limit(100)
    if visible is not None:
        statement = statement.where(accounts.c.business_id.in_(visible))
    async with ctx.database.read() as session:
        return Data(data=[AccountOut(id=row.id) for row in await session.execute(statement)])


@router.get("/accounts/{account_id}")
async def show_account(account_id: UUID, caller: Caller, ctx: Ctx) -> Data[AccountOut]:
    async def find() -> UUID:
        async with ctx.database.read() as session:
            row = (await session.execute(select(accounts).where(accounts.c.id == account_id))).first()
        if row is None:
            raise NotFound("Account not found", code="account_not_found")
        business_id: UUID = row.business_id
        return business_id

    business_id = await ctx.access.find(caller, find)
    await ctx.access.require(caller, business_id, Permission.READ)
    return Data(data=AccountOut(id=account_id))


@router.get("/public-accounts")
async def all_accounts(ctx: Ctx) -> Data[int]:
    """A public route that opens no scope."""
    async with ctx.database.read() as session:
        return Data(data=(await session.execute(select(func.count()).select_from(accounts))).scalar_one())


@router.get("/broken")
async def broken() -> None:
    raise LookupError("a bug")


async def build(kit: Kit[ProbeSettings]) -> Service:
    return Service(context=ProbeContext(kit.database, kit.idempotency, kit.access), routers=[router])


@pytest.fixture(scope="session")
async def probe() -> AsyncIterator[ServiceUnderTest]:
    """A service of one table, standing on everything the chassis gives."""
    migrations = Path(__file__).parent / "migrations"
    async with running_service("probe", ProbeSettings, build, migrations=migrations) as service:
        yield service


@pytest.fixture
def as_everyone() -> Iterator[None]:
    with everyone():
        yield


@pytest.fixture(scope="session")
def database(probe: ServiceUnderTest) -> Database:
    return probe.kit.database
