from chassis.database.migrations import run_env
from notifications.base import Base
from notifications.messages import models as messages
from notifications.preferences import models as preferences

# Imported for their tables, which register with Base.
assert {messages.Notification.__tablename__, preferences.Preference.__tablename__} <= set(Base.metadata.tables)

run_env(Base.metadata)
