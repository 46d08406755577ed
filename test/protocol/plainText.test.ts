import { expect, it } from 'vitest';
import { plainText } from '../../server/protocol/plainText.ts';

it('what a terminal obeys, or turns text around, is written as JSON escapes it; line breaks and tabs stay', () => {
  expect(plainText('a\u001b[31m\r\n\tb\u009b\u202ec\u2028')).toBe('a\\u001b[31m\\u000d\n\tb\\u009b\\u202ec\\u2028');
});
