// The page of a webview: one script, its styles and the icon font, under a policy that lets nothing else in.

export interface WebviewPage {
  readonly title: string;
  /** Becomes `document.body.dataset`. */
  readonly data: Readonly<Record<string, string>>;
  /** Address of the bundle, as the webview may load it. */
  readonly script: string;
  readonly styles: readonly string[];
  /** Address of codicon.css; the elements library finds it by its id. */
  readonly codicons: string;
  /** The webview's own source for `style-src` and `font-src`. */
  readonly cspSource: string;
  /** Fresh for every page. */
  readonly nonce: string;
}

export function webviewHtml(page: WebviewPage): string {
  const styles = page.styles.map((address) => `<link rel="stylesheet" href="${escaped(address)}">`).join('\n');
  const data = Object.entries(page.data)
    .map(([key, value]) => ` data-${kebab(key)}="${escaped(value)}"`)
    .join('');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(page)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)}</title>
<link rel="stylesheet" href="${escaped(page.codicons)}" id="vscode-codicon-stylesheet" nonce="${page.nonce}">
${styles}
</head>
<body${data}>
<script nonce="${page.nonce}" src="${escaped(page.script)}"></script>
</body>
</html>`;
}

/** No inline style: components adopt their style sheets, which a policy does not forbid. */
export function contentSecurityPolicy({ cspSource, nonce }: Pick<WebviewPage, 'cspSource' | 'nonce'>): string {
  return [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource}`,
  ].join('; ');
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
