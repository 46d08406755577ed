// Says in a notification that something takes longer than usual, and offers to end it.
import * as vscode from 'vscode';
import type { Patience } from './connection/patience.ts';

export const tellSlow: Patience['tellSlow'] = (sentence, cancel) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const options = { location: vscode.ProgressLocation.Notification, title: sentence, cancellable: true };
  void vscode.window.withProgress(options, (_, token) => {
    token.onCancellationRequested(cancel);
    return promise;
  });
  return resolve;
};
