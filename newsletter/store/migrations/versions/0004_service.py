"""What the public service needs: choices, requests, webhooks as they came, keys, and calls to others."""

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # SQLite takes a table's numbering only when the table is made; the numbers in links must never be given twice.
    anew: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("subscribers", table_kwargs={"sqlite_autoincrement": True}, recreate=anew) as table:
        table.add_column(sa.Column("attributes", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("frequency", sa.String(length=10), nullable=False, server_default=""))
        table.add_column(sa.Column("paused_until", _MOMENT, nullable=True))
    op.create_table(
        "tags",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_tags_subscriber_id_subscribers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "tag", name=op.f("pk_tags")),
    )
    op.create_index(op.f("ix_tags_tag"), "tags", ["tag"])

    _flag("consents")
    with op.batch_alter_table("suppressions") as table:
        table.drop_constraint("uq_suppressions_address_hash", type_="unique")
        table.drop_constraint("uq_suppressions_email", type_="unique")
        table.add_column(sa.Column("list", sa.String(length=100), nullable=False, server_default=""))
        table.create_unique_constraint("uq_suppressions_address_hash_list", ["address_hash", "list"])
        table.create_index(op.f("ix_suppressions_email"), ["email"])
    _flag("suppressions")

    op.add_column("events", sa.Column("machine", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=100), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index(op.f("ix_webhooks_received_at"), "webhooks", ["received_at"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    for column in ("address", "created_at", "due_at"):
        op.create_index(op.f(f"ix_notices_{column}"), "notices", [column])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_api_tokens_name")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
    )
    op.create_table(
        "hook_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hook", sa.String(length=100), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_calls")),
        sa.UniqueConstraint("identity", name=op.f("uq_hook_calls_identity")),
    )
    op.create_index(op.f("ix_hook_calls_due_at"), "hook_calls", ["due_at"])


def _flag(table: str) -> None:
    """A mark on the rows that others have yet to be told of, with an index of the marked ones alone."""
    op.add_column(table, sa.Column("tell", sa.Boolean(), nullable=False, server_default=sa.false()))
    where = sa.text("tell")
    op.create_index(op.f(f"ix_{table}_tell"), table, ["tell"], sqlite_where=where, postgresql_where=where)
