#!/bin/sh
# Installs R and lme4 from Debian, which the benchmarks time beside ours. Nothing else needs them.
set -eu
if Rscript -e 'library(lme4)' >/dev/null 2>&1; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "R with lme4 is missing: sudo apt-get install --no-install-recommends r-base-core r-cran-lme4" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends r-base-core r-cran-lme4 >/dev/null
Rscript -e 'library(lme4)' >/dev/null 2>&1
