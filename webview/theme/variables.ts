// Names for the editor's colours by meaning, on the page as a whole, so that every component and canvas reads the same ones.
// What is chosen has in high contrast the foreground's colour: the editor's own there, orange or blue, are those of attacked and clean.
// The editor's orange is translucent in its own themes, made for marking text, so it is taken without its transparency.
// Installed as a constructed sheet: the page's content security policy forbids inline styles.

const text = `
html { scrollbar-color: auto; }
body {
  margin: 0;
  padding: 0;
  color: var(--kaf-foreground);
  font-family: var(--vscode-font-family);
  font-size: 13px;
  line-height: 1.4;
  font-variant-numeric: tabular-nums;
  --kaf-foreground: var(--vscode-foreground, #cccccc);
  --kaf-background: var(--vscode-editor-background, #1f1f1f);
  --kaf-dim: var(--vscode-descriptionForeground, #9d9d9d);
  --kaf-faint: #6b6b6b;
  --kaf-line: color-mix(in srgb, var(--kaf-foreground) 13%, var(--kaf-background));
  --kaf-grid: var(--kaf-line);
  --kaf-track: color-mix(in srgb, var(--kaf-foreground) 18%, var(--kaf-background));
  --kaf-card: color-mix(in srgb, var(--kaf-foreground) 3%, var(--kaf-background));
  --kaf-hover: var(--vscode-list-hoverBackground, #2a2d2e);
  --kaf-accent: var(--vscode-button-background, #0078d4);
  --kaf-on-accent: var(--vscode-button-foreground, #ffffff);
  --kaf-link: var(--vscode-textLink-foreground, #4daafc);
  --kaf-focus: var(--vscode-focusBorder, #0078d4);
  --kaf-clean: var(--vscode-charts-blue, #59a4f9);
  --kaf-attacked: rgb(from var(--vscode-charts-orange, #e8973a) r g b / 1);
  --kaf-slope: var(--vscode-charts-purple, #b180d7);
  --kaf-rate: var(--vscode-charts-purple, #b180d7);
  --kaf-good: var(--vscode-charts-green, #6fc27a);
  --kaf-alarm: var(--vscode-charts-red, #f14c4c);
  --kaf-warning: var(--vscode-charts-yellow, #d7ba3d);
  --kaf-non-finite: #ff4fd8;
}
body.sidebar { --kaf-background: var(--vscode-sideBar-background, #181818); }
body.vscode-light { --kaf-dim: color-mix(in srgb, var(--kaf-foreground) 76%, var(--kaf-background)); --kaf-faint: #9a9a9a; --kaf-non-finite: #c4009a; --kaf-attacked: color-mix(in srgb, rgb(from var(--vscode-charts-orange, #d18616) r g b / 1) 84%, #000000); }
body.vscode-high-contrast { --kaf-faint: #b0b0b0; --kaf-grid: color-mix(in srgb, var(--kaf-line) 45%, var(--kaf-background)); --kaf-line: var(--vscode-contrastBorder, #6fc3df); --kaf-card: var(--kaf-background); --kaf-hover: transparent; --kaf-accent: var(--kaf-foreground); --kaf-on-accent: var(--kaf-background); }
body.vscode-high-contrast-light { --kaf-faint: #5a5a5a; --kaf-non-finite: #a3007f; --kaf-attacked: rgb(from var(--vscode-charts-orange, #9a4a00) r g b / 1); }
`;

/** Once per page, before the first component shows. */
export function installVariables(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
