// What a setting accepts, as the words that follow "expected".
import type { NumberRange, Setting, Words } from './setting.ts';

/** For example `a number in (0, 1]` or `"light" or "vgg"`. */
export function expectation(setting: Setting): string {
  switch (setting.kind) {
    case 'number': {
      const kind = setting.isInteger ? 'an integer' : 'a number';
      return oneOf([...presentWords(setting.words).map(quote), `${kind} in ${rangeText(setting.range)}`]);
    }
    case 'word':
      return oneOf(presentWords(setting.words).map(quote));
    case 'flag':
      return 'true or false';
    case 'text':
      if (setting.meaning === 'formula') return 'a formula of x on one line';
      return setting.meaning === 'folder' ? 'the path of a folder' : `a text of 1 to ${setting.maxLength} characters`;
    case 'list': {
      const { minLength, maxLength, name } = setting;
      if (name !== null) return `a list of ${name}`;
      const count = minLength === maxLength ? String(minLength) : `${minLength} to ${maxLength}`;
      return `a list of ${count} items${setting.isUnique ? ', all different' : ''}`;
    }
    case 'map':
      return `a mapping of at most ${setting.maxLength} names`;
    case 'paths':
      return setting.holds === 'lists'
        ? 'a mapping of lists by the path of a key'
        : 'a mapping of values by the path of a key';
    case 'group': {
      const mapping = `a mapping with ${keyNames(Object.keys(setting.keys))}`;
      const bare = setting.shorthand === null ? [] : [expectation(setting.keys[setting.shorthand]!)];
      return oneOf([...presentWords(setting.words).map(quote), ...bare, mapping]);
    }
    case 'variant': {
      const names = Object.keys(setting.variants);
      if (setting.tag === null) return `one of ${keyNames(names)}, or a mapping with one of them`;
      const nFurther = names.length - 6;
      const shown = names.map(quote);
      const choice = nFurther > 6 ? [...shown.slice(0, 6), `one of ${nFurther} more`] : shown;
      return `${oneOf(choice)}, or a mapping with ${setting.tag}`;
    }
  }
  setting satisfies never;
}

/** Interval notation: `(0, 1]`. */
export function rangeText(range: NumberRange): string {
  return `${range.isMinExcluded ? '(' : '['}${range.min}, ${shortNumber(range.max)}${range.isMaxExcluded ? ')' : ']'}`;
}

/** 10000000000 as 1e+10; what people count in stays as it is. */
function shortNumber(value: number): string {
  return value > 0xffff_ffff ? value.toExponential() : String(value);
}

export function presentWords(words: Words): string[] {
  return Object.keys(words).filter((name) => !words[name]?.isLater);
}

export function oneOf(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

export function quote(name: string): string {
  return JSON.stringify(name);
}

function keyNames(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ');
}
