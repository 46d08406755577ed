// A cell of a table in CSV.

/** By RFC 4180; a spreadsheet takes what begins like a formula for one. */
export function csvText(text: string): string {
  const plain = /^[=+@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replace(/"/g, '""')}"` : plain;
}
