// What the picker and the status bar say about runtimes. Pure.
import type { DeviceListResult, DeviceReport } from '../../server/protocol/messages.ts';
import type { RuntimeChoice } from '../../server/protocol/plan.ts';

export interface RuntimeItem {
  readonly choice: RuntimeChoice;
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  /** Null for `auto`. */
  readonly device: DeviceReport | null;
}

/** `auto` and every runtime, the fastest first, those that don't work last; the chosen one is checked. */
export function runtimeItems({ devices, chosen }: DeviceListResult, setting: RuntimeChoice): RuntimeItem[] {
  const pace = ({ stepMs, isAvailable }: DeviceReport) => (isAvailable ? (stepMs ?? 1e9) : Infinity);
  const sorted = [...devices].sort((a, b) => pace(a) - pace(b));
  const label = (choice: RuntimeChoice, icon: string) => `$(${choice === setting ? 'check' : icon}) ${choice}`;
  return [
    {
      choice: 'auto',
      label: label('auto', 'sparkle'),
      description: `now ${chosen}`,
      detail: "What the experiment says, by default the fastest that passes Kafscope's self-test.",
      device: null,
    },
    ...sorted.map((device) => ({
      choice: device.runtime,
      label: label(device.runtime, device.isAvailable ? 'chip' : 'circle-slash'),
      description: device.isAvailable
        ? [device.device, paceText(device.stepMs)].filter(Boolean).join(' · ')
        : 'not here',
      detail: device.reason,
      device,
    })),
  ];
}

/** In a workspace that is not trusted, where no runtime is tried. */
export const restrictedStatus = {
  text: '$(shield) restricted',
  tooltip:
    'Kafscope tries no runtime and trains nothing here until this workspace is trusted.\nPast runs can be looked at',
  isFaulty: false,
} as const;

/** `$(chip) wasm` with what it is; before the server has answered, only what is set. */
export function runtimeStatus(
  setting: RuntimeChoice,
  list: DeviceListResult | null,
): { readonly text: string; readonly tooltip: string; readonly isFaulty: boolean } {
  const runtime = setting === 'auto' ? (list?.chosen ?? 'auto') : setting;
  const device = list?.devices.find((one) => one.runtime === runtime);
  const isFaulty = device?.isAvailable === false;
  const what = !device
    ? null
    : isFaulty
      ? device.reason
      : [device.device, paceText(device.stepMs)].filter(Boolean).join(' · ');
  const why = setting === 'auto' ? 'chosen as the fastest here' : 'set in the settings';
  return {
    text: `$(${isFaulty ? 'warning' : 'chip'}) ${runtime}`,
    tooltip: [`Kafscope trains on ${runtime}, ${why}.`, what, 'Select another runtime'].filter(Boolean).join('\n'),
    isFaulty,
  };
}

function paceText(stepMs: number | null): string {
  return stepMs === null ? '' : `${stepMs < 10 ? stepMs.toFixed(1) : stepMs.toFixed(0)} ms a test step`;
}
