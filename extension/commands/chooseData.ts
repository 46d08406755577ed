// Choose Data…: where the data of an experiment lies, written into it.
import * as vscode from 'vscode';
import { replaceText } from '../experiments/replaceText.ts';
import { attempt } from '../showFailure.ts';
import { experimentDocument } from './experimentSource.ts';

/** @param hint that of the quick fix: whether the experiment names a file now */
export async function chooseData(
  withDataPath: (document: vscode.TextDocument, path: string) => Promise<string>,
  argument: unknown,
  hint: unknown,
): Promise<void> {
  const document = await experimentDocument(argument, 'Choose the data of which experiment?');
  if (!document) return;
  const isFile = typeof hint === 'object' && hint !== null && 'isFile' in hint && hint.isFile === true;
  const chosen = await vscode.window.showOpenDialog({
    title: 'Where does the data lie?',
    openLabel: 'Take This',
    canSelectFolders: !isFile,
    canSelectFiles: isFile,
  });
  const [place] = chosen ?? [];
  if (!place) return;
  await attempt('write where the data lies', async () => {
    await replaceText(document, await withDataPath(document, place.fsPath));
  });
}
