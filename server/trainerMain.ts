// Entry of `dist/trainer.cjs`, forked by the server: trains one run with the real trainer.
import { trainerOpener } from './run/openTrainer.ts';
import { ignoreDebuggerSignal } from './run/processSignals.ts';
import { runTrainerProcess } from './run/trainerProcess.ts';

ignoreDebuggerSignal();
runTrainerProcess(trainerOpener(__dirname));
