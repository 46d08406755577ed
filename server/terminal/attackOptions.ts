// The settings of attacks as options of the command line, made from their declarations.
import { Option } from 'commander';
import { evaluationKeys, evaluationNames } from '../protocol/evaluationTable.ts';

/** One option a setting of any attack; which attacks have it stands behind its description. */
export function settingOptions(): Option[] {
  const described = new Map<string, { readonly description: string; readonly of: string[] }>();
  for (const attack of evaluationNames) {
    for (const [name, { description }] of Object.entries(evaluationKeys(attack))) {
      const known = described.get(name);
      if (known) known.of.push(attack);
      else described.set(name, { description, of: [attack] });
    }
  }
  return [...described].map(([name, { description, of }]) => {
    const only = of.length === evaluationNames.length ? '' : ` (${of.join(', ')})`;
    return new Option(
      `${optionName(name)} <value>`,
      `${description.slice(0, 1).toLowerCase()}${description.slice(1, -1)}${only}`,
    );
  });
}

/** `--step-size` */
export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
