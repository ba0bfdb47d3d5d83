#!/bin/bash
# Writes an OCI image layout to stdout, as a tar: this host's static busybox with all its applets, and a page to serve.
set -euo pipefail

busybox=$(command -v busybox) || { echo 'default-image: install busybox-static first' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rootfs=$work/rootfs layout=$work/layout
mkdir -p "$rootfs"/{bin,etc,home,proc,root,sys,dev,tmp,var,www} "$layout/blobs/sha256"
chmod 1777 "$rootfs/tmp"
chmod 0700 "$rootfs/root"

cp "$busybox" "$rootfs/bin/busybox"
"$busybox" --list | while read -r applet; do
  [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > "$rootfs/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$rootfs/etc/group"
cat > "$rootfs/www/index.html" << 'END'
<!doctype html>
<title>Condenser</title>
<h1>It works</h1>
<p>This page comes from a container that Condenser runs.</p>
END

# Puts stdin into the layout; prints its digest's hex and its size.
blob() {
  local digest
  cat > "$work/blob"
  digest=$(sha256sum < "$work/blob" | cut -d' ' -f1)
  mv "$work/blob" "$layout/blobs/sha256/$digest"
  echo "$digest $(stat -c %s "$layout/blobs/sha256/$digest")"
}

tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --directory "$rootfs" . > "$work/layer.tar"
diff_id=$(sha256sum < "$work/layer.tar" | cut -d' ' -f1)
read -r layer layer_size < <(gzip --no-name < "$work/layer.tar" | blob)
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
read -r config config_size < <(blob << END
{"architecture":"$arch","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:$diff_id"]}}
END
)
read -r manifest manifest_size < <(blob << END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config","size":$config_size},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:$layer","size":$layer_size}]}
END
)
echo '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
cat > "$layout/index.json" << END
{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$manifest","size":$manifest_size,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}
END
tar --create --directory "$layout" .
