"""Who exists and who may come in: users, sessions, businesses, branches, memberships."""
