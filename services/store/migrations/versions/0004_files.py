"""The attached files that a conversation refers to, and the messages that wait until its answer has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("queue", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "files",
        sa.Column("conversation", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("hash", sa.Text, primary_key=True),
    )
