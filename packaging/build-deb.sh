#!/bin/bash
# Builds dist/condenser_VERSION_ARCHITECTURE.deb from the production bundle.
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"

scripts/build.sh > /dev/null
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
architecture=$(dpkg --print-architecture)
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
chmod 0755 "$package"

install -d "$package"/{DEBIAN,usr/lib/condenser,usr/bin,usr/sbin,usr/lib/systemd/system,usr/share/doc/condenser,etc/condenser}
install -d "$package"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
cp -r dist/bin dist/lib "$package/usr/lib/condenser/"
ln -s ../lib/condenser/bin/raind "$package/usr/bin/raind"
ln -s ../lib/condenser/bin/condenser "$package/usr/sbin/condenser"
install -m 0644 packaging/condenser.service "$package/usr/lib/systemd/system/"
install -m 0644 README.md LICENSE "$package/usr/share/doc/condenser/"
dist/bin/raind completion bash > "$package/usr/share/bash-completion/completions/raind"
dist/bin/raind completion zsh > "$package/usr/share/zsh/vendor-completions/_raind"
dist/bin/raind completion fish > "$package/usr/share/fish/vendor_completions.d/raind.fish"

size=$(du -sk "$package" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" \
  packaging/debian/control > "$package/DEBIAN/control"
install -m 0755 packaging/debian/{postinst,prerm,postrm} "$package/DEBIAN/"

deb=dist/condenser_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zzstd --build "$package" "$deb" > /dev/null
echo "$deb"
