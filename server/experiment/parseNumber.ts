// Numbers as they stand in an experiment: decimal, with an exponent, or a fraction such as 8/255.

const decimal = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
const fraction = new RegExp(String.raw`^\s*(${decimal})\s*/\s*(${decimal})\s*$`);
const plain = new RegExp(String.raw`^\s*${decimal}\s*$`);

/** The number that a text stands for; undefined if it is none, or not finite (1/0). */
export function parseNumber(text: string): number | undefined {
  const parts = fraction.exec(text);
  const value = parts ? Number(parts[1]) / Number(parts[2]) : plain.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
