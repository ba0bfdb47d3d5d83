#!/bin/bash
# Bundles the daemon and the CLI for production into dist/: bin/condenser and bin/raind, their JavaScript, the Node that
# runs them and koffi's native part. dist/ can be copied anywhere; it needs nothing from this checkout.
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"

rm -rf dist
mkdir -p dist/bin dist/lib/node_modules
# CommonJS, because an `import` of a built-in module reads every export of it, and that takes 15 ms a thread.
node_modules/.bin/esbuild src/daemon/main.ts src/daemon/kernel-thread.ts src/store/checkpoint-worker.ts \
  src/snapshots/unpack-worker.ts src/resources/manifest-worker.ts src/bottles/bottle-worker.ts src/dns/main.ts src/cli/main.ts \
  --bundle --format=cjs --platform=node --target=node26 --external:koffi --external:yaml \
  --banner:js='const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' \
  --define:import.meta.url=importMetaUrl \
  --outdir=dist/lib --outbase=src --out-extension:.js=.cjs --minify-syntax --minify-whitespace --legal-comments=none --log-level=warning

cp node_modules/node/bin/node dist/lib/node
cp -r node_modules/koffi node_modules/@koromix dist/lib/node_modules/
# Only some starts need it; one file loads twice as fast as its 70.
node_modules/.bin/esbuild node_modules/yaml/dist/index.js --bundle --format=cjs --platform=node --target=node26 \
  --minify-syntax --minify-whitespace --outfile=dist/lib/node_modules/yaml/index.js --log-level=warning
cp node_modules/yaml/LICENSE dist/lib/node_modules/yaml/
cp LICENSE dist/

launcher() {
  cat > "dist/bin/$1" << END
#!/bin/sh
# No fork, unless the name is a link: each takes as long as a tenth of Node's start.
case \$0 in */*) self=\$0 ;; *) self=./\$0 ;; esac
[ ! -L "\$self" ] || self=\$(readlink -f "\$self")
lib=\${self%/*}/../lib
export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-/var/cache/condenser}"
exec "\$lib/node" --disable-warning=ExperimentalWarning $2 "\$lib/$3" "\$@"
END
  chmod +x "dist/bin/$1"
}
launcher condenser '--max-semi-space-size=1 --v8-pool-size=1' daemon/main.cjs
launcher raind '' cli/main.cjs
du -sh dist | cut -f1
