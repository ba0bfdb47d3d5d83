#!/bin/bash
# Runs every test. Needs root and Debian; installs what it needs from Debian and npm. Ends with node:test's summary.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. scripts/install.sh

need_root "sudo ./test.sh"
step 'Debian packages'
install_packages $RUNTIME_PACKAGES $TEST_PACKAGES
step 'npm packages'
install_npm_packages all
step 'format, lint, types, dead code'
npm run --silent lint
npm run --silent types
# It maps 6 GiB at once, which a smaller machine refuses.
if [ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -gt 8000000 ]; then npm run --silent dead; else echo 'too little memory to look for dead code'; fi
step 'tests'
# Longer than any test takes: one that hangs is named.
exec scripts/node.sh --test --test-timeout=900000 --test-concurrency="${TEST_CONCURRENCY:-2}" 'src/**/*.test.ts' 'test/**/*.test.ts'
