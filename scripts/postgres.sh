# shellcheck shell=bash disable=SC2034 # postgres_note is read by the scripts that source this file
# Gives the tests a PostgreSQL server. Sourced by scripts/test and scripts/with-servers; run `find_postgres`, then
# `stop_postgres` from an EXIT trap. The first of these that works is taken:
#   1. TEST_POSTGRES_URL, as given;
#   2. a server that answers on 127.0.0.1:5432, without a password, to a role that may create databases
#      (TEST_POSTGRES_IGNORE_LOCAL=1 passes it over);
#   3. a server of its own, on a free port, from installed binaries, in a folder that goes away with it;
#   4. the same, after installing Debian's package (root and apt-get only).
# find_postgres exports TEST_POSTGRES_URL and sets postgres_note, the line that says what was found. The tests create and
# drop their own databases; nothing here touches a database of a server it did not start.

postgres_major_min=15
postgres_home=""  # the folder of our own server, while it runs
postgres_owner="" # the user it runs as
postgres_bin=""   # the folder of its binaries
postgres_note=""

find_postgres() {
  if [ -n "${TEST_POSTGRES_URL:-}" ]; then
    postgres_use_given
    return
  fi
  if [ -z "${TEST_POSTGRES_IGNORE_LOCAL:-}" ] && postgres_use_running; then return 0; fi
  if ! postgres_find_binaries; then
    postgres_install || return 1
    postgres_find_binaries || { echo "postgres: apt-get installed no PostgreSQL $postgres_major_min or newer" >&2; return 1; }
  fi
  postgres_start
}

stop_postgres() {
  [ -n "$postgres_home" ] || return 0
  if [ -e "$postgres_home/data/postmaster.pid" ]; then
    (cd "$postgres_home" && postgres_as_owner "$postgres_bin/pg_ctl" stop -D "$postgres_home/data" -m immediate -s) || true
  fi
  rm -rf "$postgres_home"
  postgres_home=""
}

# ---- 1 and 2: somebody else's server

# Prints `NUMBER VERSION MAY_CREATE`, for example `150020 15.20 t`, if psql can log in.
postgres_ask() { # URL
  PGCONNECT_TIMEOUT=5 psql -X -w -A -t -F ' ' -d "$1" -c "
    SELECT current_setting('server_version_num'), split_part(current_setting('server_version'), ' ', 1),
           rolsuper OR rolcreatedb
    FROM pg_roles WHERE rolname = current_user" 2>/dev/null </dev/null
}

