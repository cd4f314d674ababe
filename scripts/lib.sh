# Shared by the scripts of this folder; sourced after `root` was set to the checkout. POSIX sh.

# The Node that is fetched where the machine has none that is new enough. Both files come from the
# npm registry and are checked against these digests, whichever registry npm is set up to use.
node_wanted=24
node_version=24.21.0
node_sha512_linux_x64=de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced
node_sha512_linux_arm64=1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6

say() {
  printf '%s\n' "cairn: $*" >&2
}

die() {
  say "$*"
  exit 1
}

# Prints a Node that is new enough: the one on the PATH, else the one that `scripts/setup` fetched.
# Fails when there is neither.
find_node() {
  for candidate in "$(command -v node)" "$root/.cache/node/bin/node"; do
    [ -x "$candidate" ] || continue
    major=$("$candidate" --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
    if [ "${major:-0}" -ge "$node_wanted" ]; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# apt_install PACKAGE…: installs the packages that are missing, without starting any service.
apt_install() {
  missing=
  for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
    [ "$state" = installed ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    as_root='sudo -n'
    $as_root true 2>/dev/null || die "please install:$missing"
  fi
  say "installing$missing"
  log=$(mktemp)
  # shellcheck disable=SC2086 # both are lists of words
  { try_install $missing || { $as_root apt-get update && try_install $missing; }; } >"$log" 2>&1 || {
    cat "$log" >&2
    rm -f "$log"
    die "could not install:$missing"
  }
  rm -f "$log"
}

# A policy-rc.d that answers 101 keeps packages from starting their services; one that is there
# already stays.
try_install() {
  policy=/usr/sbin/policy-rc.d
  ours=
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
  fi
  installed=0
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet \
    --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" || installed=$?
  [ -z "$ours" ] || $as_root rm -f "$policy"
  return "$installed"
}
