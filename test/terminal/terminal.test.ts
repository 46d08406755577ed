// What commands write for programs and for people.
import { describe, expect, it } from 'vitest';
import { jsonText, Terminal } from '../../server/terminal/terminal.ts';

function capture(options: { isJson: boolean; isTTY: boolean }) {
  const written: string[] = [];
  const errors: string[] = [];
  const terminal = new Terminal({
    isJson: options.isJson,
    output: { isTTY: options.isTTY, write: (text) => written.push(text) },
    errors: { write: (text) => errors.push(text) },
  });
  return { terminal, written, errors };
}

describe('the terminal', () => {
  it('writes non-finite numbers as text, in arrays too', () => {
    const value = { a: Number.NaN, b: [Infinity], c: Float32Array.of(-Infinity, 1), d: null };
    expect(jsonText(value)).toBe('{"a":"NaN","b":["Infinity"],"c":["-Infinity",1],"d":null}');
  });

  it('gives names that others chose as plain text, to people and to programs', () => {
    const hostile = 'a\u001b]0;title\u0007\u009b31m\r\u202eb\u2028\u007f\tc\nd – é 名 👩‍🔬';
    const shown = String.raw`a\u001b]0;title\u0007\u009b31m\u000d\u202eb\u2028\u007f` + '\tc\nd – é 名 👩‍🔬';
    const { terminal, written, errors } = capture({ isJson: false, isTTY: true });
    terminal.line(hostile);
    terminal.error(hostile);
    terminal.progress(hostile);
    expect([...written, ...errors]).toEqual([`${shown}\n`, shown, `${shown}\n`]);
    const json = jsonText({ type: 'x', name: hostile });
    expect(json).not.toMatch(/[^\P{Cc}]|[\u2028\u202e]/u);
    expect(JSON.parse(json)).toEqual({ type: 'x', name: hostile });
  });

  it('gives programs events and nothing else', () => {
    const { terminal, written, errors } = capture({ isJson: true, isTTY: true });
    terminal.line('for people');
    terminal.progress('for people');
    terminal.event({ type: 'step', step: 1 });
    terminal.error('wrong');
    expect(written).toEqual(['{"type":"step","step":1}\n']);
    expect(errors).toEqual(['wrong\n']);
  });

  it('overwrites its progress on a terminal and leaves it out elsewhere', () => {
    const live = capture({ isJson: false, isTTY: true });
    live.terminal.progress('1 of 2');
    live.terminal.progress('2 of 2');
    live.terminal.line('done');
    expect(live.written).toEqual(['1 of 2', '\r\u001b[K', '2 of 2', '\r\u001b[K', 'done\n']);
    const plain = capture({ isJson: false, isTTY: false });
    plain.terminal.progress('1 of 2');
    plain.terminal.event({ type: 'step' });
    plain.terminal.line('done');
    expect(plain.written).toEqual(['done\n']);
  });
});