postgres_host_port() { # URL: prints HOST:PORT, never the password
  local rest=${1#*://}
  rest=${rest%%\?*}
  rest=${rest%%/*}
  rest=${rest##*@}
  case $rest in
    "") rest=127.0.0.1:5432 ;;
    *\]:* | *\]) [[ $rest == *]:* ]] || rest=$rest:5432 ;;
    *:*) ;;
    *) rest=$rest:5432 ;;
  esac
  printf '%s\n' "$rest"
}

postgres_port_open() { # HOST PORT
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

postgres_use_given() {
  local place answer number version may_create
  place=$(postgres_host_port "$TEST_POSTGRES_URL")
  if ! command -v psql >/dev/null; then
    # Without psql only the port can be tried; version and rights are left to the tests.
    if [[ $place != \[* ]] && ! postgres_port_open "${place%:*}" "${place##*:}"; then
      echo "postgres: nothing listens on $place, named by TEST_POSTGRES_URL" >&2
      return 1
    fi
    postgres_note="postgres (version not asked: no psql) at $place (from TEST_POSTGRES_URL)"
    return 0
  fi
  answer=$(postgres_ask "$TEST_POSTGRES_URL") || {
    echo "postgres: no log-in at $place with TEST_POSTGRES_URL" >&2
    return 1
  }
  read -r number version may_create <<<"$answer"
  if [ "$((number / 10000))" -lt "$postgres_major_min" ]; then
    echo "postgres: $version at $place is too old, $postgres_major_min or newer is needed" >&2
    return 1
  fi
  if [ "$may_create" != t ]; then
    echo "postgres: the role in TEST_POSTGRES_URL may not create databases at $place" >&2
    return 1
  fi
  postgres_note="postgres $version at $place (from TEST_POSTGRES_URL)"
}

postgres_use_running() {
  postgres_port_open 127.0.0.1 5432 || return 1
  if ! command -v psql >/dev/null; then
    echo "postgres: something listens on 127.0.0.1:5432, but there is no psql to ask it; not used" >&2
    return 1
  fi
  local role database url answer version number may_create
  for role in postgres "$(id -un)"; do
    for database in postgres test; do
      url=postgres://$role@127.0.0.1:5432/$database
      answer=$(postgres_ask "$url") || continue
      read -r number version may_create <<<"$answer"
      if [ "$((number / 10000))" -lt "$postgres_major_min" ]; then
        echo "postgres: $version on 127.0.0.1:5432 is older than $postgres_major_min; not used" >&2
        return 1
      fi
      [ "$may_create" = t ] || continue
      export TEST_POSTGRES_URL=$url
      postgres_note="postgres $version at 127.0.0.1:5432 (found running)"
      return 0
    done
  done
  echo "postgres: no role may create databases on 127.0.0.1:5432 without a password; not used" >&2
  return 1
}

# ---- 3: a server of our own

# Sets postgres_bin to the newest installed folder that holds initdb, pg_ctl and postgres of a new enough version.
postgres_find_binaries() {
  local folder version best=0 linked
  linked=$(command -v initdb || true)
  [ -z "$linked" ] || linked=$(dirname "$(readlink -f "$linked")")
  for folder in "$linked" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin; do
    if ! [ -x "$folder/initdb" ] || ! [ -x "$folder/pg_ctl" ] || ! [ -x "$folder/postgres" ]; then continue; fi
    version=$("$folder/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if [ "$version" -lt "$postgres_major_min" ]; then
      echo "postgres: $folder is version $version, $postgres_major_min or newer is needed; not used" >&2
    elif [ "$version" -gt "$best" ]; then
      best=$version
      postgres_bin=$folder
    fi
  done
  [ "$best" -gt 0 ]
}

# PostgreSQL refuses to run as root.
postgres_as_owner() { # COMMAND…
  if [ -z "$postgres_owner" ]; then
    "$@"
  elif command -v setpriv >/dev/null; then
    setpriv --reuid "$postgres_owner" --regid "$(id -g "$postgres_owner")" --clear-groups "$@"
  else
    su -s /bin/sh "$postgres_owner" -c "$(printf '%q ' "$@")"
  fi
}

postgres_start() {
  local port version password attempt
  if [ "$(id -u)" = 0 ]; then
    if id -u postgres >/dev/null 2>&1; then postgres_owner=postgres; else postgres_owner=nobody; fi
  fi
  # Not TMPDIR: it may be closed to the owner, and a socket's path has to stay short.
  postgres_home=$(mktemp -d /tmp/gateway-postgres.XXXXXX)
  # A password, as other users of this machine reach the port too; asked in the clear, as it never leaves the machine
  # and a debug build would spend its time on SCRAM.
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$password" >"$postgres_home/password")
  [ -z "$postgres_owner" ] || chown -R "$postgres_owner" "$postgres_home"
  if ! (cd "$postgres_home" && postgres_as_owner "$postgres_bin/initdb" -D "$postgres_home/data" --username=postgres \
    --auth=password --pwfile="$postgres_home/password" --encoding=UTF8 --no-locale --no-sync) >"$postgres_home.log" 2>&1; then
    postgres_start_failed initdb
    return 1
  fi
  for attempt in 1 2 3 4 5; do
    # Below the range from which the kernel takes ports for outgoing connections.
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if postgres_port_open 127.0.0.1 "$port"; then continue; fi
    if (cd "$postgres_home" && postgres_as_owner "$postgres_bin/pg_ctl" start -w -t 120 -s -D "$postgres_home/data" \
      -l "$postgres_home/server.log" -o "-p $port -h 127.0.0.1 -k $postgres_home -c max_connections=200") \
      >>"$postgres_home.log" 2>&1 </dev/null; then
      version=$("$postgres_bin/postgres" --version | sed -E 's/^[^0-9]*([0-9.]+).*/\1/')
      export TEST_POSTGRES_URL=postgres://postgres:$password@127.0.0.1:$port/postgres
      postgres_note="postgres $version at 127.0.0.1:$port (started for this run)"
      rm -f "$postgres_home.log"
      return 0
    fi
    echo "postgres: attempt $attempt on port $port failed" >>"$postgres_home.log"
  done
  cat "$postgres_home/server.log" >>"$postgres_home.log" 2>/dev/null
  postgres_start_failed pg_ctl
  return 1
}

postgres_start_failed() { # PROGRAM
  echo "postgres: $postgres_bin/$1 failed:" >&2
  tail -n 20 "$postgres_home.log" >&2
  rm -f "$postgres_home.log"
}

# ---- 4: Debian's package

postgres_install() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    cat >&2 <<EOM
postgres: the tests need PostgreSQL $postgres_major_min or newer, and there is none. Any one of these will do:
  - TEST_POSTGRES_URL=postgres://USER:PASSWORD@HOST:PORT/DATABASE, for a role that may create databases;
  - a server on 127.0.0.1:5432 that lets the role postgres in without a password, and psql;
  - its binaries (initdb, pg_ctl, postgres) in PATH or /usr/lib/postgresql: on Debian, apt-get install postgresql.
EOM
    return 1
  fi
  echo "postgres: none found, installing Debian's package" >&2
  # The package would make a cluster and start it at once; neither is wanted. Both switches are put back as they were.
  local conf=/etc/postgresql-common/createcluster.d/gateway-tests.conf policy=/usr/sbin/policy-rc.d log wrote_policy="" failed=0
  log=$(mktemp /tmp/gateway-postgres-install.XXXXXX)
  mkdir -p "$(dirname "$conf")"
  echo "create_main_cluster = false" >"$conf"
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    wrote_policy=1
  fi
  # A list that cannot be refreshed matters only if the installation then fails.
  apt-get update -qq </dev/null >"$log" 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 \
    postgresql </dev/null >>"$log" 2>&1 || failed=1
  rm -f "$conf"
  [ -z "$wrote_policy" ] || rm -f "$policy"
  if [ "$failed" = 1 ]; then
    echo "postgres: apt-get install postgresql failed:" >&2
    tail -n 20 "$log" >&2
  fi
  rm -f "$log"
  return "$failed"
}
