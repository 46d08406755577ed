// Entry of `dist/cli.cjs`, the `kafscope` command: reads arguments and wires the commands to this terminal.
import path from 'node:path';
import { Argument, Command, CommanderError, Option } from 'commander';
import { evaluationNames } from './protocol/evaluationTable.ts';
import { downloadable, type DatasetName } from './protocol/datasets.ts';
import { usualSweep } from './protocol/learningRates.ts';
import { plainText } from './protocol/plainText.ts';
import { runtimeNames, type RuntimeChoice } from './protocol/plan.ts';
import { trainerOpener } from './run/openTrainer.ts';
import { settingOptions } from './terminal/attackOptions.ts';
import { doctorCommand } from './terminal/doctorCommand.ts';
import { doctorOpsCommand } from './terminal/doctorOpsCommand.ts';
import { doctorRunCommand } from './terminal/doctorRunCommand.ts';
import { downloadCommand } from './terminal/downloadCommand.ts';
import { evaluateCommand } from './terminal/evaluateCommand.ts';
import { installCommand } from './terminal/installCommand.ts';
import { inspectCommand } from './terminal/inspectCommand.ts';
import { exportCommand, tagPattern, type ExportForm } from './terminal/exportCommand.ts';
import { reportCommand } from './terminal/reportCommand.ts';
import { runFolderOf } from './terminal/runAt.ts';
import { tableFormats, type TableFormat } from './sweep/tableFormats.ts';
import { exitCodes, Terminal, UsageError } from './terminal/terminal.ts';
import { lrFindCommand } from './terminal/lrFindCommand.ts';
import { reportSweep } from './terminal/reportSweep.ts';
import { findSweep } from './terminal/sweepAt.ts';
import { sweepAskCommand, sweepCommand, sweepStatusCommand } from './terminal/sweepCommand.ts';
import { lastScheduler, sweepOnCommand } from './terminal/sweepOnCommand.ts';
import { readOverrides, trainCommand } from './terminal/trainCommand.ts';
import { workCommand } from './terminal/workCommand.ts';
import { whyNotHere } from './sweep/batch/loginNode.ts';
import { schedulerNames } from './sweep/batch/schedulers.ts';
import { BadCheckpointError } from './run/safetensors.ts';
import { ignoreDebuggerSignal, wantingMore } from './run/processSignals.ts';
import { startServer } from './rpc/server.ts';
import { makeServices } from './rpc/services.ts';
import { surroundings } from './tensor/python/places.ts';
import { tensorflowFolder } from './tensor/tensorflow/tensorflowPlaces.ts';

declare const __KAFSCOPE_VERSION__: string;

const version = __KAFSCOPE_VERSION__;
const assetsFolder = __dirname;
const defaultRunsFolder = path.join('.kafscope', 'runs');

ignoreDebuggerSignal();
void main();

async function main(): Promise<void> {
  endWhereNobodyReads(process.stdout);
  endWhereNobodyReads(process.stderr);
  try {
    await makeProgram().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no mistakes; what commander finds wrong, it has said.
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
      return;
    }
    process.stderr.write(`kafscope: ${plainText(error instanceof Error ? error.message : String(error))}\n`);
    const isUsage = error instanceof UsageError || error instanceof BadCheckpointError;
    process.exitCode = isUsage ? exitCodes.usage : exitCodes.failed;
  }
}

/** `kafscope … | head`: the reader has what it wanted. A run ends as it does at Ctrl+C: with a checkpoint. */
function endWhereNobodyReads(stream: NodeJS.WriteStream): void {
  stream.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stream.on('error', () => undefined); // what is still written has no reader either
    if (process.listenerCount('SIGINT') > 0) process.emit('SIGINT', 'SIGINT');
    else process.exit(exitCodes.done);
  });
}

