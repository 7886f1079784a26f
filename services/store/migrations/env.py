"""What Alembic runs: the revisions that are missing, in the transaction that upgrade.py has begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
