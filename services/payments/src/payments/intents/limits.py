"""How much a single payment may be: per currency, and less for a merchant of whom less is known."""

from __future__ import annotations

from kernel import Country, Currency, Money

from payments.settings import PaymentsSettings


def limit_of(settings: PaymentsSettings, country: Country, currency: Currency, kyc_level: int | None) -> Money:
    """kyc_level: of the caller's token; None where the caller is a service of ours, or an administrator."""
    most = settings.max_amounts[currency]
    known = None if kyc_level is None else settings.kyc_limits.get((country, kyc_level))
    return most if known is None else min(most, known)
