"""The words on a Z-report, per language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chassis.localization import Language

from sales.cash_sessions.status import ExceptionCode


@dataclass(frozen=True, slots=True)
class Labels:
    """`count` takes the number of operations; `page` the page and the number of pages; the exceptions `amount`,
    `tolerance`, `count` and `till`."""

    report: str
    number: str
    branch: str
    register: str
    day: str
    opened: str
    closed: str
    opened_by: str
    closed_by: str
    drawer: str
    opening: str
    cash_sales: str
    cash_refunds: str
    cash_in: str
    cash_out: str
    expected: str
    counted: str
    difference: str
    tolerance: str
    sales: str
    refunds: str
    none: str
    total: str
    cashiers: str
    denominations: str
    pieces: str
    exceptions: str
    approval: str
    notes: str
    cashier_signature: str
    owner_signature: str
    not_cash: str
    page: str
    methods: Mapping[str, str]
    odd: Mapping[ExceptionCode, str]


_LABELS: Mapping[Language, Labels] = MappingProxyType(
    {
        Language.ES: Labels(
            report="Corte Z",
            number="Folio",
            branch="Sucursal",
            register="Caja",
            day="Día de operación",
            opened="Apertura",
            closed="Cierre",
            opened_by="Abrió",
            closed_by="Cerró",
            drawer="Efectivo en caja",
            opening="Fondo inicial",
            cash_sales="Ventas en efectivo",
            cash_refunds="Devoluciones en efectivo",
            cash_in="Entradas de efectivo",
            cash_out="Salidas de efectivo",
            expected="Esperado",
            counted="Contado",
            difference="Diferencia",
            tolerance="Tolerancia",
            sales="Ventas por forma de pago",
            refunds="Devoluciones por forma de pago",
            none="Sin movimientos",
            total="Total",
            cashiers="Por cajero",
            denominations="Conteo",
            pieces="piezas",
            exceptions="Observaciones",
            approval="La diferencia necesita la autorización del dueño.",
            notes="Notas",
            cashier_signature="Firma de quien cierra",
            owner_signature="Firma de quien revisa",
            not_cash="Lo que no se pagó en efectivo es informativo y no está en la caja.",
            page="Página {page} de {pages}",
            methods={
                "CASH": "Efectivo",
                "QR_STATIC": "Código QR fijo",
                "QR_DYNAMIC": "Código QR",
                "PAYMENT_LINK": "Enlace de pago",
                "BANK_TRANSFER": "Transferencia",
            },
            odd={
                ExceptionCode.DIFFERENCE: "Diferencia de {amount}, mayor que la tolerancia de {tolerance}.",
                ExceptionCode.NEGATIVE_EXPECTED: "Salió más efectivo del que había: el saldo llegó a {amount}.",
                ExceptionCode.PENDING_SALES: "Ventas con el pago pendiente al cierre: {count}.",
                ExceptionCode.MISSING_SALES: "Ventas sin conexión que la terminal {till} aún no envía: {count}.",
            },
        ),
        Language.PT: Labels(
            report="Redução Z",
            number="Número",
            branch="Filial",
            register="Caixa",
            day="Dia de operação",
            opened="Abertura",
            closed="Fechamento",
            opened_by="Abriu",
            closed_by="Fechou",
            drawer="Dinheiro em caixa",
            opening="Fundo de troco",
            cash_sales="Vendas em dinheiro",
            cash_refunds="Devoluções em dinheiro",
            cash_in="Suprimentos",
            cash_out="Sangrias",
            expected="Esperado",
            counted="Contado",
            difference="Diferença",
            tolerance="Tolerância",
            sales="Vendas por forma de pagamento",
            refunds="Devoluções por forma de pagamento",
            none="Sem movimentos",
            total="Total",
            cashiers="Por operador",
            denominations="Contagem",
            pieces="unidades",
            exceptions="Observações",
            approval="A diferença precisa da autorização do proprietário.",
            notes="Notas",
            cashier_signature="Assinatura de quem fecha",
            owner_signature="Assinatura de quem confere",
            not_cash="O que não foi pago em dinheiro é informativo e não está no caixa.",
            page="Página {page} de {pages}",
            methods={
                "CASH": "Dinheiro",
                "QR_STATIC": "Código QR fixo",
                "QR_DYNAMIC": "Código QR",
                "PAYMENT_LINK": "Link de pagamento",
                "BANK_TRANSFER": "Transferência",
            },
            odd={
                ExceptionCode.DIFFERENCE: "Diferença de {amount}, maior que a tolerância de {tolerance}.",
                ExceptionCode.NEGATIVE_EXPECTED: "Saiu mais dinheiro do que havia: o saldo chegou a {amount}.",
                ExceptionCode.PENDING_SALES: "Vendas com o pagamento pendente no fechamento: {count}.",
                ExceptionCode.MISSING_SALES: "Vendas offline que o terminal {till} ainda não enviou: {count}.",
            },
        ),
        Language.EN: Labels(
            report="Z-report",
            number="Number",
            branch="Branch",
            register="Register",
            day="Business day",
            opened="Opened",
            closed="Closed",
            opened_by="Opened by",
            closed_by="Closed by",
            drawer="Cash in the drawer",
            opening="Opening float",
            cash_sales="Cash sales",
            cash_refunds="Cash refunds",
            cash_in="Cash in",
            cash_out="Cash out",
            expected="Expected",
            counted="Counted",
            difference="Difference",
            tolerance="Tolerance",
            sales="Sales by method",
            refunds="Refunds by method",
            none="None",
            total="Total",
            cashiers="By cashier",
            denominations="Count",
            pieces="pieces",
            exceptions="Exceptions",
            approval="The difference needs the owner's approval.",
            notes="Notes",
            cashier_signature="Signature: closed by",
            owner_signature="Signature: reviewed by",
            not_cash="What was not paid in cash is for information and does not lie in the drawer.",
            page="Page {page} of {pages}",
            methods={
                "CASH": "Cash",
                "QR_STATIC": "Static QR code",
                "QR_DYNAMIC": "QR code",
                "PAYMENT_LINK": "Payment link",
                "BANK_TRANSFER": "Bank transfer",
            },
            odd={
                ExceptionCode.DIFFERENCE: "A difference of {amount}, above the tolerance of {tolerance}.",
                ExceptionCode.NEGATIVE_EXPECTED: "More cash went out than there was: the balance fell to {amount}.",
                ExceptionCode.PENDING_SALES: "Sales whose payment was open at closing: {count}.",
                ExceptionCode.MISSING_SALES: "Offline sales that the till {till} has not sent yet: {count}.",
            },
        ),
    }
)


def labels_of(language: Language) -> Labels:
    return _LABELS[language]
