// The attacks that AutoAttack is made of, with what of their settings is not at its default.

/** As in the public code of the paper; what is not said is at its default. */
export const autoAttackSuites = {
  standard: [
    ['apgd-ce', {}],
    ['apgd-t', {}],
    ['fab-t', {}],
    ['square', { schedule: 'fixed' }],
  ],
  plus: [
    ['apgd-ce', { restarts: 5 }],
    ['apgd-dlr', { restarts: 5 }],
    ['fab', { restarts: 5 }],
    ['square', { schedule: 'fixed' }],
    ['apgd-t', {}],
    ['fab-t', { restarts: 5 }],
  ],
  rand: [
    ['apgd-ce', { expectation: 20 }],
    ['apgd-dlr', { expectation: 20 }],
  ],
} as const;
