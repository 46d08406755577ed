import { beforeEach, expect, it, vi } from 'vitest';
import { drawInTurn, leaveTurn } from '../../../webview/charts/drawTurns.ts';

let frames: (() => void)[];
let nowMs: number;
let drawn: string[];

beforeEach(() => {
  [frames, nowMs, drawn] = [[], 0, []];
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => frames.push(draw));
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  return () => {
    while (frames.length > 0) nextFrame();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  };
});

function nextFrame(): void {
  for (const draw of frames.splice(0)) draw();
}

/** Takes so long to draw. */
function drawing(name: string, ms: number): () => void {
  return () => {
    drawn.push(name);
    nowMs += ms;
  };
}

const [first, second, third] = [{}, {}, {}];

it('draws quick pictures in one frame, and nothing before it', () => {
  drawInTurn(first, drawing('first', 1));
  drawInTurn(second, drawing('second', 1));
  expect([drawn, frames.length]).toEqual([[], 1]);
  nextFrame();
  expect([drawn, frames.length]).toEqual([['first', 'second'], 0]);
});

it('gives a slow picture a frame of its own, and asks for the next one', () => {
  drawInTurn(first, drawing('first', 9));
  drawInTurn(second, drawing('second', 9));
  nextFrame();
  expect([drawn, frames.length]).toEqual([['first'], 1]);
  nextFrame();
  expect([drawn, frames.length]).toEqual([['first', 'second'], 0]);
});

it('draws of several wishes of a picture the last one, in the place of the first', () => {
  drawInTurn(first, drawing('old', 1));
  drawInTurn(second, drawing('second', 1));
  drawInTurn(first, drawing('new', 1));
  nextFrame();
  expect(drawn).toEqual(['new', 'second']);
});

it('starves nobody: who asks again while others wait comes after them', () => {
  for (const [picture, name] of [
    [first, 'first'],
    [second, 'second'],
    [third, 'third'],
  ] as const) {
    drawInTurn(picture, drawing(name, 9));
  }
  nextFrame();
  drawInTurn(first, drawing('again', 9));
  for (let frame = 0; frame < 3; frame++) nextFrame();
  expect(drawn).toEqual(['first', 'second', 'third', 'again']);
});

it('draws nothing that has left the page', () => {
  drawInTurn(first, drawing('first', 1));
  leaveTurn(first);
  nextFrame();
  expect([drawn, frames.length]).toEqual([[], 0]);
});
