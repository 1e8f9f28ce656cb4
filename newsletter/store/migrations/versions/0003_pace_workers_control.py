"""How fast providers may be called, who is at work, when a batch may go, and what came back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Added in place: SQLite would copy these tables for anything more, which the rows that refer to them forbid.
    op.add_column("campaigns", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaigns", sa.Column("paused_why", sa.Text(), nullable=False, server_default=""))
    op.add_column("campaigns", sa.Column("winner", sa.String(length=1), nullable=False, server_default=""))
    op.add_column("campaigns", sa.Column("pick_at", sa.DateTime(timezone=True), nullable=True))

    op.add_column("batches", sa.Column("arm", sa.String(length=1), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("worker", sa.String(length=100), nullable=False, server_default=""))
    op.add_column("batches", sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_batches_campaign_id_ready_at"), "batches", ["campaign_id", "ready_at"])
    op.execute(
        "UPDATE batches SET ready_at = (SELECT created_at FROM campaigns WHERE campaigns.id = batches.campaign_id)"
        " WHERE EXISTS (SELECT 1 FROM deliveries WHERE deliveries.campaign_id = batches.campaign_id"
        " AND deliveries.batch = batches.number AND deliveries.state = 'pending')"
    )

    op.create_table(
        "paces",
        sa.Column("provider", sa.String(length=100), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_paces")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=100), nullable=False),
        sa.Column("event", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_events_delivery_id_deliveries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("provider", "event", name=op.f("uq_events_provider_event")),
    )
    op.create_index(op.f("ix_events_delivery_id"), "events", ["delivery_id"])
