-- psql's side of roles.sql: reads the passwords from secret files into settings of this session, and includes it.
-- The image runs it once, when the database is first made; run it again by hand to change passwords or rights.
\set ON_ERROR_STOP on
\set migrate `cat "${SURETY_SECRETS:-/run/secrets}/database_password_migrate"`
\set app `cat "${SURETY_SECRETS:-/run/secrets}/database_password_app"`
\set worker `cat "${SURETY_SECRETS:-/run/secrets}/database_password_worker"`
\set sealer `cat "${SURETY_SECRETS:-/run/secrets}/database_password_sealer"`
\set auditor `cat "${SURETY_SECRETS:-/run/secrets}/database_password_auditor"`
\set auditlog `cat "${SURETY_SECRETS:-/run/secrets}/database_password_auditlog"`
\set roles `echo "${SURETY_ROLES:-/etc/surety/roles.sql}"`
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_error_statement = 'panic';
SELECT set_config('surety.password_migrate', :'migrate', true),
       set_config('surety.password_app', :'app', true),
       set_config('surety.password_worker', :'worker', true),
       set_config('surety.password_sealer', :'sealer', true),
       set_config('surety.password_auditor', :'auditor', true),
       set_config('surety.password_auditlog', :'auditlog', true) \g /dev/null
\i :roles
COMMIT;
