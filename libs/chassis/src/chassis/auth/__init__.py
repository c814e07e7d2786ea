"""Who is calling, and what they may do. Every service checks for itself; passing the gateway by gains nothing."""

from chassis.auth.access import Access, Permission
from chassis.auth.principal import BusinessRole, Membership, Principal, Role
from chassis.auth.tokens import TokenVerifier

__all__ = ["Access", "BusinessRole", "Membership", "Permission", "Principal", "Role", "TokenVerifier"]
