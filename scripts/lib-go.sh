# Shared by the scripts that build Go programs; sourced after lib.sh and `go_wanted`. POSIX sh.

# Prints a Go that is new enough: the one on the PATH, else the one of https://go.dev/doc/install.
find_go() {
  for candidate in "$(command -v go)" /usr/local/go/bin/go; do
    [ -x "$candidate" ] || continue
    release=$(GOTOOLCHAIN=local "$candidate" env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9.]*\).*/\1/p')
    if dpkg --compare-versions "${release:-0}" ge "$go_wanted"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

debian_has_go() {
  candidate=$(apt-cache policy golang-go | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}//p')
  dpkg --compare-versions "${candidate:-0}" ge "$go_wanted~"
}
