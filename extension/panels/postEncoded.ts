// Sends a message to a webview as one block of bytes. VS Code itself would carry it as JSON, which has no NaN, with each typed
// array as an argument of its own, of which only the first 255 arrive: a snapshot of 64 norms loses values in silence.
import type * as vscode from 'vscode';
import { encode } from '../../server/protocol/codec.ts';
import type {
  Encoded,
  ToCheckpoint,
  ToCompare,
  ToDashboard,
  ToDataset,
  ToLearningRate,
  ToMonitor,
} from '../../server/protocol/panel.ts';

export function postEncoded(
  webview: Pick<vscode.Webview, 'postMessage'>,
  message: ToCompare | ToDashboard | ToMonitor | ToCheckpoint | ToDataset | ToLearningRate,
): void {
  void webview.postMessage({ bytes: encode(message) } satisfies Encoded);
}
