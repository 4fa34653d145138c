# shellcheck shell=bash disable=SC2034 # web_note is read by the scripts that source this file
# Gives the tests Node, npm's packages and a browser. Sourced by scripts/test and scripts/build-web.
#   find_node      Node 20.19 or newer with npm: found, else told; Debian 12's own is too old to be installed for it
#   web_packages   what package-lock.json names, in gateway/web/node_modules; nothing is done where it lies there already
#   find_chromium  TEST_CHROMIUM as given, else /usr/bin/chromium and its like, else Debian's package (root and apt-get
#                  only); exports CHROMIUM_BIN and sets web_note, the line that says what was found

node_version_min=20.19
web_note=""

find_node() {
  local version
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "Node $node_version_min or newer with npm is missing: see https://nodejs.org" >&2
    return 1
  fi
  version=$(node --version)
  version=${version#v}
  if [ "$(printf '%s\n' "$node_version_min" "$version" | sort -V | head -n 1)" != "$node_version_min" ]; then
    echo "Node $version is too old for the web pages: $node_version_min or newer is needed" >&2
    return 1
  fi
}

web_packages() {
  local folder=gateway/web
  if [ -e "$folder/node_modules/.package-lock.json" ] &&
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed"; then return; fi
  # npm trusts whom the system trusts, as cargo and git do: a registry may stand behind a company's own certificate.
  local system=/etc/ssl/certs/ca-certificates.crt
  if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -e "$system" ]; then export NODE_EXTRA_CA_CERTS=$system; fi
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error) || return 1
  cp "$folder/package-lock.json" "$folder/node_modules/.installed"
}

find_chromium() {
  if [ -n "${TEST_CHROMIUM:-}" ]; then
    if chromium_use "$TEST_CHROMIUM"; then return; fi
    echo "chromium: TEST_CHROMIUM=$TEST_CHROMIUM does not run" >&2
    return 1
  fi
  chromium_find && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "chromium: the browser tests need Chromium or Chrome; name it with TEST_CHROMIUM, or on Debian: apt-get install chromium" >&2
    return 1
  fi
  echo "chromium: installing Debian's package"
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-ipafont-gothic >/dev/null || return 1
  chromium_find && return
  echo "chromium: apt-get installed none that runs" >&2
  return 1
}

chromium_find() {
  local program
  for program in chromium chromium-browser google-chrome; do
    program=$(command -v "$program") && chromium_use "$program" && return
  done
  return 1
}

chromium_use() { # PROGRAM
  local version
  version=$("$1" --no-sandbox --version 2>/dev/null) || return 1
  export CHROMIUM_BIN=$1
  web_note="${version% } (headless)"
}
