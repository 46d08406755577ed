// A schedule whose learning rates are all multiplied by a factor; its course stays.
import type { SchedulePlan } from '../protocol/plan.ts';

export function scaledSchedule(schedule: SchedulePlan, factor: number): SchedulePlan {
  switch (schedule.type) {
    case 'constant':
    case 'step':
      return { ...schedule, learningRate: schedule.learningRate * factor };
    case 'triangular':
    case 'cosine':
    case 'one-cycle':
      return { ...schedule, min: schedule.min * factor, max: schedule.max * factor };
    default:
      return schedule satisfies never;
  }
}
