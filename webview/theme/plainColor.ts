// CSS colours as other programs than browsers read them.

const known = new Map<string, string>();

/** `#rrggbb`, or `rgba(…)` of one that lets through what is behind it; `none` stays. */
export function plainColor(css: string): string {
  const found = known.get(css) ?? resolve(css);
  known.set(css, found);
  return found;
}

function resolve(css: string): string {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [1, 1];
  const ctx = canvas.getContext('2d');
  if (!ctx || css === 'none') return css;
  ctx.fillStyle = css;
  ctx.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = ctx.getImageData(0, 0, 1, 1).data;
  if (alpha < 255) return `rgba(${red}, ${green}, ${blue}, ${(alpha / 255).toFixed(3)})`;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
