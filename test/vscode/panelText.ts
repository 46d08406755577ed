// What a panel says, read as a person sees it: through the shadow trees of its components.
import type { Frame } from 'playwright-core';

/** The text of an element with all that its shadow trees show, once it is there. */
export async function text(frame: Frame, selector: string): Promise<string> {
  return frame.locator(selector).first().evaluate(textOf);
}

/** As it is now; empty where there is none. */
export async function textNow(frame: Frame, selector: string): Promise<string> {
  const found = await frame.$(selector);
  return found ? found.evaluate(textOf) : '';
}

/** Runs in the page. */
function textOf(element: Node): string {
  const read = (node: Node): string => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? '';
    if (node instanceof HTMLStyleElement) return '';
    const root = node instanceof Element && node.shadowRoot ? node.shadowRoot : node;
    return [...root.childNodes].map(read).join(' ');
  };
  return read(element).replace(/\s+/g, ' ').trim();
}

/** The number of steps that the dashboard's header says are done. */
export async function stepShown(frame: Frame): Promise<number> {
  const header = await text(frame, 'kaf-dashboard-header');
  const digits = /step ([\d,.\s]+) of/.exec(header)?.[1]?.replace(/\D/g, '');
  return digits ? Number(digits) : 0;
}

export async function status(frame: Frame): Promise<string> {
  return (await text(frame, 'kaf-dashboard-header [role=status]')).replace('●', '').trim();
}
