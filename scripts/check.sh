#!/bin/sh
# Every check that needs no root: format, lint, types, dead code, unit tests.
set -e
cd "$(dirname "$0")/.."
npm run --silent lint
npm run --silent types
npm run --silent dead
npm run --silent unit
