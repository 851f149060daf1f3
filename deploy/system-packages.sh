#!/bin/sh
# Installs from Debian what pip cannot bring, when it can; says what is missing when it cannot.
#   run   Pango (printable PDFs), gettext (translations), Noto fonts
#   test  the same, Chromium for the browser journeys, and Java 17 for Spark
#   ci    the same, and PostgreSQL
set -u
what=${1:-run}

missing=""
need() { # need PACKAGE CHECK...
  package=$1; shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has_library() { ldconfig -p 2>/dev/null | grep -q "$1"; }
has_noto() { ls /usr/share/fonts/truetype/noto/NotoSans-Regular.* ; }
has_postgres() { ls /usr/lib/postgresql/*/bin/initdb; }

has_java() { # Spark 4.0 runs on Java 17 and later
  version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 17 ]
}

need libpango-1.0-0 has_library libpango-1.0
need libpangoft2-1.0-0 has_library libpangoft2-1.0
need libharfbuzz-subset0 has_library libharfbuzz-subset
need gettext command -v msgfmt
need fonts-noto-core has_noto
case $what in test|ci) need chromium command -v chromium ;; esac
case $what in test|ci) need openjdk-17-jre-headless has_java ;; esac
case $what in ci) need postgresql has_postgres ;; esac

[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing from Debian:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of package names
  if { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1; then
    exit 0
  fi
fi
echo "These Debian packages are missing and could not be installed here:$missing" >&2
echo "Install them with: sudo apt-get install$missing" >&2
echo "Until then: no PDF without libpango, English only without gettext, no browser journeys without chromium, no Spark without Java." >&2
[ "${CI:-}" = true ] && exit 1
exit 0
