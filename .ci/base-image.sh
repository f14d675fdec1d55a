#!/usr/bin/env bash
# base-image.sh NAME: makes a Debian bookworm image with Python 3.11 for tests on a machine that
# cannot pull images. It reaches the package registries the way this machine does: the same Debian
# mirror, certificates and pip indexes, all read from the machine and none written down here.
# Does nothing when NAME exists: `docker rmi NAME` first to make it anew.
set -euo pipefail

name=${1:?usage: base-image.sh NAME}
suite=bookworm
bundle=/etc/ssl/certs/ca-certificates.crt

die() {
    echo "base-image: $1" >&2
    exit 1
}

docker info >/dev/null 2>&1 || die "no Docker engine answers: run .ci/engine.sh first"
if docker image inspect "$name" >/dev/null 2>&1; then
    echo "base-image: $name exists"
    exit 0
fi
((EUID == 0)) || die "debootstrap needs root"

work=$(mktemp -d -t base-image.XXXXXXXX)
root=$work/root
# One file system: should debootstrap die with /proc or /sys still mounted, they are left alone.
trap 'rm -rf --one-file-system "$work"' EXIT

logged() { # runs a command quietly; shows what it printed only if it fails
    "$@" >"$work/log" 2>&1 </dev/null || {
        tail -n 40 "$work/log" >&2
        die "failed: $*"
    }
}

# apt knows the origin of an index only once it has fetched it, hence the update below.
debian_sources() {
    apt-get indextargets --format "deb \$(SITE) \$(RELEASE) \$(COMPONENT)" \
        'Created-By: Packages' 'Origin: Debian' "Codename: $1" | grep -E '^deb https?://' | sort -u || true
}

if ! command -v debootstrap >/dev/null || [[ -z $(debian_sources "$suite") ]]; then
    logged apt-get -q update
fi
if ! command -v debootstrap >/dev/null; then
    # The keyring is only recommended by debootstrap, which without it would check no signature.
    DEBIAN_FRONTEND=noninteractive logged apt-get -qy -o DPkg::Lock::Timeout=300 install \
        --no-install-recommends debootstrap debian-archive-keyring gpgv
fi

mirror=$(debian_sources "$suite" | awk 'NR == 1 { print $2 }')
echo "base-image: building $name from ${mirror:-the default mirror}"
logged debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates,git \
    "$suite" "$root" ${mirror:+"$mirror"}

# Updates and security fixes too, for a Dockerfile that installs packages on top.
for part in "$suite" "$suite-updates" "$suite-security"; do
    debian_sources "$part"
done >"$work/sources.list"
[[ ! -s $work/sources.list ]] || cp "$work/sources.list" "$root/etc/apt/sources.list"

# Keep the image small, and what is installed on top of it as well.
rm -rf "$root"/var/{lib/apt/lists,cache/apt,cache/debconf,log}/* \
    "$root"/usr/share/{doc,info,lintian,locale,man}/* "$root"/etc/{hostname,resolv.conf}
cat >"$root/etc/dpkg/dpkg.cfg.d/small" <<'CFG'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
CFG
cat >"$root/etc/apt/apt.conf.d/small" <<'CFG'
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Binary::apt::APT::Keep-Downloaded-Packages "false";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
CFG

# The machine's certificates, and the variables that point programs to them.
# PATH is Docker's default, but a Dockerfile's `ENV PATH=x:$PATH` sees it only when it is set.
changes=(
    --change 'CMD ["bash"]'
    --change 'ENV LANG=C.UTF-8'
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
)
if [[ -f $bundle ]]; then
    install -m 644 "$bundle" "$root$bundle"
    for variable in SSL_CERT_FILE REQUESTS_CA_BUNDLE; do
        [[ -z ${!variable:-} ]] || changes+=(--change "ENV $variable=$bundle")
    done
fi

# The machine's pip settings, as pip would merge them (files, then PIP_*), but only those about
# reaching an index, and no folder of this machine, which a container has not. They go to a file
# and not to ENV, so that an index's password is not in `docker inspect`.
python3 - "$bundle" >"$root/etc/pip.conf" <<'PYTHON'
import configparser, os, pathlib, sys

KEPT = {"index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "cert",
        "timeout", "default-timeout", "retries", "disable-pip-version-check"}
home = pathlib.Path.home()
files = [
    *(f"{d}/pip/pip.conf" for d in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")),
    "/etc/pip.conf",
    home / ".pip/pip.conf",
    pathlib.Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf",
    os.environ.get("PIP_CONFIG_FILE", ""),
]
config = configparser.RawConfigParser()
config.read(f for f in files if f)
variables = {k[4:].lower().replace("_", "-"): v for k, v in os.environ.items() if k.startswith("PIP_")}
config.read_dict({"global": variables})

for section in config.sections():
    for option, value in config.items(section):
        if option in {"find-links", "extra-index-url", "index-url"}:
            value = " ".join(v for v in value.split() if v.startswith(("http://", "https://")))
        if option == "cert":
            value = sys.argv[1] if os.path.exists(sys.argv[1]) else ""
        if option not in KEPT or not value or (section != "global" and option in variables):
            config.remove_option(section, option)
        else:
            config.set(section, option, value)
config.write(sys.stdout)
PYTHON

tar --numeric-owner --one-file-system -C "$root" -c . |
    docker import "${changes[@]}" - "$name" >/dev/null
echo "base-image: $name is ready ($(($(docker image inspect --format '{{.Size}}' "$name") / 1000000)) MB)"
