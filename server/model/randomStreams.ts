// Who draws from which stream of the run's random numbers. A key is {seed, stream, counter}: the seed is the run's, the counter
// says which step, epoch or batch it is for, so that a resumed run draws what an uninterrupted one would have drawn.

/** First stream of each purpose; each has 65,536 of its own. */
export const randomStreams = {
  /** + position of the parameter in the network; counter 0. */
  initialWeights: 0x0001_0000,
  /** Where power iterations begin, + position of the parameter; counter 0. */
  singularVectors: 0x0009_0000,
  /** counter: epoch, from 0. */
  epochOrder: 0x0002_0000,
  /** counter: step, from 0. */
  augmentation: 0x0003_0000,
  /** + position of the dropout layer; counter: step, from 0. */
  dropout: 0x0004_0000,
  /** As `dropout`, in the pass that makes adversarial examples for training. */
  attackDropout: 0x0005_0000,
  /** Random starts of a training attack, + 2 · draw (and 1 for the length of one under L2); counter: step, from 0. */
  trainingAttack: 0x0006_0000,
  /** + 65,536 · pass + position of the dropout layer, in the passes of such an attack after its first; counter: step, from 0. */
  laterAttackDropout: 0x3000_0000,
  /** Points of the ball at which the watch over training looks; counter: step, from 1. */
  watch: 0x0008_0000,
  /** First draw of each stage: + stage; counter: first sample of the batch. */
  evaluationAttack: 0x0007_0000,
  /** What an audit of an evaluation looks at nearby. */
  audit: 0x0008_0000,
  /** + 65,536 · stage + draw, from the second draw of a stage on; counter: first sample of the batch. */
  evaluationDraws: 0x1000_0000,
  /** Noise of randomised smoothing, + number of the copy, of 2²⁸; counter: position of the image. */
  smoothing: 0x5000_0000,
  /** Weights of a detector, + 1 for the order of its lessons; counter: epoch, from 0. */
  detector: 0x6001_0000,
  /** Where power iteration of a layer begins; counter 0. */
  operatorNorm: 0x6000_0000,
} as const;
