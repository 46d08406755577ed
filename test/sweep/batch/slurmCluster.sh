#!/usr/bin/env bash
# A Slurm cluster of virtual nodes on this machine, for tests: slurmCluster.sh DIR NODE… starts what DIR/slurm.conf describes, and ends all
# of it when its input ends, so that no daemon outlives a test that was killed. Each daemon's process number is in DIR/pid-NAME.
set -u
dir=$1
shift
export PATH=$PATH:/usr/sbin:/sbin

begin() {
  local name=$1
  shift
  "$@" >>"$dir/$name.out" 2>&1 </dev/null &
  echo $! >"$dir/pid-$name"
}
alive() { kill -0 "$1" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" != Z ]; }

begin munged munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
  --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" --num-threads=2
until [ -S "$dir/munge.socket" ] || ! alive "$(cat "$dir/pid-munged")"; do sleep 0.05; done
begin slurmctld slurmctld -D -f "$dir/slurm.conf"
for node in "$@"; do begin "$node" slurmd -D -f "$dir/slurm.conf" -N "$node"; done

read -r _ # until the input ends

SLURM_CONF=$dir/slurm.conf timeout 20 scancel --user="$(id -un)" --signal=KILL --full >/dev/null 2>&1
SLURM_CONF=$dir/slurm.conf timeout 20 scancel --user="$(id -un)" >/dev/null 2>&1
for name in "$@" slurmctld munged; do
  pid=$(cat "$dir/pid-$name")
  kill "$pid" 2>/dev/null
  for _ in $(seq 1 100); do alive "$pid" || break; sleep 0.05; done
  kill -9 "$pid" 2>/dev/null
done
# What jobs of a node whose daemon was killed left behind has this cluster in its environment.
for process in /proc/[0-9]*; do
  [ "${process#/proc/}" != $$ ] && tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx "SLURM_CONF=$dir/slurm.conf" \
    && kill -9 "${process#/proc/}" 2>/dev/null
done
exit 0
