"""What Alembic runs: the revisions that are missing, in the transaction that upgrade.py has begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
