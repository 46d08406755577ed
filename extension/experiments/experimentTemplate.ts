// The text of a new experiment: small enough to finish in minutes, with what one is most likely to change. Pure.

/** `my-experiment`, from what was typed; null where no letter or digit is in it. */
export function experimentName(typed: string): string | null {
  const name = typed
    .trim()
    .replace(/\.kaf\.yaml$|\.ya?ml$/i, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return name === '' ? null : name;
}

export function experimentTemplate(name: string): string {
  return `# Press "Train" above. Every key has a default: rest the pointer on one to read about it.
name: ${JSON.stringify(name)}
dataset: { name: shapes, trainSamples: 4000, testSamples: 1000 }
model:
  network: light
  activation: { type: kaf, dictionary: 20 }
training:
  method: fgsm-rs # standard, pgd, trades, …
  threat: { epsilon: 8/255 }
  epochs: 10
  batchSize: 128
  optimizer: { type: sgd, momentum: 0.9 }
  schedule: { type: triangular, min: 0.01, max: 0.2 }
evaluation:
  - { attack: pgd, epsilon: 8/255, steps: 20, restarts: 1, samples: 500 }
seeds: [0]
`;
}