function makeProgram(): Command {
  const program = new Command('kafscope')
    .description('Trains networks with kernel activation functions, attacks them, and looks into their checkpoints.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(kafscope --help tells more)');

  program
    .command('train')
    .description('trains an experiment; the run is kept in a folder of its own')
    .argument('[file]', 'experiment file (*.kaf.yaml)')
    .option('--set <path=value>', 'overrides a setting, for example training.epochs=2; may be repeated', gather, [])
    .addOption(runtimeOption())
    .addOption(threadsOption())
    .addOption(dataOption())
    .option('--out <folder>', 'folder that holds the run folders', defaultRunsFolder)
    .option('--resume <run>', 'goes on with a run that ended early: its folder, or its name in --out')
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (file: string | undefined, options: TrainOptions) => {
      const command = {
        file: file ?? null,
        set: options.set,
        runtime: options.runtime ?? null,
        threads: options.threads ?? null,
        data: options.data ?? null,
        runsFolder: path.resolve(options.out),
        resume: options.resume ?? null,
      };
      process.exitCode = await trainCommand(command, makeContext(options));
    });

  program
    .command('sweep')
    .description(
      "trains every cell of an experiment's matrix, several at once; a cell whose plan has run is not run again",
    )
    .argument('<file or sweep>', "an experiment file, or a sweep's folder or name")
    .addOption(
      new Option('--on <where>', 'processes here, or the scheduler of a cluster (default: where it was last)').choices([
        'here',
        ...schedulerNames,
      ]),
    )
    .option('--at-once <count>', 'runs at once (default: by cores and memory)')
    .option('--status', 'says how the sweep stands, and does nothing')
    .addOption(new Option('--again <which>', 'tries these cells once more').choices(['failed']))
    .option('--pause', 'lets the sweep, which is at work elsewhere, pause')
    .option('--go-on', 'lets it go on')
    .option('--stop', 'ends it; its runs keep a checkpoint')
    .option('--set <path=value>', 'overrides a setting of every cell; may be repeated', gather, [])
    .addOption(runtimeOption())
    .addOption(threadsOption())
    .option('--out <folder>', 'folder that holds the run folders', defaultRunsFolder)
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (target: string, options: SweepOptions) => {
      const { atOnce = null, again, status, pause, goOn, stop, set, runtime = null, threads = null, on } = options;
      const terminal = makeTerminal(options);
      const runsFolder = path.resolve(options.out);
      const ask = stop ? 'stop' : pause ? 'pause' : goOn ? 'go-on' : null;
      if ([status, pause, goOn, stop].filter(Boolean).length > 1)
        throw new UsageError('Give one of --status, --pause, --go-on and --stop.');
      if (status) process.exitCode = await sweepStatusCommand({ target, runsFolder }, terminal);
      else if (ask) process.exitCode = await sweepAskCommand({ target, runsFolder }, ask, terminal);
      else {
        const overrides = readOverrides({ set, runtime, threads: null });
        const command = { target, overrides, atOnce, threads, isFailedAgain: again === 'failed', runsFolder };
        const trainerFile = path.join(assetsFolder, 'trainer.cjs');
        const known = on === undefined ? findSweep(command) : null;
        const place = on ?? (known === null ? null : lastScheduler(known)) ?? 'here';
        process.exitCode = await (place === 'here'
          ? sweepCommand(command, { ...makeContext(options), trainerFile })
          : sweepOnCommand(command, place, { terminal, trainerFile, version }));
      }
    });

  program
    .command('work')
    .description('trains and evaluates one cell of a sweep in this process, as the jobs of a cluster do')
    .argument('<sweep>', "a sweep's folder, or its name in --out")
    .requiredOption('--cell <number>', 'of the cell, from 0')
    .option('--of <number>', 'of the set of cells (default: the newest)')
    .addOption(
      new Option('--job <scheduler>', 'whose job this is; it is put back when its time is over').choices(
        schedulerNames,
      ),
    )
    .addOption(threadsOption())
    .option('--out <folder>', 'folder that holds the run folders', defaultRunsFolder)
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (target: string, options: WorkOptions) => {
      const { cell, of = null, threads = null, job = null } = options;
      const command = { target, cell, of, threads, job, runsFolder: path.resolve(options.out) };
      process.exitCode = await workCommand(command, makeContext(options));
    });

  program
    .command('lr-find')
    .description('sweeps the learning rate of an experiment and says which rates it suggests; keeps no run')
    .argument('<file>', 'experiment file (*.kaf.yaml)')
    .option('--from <rate>', 'the first rate', Number, usualSweep.from)
    .option('--to <rate>', 'the last rate', Number, usualSweep.to)
    .option('--steps <count>', 'training steps', Number, usualSweep.steps)
    .option('--clean', 'of the loss on clean images, also where training is adversarial')
    .option('--apply', "writes what it suggests into the file's schedule; its comments stay")
    .option('--set <path=value>', 'overrides a setting, for example training.batchSize=64; may be repeated', gather, [])
    .addOption(runtimeOption())
    .addOption(threadsOption())
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (file: string, options: LrFindOptions) => {
      const { from, to, steps, clean: isClean = false, apply: isApplied = false, set } = options;
      if (!(from > 0 && to > from && to <= 100) || !Number.isInteger(steps) || steps < 2 || steps > 100_000) {
        throw new UsageError('Give 0 < --from < --to ≤ 100, and --steps a whole number from 2 to 100,000.');
      }
      const overrides = readOverrides({ set, runtime: options.runtime ?? null, threads: options.threads ?? null });
      const command = { file, from, to, steps, isClean, isApplied, overrides };
      process.exitCode = await lrFindCommand(command, makeContext(options));
    });

  const evaluate = program
    .command('evaluate')
    .description('attacks the last weights of a run, or those of a checkpoint file')
    .argument('<run or checkpoint>', "a run's folder, which keeps the result, or a .safetensors file")
    .addOption(
      new Option('--attack <name>', 'the attack, certificate or detector (default: pgd)').choices(evaluationNames),
    )
    .option('--resume', "goes on with the run's last evaluation that was cut off or stopped, from its last whole batch")
    .addOption(runtimeOption())
    .addOption(threadsOption())
    .addOption(dataOption())
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (target: string, options: EvaluateOptions) => {
      const { runtime = null, threads = null, data = null, json: _, attack = null, resume, ...settings } = options;
      const isResumed = resume === true;
      const command = { target, attack, isResumed, settings: { ...settings }, runtime, threads, data };
      process.exitCode = await evaluateCommand(command, makeContext(options));
    });
  for (const option of settingOptions()) evaluate.addOption(option);

  program
    .command('report')
    .description(
      'tables the evaluations of runs, and tests pairs of runs on the same images (McNemar); or a sweep, by axis',
    )
    .argument('<run or sweep...>', "folders, or their names in --out; a sweep also by its experiment's file")
    .option('--out <folder>', 'folder that holds the run folders', defaultRunsFolder)
    .addOption(
      new Option('--format <name>', 'of the table of a sweep; svg is its picture').choices(tableFormats).default('md'),
    )
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action((names: string[], options: JsonOption & { out: string; format: TableFormat }) => {
      const runsFolder = path.resolve(options.out);
      const sweep = names.length === 1 ? findSweep({ target: names[0]!, runsFolder }) : null;
      const terminal = makeTerminal(options);
      process.exitCode = sweep
        ? reportSweep(sweep, options.format, terminal)
        : reportCommand(
            names.map((name) => runFolderOf(name, runsFolder)),
            terminal,
          );
    });

  program
    .command('export')
    .description('writes every recorded value of runs by step, a line each')
    .argument('<run...>', 'folders, or their names in --out')
    .option('--out <folder>', 'folder that holds the run folders', defaultRunsFolder)
    .addOption(new Option('--to <form>', 'of the lines').choices(['csv', 'json']).default('csv'))
    .option(
      '--tags <pattern>',
      'a regular expression for names, for example "loss" or "^gradients/"',
      '^(loss|accuracy|learningRate|gradientNorm|test/.*)$',
    )
    .action((names: string[], options: { out: string; to: ExportForm; tags: string }) => {
      const folders = names.map((name) => runFolderOf(name, path.resolve(options.out)));
      process.exitCode = exportCommand({ folders, form: options.to, tags: tagPattern(options.tags) }, makeTerminal({}));
    });

  program
    .command('inspect')
    .description('lists the tensors of a checkpoint with their statistics')
    .argument('<checkpoint>', 'a .safetensors file of any program')
    .option('--json', 'one JSON object')
    .action(async (file: string, options: JsonOption) => {
      process.exitCode = await inspectCommand(path.resolve(file), makeTerminal(options));
    });

  program
    .command('download')
    .description(
      "fetches a data set from its authors' site, resumes where an earlier attempt stopped, checks its checksum",
    )
    .addArgument(new Argument('<data set>', 'its name').choices(downloadable()))
    .argument('<folder>', 'where its files go')
    .addOption(new Option('--url <address>', 'another place that has the same file; of several files, their folder'))
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (name: DatasetName, folder: string, options: JsonOption & { readonly url?: string }) => {
      const command = { name, folder: path.resolve(folder), url: options.url ?? null };
      process.exitCode = await downloadCommand(command, makeTerminal(options));
    });

  program
    .command('install')
    .description("puts TensorFlow's library where the runtime tensorflow finds it, by the pip of a Python 3")
    .addArgument(new Argument('<library>', 'its name').choices(['tensorflow']))
    .option('--gpu', 'the build for NVIDIA GPUs and the CUDA libraries that it needs (3.3 GB instead of 274 MB)')
    .option('--python <interpreter>', 'whose pip is used', 'python3')
    .option('--into <folder>', 'another place; the setting kafscope.tensorflow.path must then name it')
    .option('--json', 'one JSON object a line; the last has "type":"done"')
    .action(async (_name: string, options: InstallOptions) => {
      const folder = options.into ?? tensorflowFolder(surroundings(assetsFolder));
      const command = {
        folder: path.resolve(folder),
        variant: options.gpu ? 'gpu' : 'cpu',
        python: options.python,
        assetsFolder,
        platform: `${process.platform}-${process.arch}`,
      } as const;
      process.exitCode = await installCommand(command, makeTerminal(options));
    });

  program
    .command('doctor')
    .description('says what of this machine Kafscope can use; of a run, whether it is whole')
    .argument('[run]', "a run's folder, or its name in --out")
    .option('--out <folder>', 'folder that holds the run folders', defaultRunsFolder)
    .option('--ops', 'lists the kernels of the runtime wasm instead: accelerated, or copied from cpu')
    .option('--json', 'one JSON object')
    .action(async (run: string | undefined, options: JsonOption & { out: string; ops?: true }) => {
      const terminal = makeTerminal(options);
      if (run !== undefined) {
        process.exitCode = doctorRunCommand(runFolderOf(run, path.resolve(options.out)), terminal);
        return;
      }
      const command = { assetsFolder, version, runsFolder: path.resolve(options.out), whyNotHere: whyNotHere() };
      process.exitCode = options.ops
        ? await doctorOpsCommand(assetsFolder, terminal)
        : await doctorCommand(command, terminal);
    });

  program
    .command('serve')
    .description('serves a runs folder until it is interrupted; VS Code connects to it')
    .requiredOption('--runs <folder>', 'folder that holds the run folders')
    .action(async (options: { runs: string }) => {
      await serve(path.resolve(options.runs));
    });

  return program;
}

