// The JSON Schema (2020-12) of experiment files, for tools other than ours; what keys mean for one another is not in it.
import { rangeText } from './expectation.ts';
import { impliedVariant } from './readSettings.ts';
import type { Keys, NumberSetting, Setting, Words } from './setting.ts';
import { experimentSettings } from './settings.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The schema of a whole experiment file, as a value of JSON. */
export function experimentJsonSchema(): JsonSchema {
  const definitions: Definitions = new Map();
  const schema = schemaOf(experimentSettings, definitions);
  const about = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Kafscope experiment' };
  return { ...about, ...schema, $defs: Object.fromEntries(definitions) };
}

/** Lists whose items may hold such lists themselves, by name: each is described once. */
type Definitions = Map<string, JsonSchema>;

function schemaOf(setting: Setting, definitions: Definitions): JsonSchema {
  const about = { description: descriptionOf(setting) };
  const byDefault = setting.isDefaultComputed ? {} : { default: defaultOf(setting) };
  switch (setting.kind) {
    case 'number':
      return { ...about, anyOf: [...words(setting.words), ...numbers(setting)], ...byDefault };
    case 'word':
      return { ...about, oneOf: words(setting.words), ...byDefault };
    case 'flag':
      return { ...about, type: 'boolean', ...byDefault };
    case 'text':
      return { ...about, type: 'string', minLength: 1, maxLength: setting.maxLength, ...byDefault };
    case 'list': {
      const { minLength: minItems, maxLength: maxItems, isUnique: uniqueItems, name } = setting;
      const listOf = (items: JsonSchema) => ({ ...about, type: 'array', items, minItems, maxItems, uniqueItems });
      if (name === null) return listOf(schemaOf(setting.item, definitions));
      if (!definitions.has(name)) {
        definitions.set(name, {});
        definitions.set(name, schemaOf(setting.item, definitions));
      }
      return listOf({ $ref: `#/$defs/${name}` });
    }
    case 'map':
      return { ...about, type: 'object', additionalProperties: schemaOf(setting.item, definitions), ...byDefault };
    case 'paths': {
      // What a path's values may be is not in it.
      const additionalProperties = setting.holds === 'lists' ? { type: 'array', items: {}, minItems: 1 } : {};
      return { ...about, ...mappingOf(setting.keys, definitions), additionalProperties };
    }
    case 'group': {
      const mapping = mappingOf(setting.keys, definitions);
      const bare = setting.shorthand === null ? [] : [schemaOf(setting.keys[setting.shorthand]!, definitions)];
      const choices = [...words(setting.words), ...bare];
      return choices.length > 0 ? { ...about, anyOf: [...choices, mapping], ...byDefault } : { ...about, ...mapping };
    }
    case 'variant': {
      const { tag } = setting;
      const mappings = Object.entries(setting.variants).map(([name, variant]) => {
        const mapping =
          tag === null
            ? mappingOf(variant.keys, definitions)
            : mappingOf({ [tag]: literal(name, variant.description), ...variant.keys }, definitions);
        const isImplied =
          tag !== null && Object.keys(variant.keys).some((key) => impliedVariant(setting, [key]) === name);
        const isRequired = tag === null || (name !== setting.defaultVariant && !isImplied);
        const required = isRequired ? { required: [tag ?? name] } : {};
        return { title: name, description: variant.description, ...mapping, ...required };
      });
      return { ...about, anyOf: [...words(setting.variants), ...mappings], ...byDefault };
    }
  }
  setting satisfies never;
}

function mappingOf(keys: Keys, definitions: Definitions): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(keys).map(([name, setting]) => [name, schemaOf(setting, definitions)]),
  );
  return { type: 'object', properties, additionalProperties: false };
}

function literal(name: string, description: string): Setting {
  const words = { [name]: { description } };
  return { kind: 'word', description, defaultText: name, isDefaultComputed: false, words, defaultValue: name };
}

function words(choices: Words): JsonSchema[] {
  return Object.entries(choices)
    .filter(([, word]) => !word.isLater)
    .map(([name, word]) => ({ const: name, description: word.description }));
}

/** A number; where it need not be whole, a fraction as text as well (whose range JSON Schema cannot check). */
function numbers({ range, isInteger }: NumberSetting): JsonSchema[] {
  const low = range.isMinExcluded ? { exclusiveMinimum: range.min } : { minimum: range.min };
  const high = range.isMaxExcluded ? { exclusiveMaximum: range.max } : { maximum: range.max };
  const plain = { type: isInteger ? 'integer' : 'number', ...low, ...high };
  const fraction = {
    type: 'string',
    pattern: '^[-+.0-9eE]+\\s*/\\s*[-+.0-9eE]+$',
    description: 'A fraction, for example 8/255.',
  };
  return isInteger ? [plain] : [plain, fraction];
}

function descriptionOf(setting: Setting): string {
  const { description, defaultText, isDefaultComputed } = setting;
  const unit =
    setting.kind === 'number' ? ` ${[setting.unit, `in ${rangeText(setting.range)}`].filter(Boolean).join(', ')}.` : '';
  return `${description}${unit}${isDefaultComputed ? ` Default: ${defaultText}.` : ''}`;
}

function defaultOf(setting: Setting): unknown {
  switch (setting.kind) {
    case 'number':
    case 'word':
    case 'flag':
    case 'text':
      return setting.defaultValue;
    case 'variant':
      return setting.defaultVariant;
    case 'map':
    case 'group':
      return setting.defaultText === '{}' ? {} : setting.defaultText;
    case 'list':
    case 'paths':
      return undefined;
  }
}
