"""The Z-report as PDF: what it says, in every language and size, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from chassis.localization import Formatter, Language
from chassis.pdf.thread import Format
from kernel import Country
from sales.z_reports.content import Content, content_of
from sales.z_reports.document import ZReport
from sales.z_reports.labels import labels_of
from sales.z_reports.renderer import render

ANA = UUID("0190a7c0-0000-7000-8000-00000000a0aa")
BETO = UUID("0190a7c0-0000-7000-8000-00000000be70")


def make_report(**changes: Any) -> ZReport:
    totals = [
        ("OPENING", "CASH", ANA, "500.00", 1),
        ("SALE", "CASH", ANA, "1250.50", 9),
        ("SALE", "CASH", BETO, "310.00", 2),
        ("SALE", "QR_DYNAMIC", ANA, "899.00", 3),
        ("REFUND", "CASH", BETO, "-75.25", 1),
        ("IN", "CASH", ANA, "200.00", 1),
        ("OUT", "CASH", ANA, "-1000.00", 1),
    ]
    names = ("kind", "method", "cashier", "amount", "count")
    values = {
        "session_id": UUID("0190a7c0-0000-7000-8000-000000abcdef"),
        "business": "Abarrotes Lupita & Hijos <México>",
        "branch": "Centro",
        "drawer": "Caja 1",
        "country": "MX",
        "currency": "MXN",
        "time_zone": "America/Mexico_City",
        "business_day": date(2026, 1, 15),
        "opened_at": datetime(2026, 1, 15, 15, tzinfo=UTC),
        "opened_by": ANA,
        "closed_at": datetime(2026, 1, 16, 8, 30, tzinfo=UTC),
        "closed_by": BETO,
        "opening": "500.00",
        "expected": "1185.25",
        "counted": "1150.00",
        "pieces": {"500": 2, "100": 1, "50": 1},
        "difference": "-35.25",
        "tolerance": "20.00",
        "needs_approval": True,
        "notes": "Faltó cambio 🪙",
        "totals": [dict(zip(names, total, strict=True)) for total in totals],
        "exceptions": [
            {"code": "DIFFERENCE", "amount": "-35.25", "tolerance": "20.00"},
            {"code": "NEGATIVE_EXPECTED", "amount": "-12.00"},
            {"code": "PENDING_SALES", "count": 2},
            {"code": "MISSING_SALES", "count": 3, "till": "caja-1"},
        ],
        **changes,
    }
    return ZReport.model_validate(values)


def content(language: Language = Language.ES, **changes: Any) -> Content:
    report = make_report(**changes)
    return content_of(report, labels_of(language), Formatter(language, Country(report.country)))


def rows(of: Content, title: str) -> dict[str, str]:
    section = next(section for section in of.sections if section.title == title)
    return {row.label: row.value for row in section.rows}


def test_it_says_what_the_closing_said() -> None:
    said = content()
    assert said.number == "Z-20260115-ABCDEF"
    assert rows(said, "Efectivo en caja") == {
        "Fondo inicial": "$500.00",
        "Ventas en efectivo": "$1,560.50",
        "Devoluciones en efectivo": "-$75.25",
        "Entradas de efectivo": "$200.00",
        "Salidas de efectivo": "-$1,000.00",
        "Esperado": "$1,185.25",
        "Contado": "$1,150.00",
        "Diferencia": "-$35.25",
        "Tolerancia": "$20.00",
    }
    assert rows(said, "Conteo") == {
        "$500.00 × 2": "$1,000.00",
        "$100.00 × 1": "$100.00",
        "$50.00 × 1": "$50.00",
        "Total": "$1,150.00",
    }
    assert rows(said, "Ventas por forma de pago") == {
        "Efectivo (11)": "$1,560.50",
        "Código QR (3)": "$899.00",
        "Total": "$2,459.50",
    }
    assert rows(said, "Por cajero") == {"#00A0AA (12)": "$2,149.50", "#00BE70 (2)": "$234.75"}
    assert said.remarks == [
        "Diferencia de -$35.25, mayor que la tolerancia de $20.00.",
        "Salió más efectivo del que había: el saldo llegó a -$12.00.",
        "Ventas con el pago pendiente al cierre: 2.",
        "Ventas sin conexión que la terminal caja-1 aún no envía: 3.",
        "La diferencia necesita la autorización del dueño.",
        "Notas: Faltó cambio 🪙",
    ]


@pytest.mark.parametrize("layout", list(Format))
@pytest.mark.parametrize("language", list(Language))
def test_the_same_bytes_each_time(layout: Format, language: Language) -> None:
    first = render(make_report(), layout, language)
    assert first.startswith(b"%PDF-")
    assert render(make_report(), layout, language) == first


def test_a_day_without_a_sale_and_sums_beyond_an_amount() -> None:
    bare = {"totals": [], "exceptions": [], "pieces": None, "notes": None, "needs_approval": False}
    beyond = content(expected="90000000000000000.00", **bare)
    assert rows(beyond, "Efectivo en caja")["Esperado"] == "MXN 90000000000000000.00"
    assert rows(beyond, "Ventas por forma de pago") == {"Sin movimientos": ""}
    assert beyond.remarks == []
    report = make_report(country="CL", currency="CLP", opening="0", expected="0", counted="0", difference="0", **bare)
    assert render(report, Format.A4, Language.PT).startswith(b"%PDF-")
