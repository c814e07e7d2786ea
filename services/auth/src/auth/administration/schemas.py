"""Requests about administering users."""

from __future__ import annotations

from chassis.auth import Role
from chassis.http.schemas import RequestModel


class RoleChange(RequestModel):
    role: Role
