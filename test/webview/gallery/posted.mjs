/** What the panel has posted to the host. @param {import('playwright-core').Page} page */
export function posted(page) {
  return page.evaluate(() => globalThis.posted);
}

/** Waits until all that the panel was told, or asked by, is drawn. @param {import('playwright-core').Page} page */
export function drawn(page) {
  return page.evaluate(() => globalThis.untilDrawn());
}
