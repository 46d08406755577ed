// What canvases are drawn with, written down as SVG.
import { expect, test } from 'vitest';
import { SvgContext, svgDocument } from '../../../webview/charts/svgContext.ts';

const whole = { width: 10, height: 20, title: 'a & b', background: 'black' };

test('lines, boxes and texts stand where they were drawn, moved by the origin', () => {
  const ctx = new SvgContext();
  ctx.translate(2, 3);
  ctx.strokeStyle = 'red';
  ctx.beginPath();
  ctx.moveTo(0, 0);
  ctx.lineTo(1.5, 4);
  ctx.stroke();
  ctx.fillStyle = 'blue';
  ctx.fillRect(1, 1, 5, 6);
  ctx.fill();
  ctx.font = '600 12px serif';
  ctx.textAlign = 'right';
  ctx.fillText('<1>', 4, 5);
  const text = svgDocument(ctx.text, whole);
  expect(text).toContain('<path d="M2 3L3.5 7" fill="none" stroke="red"');
  expect(text).toContain('<path d="M2 3L3.5 7" fill="blue"/>');
  expect(text).toContain('<rect x="3" y="4" width="5" height="6" fill="blue"/>');
  expect(text).toContain('x="6" y="8" font-size="12" font-weight="600" text-anchor="end" fill="blue">&lt;1&gt;</text>');
  expect(text).toContain('width="10" height="20"');
  expect(text).toContain('<title>a &amp; b</title>');
});

test('what is clipped or faint is so until it is restored', () => {
  const ctx = new SvgContext();
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, 4, 4);
  ctx.clip();
  ctx.globalAlpha = 0.5;
  ctx.fillRect(0, 0, 9, 9);
  ctx.restore();
  ctx.fillRect(1, 1, 2, 2);
  const text = svgDocument(ctx.text, whole);
  expect(text).toContain(
    '<clipPath id="clip0"><path d="M0 0h4v4h-4Z"/></clipPath><g clip-path="url(#clip0)" opacity="0.5"><rect x="0"',
  );
  expect(text).toContain('</g><rect x="1" y="1" width="2" height="2" fill="#000"/></svg>');
});
