// A canvas's drawing as SVG: what the canvases of this folder are drawn with, written down instead of painted.

export interface Surface {
  readonly ctx: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
}

type Point = readonly [x: number, y: number];

interface Look {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  clip: string;
}

/** The part of a canvas's context that is used here. */
export class SvgContext {
  fillStyle = '#000';
  strokeStyle = '#000';
  lineWidth = 1;
  globalAlpha = 1;
  font = '10px sans-serif';
  textAlign: CanvasTextAlign = 'left';
  textBaseline: CanvasTextBaseline = 'alphabetic';
  /** Set by those who draw, and without a meaning here. */
  imageSmoothingEnabled = true;
  lineJoin: CanvasLineJoin = 'round';
  readonly #parts: string[] = [];
  readonly #kept: Look[] = [];
  #origin: Point = [0, 0];
  #path = '';
  #clip = '';
  #nClips = 0;
  #dash = '';

  /** Its elements so far. */
  get text(): string {
    return this.#parts.join('');
  }

  translate(x: number, y: number): void {
    this.#origin = [this.#origin[0] + x, this.#origin[1] + y];
  }

  save(): void {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha } = this;
    this.#kept.push({ fillStyle, strokeStyle, lineWidth, globalAlpha, clip: this.#clip });
  }

  restore(): void {
    const kept = this.#kept.pop();
    if (!kept) return;
    const { clip, ...look } = kept;
    Object.assign(this, look);
    this.#clip = clip;
  }

  setLineDash(dashes: readonly number[]): void {
    this.#dash = dashes.join(' ');
  }

  beginPath(): void {
    this.#path = '';
  }

  moveTo(x: number, y: number): void {
    this.#path += `M${this.#at(x, y)}`;
  }

  lineTo(x: number, y: number): void {
    this.#path += `${this.#path === '' ? 'M' : 'L'}${this.#at(x, y)}`;
  }

  closePath(): void {
    this.#path += 'Z';
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.#path += `M${this.#at(x, y)}h${place(width)}v${place(height)}h${place(-width)}Z`;
  }

  /** Its corners are those of a rectangle: at a few pixels no eye tells. */
  roundRect(x: number, y: number, width: number, height: number): void {
    this.rect(x, y, width, height);
  }

  stroke(): void {
    const dash = this.#dash === '' ? '' : ` stroke-dasharray="${this.#dash}"`;
    this.#add(
      `<path d="${this.#path}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${place(this.lineWidth)}" stroke-linejoin="round"${dash}/>`,
    );
  }

  fill(): void {
    this.#add(`<path d="${this.#path}" fill="${escaped(this.fillStyle)}"/>`);
  }

  clip(): void {
    const id = `clip${String(this.#nClips++)}`;
    this.#parts.push(`<clipPath id="${id}"><path d="${this.#path}"/></clipPath>`);
    this.#clip = id;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#add(`<rect ${this.#box(x, y, width, height)} fill="${escaped(this.fillStyle)}"/>`);
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.#add(
      `<rect ${this.#box(x, y, width, height)} fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${place(this.lineWidth)}"/>`,
    );
  }

  measureText(text: string): TextMetrics {
    const ctx = document.createElement('canvas').getContext('2d');
    if (!ctx) throw new Error('the canvas has no context');
    ctx.font = this.font;
    return ctx.measureText(text);
  }

  fillText(text: string, x: number, y: number): void {
    const size = Number(/([\d.]+)px/.exec(this.font)?.[1] ?? 10);
    const weight = /^\d+(?= )/.exec(this.font)?.[0] ?? '400';
    const lower = { middle: 0.35, top: 0.8, hanging: 0.8 }[this.textBaseline as string] ?? 0;
    const [left, baseline] = [this.#origin[0] + x, this.#origin[1] + y + lower * size];
    const anchor = { center: 'middle', right: 'end', end: 'end' }[this.textAlign as string] ?? 'start';
    this.#add(
      `<text x="${place(left)}" y="${place(baseline)}" font-size="${place(size)}" font-weight="${weight}" text-anchor="${anchor}" fill="${escaped(this.fillStyle)}">${escaped(text)}</text>`,
    );
  }

  drawImage(image: HTMLCanvasElement, x: number, y: number, width: number, height: number): void {
    const look = this.imageSmoothingEnabled ? '' : ' image-rendering="pixelated"';
    this.#add(
      `<image ${this.#box(x, y, width, height)} preserveAspectRatio="none"${look} href="${image.toDataURL('image/png')}"/>`,
    );
  }

  #add(element: string): void {
    const [clip, alpha] = [this.#clip, this.globalAlpha];
    if (clip === '' && alpha === 1) this.#parts.push(element);
    else {
      const attributes = `${clip === '' ? '' : ` clip-path="url(#${clip})"`}${alpha === 1 ? '' : ` opacity="${place(alpha)}"`}`;
      this.#parts.push(`<g${attributes}>${element}</g>`);
    }
  }

  #at(x: number, y: number): string {
    return `${place(this.#origin[0] + x)} ${place(this.#origin[1] + y)}`;
  }

  #box(x: number, y: number, width: number, height: number): string {
    return `x="${place(this.#origin[0] + x)}" y="${place(this.#origin[1] + y)}" width="${place(width)}" height="${place(height)}"`;
  }
}

/** A whole document of elements. */
export function svgDocument(
  elements: string,
  { width, height, title, background }: { width: number; height: number; title: string; background: string },
): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${place(width)}" height="${place(height)}" font-family="sans-serif">` +
    `<title>${escaped(title)}</title><rect width="100%" height="100%" fill="${escaped(background)}"/>${elements}</svg>`
  );
}

export function place(value: number): string {
  return Number(value.toFixed(2)).toString();
}

export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
