// Where on this machine runs work: each GPU is a place for one run, and the processor, with all its cores, is one. Runs in different
// places go side by side; those that want one place wait for each other.
import type { DeviceListResult } from '../protocol/messages.ts';
import { torchDeviceNames, type Plan, type RuntimeName, type TorchDeviceName } from '../protocol/plan.ts';

export type Gpu = Extract<TorchDeviceName, `cuda:${string}`>;
export type Place = 'processor' | Gpu;

export interface MachinePlaces {
  /** What `auto` stands for. */
  readonly chosen: RuntimeName;
  /** In the order in which they are given to runs that name none. */
  readonly gpus: Readonly<Partial<Record<RuntimeName, readonly Gpu[]>>>;
}

/** As long as nobody has looked. */
export const processorAlone: MachinePlaces = { chosen: 'wasm', gpus: {} };

export function placesOf({ chosen, devices }: DeviceListResult): MachinePlaces {
  const gpus = (runtime: RuntimeName) =>
    (devices.find((device) => device.runtime === runtime)?.gpus ?? []).filter(isGpu);
  const torch = gpus('torch');
  const tensorflow = gpus('tensorflow');
  // TensorFlow's own trial tells that it uses a GPU, PyTorch's how many there are.
  return { chosen, gpus: { torch, tensorflow: tensorflow.length > 0 && torch.length > 0 ? torch : tensorflow } };
}

/** Whether a run may work elsewhere than on the processor, so that it must be known what there is. */
export function mayBeOnDevice({ runtime }: Pick<Plan, 'runtime'>): boolean {
  return runtime !== 'wasm' && runtime !== 'cpu';
}

/** What a process is told that gets this place: the device to take, where its plan does not name it. */
export function deviceAt(place: Place, { device }: Pick<Plan, 'device'>): Gpu | undefined {
  return place === 'processor' || place === device ? undefined : place;
}

/** Those where the run may work, the one first that its process takes unless it is told another. */
export function placesFor(
  { runtime, device }: Pick<Plan, 'runtime' | 'device'>,
  { chosen, gpus }: MachinePlaces,
): readonly Place[] {
  const all = gpus[runtime === 'auto' ? chosen : runtime] ?? [];
  if (device !== undefined && device !== 'cuda') return isGpu(device) ? [device] : ['processor'];
  return all.length > 0 ? all : ['processor'];
}

function isGpu(name: string): name is Gpu {
  return name.startsWith('cuda:') && torchDeviceNames.some((one) => one === name);
}
