#!/bin/sh
# docker-keeper.sh FOLDER DATA: runs a Docker engine for as long as anybody holds a lock on FOLDER/users.
# Its socket is FOLDER/socket, its images are in DATA. It has no network, and touches no firewall.
set -eu
folder=$1
data=$2
rm -f "$folder/pid" "$folder/socket"
dockerd --host "unix://$folder/socket" --data-root "$data" --exec-root "$folder/exec" \
  --pidfile "$folder/pid" --iptables=false --ip6tables=false --bridge=none >"$folder/log" 2>&1 &
daemon=$!
flock --exclusive "$folder/users" sh -c "
  kill $daemon
  while kill -0 $daemon 2>/dev/null; do sleep 0.05; done
  umount '$folder'/exec/netns/* 2>/dev/null
  rm -rf '$folder/exec' '$folder/socket'
  :
"
