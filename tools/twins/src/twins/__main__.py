"""`python -m twins`: every twin on one port, configured by TWINS_*."""

from __future__ import annotations

import logging

import uvicorn

from twins.app import create_app
from twins.settings import TwinsSettings


def main() -> None:
    settings = TwinsSettings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        access_log=False,
        log_config=None,
        # A call that is held back by a fault must not hold the process back too.
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
    )


if __name__ == "__main__":
    main()
