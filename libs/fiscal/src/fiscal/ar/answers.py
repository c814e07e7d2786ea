"""What WSAA and WSFEv1 answer, read. Runs in the workshop. Raises OutcomeUnknown for what is no answer of theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from lxml import etree

from fiscal.ar.answer_shapes import Consulted, Decision, Last, Login
from fiscal.errors import Message, OutcomeUnknown

# Of the document as it was sent, what tells it from another one under the same number.
_IDENTITY = (
    "Concepto",
    "DocTipo",
    "DocNro",
    "CbteDesde",
    "CbteHasta",
    "CbteFch",
    "ImpTotal",
    "ImpTotConc",
    "ImpNeto",
    "ImpOpEx",
    "ImpIVA",
)


def login(body: bytes) -> Login:
    root = _parsed(body)
    fault = _fault(root)
    if fault is not None:
        return Login(fault=fault)
    ticket = _parsed(_text(root, "loginCmsReturn").encode())
    token, sign, until = (_text(ticket, name) for name in ("token", "sign", "expirationTime"))
    try:
        expires_at = datetime.fromisoformat(until)
    except ValueError:
        raise OutcomeUnknown("answer_unreadable") from None
    if not token or not sign or expires_at.tzinfo is None:
        raise OutcomeUnknown("answer_unreadable")
    return Login(token, sign, expires_at.astimezone(UTC))


def last(body: bytes) -> Last:
    result = _result(body, "FECompUltimoAutorizadoResult")
    errors = _messages(result, "Err")
    number = _text(result, "CbteNro")
    if not number.isdigit() and not errors:
        raise OutcomeUnknown("answer_unreadable")
    return Last(None if errors else int(number), errors)


def decision(body: bytes) -> Decision:
    result = _result(body, "FECAESolicitarResult")
    details = _all(result, "FECAEDetResponse")
    notes = _messages(result, "Obs")
    errors = _messages(result, "Err")
    if not details:
        # What the head says of a request that got no further.
        if not errors:
            raise OutcomeUnknown("answer_unreadable")
        return Decision(_text(result, "Resultado"), "", None, notes, errors)
    return Decision(
        _text(details[0], "Resultado"), _text(details[0], "CAE"), _day(_text(details[0], "CAEFchVto")), notes, errors
    )


def consulted(body: bytes, prepared: bytes) -> Consulted:
    result = _result(body, "FECompConsultarResult")
    errors = _messages(result, "Err")
    there = _all(result, "ResultGet")
    if not there:
        if not errors:
            raise OutcomeUnknown("answer_unreadable")
        return Consulted(False, False, "", None, (), errors)
    sent = _all(_parsed(prepared), "FECAEDetRequest")[0]
    same = all(_equal(_text(there[0], name), _text(sent, name)) for name in _IDENTITY)
    cae = _text(there[0], "CodAutorizacion")
    return Consulted(True, same, cae, _day(_text(there[0], "FchVto")), _messages(there[0], "Obs"), errors)


def _parsed(body: bytes) -> etree._Element:
    if b"<!DOCTYPE" in body:
        raise OutcomeUnknown("answer_unreadable")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise OutcomeUnknown("answer_unreadable") from None


def _result(body: bytes, name: str) -> etree._Element:
    """Raises OutcomeUnknown for a SOAP fault too: it does not say what became of the request."""
    found = _all(_parsed(body), name)
    if not found:
        raise OutcomeUnknown("answer_unreadable")
    return found[0]


def _fault(root: etree._Element) -> Message | None:
    if not _all(root, "Fault"):
        return None
    # ns1:coe.alreadyAuthenticated
    return Message(_text(root, "faultcode").rpartition(":")[2][:100], _text(root, "faultstring")[:500])


def _messages(root: etree._Element, tag: str) -> tuple[Message, ...]:
    return tuple(Message(_text(item, "Code")[:20], _text(item, "Msg")[:500]) for item in _all(root, tag))


def _all(root: etree._Element, tag: str) -> list[etree._Element]:
    return [item for item in root.iter(f"{{*}}{tag}") if isinstance(item, etree._Element)]


def _text(root: etree._Element, tag: str) -> str:
    """Of the first such element; empty where there is none."""
    found = _all(root, tag)
    return (found[0].text or "").strip() if found else ""


def _day(value: str) -> date | None:
    try:
        return datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 - a day of theirs
    except ValueError:
        return None


def _equal(one: str, other: str) -> bool:
    """As numbers where both are: 179 is 179.00."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return one == other
