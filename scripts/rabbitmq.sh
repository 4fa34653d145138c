# shellcheck shell=bash disable=SC2034 # rabbitmq_note is read by the scripts that source this file
# Gives the tests RabbitMQ's programs. Sourced by scripts/test and scripts/with-servers; run `find_rabbitmq`, then
# `stop_rabbitmq` from an EXIT trap. The tests start and kill nodes of their own (tests/src/broker.rs), so no server is
# started here and none that runs is touched. The first of these that works is taken:
#   1. TEST_RABBITMQ_SCRIPTS, the folder of rabbitmq-server and rabbitmqctl, as given;
#   2. where packages put RabbitMQ's own scripts;
#   3. the same, after installing Debian's package (root and apt-get only).
# find_rabbitmq exports TEST_RABBITMQ_SCRIPTS and sets rabbitmq_note, the line that says what was found.

rabbitmq_version_min=3.10
rabbitmq_note=""

find_rabbitmq() {
  if [ -n "${TEST_RABBITMQ_SCRIPTS:-}" ]; then
    if [ -x "$TEST_RABBITMQ_SCRIPTS/rabbitmq-server" ] && rabbitmq_use "$TEST_RABBITMQ_SCRIPTS"; then return; fi
    echo "rabbitmq: TEST_RABBITMQ_SCRIPTS=$TEST_RABBITMQ_SCRIPTS holds no rabbitmq-server $rabbitmq_version_min or newer" >&2
    return 1
  fi
  if rabbitmq_find_scripts; then return; fi
  rabbitmq_install || return 1
  rabbitmq_find_scripts && return
  echo "rabbitmq: apt-get installed no RabbitMQ $rabbitmq_version_min or newer" >&2
  return 1
}

# Nodes end with the tests that started them.
stop_rabbitmq() {
  :
}

rabbitmq_find_scripts() {
  local folder
  for folder in /usr/lib/rabbitmq/lib/*/sbin /usr/lib/rabbitmq/bin /usr/local/lib/rabbitmq/bin /opt/rabbitmq/sbin \
    /opt/homebrew/opt/rabbitmq/sbin; do
    if [ -x "$folder/rabbitmq-server" ] && rabbitmq_use "$folder"; then return; fi
  done
  return 1
}

rabbitmq_use() { # FOLDER
  local application version
  for application in "$1"/../plugins/rabbit-[0-9]* "$1"/../lib/*/plugins/rabbit-[0-9]*; do
    [ -e "$application" ] || continue
    version=${application##*/rabbit-}
    version=${version%.ez}
  done
  if [ -z "${version:-}" ]; then
    version="(version unknown)"
  elif [ "$(printf '%s\n' "$rabbitmq_version_min" "$version" | sort -V | head -n 1)" != "$rabbitmq_version_min" ]; then
    echo "rabbitmq: $1 is version $version, $rabbitmq_version_min or newer is needed; not used" >&2
    return 1
  fi
  export TEST_RABBITMQ_SCRIPTS=$1
  rabbitmq_note="rabbitmq $version (nodes started by the tests)"
}

rabbitmq_install() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    cat >&2 <<EOM
rabbitmq: the tests need RabbitMQ $rabbitmq_version_min or newer, and there is none. Either of these will do:
  - TEST_RABBITMQ_SCRIPTS=FOLDER, the folder of its scripts rabbitmq-server and rabbitmqctl;
  - its package: on Debian, apt-get install rabbitmq-server.
EOM
    return 1
  fi
  echo "rabbitmq: none found, installing Debian's package" >&2
  # The package would start a server at once; that is not wanted. The switch is put back as it was.
  local policy=/usr/sbin/policy-rc.d log wrote_policy="" failed=0
  log=$(mktemp /tmp/gateway-rabbitmq-install.XXXXXX)
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    wrote_policy=1
  fi
  # A list that cannot be refreshed matters only if the installation then fails.
  apt-get update -qq </dev/null >"$log" 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 \
    rabbitmq-server </dev/null >>"$log" 2>&1 || failed=1
  [ -z "$wrote_policy" ] || rm -f "$policy"
  if [ "$failed" = 1 ]; then
    echo "rabbitmq: apt-get install rabbitmq-server failed:" >&2
    tail -n 20 "$log" >&2
  fi
  rm -f "$log"
  return "$failed"
}
