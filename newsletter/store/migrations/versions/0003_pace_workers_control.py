"""How fast providers may be called, who is at work, when a batch may go, and what came back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaigns") as campaigns:
        campaigns.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
        campaigns.add_column(sa.Column("paused_why", sa.Text(), nullable=False, server_default=""))
        campaigns.add_column(sa.Column("winner", sa.String(length=1), nullable=False, server_default=""))
        campaigns.add_column(sa.Column("pick_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("campaigns") as campaigns:
        campaigns.alter_column("paused_why", server_default=None)
        campaigns.alter_column("winner", server_default=None)

    with op.batch_alter_table("batches") as batches:
        batches.add_column(sa.Column("arm", sa.String(length=1), nullable=False, server_default=""))
        batches.add_column(sa.Column("worker", sa.String(length=100), nullable=False, server_default=""))
        batches.add_column(sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True))
        batches.create_index(batches.f("ix_batches_campaign_id_ready_at"), ["campaign_id", "ready_at"])
    with op.batch_alter_table("batches") as batches:
        batches.alter_column("arm", server_default=None)
        batches.alter_column("worker", server_default=None)
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
    with op.batch_alter_table("events") as events:
        events.create_index(events.f("ix_events_delivery_id"), ["delivery_id"])
