// Text of others on its way to a terminal or a log: a name of a folder, a host or a tensor may hold what a terminal obeys.

/** Control characters but for line breaks and tabs, and what turns text around or breaks lines unseen. */
const commands = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** With each of them written as JSON escapes it. */
export function plainText(text: string): string {
  return text.replace(commands, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
