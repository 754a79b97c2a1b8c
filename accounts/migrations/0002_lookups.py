from django.db import migrations

from accounts.tenancy.lookups import create_lookup


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        create_lookup(
            name="portal_memberships_of",
            arguments="person uuid",
            returns="TABLE (tenant_id uuid, tenant_name varchar, tenant_kind varchar, role varchar)",
            body="""
                SELECT t.id, t.name, t.kind, m.role FROM accounts_membership m JOIN accounts_tenant t ON t.id = m.tenant_id
                WHERE m.person_id = person AND (m.ends_at IS NULL OR m.ends_at > now()) ORDER BY t.name, t.id
            """,
            reads=["accounts_membership", "accounts_tenant"],
        ),
        create_lookup(
            name="portal_tenant_by_slug",
            arguments="wanted varchar",
            returns="uuid",
            body="SELECT id FROM accounts_tenant WHERE slug = wanted",
            reads=["accounts_tenant"],
        ),
        create_lookup(
            name="portal_invitation_tenant",
            arguments="digest bytea",
            returns="uuid",
            body="SELECT tenant_id FROM accounts_invitation WHERE token_digest = digest",
            reads=["accounts_invitation"],
        ),
    ]
