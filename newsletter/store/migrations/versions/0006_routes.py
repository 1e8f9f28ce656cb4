"""Where calls went and when; one copy of an issue for a person; what a campaign's messages carry."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COPY = sa.text("issue IS NOT NULL AND state NOT IN ('refused', 'withheld')")


def upgrade() -> None:
    # Added in place: SQLite would copy these tables for anything more, which may be of millions of rows.
    op.add_column("campaigns", sa.Column("paused_itself", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("campaigns", sa.Column("canceled_at", _MOMENT, nullable=True))
    op.add_column("campaigns", sa.Column("starts_at", _MOMENT, nullable=True))
    op.add_column("campaigns", sa.Column("marked", sa.Boolean(), nullable=False, server_default=sa.false()))

    op.add_column("batches", sa.Column("provider", sa.String(length=100), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("route", sa.Text(), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("called_at", _MOMENT, nullable=True))
    op.add_column("batches", sa.Column("asked_at", _MOMENT, nullable=True))
    op.execute(
        "UPDATE batches SET called_at = claimed_at, provider ="
        " (SELECT provider FROM campaigns WHERE campaigns.id = batches.campaign_id) WHERE attempts > 0"
    )
    op.drop_index("ix_batches_campaign_id_ready_at", "batches")
    op.create_index("ix_batches_campaign_id_ready_at_number", "batches", ["campaign_id", "ready_at", "number"])

    # Campaigns of earlier releases keep a null: where two of them raced, a person may have two copies.
    op.add_column("deliveries", sa.Column("issue", sa.String(length=200), nullable=True))
    op.create_index(
        "uq_deliveries_issue_subscriber_id",
        "deliveries",
        ["issue", "subscriber_id"],
        unique=True,
        sqlite_where=_COPY,
        postgresql_where=_COPY,
    )

    op.add_column("paces", sa.Column("why", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE events SET type = 'dropped' WHERE type = 'failed'")
