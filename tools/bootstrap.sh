#!/bin/sh
# From a bare Debian (or anything with Python 3.11) to a ready `.venv`: every package pinned by hash, ours editable.
# Runs as root or not, again and again; does nothing when nothing changed. PYTHON names the interpreter to use.
set -eu

cd "$(dirname "$0")/.."
venv=.venv
stamp=$venv/.bootstrap
minimum='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

say() { echo "bootstrap: $*" >&2; }
die() { say "$*"; exit 1; }

fingerprint() {
  { cat requirements.lock tools/bootstrap.sh libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml; pwd; } \
    | sha256sum
}

usable_python() {
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c "$minimum" >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

install_packages() {
  if ! command -v apt-get >/dev/null 2>&1; then
    die "missing: $*. Install Python 3.11 or newer with its venv module, and the certificates of public authorities."
  elif [ "$(id -u)" = 0 ]; then
    sudo=
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo='sudo -n'
  else
    die "missing packages: $*. Ask an administrator for: apt-get install $*"
  fi
  say "installing $*"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get -q -o DPkg::Lock::Timeout=300 update >&2
  $sudo apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" >&2
}

# The last value pip's configuration and environment give to an option; several values are separated by spaces.
pip_option() {
  "$venv/bin/python" -m pip config list 2>/dev/null | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | tail -n 1 | sed 's/\\n/ /g'
}

# uv does not read pip's configuration: a machine set up for pip alone would be asked for packages it cannot reach.
adopt_pip_configuration() {
  if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] && value=$(pip_option index-url) && [ -n "$value" ]; then
    export UV_DEFAULT_INDEX="$value"
  fi
  if [ -z "${UV_INDEX:-}${UV_EXTRA_INDEX_URL:-}" ] && value=$(pip_option extra-index-url) && [ -n "$value" ]; then
    # As pip does it: the hashes of the lock decide what is accepted, not the order of the indexes.
    export UV_INDEX="$value" UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}"
  fi
  if [ -z "${UV_FIND_LINKS:-}" ] && value=$(pip_option find-links) && [ -n "$value" ]; then
    export UV_FIND_LINKS="$(echo $value | tr ' ' ',')"
  fi
  if [ -z "${SSL_CERT_FILE:-}" ] && value=$(pip_option cert) && [ -n "$value" ]; then
    export SSL_CERT_FILE="$value"
  fi
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint)" ] && "$venv/bin/python" -c "$minimum" 2>/dev/null; then
  exit 0
fi

missing=
usable_python >/dev/null || missing='python3 python3-venv'
[ -e /etc/ssl/certs/ca-certificates.crt ] || [ -n "${SSL_CERT_FILE:-}" ] || missing="$missing ca-certificates"
# shellcheck disable=SC2086 # a list of package names
[ -z "$missing" ] || install_packages $missing
python=$(usable_python) || die "Python 3.11 or newer with its venv module is needed; set PYTHON to one."

# Two runs at once would write into each other's environment.
if [ -z "${BOOTSTRAP_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
  mkdir -p -m 711 .cobro
  BOOTSTRAP_LOCKED=1 exec flock .cobro/bootstrap.lock "$0" "$@"
fi

"$venv/bin/python" -c "$minimum" 2>/dev/null || { say "creating $venv with $python"; "$python" -m venv --clear "$venv"; }
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip --upgrade >/dev/null

uv_block=$(mktemp)
trap 'rm -f "$uv_block"' EXIT
awk '/^[^ ]/ { ours = /^uv==/ } ours' requirements.lock > "$uv_block"
[ -s "$uv_block" ] || die "requirements.lock names no uv"
say "installing the pinned packages"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$uv_block"
adopt_pip_configuration
uv() { "$venv/bin/uv" --quiet "$@"; }
uv pip install --python "$venv/bin/python" --require-hashes -r requirements.lock
set --
for project in libs/* services/* tools/stack tools/twins; do
  [ -f "$project/pyproject.toml" ] && set -- "$@" -e "$project"
done
uv pip install --python "$venv/bin/python" --no-deps --no-build-isolation "$@"
fingerprint > "$stamp"
say "ready"
