#!/bin/bash
# From a bare Debian to a web server in a container: installs what is needed, starts the daemon, loads an image made
# from this host's busybox, runs it with a published port and fetches its page. May be run again; --clean takes
# everything away that it made.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. scripts/install.sh

ROOT=/var/lib/condenser RUN=/run/condenser LOG=/var/log/condenser.log BRIDGE=raind0 CERTIFICATES=/etc/raind/cert
IMAGE=localhost/busybox:latest NAME=quickstart PORT=${QUICKSTART_PORT:-8080}
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
  step '1/6 Debian packages'
  install_packages $RUNTIME_PACKAGES
  step '2/6 npm packages (Node 26 is one of them)'
  install_npm_packages run
  step '3/6 the daemon'
  start_daemon
  step '4/6 an image, made from this host'"'"'s busybox'
  load_image
  step '5/6 a web server in a container'
  run_server
  step '6/6 what it serves'
  curl --silent --show-error --fail --max-time 10 "http://127.0.0.1:$PORT/" ||
    fail "http://127.0.0.1:$PORT/ does not answer." "See: sudo ./bin/raind logs $NAME, and the daemon's log: $LOG"
  step 'the containers'
  bin/raind ps
  step 'its log'
  bin/raind logs "$NAME"
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
  wait_for_page
}

# The program inside takes a moment to listen.
wait_for_page() {
  for _ in $(seq 50); do
    curl --silent --output /dev/null --max-time 1 "http://127.0.0.1:$PORT/" && return
    sleep 0.1
  done
  true
}

what_next() {
  printf '\nIt works. Next:\n'
  printf '  %-56s %s\n' \
    "sudo ./bin/raind exec $NAME ps" 'what runs inside' \
    "sudo ./bin/raind run $IMAGE uname -a" 'another container, in the foreground' \
    'sudo ./bin/raind pull alpine' 'an image from Docker Hub' \
    "sudo ./bin/raind stop $NAME" 'end it' \
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
    step 'containers and images'
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
  step 'the container and the image'
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
  local table rule
  [ ! -x node_modules/node/bin/node ] || scripts/node.sh scripts/remove-port-table.ts "$BRIDGE" ||
    echo "The table of published ports stays: nft delete table ip condenser-$BRIDGE" >&2
  for table in raw mangle nat filter; do
    iptables-save -t "$table" | grep -E -- "-j RAIND-[A-Z]+-$BRIDGE\$" | while read -r rule; do
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
}

main "$@"
