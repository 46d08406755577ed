// The `kafscope` command as built: training for real on a few pictures, exit codes, and what is said when it can't be done.
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../run/scriptedRun.ts';
import { standIn } from '../sweep/batch/standIn.ts';
import { jsonLines, kafscope, startKafscope } from './kafscope.ts';

const experiment = `
name: tiny
runtime: wasm
dataset: {name: shapes, trainSamples: 8, testSamples: 4}
model: {network: light, activation: {type: kaf, dictionary: 5}}
training: {epochs: 2, batchSize: 4}
observe: {robustSamples: 0}
`;

function workspace(text = experiment): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'tiny.kaf.yaml'), text);
  return folder;
}

const fits =
  /Batches of (\d+) images need about [\d.]+ GB of memory; what .+ is [\d.]+ GB\. Set (.+) to (\d+) or less\.$/m;

describe('kafscope', () => {
  it('trains, then evaluates and inspects what it trained', async () => {
    const cwd = workspace();
    const trained = await kafscope(['train', 'tiny.kaf.yaml', '--set', 'training.batchSize=8', '--json'], { cwd });
    expect(trained).toMatchObject({ code: 0, errors: '' });
    const lines = jsonLines(trained.output);
    const types = lines.map(({ type }) => type);
    expect(new Set(types)).toEqual(new Set(['run', 'status', 'prepared', 'step', 'test', 'checkpointed', 'done']));
    expect(lines.filter(({ type }) => type === 'step').map(({ step }) => step)).toEqual([1, 2]);
    const done = lines.at(-1)!;
    expect(done).toMatchObject({ type: 'done', status: 'finished', step: 2, steps: 2, epoch: 2, message: null });
    expect(done.device).toMatch(/^wasm · /);
    const folder = String(done.folder);
    expect(path.dirname(folder)).toBe(path.join(fs.realpathSync(cwd), '.kafscope', 'runs'));

    const evaluated = await kafscope(
      ['evaluate', folder, '--steps', '2', '--samples', '4', '--epsilon', '8/255', '--json'],
      { cwd },
    );
    expect(evaluated).toMatchObject({ code: 0, errors: '' });
    const result = jsonLines(evaluated.output).at(-1)!;
    expect(result).toMatchObject({ type: 'done', status: 'finished', samples: 4, isPartial: false });
    for (const accuracy of [result.clean, result.robust] as Record<string, number>[]) {
      expect(Object.keys(accuracy)).toEqual(['value', 'low', 'high']);
      expect(accuracy.low).toBeLessThanOrEqual(accuracy.value!);
      expect(accuracy.high).toBeGreaterThanOrEqual(accuracy.value!);
    }
    const again = await kafscope(['evaluate', String(done.checkpoint), '--steps', '2', '--samples', '4'], { cwd });
    expect(again.code).toBe(0);
    expect(again.output).toMatch(/^clean {2}\d+\.\d % \(95 % interval \d+\.\d % to \d+\.\d %\)$/m);

    const transfer = [
      '--attack',
      'transfer',
      '--from',
      `./${path.relative(cwd, folder)}`,
      '--steps',
      '2',
      '--samples',
      '4',
    ];
    const transferred = await kafscope(['evaluate', folder, ...transfer], { cwd });
    expect(transferred).toMatchObject({ code: 0, errors: '' });
    expect(transferred.output).toContain(`images made on ${path.basename(folder)}, weights of step 2\n`);
    expect(transferred.output).toMatch(/audit: The checkpoint that the images were made on has the very weights/);

    const inspected = await kafscope(['inspect', String(done.checkpoint), '--json'], { cwd });
    const contents = jsonLines(inspected.output);
    expect(contents).toHaveLength(1);
    expect(contents[0]).toMatchObject({ type: 'checkpoint', origin: { step: 2, epoch: 2 } });
    const table = await kafscope(['inspect', String(done.checkpoint)], { cwd });
    expect(table.output).toMatch(/^model\/conv1\.kernel +F32 +\[3, 3, 3, \d+\]( +\S+){5} +0$/m);
    expect(table.output).toMatch(/^KAF kaf1: \d+ channels, 5 elements in \[-3, 3\]/m);
  });

  it('finds a learning rate, writes it into the file, and keeps no run', async () => {
    const text = experiment.replace('epochs: 2,', 'epochs: 2, schedule: {type: triangular, max: 1}, # mine\n  ');
    const cwd = workspace(text);
    const sweep = ['--from', '1e-5', '--to', '1e-2', '--steps', '12'];
    const found = await kafscope(['lr-find', 'tiny.kaf.yaml', ...sweep, '--apply', '--json'], { cwd });
    const lines = jsonLines(found.output);
    const points = lines.filter(({ type }) => type === 'point');
    expect(points[0]).toMatchObject({ step: 1, learningRate: 1e-5 });
    expect(points).toHaveLength(12);
    const done = lines.at(-1)!;
    expect(done).toMatchObject({ type: 'done', steps: 12 });
    const ends = done.ends as { readonly max: number } | null;
    const written = fs.readFileSync(path.join(cwd, 'tiny.kaf.yaml'), 'utf8');
    if (ends) expect(written).toContain(`max: ${String(ends.max)}`);
    expect(found.code).toBe(ends ? 0 : 1);
    expect(written).toContain('# mine');
    expect(fs.existsSync(path.join(cwd, '.kafscope'))).toBe(false);
    const wrong = await kafscope(['lr-find', 'tiny.kaf.yaml', '--from', '1', '--to', '0.1'], { cwd });
    expect(wrong).toMatchObject({ code: 2, errors: expect.stringContaining('0 < --from < --to') as string });
  });

  it('keeps a checkpoint when it is interrupted, ends with 130, and resumes', async () => {
    const cwd = workspace();
    const long = ['train', 'tiny.kaf.yaml', '--set', 'training.epochs=10000', '--json'];
    const started = startKafscope([...long, '--out', 'runs'], { cwd });
    await started.untilLine(/"type":"step"/);
    started.process.kill('SIGINT');
    const interrupted = await started.ended;
    expect(interrupted.code).toBe(130);
    const done = jsonLines(interrupted.output).at(-1)!;
    expect(done).toMatchObject({ type: 'done', status: 'interrupted' });
    expect(fs.existsSync(String(done.checkpoint))).toBe(true);

    const resumed = startKafscope(['train', '--resume', String(done.id), '--out', 'runs', '--json'], { cwd });
    await resumed.untilLine(/"type":"step"/);
    resumed.process.kill('SIGTERM');
    const ended = await resumed.ended;
    expect(ended.code).toBe(130);
    const steps = jsonLines(ended.output).filter(({ type }) => type === 'step');
    expect(steps[0]!.step).toBe(Number(done.step) + 1);

    const id = String(done.id);
    const refused: [string[], RegExp][] = [
      [['tiny.kaf.yaml'], /goes on with a run as it was begun, so tiny\.kaf\.yaml would not be read/],
      [
        ['--set', 'training.epochs=5'],
        /--set can't change a run that has begun: training\.epochs=5\. .*start a new run/,
      ],
      [['--threads', '0'], /--threads 0: expected an integer in \[1, 256\]/],
      [['--data', 'nowhere'], /--data nowhere: there is no folder .*nowhere/],
      [['--data', '.'], /--data: The data set shapes is made, not read from a folder/],
    ];
    for (const [args, message] of refused) {
      const { code, errors } = await kafscope(['train', '--resume', id, '--out', 'runs', ...args], { cwd });
      expect(errors, args.join(' ')).toMatch(message);
      expect(code, args.join(' ')).toBe(2);
    }
  });

  it('ends with a checkpoint when nobody reads its output any more', async () => {
    const cwd = workspace();
    const started = startKafscope(['train', 'tiny.kaf.yaml', '--set', 'training.epochs=10000', '--json'], { cwd });
    await started.untilLine(/"type":"step"/);
    started.process.stdout!.destroy();
    const { code, errors } = await started.ended;
    expect(code).toBe(130);
    expect(errors).not.toContain('EPIPE');
    const [run] = fs.readdirSync(path.join(cwd, '.kafscope/runs'));
    expect(fs.readdirSync(path.join(cwd, '.kafscope/runs', run!, 'checkpoints'))).not.toEqual([]);
  });

  it('names the place of every mistake in a file and ends with 2', async () => {
    const cwd = workspace('name: x\nmodel:\n  network: vg\ntraining: {epochs: -1}\n');
    const { code, errors, output } = await kafscope(
      ['train', 'tiny.kaf.yaml', '--set', 'seeds=no', '--set', 'nope.x=1'],
      {
        cwd,
      },
    );
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toMatch(/^tiny\.kaf\.yaml:3:12: model\.network: expected .*, got "vg" — .+$/m);
    expect(errors).toMatch(/^tiny\.kaf\.yaml:4:20: training\.epochs: expected .*, got -1 — .+$/m);
    expect(errors).toMatch(/^--set: seeds: expected .*, got "no" — .+$/m);
    expect(errors).toMatch(/^--set: nope: expected one of the keys .*, got the unknown key "nope" — .+$/m);
    expect(fs.readdirSync(cwd)).toEqual(['tiny.kaf.yaml']);
  });

  it('ends with 2 on bad usage and says what is wrong', async () => {
    const cwd = workspace();
    const cases: [string[], RegExp][] = [
      [['fly'], /unknown command 'fly'/],
      [['train'], /Name an experiment file/],
      [['train', 'none.yaml'], /none\.yaml can't be read/],
      [['train', 'tiny.kaf.yaml', '--set', 'epochs'], /--set epochs: expected path=value/],
      [['train', 'tiny.kaf.yaml', '--data', '.'], /In a new run set dataset\.path/],
      [['train', '--resume', 'nothing'], /There is no run nothing/],
      [['evaluate', 'nothing'], /does not exist\. Name a run's folder or a checkpoint file/],
      [['evaluate', '.', '--epsilon', '8/x'], /--epsilon 8\/x: expected a number, for example 20 or 8\/255/],
      [['evaluate', '.', '--steps', '0'], /--steps: Too small/],
      [['evaluate', '.', '--attack', 'transfer'], /--from: expected the id of a run, or the path of a run or/],
      [['inspect', '.'], /is a folder\. Name a file in it/],
      [['inspect', 'tiny.kaf.yaml'], /tiny\.kaf\.yaml is not a usable safetensors file/],
    ];
    const ended = await Promise.all(cases.map(([args]) => kafscope(args, { cwd })));
    for (const [index, [args, message]] of cases.entries()) {
      expect(ended[index]!.errors, args.join(' ')).toMatch(message);
      expect(ended[index]!.code, args.join(' ')).toBe(2);
    }
  });

  it('ends with 1 where the data is missing, and says what to do', async () => {
    const cwd = workspace(experiment.replace('shapes', 'cifar10, path: ./nowhere'));
    const { code, output, errors } = await kafscope(['train', 'tiny.kaf.yaml', '--json'], { cwd });
    expect(code).toBe(1);
    const done = jsonLines(output).at(-1)!;
    expect(done).toMatchObject({ type: 'done', status: 'failed' });
    expect(done.message).toContain('nowhere');
    expect(errors).toContain(String(done.message));
  });

  it('refuses a step that does not fit before training starts, and names the batch size that fits', async () => {
    const cwd = workspace(experiment.replace('trainSamples: 8', 'trainSamples: 4000').replace('light', 'vgg'));
    const large = ['train', 'tiny.kaf.yaml', '--set', 'training.batchSize=4000', '--out', 'runs'];
    const { code, output, errors } = await kafscope([...large, '--json'], { cwd });
    expect(code).toBe(1);
    const fit = fits.exec(errors);
    expect(fit?.[1]).toBe('4000');
    expect(fit?.[2]).toBe('training.batchSize');
    expect(Number(fit?.[3])).toBeLessThan(4000);
    const types = jsonLines(output).map(({ type }) => type);
    expect(types).not.toContain('step');
    const done = jsonLines(output).at(-1)!;
    expect(done).toMatchObject({ type: 'done', status: 'failed', step: 0, message: errors.trim() });
  });

  it('refuses an attack that does not fit, of a run as of a file, and the run stays finished', async () => {
    const cwd = workspace(experiment.replace('testSamples: 4', 'testSamples: 9000'));
    const quick = ['--set', 'observe.test=0', '--set', 'training.epochs=1'];
    const trained = await kafscope(['train', 'tiny.kaf.yaml', '--json', ...quick], { cwd });
    const { folder, checkpoint, memory } = jsonLines(trained.output).at(-1)!;
    expect(memory).toMatchObject({ peakBytes: expect.any(Number) as number });
    const large = ['--samples', '9000', '--batch-size', '9000'];
    for (const target of [String(folder), String(checkpoint)]) {
      const { code, errors } = await kafscope(['evaluate', target, ...large], { cwd });
      expect(code).toBe(1);
      const fit = fits.exec(errors);
      expect(fit?.[2]).toBe('the batch size');
      expect(Number(fit?.[3])).toBeLessThan(9000);
    }
    const fitting = await kafscope(['evaluate', String(folder), '--samples', '2', '--steps', '1'], { cwd });
    expect(fitting.code).toBe(0);
  });

  it('tries no runtime on a host that gives jobs to a cluster', async () => {
    const { env } = standIn({ XDG_CONFIG_HOME: temporaryFolder() });
    fs.mkdirSync(path.join(env['XDG_CONFIG_HOME']!, 'kafscope'));
    fs.writeFileSync(path.join(env['XDG_CONFIG_HOME']!, 'kafscope/slurm.yaml'), 'partition: main\n');
    const { code, output } = await kafscope(['doctor'], { cwd: workspace(), env: { ...process.env, ...env } });
    expect(code).toBe(0);
    expect(output).toMatch(/^runtimes +not tried\. This host gives jobs to Slurm, so nothing is computed on it\./m);
    expect(output).not.toMatch(/^runtime /m);
    expect(output).toMatch(/Ready to give sweeps to a cluster\.\n$/);
  });

  it('says in one object what of the machine it can use', async () => {
    const { code, output } = await kafscope(['doctor', '--json'], { cwd: workspace() });
    const lines = jsonLines(output);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ type: 'doctor', isReady: true, node: process.versions.node });
    expect(Object.keys(lines[0]!)).toEqual(
      expect.arrayContaining([
        'runtimes',
        'auto',
        'simd',
        'sharedMemory',
        'threads',
        'memory',
        'disk',
        'cache',
        'sqlite',
        'kafscope',
        'platform',
      ]),
    );
    expect(code).toBe(0);
  });

  it('says why a run that came to its end is a failure, by its exit code too', async () => {
    const cwd = workspace(`
name: jumps
runtime: wasm
dataset: {name: shapes, trainSamples: 8, testSamples: 4}
model: {network: {type: resnet, depth: 56}, activation: {type: kaf, init: {normal: 0.05}}}
training: {epochs: 1, batchSize: 8, optimizer: sgd, schedule: {learningRate: 0.01}}
observe: {norms: 1, robustSamples: 0}
`);
    const { code, output, errors } = await kafscope(['train', 'tiny.kaf.yaml'], { cwd });
    expect(code).toBe(1);
    expect(errors).toMatch(/^failure: step 1: Weights jumped by decades\. /m);
    expect(errors).toMatch(/^ {2}The norm of \w+\.\w+ is \d\.\de\+\d+\. Lower the learning rate, /m);
    expect(output).toMatch(/^finished at step 1 of 1/m);
    const told = jsonLines((await kafscope(['train', 'tiny.kaf.yaml', '--json'], { cwd })).output);
    expect(told.find(({ type }) => type === 'health')).toMatchObject({
      rule: 'weights-jump',
      severity: 'failure',
      step: 1,
    });
  });

  it('trains on TensorFlow', async () => {
    const cwd = workspace();
    const trained = await kafscope(['train', 'tiny.kaf.yaml', '--runtime', 'tensorflow', '--json'], { cwd });
    expect(trained).toMatchObject({ code: 0, errors: '' });
    const done = jsonLines(trained.output).at(-1)!;
    expect(done).toMatchObject({ type: 'done', status: 'finished', step: 4 });
    expect(done.device).toMatch(/^tensorflow · TensorFlow \d+\.\d+\.\d+ · /);
  });

  it('names the TensorFlow that it found, or the command that installs one', async () => {
    const cwd = workspace();
    const { output } = await kafscope(['doctor'], { cwd });
    expect(output).toMatch(/^runtime tensorflow works: TensorFlow \d+\.\d+\.\d+ · \w+\. Found in \S+, named by /m);
    fs.mkdirSync(path.join(cwd, 'env'));
    const env = { ...process.env, KAFSCOPE_TENSORFLOW: 'env' };
    const without = await kafscope(['doctor'], { cwd, env });
    expect(without.code).toBe(0);
    expect(without.output).toMatch(
      /^runtime tensorflow does not work\. There is no TensorFlow in \S+env, .* "kafscope install tensorflow"/m,
    );
    const trained = await kafscope(['train', 'tiny.kaf.yaml', '--runtime', 'tensorflow'], { cwd, env });
    expect(trained.code).toBe(1);
    expect(trained.errors).toContain('the runtime tensorflow does not work here: There is no TensorFlow in');
  });

  it('installs TensorFlow by pip alone, and says what pip lacks', async () => {
    const cwd = workspace();
    const into = ['--into', path.join(cwd, 'tensorflow')];
    const ended = await kafscope(['install', 'tensorflow', '--python', '/nowhere/python3', ...into], { cwd });
    expect(ended.code).toBe(1);
    expect(ended.errors).toContain("/nowhere/python3 can't be started. Install Python 3 with pip");
    expect(fs.existsSync(path.join(cwd, 'tensorflow'))).toBe(false);
    expect(await kafscope(['install', 'torch'], { cwd })).toMatchObject({ code: 2 });
  });

  it('lists the accelerated kernels and the copied ones', async () => {
    const { code, output, errors } = await kafscope(['doctor', '--ops', '--json'], { cwd: workspace() });
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const lines = jsonLines(output);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      type: 'ops',
      runtime: 'wasm',
      accelerated: expect.arrayContaining(['KafscopeKaf', 'KafscopeBatchNormKaf']) as string[],
      copied: expect.arrayContaining(['Acos']) as string[],
    });
  });

  it('says how to build it where that has not been done', async () => {
    const cwd = temporaryFolder();
    fs.mkdirSync(path.join(cwd, 'scripts'));
    for (const name of ['kafscope.mjs', 'node24.mjs']) {
      fs.copyFileSync(path.join(import.meta.dirname, '../../scripts', name), path.join(cwd, 'scripts', name));
    }
    const ended = await kafscope(['doctor'], { cwd, script: path.join(cwd, 'scripts', 'kafscope.mjs') });
    expect(ended).toMatchObject({ code: 1, output: '' });
    expect(ended.errors).toContain('Run "npm ci" and "npm run build"');
  });

  it('downloads CIFAR-10 only to keep what has the published checksum', async () => {
    const server = createServer((_request, response) => response.end('not CIFAR-10'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/cifar.tar.gz`;
    try {
      const cwd = temporaryFolder();
      const wrong = await kafscope(['download', 'cifar10', 'data', '--url', url, '--json'], { cwd });
      expect(wrong.code).toBe(1);
      expect(wrong.errors).toMatch(/^kafscope: .*checksum/);
      expect(fs.readdirSync(path.join(cwd, 'data')).filter((file) => file.endsWith('.bin'))).toEqual([]);
    } finally {
      server.close();
    }
    const unknown = await kafscope(['download', 'imagenet', 'data'], { cwd: temporaryFolder() });
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.errors).toContain('cifar10');
  });
});
