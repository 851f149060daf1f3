#!/usr/bin/env bash
# Runs a command against a PostgreSQL of its own and takes it down again:
#   deploy/test-postgres.sh .venv/bin/python -m pytest tests/web
# The server listens on the loopback address only, on a free port, with its files in a temporary
# folder; the command finds it in DATABASE_URL. Nothing of a PostgreSQL already there is touched.
set -euo pipefail

bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
  echo "PostgreSQL is not installed: sudo apt-get install postgresql" >&2
  exit 1
fi

folder=$(mktemp -d)
as_server=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  chown postgres "$folder"
  as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
server() { (cd "$folder" && "${as_server[@]}" "$bin/$@"); }

take_down() {
  server pg_ctl -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap take_down EXIT
trap 'exit 130' INT TERM

password=$(python3 -c 'import secrets; print(secrets.token_urlsafe(18))')
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(umask 077 && printf '%s\n' "$password" >"$folder/password")
[ "$(id -u)" != 0 ] || chown postgres "$folder/password"

server initdb -D "$folder/data" --username=brightspots --pwfile="$folder/password" \
  --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; exit 1; }
# A throw-away server may forget on a power cut; that makes the tests twice as quick.
server pg_ctl -D "$folder/data" -l "$folder/server.log" -w -t 60 start >/dev/null -o "\
  -c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off" ||
  { cat "$folder/server.log" >&2; exit 1; }

PGPASSWORD="$password" "$bin/createdb" -h 127.0.0.1 -p "$port" -U brightspots brightspots
export DATABASE_URL="postgresql://brightspots:$password@127.0.0.1:$port/brightspots"
"$@"
