// Fills a webview with one of our pages from dist/webview.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import * as vscode from 'vscode';
import { webviewHtml } from './webviewHtml.ts';

export type PageName = 'dashboard' | 'compare' | 'monitor' | 'checkpoint' | 'dataset' | 'learning-rate';

export function webviewOptions(extensionUri: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [pagesFolder(extensionUri)] };
}

/** Lets the page in; it says `ready` when it listens. `data` becomes `data-` attributes of its body. */
export function showPage(
  webview: vscode.Webview,
  name: PageName,
  title: string,
  extensionUri: vscode.Uri,
  data: Readonly<Record<string, string>> = {},
): void {
  const folder = pagesFolder(extensionUri);
  const address = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, file)).toString();
  const styles = [`${name}.css`].filter((file) => fs.existsSync(vscode.Uri.joinPath(folder, file).fsPath));
  webview.html = webviewHtml({
    title,
    data,
    script: address(`${name}.js`),
    styles: styles.map(address),
    codicons: address('codicon.css'),
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString('base64url'),
  });
}

function pagesFolder(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
}
