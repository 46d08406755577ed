// `npm run torture`: the long form of the tests that kill, cut off and flood, of which the suite runs a short one.
//   torture.mjs [--kills N] [--seed S] [FILE …]   200 random kills by default, and every file of test/torture
import path from 'node:path';
import { root, run, SetupError } from './install.mjs';

const args = process.argv.slice(2);
process.env.KAFSCOPE_TORTURE = option('--kills') ?? '200';
process.env.KAFSCOPE_TORTURE_SEED = option('--seed') ?? String(Date.now() % 1_000_000);
const files = args.length > 0 ? args : ['test/torture', 'test/rpc'];
console.log(`${process.env.KAFSCOPE_TORTURE} kills, seed ${process.env.KAFSCOPE_TORTURE_SEED}`);
try {
  await run(process.execPath, ['scripts/node24.mjs', 'node_modules/vitest/vitest.mjs', 'run', ...files], { cwd: root });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`${error.message} (in ${path.basename(root)})`);
  process.exitCode = 1;
}

/** Takes the option and its value out of the arguments. */
function option(name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args.splice(at, 2)[1];
}
