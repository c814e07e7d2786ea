"""`python -m auth new-key`: a fresh signing key, to be put into JWT_SECRET or AUTH_PREVIOUS_JWT_SECRETS."""

from __future__ import annotations

import secrets
import sys
from argparse import Namespace

from chassis.runtime import Tool

from auth.keys.keyring import Keyring, encode_key


def _run(_: Namespace) -> int:
    seed = encode_key(secrets.token_bytes(32))
    sys.stdout.write(f"seed {seed}\nkid  {Keyring(seed).signing_key_id}\n")
    return 0


NEW_KEY = Tool("new-key", "print a fresh Ed25519 seed and the key id under which its public half is published", _run)
