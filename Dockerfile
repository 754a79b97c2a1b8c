# The image of every process of the portal: web (its default command), worker, beat and migrate.
FROM node:20-bookworm-slim AS front-end
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /build/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --only-binary :all: -r /build/requirements.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SURETY_ENV=production \
    STATIC_ROOT=/srv/static \
    GUNICORN_CMD_ARGS="--bind 0.0.0.0:8000 --workers 2 --worker-tmp-dir /dev/shm"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin surety \
    && install --directory --owner 10001 --group 10001 --mode 0700 /scratch
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# Pages draw their icons from these files.
COPY --from=front-end /build/node_modules/@tabler/icons/icons/outline /app/node_modules/@tabler/icons/icons/outline
# The front-end packages are needed only until their files are collected. Settings want their secrets even for that:
# these are nobody's, and stay in this step.
RUN --mount=type=bind,from=front-end,source=/build/node_modules,target=/app/node_modules \
    DJANGO_SECRET_KEY=unused AUDIT_MAC_KEY=unused FIELD_KEY=unused VAULT_LOCAL_KEY=unused \
    DATABASE_URL_APP=postgresql://unused/unused DATABASE_URL_AUDITOR=postgresql://unused/unused \
    DATABASE_URL_AUDITLOG=postgresql://unused/unused REDIS_URL=redis://unused \
    python manage.py collectstatic --no-input \
    && python -m compileall -q /app /opt/venv
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 CMD ["python", "-m", "portal.embedded.probe"]
CMD ["python", "-m", "gunicorn", "portal.wsgi", "--worker-class", "gthread", "--threads", "8", "--timeout", "60", "--max-requests", "1000000", "--max-requests-jitter", "100000", "--no-control-socket", "--access-logfile", "-", "--access-logformat", "%(h)s %(m)s %(s)s %(B)s %(M)sms %({x-request-id}o)s"]