interface JsonOption {
  readonly json?: true;
}

interface TrainOptions extends JsonOption {
  readonly set: string[];
  readonly out: string;
  readonly runtime?: RuntimeChoice;
  readonly threads?: string;
  readonly data?: string;
  readonly resume?: string;
}

interface SweepOptions extends Pick<TrainOptions, 'json' | 'set' | 'out' | 'runtime' | 'threads'> {
  readonly on?: string;
  readonly atOnce?: string;
  readonly again?: 'failed';
  readonly status?: true;
  readonly pause?: true;
  readonly goOn?: true;
  readonly stop?: true;
}

interface WorkOptions extends Pick<TrainOptions, 'json' | 'out' | 'threads'> {
  readonly cell: string;
  readonly of?: string;
  readonly job?: string;
}

interface InstallOptions extends JsonOption {
  readonly gpu?: true;
  readonly python: string;
  readonly into?: string;
}

interface LrFindOptions extends Pick<TrainOptions, 'json' | 'set' | 'runtime' | 'threads'> {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
  readonly clean?: true;
  readonly apply?: true;
}

/** Besides these, settings of attacks as they were typed. */
interface EvaluateOptions extends JsonOption {
  readonly attack?: string;
  readonly resume?: true;
  readonly runtime?: RuntimeChoice;
  readonly threads?: string;
  readonly data?: string;
}

