"""Imports by number, and what each changed, so that one can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COUNTS = ("rows", "imported", "merged", "rejected", "changed", "suppressed")


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("undone_at", _MOMENT, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_changes",
        sa.Column("import_id", sa.Integer(), sa.ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("subscriber_id", sa.Integer(), sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("change", sa.JSON(), nullable=False),
    )
    op.create_index("ix_import_changes_subscriber_id", "import_changes", ["subscriber_id"])
    op.add_column("subscribers", sa.Column("import_id", sa.Integer(), nullable=True))
    op.create_index("ix_subscribers_import_id", "subscribers", ["import_id"])
    # The columns of an export are now several to a field, and what was set aside is kept: they are asked for once more.
    op.execute("DELETE FROM import_mappings")
