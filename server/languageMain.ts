// The language server's process: experiment files for an editor, over Node's IPC. Holds no tensor and touches no run.
import os from 'node:os';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { disk } from './language/disk.ts';
import { serveLanguage } from './language/serveLanguage.ts';
import { ignoreDebuggerSignal } from './run/processSignals.ts';

ignoreDebuggerSignal();
serveLanguage(createConnection(ProposedFeatures.all), { homeFolder: os.homedir(), disk });
