"""What people do to keep conversations in order, and how each of them is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

FLAGS = ("pinned", "archived", "named", "deleted")


def upgrade() -> None:
    for name in ("pinned", "folder", "archived", "named", "manner", "deleted"):
        kind, usual = (sa.Boolean, sa.false()) if name in FLAGS else (sa.Text, "")
        op.add_column("conversations", sa.Column(name, kind, nullable=False, server_default=usual))
