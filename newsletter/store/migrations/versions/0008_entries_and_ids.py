"""Entries of feeds that were seen, by their own ids; and the ids under which readers' programs know what is public."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_entries",
        sa.Column("feed", sa.Text(), primary_key=True),
        sa.Column("guid", sa.String(64), primary_key=True),
        sa.Column("slug", sa.String(200), nullable=False),
    )
    op.create_table(
        "public_ids",
        sa.Column("key", sa.String(500), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Date(), nullable=True),
    )
