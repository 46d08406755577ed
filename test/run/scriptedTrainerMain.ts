// A trainer process with the scripted trainer, for tests of the server.
import { runTrainerProcess } from '../../server/run/trainerProcess.ts';
import { openScriptedTrainer } from './scriptedTrainer.ts';

runTrainerProcess(openScriptedTrainer);
