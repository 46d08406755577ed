import { expect, test } from 'vitest';
import { checkpointFindings, omittedMetadata } from '../../../webview/state/checkpointFindings.ts';
import { makeCheckpoint, makeForeignCheckpoint, makeManyTensors, withDamage } from '../gallery/checkpointData.ts';

const whole = makeCheckpoint({ nonFinite: 0 });

test('a file that is whole and shown as a whole has none', () => {
  expect(checkpointFindings(whole)).toEqual([]);
  expect(omittedMetadata(whole)).toBeNull();
});

test('a damaged tensor of a run’s checkpoint is named, with what it means and what to do', () => {
  expect(checkpointFindings(withDamage(whole, ['model/conv2.kernel']))).toEqual([
    {
      tone: 'bad',
      heading: '1 tensor is damaged',
      text: 'Its bytes are not those that were written: the disk or a copy has changed them, and its figures are of what is there now. Kafscope neither resumes nor attacks from this checkpoint. Take an earlier one of the run, or copy the file again from where it is whole.',
      tensors: ['model/conv2.kernel'],
      nMore: 0,
    },
  ]);
});

test('of many damaged tensors three are named, and of another program’s file no run is spoken of', () => {
  const [damage, curves, ...others] = checkpointFindings(makeForeignCheckpoint());
  expect(damage).toMatchObject({ tone: 'bad', heading: '5 tensors are damaged', nMore: 2 });
  expect(damage?.tensors).toHaveLength(3);
  expect(damage?.text).toMatch(/^Their bytes are not .* their figures are .* now\. Copy the file again/);
  expect(curves).toMatchObject({ tone: 'quiet', heading: 'The curves of 1 tensor are not drawn', tensors: [] });
  expect(others).toEqual([]);
});

test('of more tensors than are shown it says how many there are, and that the others were not read', () => {
  const [omitted] = checkpointFindings(makeManyTensors());
  expect(omitted).toMatchObject({ tone: 'quiet', heading: '10,000 of 1,000,000 tensors shown' });
  expect(omitted?.text).toContain('The others were not read');
});

test('of metadata that is too long it says how much is shown', () => {
  expect(omittedMetadata(makeForeignCheckpoint())?.heading).toBe('2 of 5 entries shown');
});
