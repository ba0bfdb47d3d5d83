# Sourced by test.sh and quickstart.sh: what they share in installing what is needed.

# Node 26 is linked against libatomic, which a fresh Debian does not have.
RUNTIME_PACKAGES='crun runc conmon iptables iproute2 busybox-static kmod libatomic1 catatonit ca-certificates curl'
# For the profile of the containers, where the kernel asks for one.
[ "$(cat /sys/module/apparmor/parameters/enabled 2> /dev/null)" != Y ] || RUNTIME_PACKAGES+=' apparmor'
TEST_PACKAGES='docker-registry skopeo mariadb-server-core mariadb-client-core nftables strace apache2-utils openssl python3 procps util-linux gzip zstd tar'

step() { printf '\n==> %s\n' "$*"; }

fail() {
  printf '\nFailed: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '  %s\n' "${@:2}" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || fail 'this must run as root.' "Run: $1"
  command -v apt-get > /dev/null || fail 'this host has no apt-get.' 'The script is made for Debian 12 or later.'
}

# A fresh machine may be busy with upgrades of its own. `install` waits for them to let go of dpkg if told so; `update`
# does not wait for the package lists, and is tried again.
update_package_lists() {
  local tries said
  for ((tries = 0; tries < 60; tries++)); do
    said=$(LC_ALL=C apt-get update -qq 2>&1) && return
    case $said in *lists/lock*) sleep 5 ;; *) break ;; esac
  done
  printf '%s\n' "$said" >&2
  return 1
}

# Installs those of the packages that are missing.
install_packages() {
  local package missing=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2> /dev/null)" = 'ii ' ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || { echo 'all there'; return; }
  echo "installing: ${missing[*]}"
  update_package_lists || fail 'apt-get update failed.' 'Is the network up, and do /etc/apt/sources.list* name a reachable mirror?'
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends "${missing[@]}" > /dev/null ||
    fail "installing ${missing[*]} failed." "Try by hand: apt-get install ${missing[*]}"
}

# npm itself if the host has none, then packages of package-lock.json: `run`, those that the programs need (among them
# is the Node that runs everything), or `all`.
install_npm_packages() {
  command -v npm > /dev/null || install_packages nodejs npm
  if [ node_modules/.package-lock.json -nt package-lock.json ] && [ -x node_modules/node/bin/node ] &&
    { [ "$1" = run ] || [ -d node_modules/knip ]; }; then
    echo 'all there'
    return
  fi
  # npm leaves out what the Node that it runs on is too old for: where that is Debian's, the pinned one comes first.
  if [ "$1" = run ] || ! node_is_recent; then npm_ci node --omit=dev; fi
  [ "$1" = run ] || npm_ci "$(recent_node)"
}

node_is_recent() { node -e 'process.exit(Number.parseInt(process.versions.node) < 22 ? 1 : 0)'; }

# A Node outside of node_modules, which npm ci empties.
recent_node() {
  node_is_recent && { command -v node; return; }
  local copy=/var/tmp/condenser-npm-node
  install -m 755 node_modules/node/bin/node "$copy" && echo "$copy"
}

npm_ci() {
  local node=$1 npm
  npm=$(readlink -f "$(command -v npm)")
  "$node" "$npm" ci "${@:2}" --no-audit --no-fund --loglevel=error ||
    fail 'npm ci failed.' 'Is the npm registry reachable? Try by hand: npm ci'
  [ -x node_modules/node/bin/node ] || fail 'npm did not install Node 26.' 'Is npm set to ignore install scripts? Try: npm rebuild node'
}
