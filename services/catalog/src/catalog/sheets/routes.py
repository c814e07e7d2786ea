"""REST: /api/v1/products/import and /api/v1/products/export."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import Annotated, Final
from uuid import UUID

from chassis.http.app import Caller
from chassis.http.idempotency import KeyHeader, answer_response, checked_key, scope_of
from chassis.http.schemas import Data, ErrorBody, Text
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from catalog.context import Ctx
from catalog.sheets import errors, exporting, importing
from catalog.sheets.columns import Language
from catalog.sheets.schemas import CSV_ANSWER, FILE, ImportOut

router = APIRouter(prefix="/api/v1/products", tags=["products"])

IMPORT_PATH: Final = "/api/v1/products/import"
MAX_BODY: Final = 16 << 20
_IN_MEMORY: Final = 1 << 20


@router.post(
    "/import",
    status_code=201,
    response_model=Data[ImportOut],
    responses={415: {"model": ErrorBody, "description": "No text/csv"}},
    openapi_extra=FILE,
)
async def import_products(
    request: Request,
    caller: Caller,
    ctx: Ctx,
    business_id: Annotated[UUID, Query(alias="businessId")],
    branch_id: Annotated[
        UUID | None, Query(alias="branchId", description="Where the stock lies; the first branch when left out")
    ] = None,
    key: KeyHeader = None,
) -> Response:
    """A catalogue from a CSV file of at most 100,000 products: every row, or none and what is wrong by line. Rows are
    matched by id, then by sku. Columns that the file does not have stay as they are."""
    key = checked_key(key)
    target = await importing.admit(ctx, caller, business_id, branch_id)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "text/csv":
        raise errors.not_csv()
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        digest = sha256(f"{business_id}?{branch_id}\n".encode())
        async for piece in request.stream():
            digest.update(piece)
            await asyncio.to_thread(file.write, piece)
        scope = scope_of(request, key, caller.user_id, digest.digest())
        return answer_response(await importing.import_products(ctx, caller, scope, target, file))


@router.get("/export", response_class=StreamingResponse, responses={200: CSV_ANSWER})
async def export_products(
    caller: Caller,
    ctx: Ctx,
    business_id: Annotated[UUID, Query(alias="businessId")],
    branch_id: Annotated[
        UUID | None, Query(alias="branchId", description="Whose stock is shown; that of all branches when left out")
    ] = None,
    category: Annotated[Text | None, Query()] = None,
    language: Annotated[Language, Query(description="Of the header")] = Language.ES,
) -> StreamingResponse:
    """The catalogue as a CSV file that a spreadsheet opens and the import reads."""
    pages = await exporting.export_products(ctx, caller, business_id, branch_id, category, language)
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return StreamingResponse(pages, media_type="text/csv; charset=utf-8", headers=headers)
