#!/bin/sh
# Runs the Node that package.json pins (Node 26, from npm), whatever the host has.
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$root/node_modules/node/bin/node" --disable-warning=ExperimentalWarning --no-wasm-dynamic-tiering "$@"
