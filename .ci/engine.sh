#!/usr/bin/env bash
# Makes sure that a real Docker engine answers; starts one without systemd where none does.
# Can be run any number of times. ENGINE_TIMEOUT: seconds to wait for the engine (default 60).
set -euo pipefail

timeout_s=${ENGINE_TIMEOUT:-60}
log=

# `timeout`: a daemon that accepts the connection and then hangs must not hang us.
answers() { timeout 10 docker info >/dev/null 2>&1; }

# By executable, not by pid file: pid files outlive machines, and a zombie has no executable.
running() {
    { readlink /proc/[0-9]*/exe 2>/dev/null || true; } | grep -Eq "/$1( \(deleted\))?\$"
}

die() {
    echo "engine: $1" >&2
    if [[ -s $log ]]; then
        echo "engine: the end of $log:" >&2
        tail -n 40 "$log" >&2
    fi
    exit 1
}

install_engine() {
    echo "engine: installing docker.io"
    # Of docker.io's recommendations only these matter here: without apparmor's parser no container
    # starts on a kernel that enforces AppArmor, and cgroupfs-mount stands in for systemd.
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -q update && apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends \
        docker.io iptables apparmor cgroupfs-mount ca-certificates; } >"$log" 2>&1 </dev/null ||
        die "docker.io could not be installed"
}

# dockerd refuses to start when its pid file names a process that lives, whichever it is, and takes
# any containerd socket that it finds for a live one. Call only when no dockerd runs.
clear_stale_state() {
    rm -f /var/run/docker.pid /var/run/docker.sock
    running containerd || rm -f /run/containerd/containerd.sock \
        /var/run/docker/containerd/containerd.{pid,sock}
}

# In its own session, so that it outlives the caller and its terminal, and with none of the caller's
# open files: a daemon that holds the caller's stdout keeps `engine.sh | tee` from ever ending.
# Replaces the shell that calls it: call it in the background.
become_engine() {
    local fd
    exec </dev/null >>"$log" 2>&1
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        ((fd <= 2)) || exec {fd}>&-
    done
    cd /
    exec setsid dockerd
}

if command -v docker >/dev/null && answers; then
    exit 0
fi
((EUID == 0)) || die "no Docker engine answers, and only root can start one"
log=$(mktemp -d -t engine.XXXXXXXX)/engine.log
if ! { command -v docker && command -v dockerd; } >/dev/null; then
    install_engine
fi

pid=
if ! running dockerd; then # one that runs already may only need time
    [[ -d /sys/fs/cgroup/memory || -e /sys/fs/cgroup/cgroup.controllers ]] ||
        ! command -v cgroupfs-mount >/dev/null || cgroupfs-mount
    clear_stale_state
    become_engine &
    pid=$!
fi

deadline=$((SECONDS + timeout_s))
until answers; do
    # Ours may have lost to one that was started at the same time, which is as good.
    [[ -z $pid ]] || kill -0 "$pid" 2>/dev/null || running dockerd ||
        die "dockerd ended before it answered"
    ((SECONDS < deadline)) ||
        die "no Docker engine answered within ${timeout_s} s (DOCKER_HOST=${DOCKER_HOST:-unset})"
    sleep 0.5
done
echo "engine: Docker $(docker version --format '{{.Server.Version}}') answers${pid:+ (log: $log)}"
