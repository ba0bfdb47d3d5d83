#!/bin/bash
# From a bare Debian to a web server in a container, and to pods behind a Service: installs what is needed, starts the
# daemon, loads an image made from this host's busybox, runs it with a published port and fetches its page, then applies
# a manifest and fetches the pages of its pods. May be run again; --clean takes everything away that it made.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. scripts/install.sh

ROOT=/var/lib/condenser RUN=/run/condenser LOG=/var/log/condenser.log BRIDGE=raind0 CERTIFICATES=/etc/raind/cert
IMAGE=localhost/busybox:latest NAME=quickstart PORT=${QUICKSTART_PORT:-8080}
MANIFEST=examples/demo.yaml SET=test-rs SERVICE=demo-svc SERVICE_PORT=${QUICKSTART_SERVICE_PORT:-11240}
MARKER=$ROOT/.made-by-quickstart PIDFILE=$RUN/quickstart.pid

main() {
  case "${1:-}" in
    '') quickstart ;;
    --clean) clean ;;
    *) fail "unknown argument \"$1\"." 'Usage: sudo ./quickstart.sh [--clean]' ;;
  esac
}

quickstart() {
  need_root 'sudo ./quickstart.sh'
  step '1/8 Debian packages'
  install_packages $RUNTIME_PACKAGES
  step '2/8 npm packages (Node 26 is one of them)'
  install_npm_packages run
  step '3/8 the daemon'
  start_daemon
  step '4/8 an image, made from this host'"'"'s busybox'
  load_image
  step '5/8 a web server in a container'
  run_server
  step '6/8 what it serves'
  curl --silent --show-error --fail --max-time 10 "http://127.0.0.1:$PORT/" ||
    fail "http://127.0.0.1:$PORT/ does not answer." "See: sudo ./bin/raind logs $NAME, and the daemon's log: $LOG"
  step "7/8 pods behind a Service, from a manifest: $MANIFEST"
  apply_manifest
  step '8/8 what the Service serves, from one pod or the other'
  fetch_pages
  step 'the containers'
  bin/raind ps
  step 'the log of the web server'
  bin/raind logs "$NAME"
  step 'the pods'
  bin/raind get pods
  what_next
}

daemon_answers() { bin/raind version > /dev/null 2>&1; }

start_daemon() {
  if daemon_answers; then
    echo 'it runs already'
    return
  fi
  [ -e "$ROOT" ] || { mkdir -m 0711 -p "$ROOT" && touch "$MARKER"; }
  [ -e "$CERTIFICATES" ] || [ ! -e "$MARKER" ] || touch "$MARKER.certificates"
  mkdir -p "$RUN"
  setsid bin/condenser < /dev/null >> "$LOG" 2>&1 &
  echo $! > "$PIDFILE"
  for _ in $(seq 100); do
    if daemon_answers; then
      echo "it runs, with pid $(cat "$PIDFILE"); its log is $LOG"
      return
    fi
    kill -0 "$(cat "$PIDFILE")" 2> /dev/null || break
    sleep 0.1
  done
  tail -n 5 "$LOG" >&2
  fail 'the daemon does not answer.' "Its last words are above; all of them are in $LOG"
}

load_image() {
  if bin/raind image inspect "$IMAGE" > /dev/null 2>&1; then
    echo "$IMAGE is there"
    return
  fi
  scripts/default-image.sh | bin/raind image load --name "$IMAGE" ||
    fail 'the image could not be loaded.' "The daemon's log may say why: $LOG"
}

run_server() {
  if [ "$(bin/raind ps --quiet --filter "name=$NAME")" ]; then
    echo "\"$NAME\" runs already"
    return
  fi
  if bin/raind inspect "$NAME" > /dev/null 2>&1; then
    bin/raind start "$NAME" || fail "the container \"$NAME\" does not start." "Remove it and try again: sudo ./bin/raind rm $NAME"
  else
    bin/raind run --detach --name "$NAME" --publish "$PORT:80" "$IMAGE" httpd -f -v -p 80 -h /www ||
      fail 'the container does not start.' "If port $PORT is taken: sudo QUICKSTART_PORT=8081 ./quickstart.sh"
  fi
  wait_for_page "$PORT"
}

# The program inside takes a moment to listen, and the rules of a Service one to follow its pods.
wait_for_page() {
  for _ in $(seq 50); do
    curl --silent --output /dev/null --max-time 1 "http://127.0.0.1:$1/" && return
    sleep 0.1
  done
  true
}

# The port is the manifest's, unless another one is asked for.
apply_manifest() {
  sed "s/port: 11240\$/port: $SERVICE_PORT/" "$MANIFEST" | bin/raind apply -f - ||
    fail 'the manifest could not be applied.' "The daemon's log may say why: $LOG"
  wait_for_pods
  wait_for_page "$SERVICE_PORT"
}

wait_for_pods() {
  local desired ready
  for _ in $(seq 100); do
    read -r _ desired _ ready _ < <(bin/raind get rs "$SET" --no-headers) && [ "$ready" = "$desired" ] && return
    sleep 0.2
  done
  bin/raind get pods >&2
  fail 'the pods do not become ready.' "See: sudo ./bin/raind describe pods, and the daemon's log: $LOG"
}

