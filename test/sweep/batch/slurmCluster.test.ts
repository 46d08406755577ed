// A sweep on a real Slurm: three virtual nodes and six cells, of which one is cut by its time limit, one is preempted, one loses its node, and
// one fails. What the others come to equals, bit for bit, what runs come to that nothing befell.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepCell, SweepSummary } from '../../../server/protocol/sweep.ts';
import { newestLog, readHead } from '../../../server/run/logFile.ts';
import { listRunFolders } from '../../../server/run/runFolder.ts';
import { glance } from '../../../server/run/runGlance.ts';
import { BatchSweep } from '../../../server/sweep/batch/batchSweep.ts';
import { Controller } from '../../../server/sweep/batch/controller.ts';
import { slurmSettingsSchema } from '../../../server/sweep/batch/slurmSettings.ts';
import { storedCells } from '../../../server/sweep/storedCells.ts';
import { atOnce } from '../../../server/experiment/turns.ts';
import { makeSlurm } from '../../../server/sweep/batch/slurm.ts';
import { createScriptedRun, readRows, startScriptedRun, temporaryFolder } from '../../run/scriptedRun.ts';
import { kafscope } from '../../terminal/kafscope.ts';
import { startCluster, whyNoCluster, type Cluster } from './slurmCluster.ts';
import { makeTinySweep, missingSeed, openTinyTrainer, tinyCells } from './tinySweep.ts';

const why = whyNoCluster();
if (why !== null) console.log(`Not run: a real Slurm is needed, and ${why}.`);
const cluster: Cluster | null = why === null ? await startCluster(3) : null;

afterAll(async () => {
  await cluster?.stop();
});

const workMain = path.join(import.meta.dirname, 'scriptedWorkMain.ts');
const program = [process.execPath, '--disable-warning=ExperimentalWarning', workMain];
const lookAgainMs = 250;

/** Asks the controller whenever the test looks: the clock of its answers jumps by more than they hold. */
function batchSweep(folder: string, env: NodeJS.ProcessEnv) {
  let nowMs = 0;
  const controller = new Controller(makeSlurm({ env }), { env, now: () => (nowMs += 30_000) });
  return new BatchSweep(folder, { controller });
}

/** Looks until the sweep is as wanted. */
async function until(sweep: BatchSweep, isWanted: (summary: SweepSummary) => boolean): Promise<SweepSummary> {
  for (;;) {
    const summary = await sweep.look();
    if (isWanted(summary)) return summary;
    await delay(lookAgainMs);
  }
}

function records(folder: string) {
  // Where it was cut off it has a checkpoint more, and an evaluation that went on says so.
  return readRows(folder)
    .map(({ record }) => record)
    .filter(({ type }) => type !== 'checkpointed');
}

