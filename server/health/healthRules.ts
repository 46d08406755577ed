// Every rule by its name, the gravest first. A new rule is its file, its name in protocol/health.ts and a line here.
import type { HealthRuleName } from '../protocol/health.ts';
import type { HealthRule } from './healthRule.ts';
import { collapsed } from './rules/collapsed.ts';
import { explodingGradients, vanishingGradients } from './rules/gradientGain.ts';
import { nothingLearnt } from './rules/nothingLearnt.ts';
import { testNotFinite } from './rules/testNotFinite.ts';
import { weightsJump } from './rules/weightsJump.ts';
import { zeroGradients } from './rules/zeroGradients.ts';

export const healthRules: Readonly<Record<HealthRuleName, HealthRule>> = {
  'test-not-finite': testNotFinite,
  'zero-gradients': zeroGradients,
  'weights-jump': weightsJump,
  collapsed,
  'exploding-gradients': explodingGradients,
  'vanishing-gradients': vanishingGradients,
  'nothing-learnt': nothingLearnt,
};
