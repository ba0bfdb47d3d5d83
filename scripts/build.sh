#!/bin/bash
# Bundles the daemon and the CLI for production into dist/: bin/condenser and bin/raind, their JavaScript, the Node that
# runs them and koffi's native part. dist/ can be copied anywhere; it needs nothing from this checkout.
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"

rm -rf dist
mkdir -p dist/bin dist/lib/node_modules
node_modules/.bin/esbuild src/daemon/main.ts src/daemon/kernel-thread.ts src/store/checkpoint-worker.ts \
  src/snapshots/unpack-worker.ts src/cli/main.ts \
  --bundle --splitting --format=esm --platform=node --target=node26 --external:koffi --external:yaml \
  --outdir=dist/lib --outbase=src --minify-syntax --minify-whitespace --legal-comments=none --log-level=warning
echo '{"type":"module"}' > dist/lib/package.json

cp node_modules/node/bin/node dist/lib/node
cp -r node_modules/koffi node_modules/@koromix node_modules/yaml dist/lib/node_modules/
cp LICENSE dist/

launcher() {
  cat > "dist/bin/$1" << END
#!/bin/sh
lib=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/lib
export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-/var/cache/condenser}"
exec "\$lib/node" --disable-warning=ExperimentalWarning $2 "\$lib/$3" "\$@"
END
  chmod +x "dist/bin/$1"
}
launcher condenser '--max-semi-space-size=1 --v8-pool-size=1' daemon/main.js
launcher raind '' cli/main.js
du -sh dist | cut -f1