# Whoever else may listen at the port, only the pods tell their names.
fetch_pages() {
  local page
  for _ in 1 2 3 4 5 6; do
    page=$(curl --silent --show-error --fail --max-time 10 "http://127.0.0.1:$SERVICE_PORT/") && [[ $page == "$SET"-* ]] ||
      fail "http://127.0.0.1:$SERVICE_PORT/ is not answered by the pods." \
        "See: sudo ./bin/raind describe service $SERVICE" \
        "If port $SERVICE_PORT is taken: sudo QUICKSTART_SERVICE_PORT=11241 ./quickstart.sh"
    echo "$page"
  done
}

what_next() {
  printf '\nIt works. Next:\n'
  printf '  %-56s %s\n' \
    "sudo ./bin/raind exec $NAME ps" 'what runs inside' \
    "sudo ./bin/raind run $IMAGE uname -a" 'another container, in the foreground' \
    'sudo ./bin/raind pull alpine' 'an image from Docker Hub' \
    "sudo ./bin/raind stop $NAME" 'end it' \
    "sudo ./bin/raind scale rs/$SET --replicas 5" 'more pods' \
    "sudo ./bin/raind describe service $SERVICE" 'what is known of the Service' \
    "sudo ./bin/raind delete -f $MANIFEST" 'end the pods' \
    'sudo ./bin/raind --help' 'all commands' \
    'sudo ./quickstart.sh --clean' 'take everything away again'
}

clean() {
  need_root 'sudo ./quickstart.sh --clean'
  if [ ! -e "$MARKER" ]; then
    clean_own
    echo "$ROOT was not made by this script: it stays, and so does a daemon that runs there"
    return
  fi
  if [ -x node_modules/node/bin/node ] && daemon_answers; then
    step 'pods, containers and images'
    bin/raind delete rs,service,pods --all --all-namespaces --force --ignore-not-found
    bin/raind ps --all --quiet | xargs --no-run-if-empty bin/raind rm --force
    bin/raind image ls --quiet | xargs --no-run-if-empty bin/raind image rm
  fi
  step 'the daemon'
  [ ! -e "$PIDFILE" ] || stop_daemon "$(cat "$PIDFILE")"
  step 'its rules, its bridge, its directories'
  remove_rules
  ! ip link show "$BRIDGE" > /dev/null 2>&1 || ip link delete "$BRIDGE"
  umount "$ROOT" "$RUN" 2> /dev/null || true
  if [ -e "$MARKER.certificates" ]; then rm -rf "$CERTIFICATES" && rmdir --ignore-fail-on-non-empty /etc/raind; fi
  rm -rf "$ROOT" "$RUN" "$LOG" /var/cache/condenser
  remove_cgroups
  echo 'All is gone but the Debian packages and node_modules.'
}

clean_own() {
  [ -x node_modules/node/bin/node ] && daemon_answers || return 0
  step 'the pods, the container and the image'
  bin/raind delete -f "$MANIFEST" --ignore-not-found
  ! bin/raind inspect "$NAME" > /dev/null 2>&1 || bin/raind rm --force "$NAME"
  ! bin/raind image inspect "$IMAGE" > /dev/null 2>&1 || bin/raind image rm "$IMAGE"
}

remove_cgroups() {
  find /sys/fs/cgroup -maxdepth 3 -depth -type d \( -path '*/condenser' -o -path '*/condenser/conmon' \) -exec rmdir {} + 2> /dev/null || true
}

stop_daemon() {
  kill "$1" 2> /dev/null || return 0
  for _ in $(seq 110); do
    kill -0 "$1" 2> /dev/null || return 0
    sleep 0.1
  done
  fail "the daemon (pid $1) does not end." "End it by hand: kill -9 $1"
}

remove_rules() {
  local table rule services
  [ ! -x node_modules/node/bin/node ] || scripts/node.sh scripts/remove-port-table.ts "$BRIDGE" ||
    echo "The table of published ports stays: nft delete table ip condenser-$BRIDGE" >&2
  services=$(service_chains)
  for table in raw mangle nat filter; do
    iptables-save -t "$table" | sed -nE "/-j RAIND-[A-Z]+-$BRIDGE\$/p" | while read -r rule; do
      # shellcheck disable=SC2086 # a rule is several words
      iptables -w -t "$table" ${rule/#-A/-D}
    done
    iptables-save -t "$table" | sed -nE "s/^:(RAIND-[A-Z]+-$BRIDGE) .*/\1/p" | while read -r rule; do
      iptables -w -t "$table" -F "$rule"
    done
    iptables-save -t "$table" | sed -nE "s/^:(RAIND-[A-Z]+-$BRIDGE) .*/\1/p" | while read -r rule; do
      iptables -w -t "$table" -X "$rule"
    done
  done
  for rule in $services; do iptables -w -t nat -F "$rule"; done
  for rule in $services; do iptables -w -t nat -X "$rule"; done
}

# The chains of Services and of their endpoints, which are ours if one of ours leads to them.
service_chains() {
  local name='RAIND-S(VC|EP)-[0-9a-f]{16}' found
  found=$(chains_after "RAIND-(SVCS|NODE)-$BRIDGE" "$name")
  [ -z "$found" ] || { chains_after "($(echo $found | tr ' ' '|'))" "$name" && echo "$found"; }
}

# Names of chains of nat that these lead to; all are patterns.
chains_after() { iptables-save -t nat | sed -nE "s/^-A $1 .*-j ($2)\$/\2/p" | sort -u; }

main "$@"
