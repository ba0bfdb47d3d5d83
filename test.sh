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
npm run --silent dead
step 'tests'
exec scripts/node.sh --test --test-concurrency="${TEST_CONCURRENCY:-2}" 'src/**/*.test.ts' 'test/**/*.test.ts'
