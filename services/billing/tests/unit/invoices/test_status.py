from billing.invoices.status import TRANSITIONS, InvoiceStatus, sources_of


def test_every_status_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(InvoiceStatus)


def test_an_issued_document_never_goes_back() -> None:
    assert sources_of(InvoiceStatus.ISSUED) == {InvoiceStatus.PENDING}
    assert sources_of(InvoiceStatus.PENDING) == {InvoiceStatus.FAILED}
    assert TRANSITIONS[InvoiceStatus.CANCELED] == frozenset()
