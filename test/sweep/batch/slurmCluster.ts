// A real Slurm of virtual nodes on this machine, in a folder of its own and on ports of its own, where Slurm is installed and may be run.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const script = path.join(import.meta.dirname, 'slurmCluster.sh');

export interface Cluster {
  /** For whatever is to see this cluster. */
  readonly env: NodeJS.ProcessEnv;
  readonly nodes: readonly string[];
  /** Ends a node's daemon as a power cut would; its jobs' processes live on. */
  killNode(node: string): void;
  /** Runs one of Slurm's commands. */
  ask(command: string, ...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** Why there can be none here; null where there can. */
export function whyNoCluster(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'Slurm’s daemons are run as root on Linux';
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const missing = ['munged', 'slurmctld', 'slurmd', 'sbatch'].filter(
    (program) => !places.some((place) => fs.existsSync(path.join(place, program))),
  );
  return missing.length > 0 ? `there is no ${missing.join(', ')} (Debian’s packages slurm-wlm and munge)` : null;
}

const lookAgainMs = 100;

/** @throws Error where it does not come up */
export async function startCluster(nNodes: number): Promise<Cluster> {
  // Munge wants that everyone may pass its folder; the path of its socket must be short.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kafscope-slurm-'));
  fs.chmodSync(folder, 0o755);
  const nodes = Array.from({ length: nNodes }, (_, index) => `n${String(index + 1)}`);
  fs.writeFileSync(path.join(folder, 'munge.key'), randomBytes(1024), { mode: 0o400 });
  fs.writeFileSync(
    path.join(folder, 'cgroup.conf'),
    'CgroupAutomount=no\nCgroupMountpoint=/sys/fs/cgroup\nIgnoreSystemd=yes\n',
  );
  fs.mkdirSync(path.join(folder, 'state'));
  fs.writeFileSync(path.join(folder, 'slurm.conf'), configuration(folder, nodes, await freePorts(nNodes + 1)));
  const keeper = spawn('bash', [script, folder, ...nodes], { stdio: ['pipe', 'ignore', 'inherit'] });
  const env = { ...process.env, SLURM_CONF: path.join(folder, 'slurm.conf') };
  const ask = (command: string, ...args: readonly string[]) =>
    execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const cluster: Cluster = {
    ...{ env, nodes, ask },
    killNode: (node) => process.kill(Number(fs.readFileSync(path.join(folder, `pid-${node}`), 'utf8')), 'SIGKILL'),
    stop: async () => {
      const ended = once(keeper, 'exit');
      keeper.stdin.end();
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  while (!isUp(cluster, keeper)) await delay(lookAgainMs);
  if (keeper.exitCode !== null) throw new Error(`Slurm did not come up: ${logsOf(folder)}`);
  return cluster;
}

function isUp({ ask, nodes }: Cluster, keeper: ChildProcess): boolean {
  if (keeper.exitCode !== null) return true;
  try {
    return (
      ask('sinfo', '-h', '-N', '-p', 'main', '-o', '%t')
        .split('\n')
        .filter((state) => state === 'idle').length === nodes.length
    );
  } catch {
    return false;
  }
}

function logsOf(folder: string): string {
  const names = fs.readdirSync(folder).filter((name) => /\.(log|out)$/.test(name));
  return names.map((name) => fs.readFileSync(path.join(folder, name), 'utf8').slice(-2000)).join('\n');
}

/** Held all at once, so that no two are one. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Without cgroups, systemd and a database; each node has one processor, and jobs of `urgent` take the nodes of others. */
function configuration(folder: string, nodes: readonly string[], [port, ...nodePorts]: readonly number[]): string {
  const host = os.hostname().split('.')[0]!;
  return `ClusterName=kafscope
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${String(port)}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A job that was put back waits as long as its credential lives: two minutes, and with less than 5 here, too.
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmctldLogFile=${folder}/slurmctld.log
StateSaveLocation=${folder}/state
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmdLogFile=${folder}/slurmd-%n.log
SlurmdSpoolDir=${folder}/spool-%n
SlurmdParameters=config_overrides
PlugStackConfig=/dev/null
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=batch_sched_delay=1,sched_interval=1,bf_interval=1,sched_min_interval=100000
SlurmdTimeout=6
KillWait=30
MinJobAge=600
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobRequeue=1
${nodes.map((node, index) => `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${String(nodePorts[index])} CPUs=1 RealMemory=500 State=UNKNOWN`).join('\n')}
PartitionName=main Nodes=ALL Default=YES MaxTime=1:00:00 DefaultTime=30 PriorityTier=1 PreemptMode=REQUEUE GraceTime=30 State=UP
PartitionName=urgent Nodes=ALL MaxTime=1:00:00 DefaultTime=30 PriorityTier=10 PreemptMode=OFF State=UP
`;
}
