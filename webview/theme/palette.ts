// The editor's colours for canvases, which can't read CSS variables, by meaning. Read again when the theme changes.

/** One meaning, one colour: clean or the run itself, attacked, not finite, what was. */
export interface Palette {
  readonly foreground: string;
  readonly dim: string;
  readonly faint: string;
  readonly line: string;
  readonly background: string;
  readonly accent: string;
  readonly clean: string;
  readonly attacked: string;
  readonly slope: string;
  readonly rate: string;
  readonly good: string;
  readonly alarm: string;
  readonly nonFinite: string;
  readonly fontFamily: string;
  readonly isHighContrast: boolean;
  readonly isLight: boolean;
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.body);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    foreground: read('--kaf-foreground'),
    dim: read('--kaf-dim'),
    faint: read('--kaf-faint'),
    line: read('--kaf-grid'),
    background: read('--kaf-background'),
    accent: read('--kaf-accent'),
    clean: read('--kaf-clean'),
    attacked: read('--kaf-attacked'),
    slope: read('--kaf-slope'),
    rate: read('--kaf-rate'),
    good: read('--kaf-good'),
    alarm: read('--kaf-alarm'),
    nonFinite: read('--kaf-non-finite'),
    fontFamily: read('--vscode-font-family') || 'sans-serif',
    isHighContrast: /vscode-high-contrast/.test(document.body.className),
    isLight: /vscode-(high-contrast-)?light/.test(document.body.className),
  };
}

/** Calls back after each change of theme, which VS Code tells by the body's class and the root's variables. */
export function watchTheme(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}

/** Colours of lines that have an order, such as depth: from blue through green to red. */
export function rampColor(index: number, count: number, isLight: boolean): string {
  const part = count > 1 ? index / (count - 1) : 0;
  return `hsl(${(250 - 240 * part).toFixed(0)} ${isLight ? '65% 40%' : '62% 64%'})`;
}
