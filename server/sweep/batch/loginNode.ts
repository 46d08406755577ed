// A host from which jobs are submitted is for that: where a user has told of their cluster, nothing of ours computes on it.
import { schedulers } from './schedulers.ts';
import { isConfigured, readSettings, settingsFile, SettingsError, type SettingsPlace } from './settingsFile.ts';

/** Why nothing is computed on this host, in sentences; null where it may compute. */
export function whyNotHere(place: SettingsPlace = {}): string | null {
  for (const scheduler of schedulers(place.env)) {
    if (!scheduler.isHere() || scheduler.isInJob() || !isConfigured(scheduler, place)) continue;
    try {
      if (readSettings(scheduler, place).computesHere) continue;
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
    }
    const { name, title } = scheduler;
    return `This host gives jobs to ${title}, so nothing is computed on it. Let ${title} do it: a sweep by kafscope sweep FILE --on ${name}, anything else in a job of your own. Where this host may compute, say computesHere: true in ${settingsFile(scheduler, place.env)}.`;
  }
  return null;
}