function runtimeOption(): Option {
  return new Option('--runtime <name>', "what computes; overrides the experiment's").choices(['auto', ...runtimeNames]);
}

function threadsOption(): Option {
  return new Option('--threads <count>', "threads of the runtime wasm; overrides the experiment's");
}

function dataOption(): Option {
  return new Option('--data <folder>', 'where the data of a run or a checkpoint lies now, if not where it was');
}

function gather(value: string, gathered: string[]): string[] {
  return [...gathered, value];
}

function makeTerminal({ json }: JsonOption): Terminal {
  return new Terminal({ isJson: json === true, output: process.stdout, errors: process.stderr });
}

/** Of commands that compute. @throws UsageError on a host that is not to */
function makeContext(options: JsonOption) {
  const why = whyNotHere();
  if (why !== null) throw new UsageError(why);
  return { terminal: makeTerminal(options), openTrainer: trainerOpener(assetsFolder), version };
}

async function serve(runsFolder: string): Promise<void> {
  const log = (line: string) => process.stderr.write(`${plainText(line)}\n`);
  const server = await startServer({
    runsFolder,
    version,
    trainerFile: path.join(__dirname, 'trainer.cjs'),
    services: makeServices({ assetsFolder, log }),
    idleMs: Infinity,
    log,
  });
  process.stdout.write(`serves ${plainText(runsFolder)} on 127.0.0.1:${String(server.lock.port)}; Ctrl+C ends it\n`);
  for (const signal of ['SIGINT', 'SIGTERM', wantingMore] as const) {
    process.once(signal, () => void server.close(`the server was ended by ${signal}`));
  }
  await server.closed;
}
