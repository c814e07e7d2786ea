"""The health check of every image: exit code 0 when this container's own `/health/ready` answers 200.

http.client rather than urllib, because a proxy set for the container must not be asked about the loopback interface.
"""

import http.client
import os
import sys

NAME = os.environ["PACKAGE"].rpartition("/")[2].upper()

try:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ[f"{NAME}_HTTP_PORT"]), timeout=4)
    connection.request("GET", "/health/ready")
    answer = connection.getresponse()
    # Shown by `docker inspect`: which of the service's dependencies is missing.
    sys.stdout.write(answer.read(2_000).decode(errors="replace"))
    sys.exit(answer.status != 200)
except (OSError, http.client.HTTPException) as error:
    sys.exit(f"no answer: {error}")
