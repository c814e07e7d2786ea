"""One exchange with an authority: what can go wrong on the way, as errors of the contract."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from chassis.outbound import HeldBack, NoAnswer, NotSent, OutboundClient, OutboundResponse, RateBound

from fiscal.errors import AuthorityUnavailable, OutcomeUnknown
from fiscal.settings import FiscalSettings


class Transport:
    """The connections to one host of an authority, with its own circuit breaker and bound on the rate of calls. Create
    it inside a running event loop.

    Credentials of a business travel with each request, never with the client. tls: of a host that needs other terms
    than everybody's.
    """

    def __init__(
        self, peer: str, base_url: str, settings: FiscalSettings, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._http = OutboundClient(
            peer,
            base_url,
            timeout=settings.timeout_seconds,
            connect_timeout=settings.connect_timeout_seconds,
            max_body=8 * 1_048_576,
            rate=RateBound(settings.calls_per_second, settings.call_wait_seconds),
            tls=tls,
        )

    async def close(self) -> None:
        await self._http.close()

    async def ask(
        self, operation: str, path: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> OutboundResponse:
        """A request that changes nothing there, by POST where it has data. Any trouble, and any 5xx, is
        AuthorityUnavailable; other answers are returned."""
        method = "GET" if data is None else "POST"
        try:
            answer = await self._http.request(method, path, operation=operation, data=data, headers=headers)
        except HeldBack as error:
            raise AuthorityUnavailable(retry_after=error.retry_after) from None
        except (NotSent, NoAnswer):
            raise AuthorityUnavailable from None
        if answer.status >= 500 or answer.status == 429:
            raise AuthorityUnavailable(retry_after=answer.retry_after)
        return answer

    async def send(
        self, operation: str, path: str, *, data: bytes, headers: Mapping[str, str] | None = None
    ) -> OutboundResponse:
        """A request that issues or cancels. Raises AuthorityUnavailable where it did not leave, OutcomeUnknown where no
        answer came. A 5xx is returned: what it means is the country's to know, OutcomeUnknown if in doubt."""
        try:
            answer = await self._http.request("POST", path, operation=operation, data=data, headers=headers)
        except HeldBack as error:
            raise AuthorityUnavailable(retry_after=error.retry_after) from None
        except NotSent:
            raise AuthorityUnavailable from None
        except NoAnswer:
            raise OutcomeUnknown from None
        if answer.status == 429:
            raise AuthorityUnavailable(retry_after=answer.retry_after)
        return answer
