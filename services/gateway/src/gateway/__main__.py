"""`python -m gateway serve | worker | all`."""

from chassis.runtime import main

from gateway.app import build
from gateway.settings import GatewaySettings

if __name__ == "__main__":
    main("gateway", GatewaySettings, build)
