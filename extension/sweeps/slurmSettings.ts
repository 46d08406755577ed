// What the user's own settings say of their Slurm cluster.
import * as vscode from 'vscode';
import type { SettingKey } from '../contributions.ts';

/** By its scope VS Code takes it from no workspace; what a workspace says all the same is passed over here, too. */
export function userSlurm(): Readonly<Record<string, unknown>> {
  const said = vscode.workspace
    .getConfiguration()
    .inspect<Readonly<Record<string, unknown>>>('kafscope.slurm' satisfies SettingKey);
  return said?.globalValue ?? {};
}
