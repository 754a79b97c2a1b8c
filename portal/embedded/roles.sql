-- The roles of Surety's database and what each may do. Run as a superuser inside the portal's database, again at
-- will: it changes only what differs. Read by psql (docker-compose mounts it) and by portal.embedded alike, so it
-- holds no psql command and no parameter. Passwords arrive as settings of the session, surety.password_migrate,
-- _app, _worker, _sealer, _auditor and _auditlog, and never stand in a statement.

DO $roles$
DECLARE
    login text;
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['portal_owner', 'portal_lookup', 'portal_migrate', 'portal_app', 'portal_worker',
                                'portal_sealer', 'portal_auditor', 'portal_auditlog'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;
        EXECUTE format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOLOGIN', role);
    END LOOP;
    FOREACH login IN ARRAY ARRAY['migrate', 'app', 'worker', 'sealer', 'auditor', 'auditlog'] LOOP
        IF coalesce(current_setting('surety.password_' || login, true), '') = '' THEN
            RAISE EXCEPTION 'surety.password_% is not set', login;
        END IF;
        EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', 'portal_' || login,
                       current_setting('surety.password_' || login));
    END LOOP;
END
$roles$;

-- Migrations act as the owner, so that every table is the owner's and gets the default privileges below.
GRANT portal_owner TO portal_migrate;
ALTER ROLE portal_migrate SET role = 'portal_owner';
ALTER ROLE portal_migrate SET lock_timeout = '10s';

-- portal_lookup owns the few SECURITY DEFINER functions that answer before a tenant is known. It cannot log in.
GRANT portal_lookup TO portal_owner WITH INHERIT FALSE, SET TRUE;
GRANT portal_lookup TO portal_migrate WITH INHERIT FALSE, SET TRUE;

-- The portal asks many short questions. A plan that looks dear because it recurses (a page of the audit log) would be
-- compiled for half a second to run for ten milliseconds.
ALTER ROLE portal_app SET jit = off;
ALTER ROLE portal_worker SET jit = off;
ALTER ROLE portal_sealer SET jit = off;
ALTER ROLE portal_auditor SET jit = off;

ALTER ROLE portal_app SET statement_timeout = '30s';
ALTER ROLE portal_app SET idle_in_transaction_session_timeout = '15s';
ALTER ROLE portal_worker SET statement_timeout = '30s';
ALTER ROLE portal_worker SET idle_in_transaction_session_timeout = '15s';
-- An auditor's requests: a transaction reads unless it says otherwise, and even then writes only where migrations let
-- it. Their audit entries are inserted by portal_auditlog, which can do nothing else.
ALTER ROLE portal_auditor SET default_transaction_read_only = on;
ALTER ROLE portal_auditor SET statement_timeout = '30s';
ALTER ROLE portal_auditor SET idle_in_transaction_session_timeout = '15s';
ALTER ROLE portal_auditlog SET statement_timeout = '10s';
ALTER ROLE portal_auditlog SET idle_in_transaction_session_timeout = '5s';

DO $database$
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO portal_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO portal_migrate, portal_app, portal_worker, portal_sealer, '
                   'portal_auditor, portal_auditlog', current_database());
END
$database$;

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

ALTER SCHEMA public OWNER TO portal_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO portal_app, portal_worker, portal_sealer, portal_auditor, portal_auditlog,
    portal_lookup;
-- PostgreSQL gives a function to a new owner only if that owner might have created it there.
GRANT CREATE ON SCHEMA public TO portal_lookup;

ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portal_app, portal_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner REVOKE SELECT ON TABLES FROM portal_auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner GRANT USAGE ON SEQUENCES TO portal_app, portal_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE portal_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE portal_lookup REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
