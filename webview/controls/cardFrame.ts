// What a person has done to the cards of a grid: pinned to its beginning, made as wide as it is, given a height or a stretch of y. Kept with the view.
import { css, html } from 'lit';
import type { Range } from '../curves/decimate.ts';
import './resizeHandle.ts';

export interface CardFrame {
  readonly isPinned?: boolean;
  readonly isWide?: boolean;
  /** Of its chart, in pixels. */
  readonly height?: number;
  /** The part of y that is shown; absent for what the curves need. */
  readonly y?: Range;
}

/** By the card's name. */
export type CardFrames = Readonly<Record<string, CardFrame>>;

export const cardFrameSheet = css`
  .card.wide {
    grid-column: 1 / -1;
  }
  .card > h2 > .frame {
    display: flex;
    gap: 6px;
    margin-left: auto;
    font-weight: 400;
    font-size: 11px;
  }
  .card > h2 > b ~ .frame {
    margin-left: 6px;
  }
  .card:not(:hover, .pinned, .wide) > h2 > .frame:not(:focus-within) {
    position: absolute;
    width: 1px;
    overflow: hidden;
    opacity: 0;
  }
`;

export function cardClass({ isPinned, isWide }: CardFrame): string {
  return `card ${isPinned ? 'pinned' : ''} ${isWide ? 'wide' : ''}`;
}

/** Those that are pinned first, each part in its order. */
export function pinnedFirst<Card>(cards: readonly Card[], frames: CardFrames, nameOf: (card: Card) => string): Card[] {
  const isPinned = (card: Card): boolean => frames[nameOf(card)]?.isPinned === true;
  return [...cards.filter(isPinned), ...cards.filter((card) => !isPinned(card))];
}

/** Buttons for a card's heading. */
export function frameButtons(name: string, frames: CardFrames, change: (frames: CardFrames) => void): unknown {
  const frame = frames[name] ?? {};
  const button = (key: 'isPinned' | 'isWide', text: string, title: string) =>
    html`<button
      class="link"
      aria-pressed=${frame[key] ? 'true' : 'false'}
      aria-label="${title}: ${name}"
      title=${title}
      @click=${() => {
        change({ ...frames, [name]: { ...frame, [key]: !frame[key] } });
      }}
    >
      ${text}
    </button>`;
  return html`<span class="frame"
    >${button('isPinned', frame.isPinned ? 'unpin' : 'pin', frame.isPinned ? 'Unpin' : 'Pin to the beginning')}
    ${button('isWide', frame.isWide ? 'narrow' : 'wide', frame.isWide ? 'As wide as others' : 'As wide as the panel')}</span
  >`;
}

/** Below a card's chart. */
export function frameHandle(name: string, frames: CardFrames, change: (frames: CardFrames) => void): unknown {
  const { height, ...others } = frames[name] ?? {};
  return html`<kaf-resize-handle
    label="Height of ${name}"
    .height=${height ?? null}
    @resized=${(event: CustomEvent<{ height: number | null }>) => {
      const chosen = event.detail.height;
      change({ ...frames, [name]: { ...others, ...(chosen !== null && { height: chosen }) } });
    }}
  ></kaf-resize-handle>`;
}