describe.runIf(cluster)('a sweep on Slurm', () => {
  it('goes on after a time limit, a preemption and a dead node, and tells the cell that failed', async () => {
    const { env, ask, killNode } = cluster!;
    const cells = tinyCells();
    const runsFolder = path.join(temporaryFolder(), `a 'run' of "$(touch ${os.tmpdir()}/x);\n100%A`);
    const folder = makeTinySweep(runsFolder, cells);
    const cache = temporaryFolder();
    const sweep = batchSweep(folder, { ...env, XDG_CACHE_HOME: cache });
    const settings = {
      cpus: 1,
      signalSeconds: 30,
      computesHere: false,
      setup: ['echo "on $SLURMD_NODENAME"'],
      options: [],
    };
    const submitted = await sweep.submit({ settings, isFailedAgain: false, program, nowMs: Date.now() });
    const id = submitted.ids[0]!;
    expect(submitted.nCells).toBe(6);
    expect(await sweep.submit({ settings, isFailedAgain: false, program, nowMs: Date.now() })).toMatchObject({
      ids: [],
    });

    const atFive = (cell: SweepCell | undefined) => cell?.status === 'training' && cell.step === 5;
    const held = await until(sweep, (summary) => [0, 1, 2].every((index) => atFive(summary.cells[index])));
    expect(held).toMatchObject({ status: 'working', place: `Slurm job ${id}`, scheduler: 'slurm' });
    expect(held.cells[0]!.job!.place).toMatch(new RegExp(`^Slurm ${id}_0 on n[123]$`));
    expect(held.cells[3]!.status).toBe('queued');
    expect(held.cells[3]!.job!.waits).toMatch(
      /^(waits for free nodes \(Resources\)|others are before it \(Priority\)|Slurm has not looked at it yet)$/,
    );
    const nodeOf = (cell: SweepCell) => cell.job!.place.split(' ').at(-1)!;

    // A minute is over when the signal comes, half a minute before its end.
    ask('scontrol', 'update', `JobId=${id}_0`, 'TimeLimit=1');
    ask('sbatch', '--partition=urgent', `--nodelist=${nodeOf(held.cells[1]!)}`, '--output=/dev/null', '--wrap=true');
    killNode(nodeOf(held.cells[2]!));

    const isAtRest = ({ status }: SweepCell) => ['finished', 'failed', 'diverged', 'damaged'].includes(status);
    const { cells: ended } = await until(sweep, (summary) => summary.cells.every(isAtRest));
    expect(ended.map(({ status }) => status)).toEqual([...Array<string>(5).fill('finished'), 'failed']);
    expect(ended[missingSeed]!.message).toBe('There is no data. Download it first.');
    const output = fs.readFileSync(path.join(folder, `slurm-${id}_5.log`), 'utf8');
    expect(output).toMatch(/^on n[123]\n[^]*There is no data\. Download it first\.\n$/);

    const runs = listRunFolders(runsFolder);
    expect(runs).toHaveLength(6);
    for (const [index, { plan, name }] of cells.entries()) {
      if (index === missingSeed) continue;
      const run = runs.find((one) => one.endsWith(`-s${String(index)}`))!;
      const whole = createScriptedRun(plan);
      await startScriptedRun(whole.folder, undefined, { openTrainer: openTinyTrainer }).ended;
      expect([name, records(run)]).toEqual([name, records(whole.folder)]);
      // Those that were held were cut off, by what befell them.
      expect([name, newestLog(run)]).toEqual([name, index < 3 ? 1 : 0]);
      expect(readHead(run, newestLog(run))!.owner.job).toBe(`slurm ${id}_${String(index)}`);
    }
    const tells = (index: number) => fs.readFileSync(path.join(folder, `slurm-${id}_${String(index)}.log`), 'utf8');
    expect(tells(0)).toMatch(/SIGUSR2: ending with a checkpoint, wanting more\.[^]*put back: Slurm starts it again/);
    expect(tells(1)).toMatch(/SIG(USR2|TERM): ending with a checkpoint/);
    expect(tells(2)).not.toMatch(/ending with a checkpoint/);
    expect(tells(2)).toContain('Another process has begun work on');
    expect(fs.existsSync(path.join(os.tmpdir(), 'x'))).toBe(false);
  });

  it('attacks in parts on several nodes behind one training, and puts together what one attack on all images says', async () => {
    const { env } = cluster!;
    const { name, values, plan } = tinyCells()[3]!;
    const folder = makeTinySweep(
      temporaryFolder(),
      atOnce(storedCells([{ name, values, plan: { ...plan, parts: 2 } }])),
    );
    const sweep = batchSweep(folder, { ...env, XDG_CACHE_HOME: temporaryFolder() });
    const settings = slurmSettingsSchema.parse({ cpus: 1 });
    const submitted = await sweep.submit({ settings, isFailedAgain: false, program, nowMs: Date.now() });
    expect([submitted.ids.length, submitted.nCells]).toEqual([3, 3]);
    const { cells } = await until(sweep, (summary) => summary.status === 'resting');
    expect(cells.map(({ status }) => status)).toEqual(['finished', 'finished', 'finished']);
    const runOf = (index: number) => path.join(path.dirname(path.dirname(folder)), cells[index]!.runId!);
    expect([0, 1, 2].map((index) => readHead(runOf(index), 0)!.work)).toEqual(['train', 'note', 'note']);
    const whole = createScriptedRun(plan);
    await startScriptedRun(whole.folder, undefined, { openTrainer: openTinyTrainer }).ended;
    expect(records(runOf(2))).toEqual(records(whole.folder));
  });

  it('is begun, looked at and taken back by the command line, and nothing else is touched', async () => {
    const { env: ofCluster, ask } = cluster!;
    const cwd = temporaryFolder();
    const env = { ...ofCluster, XDG_CACHE_HOME: path.join(cwd, 'cache'), XDG_CONFIG_HOME: path.join(cwd, 'config') };
    fs.mkdirSync(path.join(cwd, 'config/kafscope'), { recursive: true });
    fs.writeFileSync(
      path.join(cwd, 'config/kafscope/slurm.yaml'),
      'time: 20\ncpus: 1\natOnce: 1\ncomputesHere: true\n',
    );
    const text = `
name: tiny
runtime: wasm
dataset: { name: shapes, trainSamples: 48, testSamples: 8 }
model: { network: light, activation: relu }
training: { epochs: 10000, batchSize: 16 }
observe: { robustSamples: 0, tensorboard: false, test: 0 }
matrix: {seed: [0, 1]}
`;
    fs.writeFileSync(path.join(cwd, 'tiny.kaf.yaml'), text);
    const other = /\d+/.exec(
      ask('sbatch', '--output=/dev/null', '--job-name=kafscope-tiny-other', '--array=0', '--wrap=sleep 600'),
    )![0];
    const begun = await kafscope(['sweep', 'tiny.kaf.yaml', '--on', 'slurm'], { cwd, env });
    expect([begun.code, begun.errors]).toEqual([0, '']);
    const id = /^Slurm job (\d+): 2 cells of tiny$/m.exec(begun.output)![1]!;
    const stateOf = (job: string) =>
      ask('squeue', '-h', '-r', '-t', 'all', '-j', job, '-o', '%i %T').trim().split('\n').toSorted();
    const runsFolder = path.join(cwd, '.kafscope/runs');
    const isTraining = () =>
      listRunFolders(runsFolder).some((run) => newestLog(run) >= 0 && glance(run).summary.step > 0);
    while (!isTraining()) await delay(lookAgainMs);
    fs.rmSync(path.join(cwd, 'cache'), { recursive: true });
    const status = await kafscope(['sweep', 'tiny', '--status'], { cwd, env });
    expect(status.output).toMatch(
      new RegExp(
        `^tiny · working \\(Slurm job ${id}\\) · 0 finished · 1 at work · 1 left\nseed 0 · training · Slurm ${id}_0 on n\\d · step \\d+/30000\nseed 1 · queued · Slurm ${id}_1: as many as may run at once do \\(JobArrayTaskLimit\\)\n$`,
      ),
    );
    const here = await kafscope(['sweep', 'tiny', '--on', 'here'], { cwd, env });
    expect([here.code, here.errors]).toEqual([
      2,
      expect.stringContaining(`tiny is at work (Slurm job ${id}). Stop it first`),
    ]);
    const stopped = await kafscope(['sweep', 'tiny', '--stop'], { cwd, env });
    expect([stopped.code, stopped.errors]).toEqual([0, '']);
    expect(stopped.output).toBe('Slurm takes back 2 of tiny; those at work keep a checkpoint.\n');
    while (stateOf(id).join() !== `${id}_0 CANCELLED,${id}_1 CANCELLED`) await delay(lookAgainMs);
    expect(stateOf(other)).toEqual([`${other}_0 RUNNING`]);
    ask('scancel', other);
    const [cut] = listRunFolders(runsFolder)
      .map((run) => glance(run).summary)
      .filter(({ step }) => step > 0);
    expect([cut!.status, cut!.checkpoints.at(-1)!.step]).toEqual(['interrupted', cut!.step]);
    const refused = await kafscope(['sweep', 'tiny', '--pause'], { cwd, env });
    expect([refused.code, refused.errors]).toEqual([2, expect.stringContaining('pauses nothing')]);
  });
});
