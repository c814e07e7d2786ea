#!/bin/sh
# Runs `python -m "$@"`. Where SECRETS_FILE names a file of NAME=value lines, these become variables, taken as they are:
# nothing is unquoted or expanded. A variable that is set already wins. Without arguments: the package itself.
set -eu

if [ -n "${SECRETS_FILE:-}" ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      [A-Z]*=*) printenv "${line%%=*}" >/dev/null || export "$line" ;;
    esac
  done <"$SECRETS_FILE"
fi

if [ $# = 0 ]; then
  case $PACKAGE in
    services/*) set -- "${PACKAGE##*/}" all ;;
    *) set -- "${PACKAGE##*/}" ;;
  esac
fi
exec python -m "$@"
