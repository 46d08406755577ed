// What the user's settings say about this machine: they go before what an experiment says.
import * as vscode from 'vscode';
import type { SettingKey } from '../contributions.ts';

export interface MachineOverrides {
  readonly runtime?: string;
  readonly threads?: number;
}

export function machineOverrides(): MachineOverrides {
  const runtime = setting<string>('kafscope.runtime') ?? 'auto';
  const threads = setting<number>('kafscope.threads') ?? 0;
  return { ...(runtime === 'auto' ? {} : { runtime }), ...(threads === 0 ? {} : { threads }) };
}

export function setting<Value>(key: SettingKey): Value | undefined {
  return vscode.workspace.getConfiguration().get<Value>(key);
}
